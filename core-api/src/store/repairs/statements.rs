//! Statements that mend, alike in both databases.

pub(super) const FOUND_SKUS: &str = "INSERT INTO sku (sku, product_id, price_minor, currency)
             SELECT s.sku,
                    (SELECT id FROM product WHERE name = 'Lost and found' AND deleted_at IS NOT NULL
                      ORDER BY id DESC LIMIT 1),
                    coalesce((SELECT max(unit_price_minor) FROM order_line WHERE sku = s.sku), 1),
                    coalesce((SELECT max(currency) FROM sku), 'EUR')
               FROM stock AS s WHERE s.sku NOT IN (SELECT sku FROM sku)";

pub(super) const STOCK_OF_SKUS: &str = "INSERT INTO stock (sku, on_hand, reserved)
             SELECT w.sku, coalesce(sum(m.on_hand_change), 0), coalesce(sum(m.reserved_change), 0)
               FROM (SELECT sku FROM sku UNION SELECT sku FROM stock_movement) AS w
               LEFT JOIN stock_movement AS m ON m.sku = w.sku
              WHERE w.sku NOT IN (SELECT sku FROM stock) GROUP BY w.sku";

/// Holds that only the ledger remembers, for the orders that were placed with them.
pub(super) const LOST_HOLDS: &str =
    "INSERT INTO reservation (id, order_id, sku, quantity, state, expires_at)
             SELECT m.reservation_id, o.id, m.sku, m.quantity, 'pending', o.expires_at
               FROM stock_movement AS m
               JOIN orders AS o ON o.account_id = m.account_id AND o.created_at = m.created_at
               JOIN order_line AS l
                 ON l.order_id = o.id AND l.sku = m.sku AND l.quantity = m.quantity
              WHERE m.kind = 'reserve' AND m.reservation_id NOT IN (SELECT id FROM reservation)
                AND NOT EXISTS (SELECT 1 FROM reservation AS r
                                 WHERE r.order_id = o.id AND r.sku = m.sku)";

/// A hold is of what the ledger says was taken.
pub(super) const HOLDS_AS_TAKEN: &str = "UPDATE reservation
                SET sku = (SELECT m.sku FROM stock_movement AS m
                            WHERE m.reservation_id = reservation.id AND m.kind = 'reserve'),
                    quantity = (SELECT m.quantity FROM stock_movement AS m
                                 WHERE m.reservation_id = reservation.id AND m.kind = 'reserve')
              WHERE EXISTS (SELECT 1 FROM stock_movement AS m
                             WHERE m.reservation_id = reservation.id AND m.kind = 'reserve'
                               AND (m.sku <> reservation.sku OR m.quantity <> reservation.quantity))";

/// The state of a hold is what the ledger says became of it.
pub(super) const STATES_OF_HOLDS: &str = "UPDATE reservation
                SET state = coalesce(
                    (SELECT CASE m.kind WHEN 'release' THEN 'released' WHEN 'expire' THEN 'expired'
                            ELSE 'committed' END
                       FROM stock_movement AS m WHERE m.reservation_id = reservation.id
                        AND m.kind IN ('release', 'expire', 'commit')), 'pending')
              WHERE state <> coalesce(
                    (SELECT CASE m.kind WHEN 'release' THEN 'released' WHEN 'expire' THEN 'expired'
                            ELSE 'committed' END
                       FROM stock_movement AS m WHERE m.reservation_id = reservation.id
                        AND m.kind IN ('release', 'expire', 'commit')), 'pending')";

