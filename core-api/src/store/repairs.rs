//! How each rule is mended that somebody broke past the core: statements for the tables' owner.
//!
//! The statements of a rule mend whatever breaks it, wherever that is, so nothing that was found in
//! the database becomes part of a statement. They take what cannot be changed for true: the ledger,
//! then what an order's owner was told. They lock the stock first, as every writer of stock and
//! orders does, so cores may go on serving; rules about anything else are mended while none runs. What nothing in the database can tell any more they leave as it is; then a
//! backup is the only way. Nor can a statement make what is sealed: the advice names the command that can.

mod statements;

use self::statements::{
    END_ONCE, ENTRIES_AS_KINDS, ENTRIES_OF_HOLDS, FOUND_SKUS, HOLDS_AS_TAKEN, LINES_AS_HELD,
    LOST_HOLDS, LOST_LINES, LOST_ORDERS, STATES_BY_EVENTS, STATES_OF_HOLDS, STATES_OF_ORDERS,
    STOCK_OF_SKUS,
};
use crate::verify::Repair;

/// What mends a rule, under the rule's own words.
pub(super) type Mending = (&'static str, &'static [&'static str]);

/// The ledger makes up for units that are reserved and were never there, and stock is what the
/// ledger says.
macro_rules! recount {
    ($fresh:literal, $now:literal) => {
        [
            concat!(
                "INSERT INTO stock_movement (id, sku, kind, quantity, on_hand_change,
                            reserved_change, reason, created_at)
                 SELECT ",
                $fresh,
                ", sku, 'adjust', sum(reserved_change) - sum(on_hand_change),
                        sum(reserved_change) - sum(on_hand_change), 0,
                        'reserved and not there', ",
                $now,
                "
                   FROM stock_movement GROUP BY sku
                 HAVING sum(on_hand_change) < sum(reserved_change)"
            ),
            "UPDATE stock
                SET on_hand = (SELECT coalesce(sum(m.on_hand_change), 0)
                                 FROM stock_movement AS m WHERE m.sku = stock.sku),
                    reserved = (SELECT coalesce(sum(m.reserved_change), 0)
                                  FROM stock_movement AS m WHERE m.sku = stock.sku)
              WHERE on_hand <> (SELECT coalesce(sum(m.on_hand_change), 0)
                                  FROM stock_movement AS m WHERE m.sku = stock.sku)
                 OR reserved <> (SELECT coalesce(sum(m.reserved_change), 0)
                                   FROM stock_movement AS m WHERE m.sku = stock.sku)",
        ]
    };
}

/// SKUs that nobody knows any more belong to a product that is off sale.
macro_rules! found_product {
    ($fresh:literal, $now:literal) => {
        concat!(
            "INSERT INTO product (id, name, description, created_at, version, deleted_at)
             SELECT ",
            $fresh,
            ", 'Lost and found', '', ",
            $now,
            ", 1, ",
            $now,
            "
              WHERE EXISTS (SELECT 1 FROM stock WHERE sku NOT IN (SELECT sku FROM sku))"
        )
    };
}

/// A hold is taken in the ledger, too, unless it is one too many.
macro_rules! take {
    ($fresh:literal) => {
        concat!(
            "INSERT INTO stock_movement (id, sku, kind, quantity, on_hand_change, reserved_change,
                                         reservation_id, account_id, created_at)
             SELECT ", $fresh, ", r.sku, 'reserve', r.quantity, 0, r.quantity, r.id, o.account_id,
                    o.created_at
               FROM reservation AS r JOIN orders AS o ON o.id = r.order_id
              WHERE r.id NOT IN (SELECT reservation_id FROM stock_movement WHERE kind = 'reserve')
                AND NOT EXISTS (SELECT 1 FROM reservation AS x
                                  JOIN stock_movement AS m
                                    ON m.reservation_id = x.id AND m.kind = 'reserve'
                                 WHERE x.order_id = r.order_id AND x.sku = r.sku
                                   AND x.state = r.state AND x.id <> r.id)"
        )
    };
}