/// An order is where its events led it; one that was called paid and is not, is where it was
/// before.
pub(super) const STATES_BY_EVENTS: [&str; 2] = [
    "UPDATE orders
                SET state = coalesce((SELECT max(e.to_state) FROM order_event AS e
                                       WHERE e.order_id = orders.id), 'pending_payment')
              WHERE state IN ('paid', 'fulfilling', 'shipped', 'delivered', 'returned')
                AND NOT EXISTS (SELECT 1 FROM order_event AS e
                                 WHERE e.order_id = orders.id AND e.to_state = 'paid')
                AND NOT EXISTS (SELECT 1 FROM payment AS p
                                 WHERE p.order_id = orders.id AND p.captured_minor >= orders.total_minor)",
    "UPDATE orders
                SET state = (SELECT e.to_state FROM order_event AS e
                              WHERE e.order_id = orders.id
                                AND NOT EXISTS (SELECT 1 FROM order_event AS n
                                                 WHERE n.order_id = e.order_id
                                                   AND n.from_state = e.to_state))
              WHERE EXISTS (SELECT 1 FROM order_event AS e
                             WHERE e.order_id = orders.id AND e.from_state = orders.state)",
];

/// An order of which nothing is held any more does not wait for payment.
pub(super) const STATES_OF_ORDERS: &str = "UPDATE orders
                SET state = CASE WHEN EXISTS (SELECT 1 FROM reservation AS r
                                               WHERE r.order_id = orders.id AND r.state = 'released')
                            THEN 'cancelled' ELSE 'expired' END
              WHERE state = 'pending_payment'
                AND EXISTS (SELECT 1 FROM reservation AS r
                             WHERE r.order_id = orders.id AND r.state IN ('released', 'expired'))
                AND NOT EXISTS (SELECT 1 FROM reservation AS r
                                 WHERE r.order_id = orders.id AND r.state IN ('pending', 'committed'))";

/// A hold ends once: the entry stays that fits its state.
pub(super) const END_ONCE: &str = "DELETE FROM stock_movement
              WHERE kind IN ('release', 'expire', 'commit')
                AND EXISTS (SELECT 1 FROM reservation AS r
                              JOIN stock_movement AS m ON m.reservation_id = r.id
                             WHERE r.id = stock_movement.reservation_id
                               AND m.kind <> stock_movement.kind
                               AND m.kind = CASE r.state WHEN 'released' THEN 'release'
                                            WHEN 'expired' THEN 'expire'
                                            WHEN 'committed' THEN 'commit' END)";

/// The ledger speaks of what a hold and its order's line agree on.
pub(super) const ENTRIES_OF_HOLDS: &str = "UPDATE stock_movement
                SET sku = (SELECT r.sku FROM reservation AS r
                            WHERE r.id = stock_movement.reservation_id),
                    quantity = (SELECT r.quantity FROM reservation AS r
                                 WHERE r.id = stock_movement.reservation_id),
                    on_hand_change = (SELECT CASE stock_movement.kind WHEN 'commit' THEN -r.quantity
                                             WHEN 'return' THEN r.quantity ELSE 0 END
                                        FROM reservation AS r
                                       WHERE r.id = stock_movement.reservation_id),
                    reserved_change = (SELECT CASE stock_movement.kind WHEN 'reserve' THEN r.quantity
                                              WHEN 'return' THEN 0 ELSE -r.quantity END
                                         FROM reservation AS r
                                        WHERE r.id = stock_movement.reservation_id)
              WHERE EXISTS (SELECT 1 FROM reservation AS r
                              JOIN order_line AS l ON l.order_id = r.order_id AND l.sku = r.sku
                                                  AND l.quantity = r.quantity
                             WHERE r.id = stock_movement.reservation_id
                               AND (r.sku <> stock_movement.sku
                                    OR r.quantity <> stock_movement.quantity))";