/// What an order holds ends in the ledger as its owner was told.
macro_rules! end {
    ($fresh:literal, $now:literal) => {
        concat!(
            "INSERT INTO stock_movement (id, sku, kind, quantity, on_hand_change, reserved_change,
                                         reservation_id, created_at)
             SELECT ",
            $fresh,
            ", r.sku, CASE o.state WHEN 'cancelled' THEN 'release' ELSE 'expire' END,
                    r.quantity, 0, -r.quantity, r.id, ",
            $now,
            "
               FROM reservation AS r JOIN orders AS o ON o.id = r.order_id
              WHERE o.state IN ('cancelled', 'expired')
                AND r.id NOT IN (SELECT reservation_id FROM stock_movement
                                  WHERE kind IN ('release', 'expire', 'commit'))"
        )
    };
}

/// What led an order to where it is, the shortest way.
macro_rules! lost_events {
    ($now:literal) => {
        concat!(
            "INSERT INTO order_event (order_id, from_state, to_state, created_at)
             SELECT o.id, w.from_state, w.to_state, ", $now, "
               FROM orders AS o
               JOIN (SELECT 'expired' AS state, 'pending_payment' AS from_state, 'expired' AS to_state
                     UNION ALL SELECT 'cancelled', 'pending_payment', 'cancelled'
                     UNION ALL SELECT 'paid', 'pending_payment', 'paid'
                     UNION ALL SELECT 'fulfilling', 'pending_payment', 'paid'
                     UNION ALL SELECT 'fulfilling', 'paid', 'fulfilling'
                     UNION ALL SELECT 'shipped', 'pending_payment', 'paid'
                     UNION ALL SELECT 'shipped', 'paid', 'fulfilling'
                     UNION ALL SELECT 'shipped', 'fulfilling', 'shipped'
                     UNION ALL SELECT 'delivered', 'pending_payment', 'paid'
                     UNION ALL SELECT 'delivered', 'paid', 'fulfilling'
                     UNION ALL SELECT 'delivered', 'fulfilling', 'shipped'
                     UNION ALL SELECT 'delivered', 'shipped', 'delivered'
                     UNION ALL SELECT 'returned', 'pending_payment', 'paid'
                     UNION ALL SELECT 'returned', 'paid', 'returned') AS w ON w.state = o.state
              WHERE NOT EXISTS (SELECT 1 FROM order_event AS e
                                 WHERE e.order_id = o.id
                                   AND (e.to_state = w.to_state OR e.from_state = w.from_state))"
        )
    };
}

macro_rules! lost_products {
    ($now:literal) => {
        concat!(
            "INSERT INTO product (id, name, description, created_at, version, deleted_at)
             SELECT DISTINCT product_id, 'Lost and found', '', ",
            $now,
            ", 1, ",
            $now,
            "
               FROM sku WHERE product_id NOT IN (SELECT id FROM product)"
        )
    };
}

/// What mends every rule that both databases have. `$text` is the function that makes a text of
/// an id, `$fresh` a new id, `$now` the time; `$open` and `$shut` are how the ledger's guard is
/// taken off and put on again.
macro_rules! mendings {
    ($text:literal, $fresh:literal, $now:literal, [$($open:expr),+], [$($shut:expr),+]) => {{
        const RECOUNT: [&str; 2] = recount!($fresh, $now);
        const TAKE: &str = take!($fresh);
        const END: &str = end!($fresh, $now);
        [
            (
                "every reference leads somewhere",
                &[
                    lost_products!($now),
                    LOST_ORDERS,
                    "DELETE FROM order_line WHERE order_id NOT IN (SELECT id FROM orders)",
                    "DELETE FROM cart_line WHERE sku NOT IN (SELECT sku FROM sku)",
                    "DELETE FROM refresh_token WHERE session_id NOT IN
                            (SELECT id FROM session WHERE account_id IN (SELECT id FROM account))",
                    "DELETE FROM session WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM password_link WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM email_link WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM login_challenge WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM recovery_code WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM totp WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM mail WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM consent WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM unsealed_account WHERE account_id NOT IN (SELECT id FROM account)",
                    "DELETE FROM data_key WHERE account_id NOT IN (SELECT id FROM account)",
                ] as &[&str],
            ),
            (
                "every sku is stocked, and only skus are",
                &[STOCK_OF_SKUS, found_product!($fresh, $now), FOUND_SKUS],
            ),
            ("what is reserved is on hand: 0 <= reserved <= on hand", &RECOUNT),
            ("the movements of a sku sum to what is on hand", &RECOUNT),
            ("the movements of a sku sum to what is reserved", &RECOUNT),
            (
                "the pending holds of a sku sum to what is reserved",
                &[LOST_HOLDS, HOLDS_AS_TAKEN, STATES_OF_HOLDS, RECOUNT[0], RECOUNT[1]],
            ),
            (
                "only what is stocked moves",
                &[
                    $($open,)+ ENTRIES_OF_HOLDS, $($shut,)+
                    STOCK_OF_SKUS, found_product!($fresh, $now), FOUND_SKUS,
                ],
            ),
            ("a movement changes what its kind says", &[$($open,)+ ENTRIES_AS_KINDS, $($shut,)+]),
            (
                "a movement of a hold is of the hold's sku and quantity",
                &[$($open,)+ ENTRIES_OF_HOLDS, $($shut,)+ LOST_HOLDS, HOLDS_AS_TAKEN, STATES_OF_HOLDS],
            ),
            (
                "a hold is taken once, and ends once in the way its state says",
                &[
                    $($open,)+ END_ONCE, $($shut,)+
                    TAKE, END, STATES_OF_HOLDS, RECOUNT[0], RECOUNT[1],
                ],
            ),
            (
                "a pending hold is of an order that waits for payment",
                &[
                    LOST_ORDERS, STATES_BY_EVENTS[0], STATES_BY_EVENTS[1], END, STATES_OF_HOLDS,
                    RECOUNT[0], RECOUNT[1],
                ],
            ),
            ("every hold is of an order's line", &[LOST_LINES]),
            (
                "every line of an order has a hold, in the state the order's own state asks for",
                &[
                    LINES_AS_HELD, LOST_HOLDS, TAKE, STATES_BY_EVENTS[0], STATES_BY_EVENTS[1], END,
                    STATES_OF_HOLDS, STATES_OF_ORDERS, RECOUNT[0], RECOUNT[1],
                ],
            ),
            (
                "an order has lines, and its total is their sum",
                &[
                    LOST_LINES,
                    "UPDATE orders
                SET total_minor = (SELECT sum(l.quantity * l.unit_price_minor)
                                     FROM order_line AS l WHERE l.order_id = orders.id)
              WHERE total_minor <> (SELECT sum(l.quantity * l.unit_price_minor)
                                      FROM order_line AS l WHERE l.order_id = orders.id)",
                ],
            ),
            (
                "an order's lines are of skus that are or were sold",
                &["DELETE FROM order_line WHERE sku NOT IN (SELECT sku FROM sku)", LOST_LINES],
            ),
            (
                "an order holds a sku once at a time",
                &["DELETE FROM reservation
              WHERE state IN ('pending', 'committed')
                AND id NOT IN (SELECT reservation_id FROM stock_movement WHERE kind = 'reserve')
                AND EXISTS (SELECT 1 FROM reservation AS r
                              JOIN stock_movement AS m
                                ON m.reservation_id = r.id AND m.kind = 'reserve'
                             WHERE r.order_id = reservation.order_id AND r.sku = reservation.sku
                               AND r.id <> reservation.id)"],
            ),
            (
                "an order's events lead from its placing to its state",
                &[STATES_BY_EVENTS[0], STATES_BY_EVENTS[1], lost_events!($now)],
            ),
            ("an order that is paid has a payment of all that it costs", &STATES_BY_EVENTS),
            (
                "what goes back of a payment was taken: 0 <= refunded <= captured",
                &[
                    "UPDATE payment SET refunded_minor = captured_minor
              WHERE refunded_minor > captured_minor",
                    "UPDATE payment SET refunded_minor = 0 WHERE refunded_minor < 0",
                    "UPDATE refund SET state = 'failed'
              WHERE state = 'pending'
                AND payment_id IN (SELECT p.id FROM payment AS p
                                     JOIN refund AS r ON r.payment_id = p.id AND r.state <> 'failed'
                                    GROUP BY p.id, p.captured_minor
                                   HAVING sum(r.amount_minor) > p.captured_minor)",
                ],
            ),
            (
                "a job is about a payment or a refund that is there",
                &["DELETE FROM job
              WHERE (kind = 'refund' AND subject_id NOT IN (SELECT id FROM refund))
                 OR (kind <> 'refund' AND subject_id NOT IN (SELECT id FROM payment))"],
            ),
            (
                "a session is refreshed with one token at a time",
                &[
                    concat!(
                        "UPDATE session SET ended_at = ", $now, "
              WHERE id IN (SELECT session_id FROM refresh_token
                            WHERE spent_at IS NULL GROUP BY session_id HAVING count(*) > 1)"
                    ),
                    concat!(
                        "UPDATE refresh_token SET spent_at = ", $now, "
              WHERE spent_at IS NULL
                AND session_id IN (SELECT session_id FROM refresh_token
                                    WHERE spent_at IS NULL GROUP BY session_id HAVING count(*) > 1)"
                    ),
                ],
            ),
            (
                "a category that products are put into is there",
                &["UPDATE product SET category_id = NULL
              WHERE category_id NOT IN (SELECT id FROM category)"],
            ),
        ]
    }};
}

pub(super) const SQLITE: [Mending; 22] = mendings!(
    "hex",
    "unhex(format('%012x', CAST(unixepoch('subsec') * 1000 AS INTEGER)) || hex(randomblob(10)))",
    "CAST(unixepoch('subsec') * 1000000 AS INTEGER)",
    [
        "DROP TRIGGER IF EXISTS stock_movement_is_not_updated",
        "DROP TRIGGER IF EXISTS stock_movement_is_not_deleted"
    ],
    [
        "CREATE TRIGGER stock_movement_is_not_updated BEFORE UPDATE ON stock_movement
BEGIN
    SELECT RAISE(ABORT, 'stock movements are append-only');
END",
        "CREATE TRIGGER stock_movement_is_not_deleted BEFORE DELETE ON stock_movement
BEGIN
    SELECT RAISE(ABORT, 'stock movements are append-only');
END"
    ]
);

pub(super) const POSTGRES: [Mending; 22] = mendings!(
    "text",
    "(lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') ||
              substr(replace(gen_random_uuid()::text, '-', ''), 13))::uuid",
    "(extract(epoch FROM now()) * 1000000)::bigint",
    ["ALTER TABLE stock_movement DISABLE TRIGGER stock_movement_is_not_changed"],
    ["ALTER TABLE stock_movement ENABLE TRIGGER stock_movement_is_not_changed"]
);

/// The script that mends a rule, between what begins and what ends a transaction.
pub(super) fn repair(mendings: &[Mending], rule: &str, begin: &[&str]) -> Option<Repair> {
    let (_, statements) = mendings.iter().find(|(says, _)| *says == rule)?;
    Some(Repair { script: script(begin, statements), while_serving: true })
}

/// Statements as one transaction.
pub(super) fn script(begin: &[&str], statements: &[&str]) -> String {
    let lines = begin.iter().chain(statements).chain(&["COMMIT"]);
    lines.map(|statement| format!("{statement};\n")).collect()
}