/// An entry changes what its kind says; of one that somebody made, stock followed the change.
pub(super) const ENTRIES_AS_KINDS: &str = "UPDATE stock_movement
                SET quantity = CASE WHEN reservation_id IS NULL
                                     AND (kind <> 'receive' OR on_hand_change > 0)
                               THEN abs(on_hand_change) ELSE quantity END,
                    on_hand_change = CASE kind WHEN 'receive'
                                     THEN CASE WHEN on_hand_change > 0 THEN on_hand_change
                                          ELSE quantity END
                                     WHEN 'adjust' THEN on_hand_change
                                     WHEN 'stocktake' THEN on_hand_change
                                     WHEN 'commit' THEN -quantity
                                     WHEN 'return' THEN quantity ELSE 0 END,
                    reserved_change = CASE WHEN reservation_id IS NULL OR kind = 'return' THEN 0
                                      WHEN kind = 'reserve' THEN quantity ELSE -quantity END
              WHERE (reservation_id IS NULL AND (quantity <> abs(on_hand_change) OR reserved_change <> 0))
                 OR (kind = 'receive' AND on_hand_change < 1)
                 OR (reservation_id IS NOT NULL
                     AND (on_hand_change <> CASE kind WHEN 'commit' THEN -quantity
                                            WHEN 'return' THEN quantity ELSE 0 END
                          OR reserved_change <> CASE kind WHEN 'reserve' THEN quantity
                                                WHEN 'return' THEN 0 ELSE -quantity END))";

/// Lines that only their holds remember; of an order of one hold, the total tells the price.
pub(super) const LOST_LINES: &str =
    "INSERT INTO order_line (order_id, sku, quantity, unit_price_minor)
             SELECT DISTINCT r.order_id, r.sku, r.quantity,
                    CASE WHEN o.total_minor % r.quantity = 0
                          AND NOT EXISTS (SELECT 1 FROM reservation AS x
                                           WHERE x.order_id = r.order_id AND x.sku <> r.sku)
                    THEN o.total_minor / r.quantity ELSE k.price_minor END
               FROM reservation AS r
               JOIN orders AS o ON o.id = r.order_id
               JOIN sku AS k ON k.sku = r.sku
              WHERE NOT EXISTS (SELECT 1 FROM order_line AS l
                                 WHERE l.order_id = r.order_id AND l.sku = r.sku)";

/// A line is of what the order holds, where hold and ledger agree.
pub(super) const LINES_AS_HELD: &str = "UPDATE order_line
                SET quantity = (SELECT max(m.quantity) FROM reservation AS r
                                  JOIN stock_movement AS m
                                    ON m.reservation_id = r.id AND m.kind = 'reserve'
                                 WHERE r.order_id = order_line.order_id AND r.sku = order_line.sku)
              WHERE EXISTS (SELECT 1 FROM reservation AS r
                              JOIN stock_movement AS m ON m.reservation_id = r.id
                               AND m.kind = 'reserve' AND m.quantity = r.quantity
                             WHERE r.order_id = order_line.order_id AND r.sku = order_line.sku
                               AND r.quantity <> order_line.quantity)";

/// Orders that only their lines, holds and the ledger remember.
pub(super) const LOST_ORDERS: &str = "INSERT INTO orders (id, account_id, state, total_minor, currency,
                                 created_at, expires_at)
             SELECT r.order_id, m.account_id,
                    CASE min(r.state) WHEN 'pending' THEN 'pending_payment'
                    WHEN 'released' THEN 'cancelled' WHEN 'committed' THEN 'paid' ELSE 'expired' END,
                    sum(l.quantity * l.unit_price_minor), max(k.currency), min(m.created_at),
                    max(r.expires_at)
               FROM reservation AS r
               JOIN stock_movement AS m ON m.reservation_id = r.id AND m.kind = 'reserve'
               JOIN order_line AS l ON l.order_id = r.order_id AND l.sku = r.sku
               JOIN sku AS k ON k.sku = r.sku
              WHERE r.order_id NOT IN (SELECT id FROM orders)
                AND m.account_id IS NOT NULL
                AND NOT EXISTS (SELECT 1 FROM reservation AS x
                                 WHERE x.order_id = r.order_id AND x.sku = r.sku AND x.id > r.id)
              GROUP BY r.order_id, m.account_id";
