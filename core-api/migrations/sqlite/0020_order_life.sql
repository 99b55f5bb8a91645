-- An order's life after it was placed: every move is an event, what is paid for leaves the
-- stock, and an order that expired may be held again when its money comes late.

CREATE TABLE order_event (
    order_id BLOB NOT NULL REFERENCES orders (id),
    from_state TEXT NOT NULL,
    to_state TEXT NOT NULL,
    -- Who moved it; the core itself where it is null.
    account_id BLOB CHECK (length(account_id) = 16),
    created_at INTEGER NOT NULL,
    -- Ranks only rise: a state is entered once and left once.
    PRIMARY KEY (order_id, to_state),
    UNIQUE (order_id, from_state),
    CHECK (from_state || '>' || to_state IN (
        'pending_payment>expired', 'pending_payment>cancelled', 'pending_payment>paid',
        'expired>paid', 'paid>fulfilling', 'fulfilling>shipped', 'shipped>delivered',
        'paid>returned', 'fulfilling>returned', 'shipped>returned', 'delivered>returned'))
) STRICT, WITHOUT ROWID;

INSERT INTO order_event (order_id, from_state, to_state, account_id, created_at)
SELECT id, 'pending_payment', state, NULL,
       CASE state WHEN 'expired' THEN expires_at ELSE created_at END
  FROM orders
 WHERE state <> 'pending_payment';

CREATE TRIGGER order_event_is_not_updated BEFORE UPDATE ON order_event
BEGIN
    SELECT RAISE(ABORT, 'order events are append-only');
END;

CREATE TRIGGER order_event_is_not_deleted BEFORE DELETE ON order_event
BEGIN
    SELECT RAISE(ABORT, 'order events are append-only');
END;

CREATE TABLE new_reservation (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'committed', 'released', 'expired')),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO new_reservation (id, order_id, sku, quantity, state, expires_at)
SELECT id, order_id, sku, quantity, state, expires_at
  FROM reservation;

DROP TABLE reservation;
ALTER TABLE new_reservation RENAME TO reservation;

CREATE INDEX reservation_by_order ON reservation (order_id, sku);
CREATE INDEX reservation_due ON reservation (sku, expires_at) WHERE state = 'pending';
CREATE INDEX reservation_due_any ON reservation (expires_at) WHERE state = 'pending';
-- An order holds a SKU once at a time.
CREATE UNIQUE INDEX reservation_live ON reservation (order_id, sku)
    WHERE state IN ('pending', 'committed');

CREATE TABLE new_stock_movement (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    sku TEXT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('receive', 'adjust', 'reserve', 'release', 'expire', 'commit', 'return')),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    on_hand_change INTEGER NOT NULL,
    reserved_change INTEGER NOT NULL,
    reservation_id BLOB CHECK (length(reservation_id) = 16),
    account_id BLOB CHECK (length(account_id) = 16),
    note TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    -- A hold is taken once, and what it took comes back once.
    UNIQUE (reservation_id, kind),
    CHECK ((kind IN ('receive', 'adjust')) = (reservation_id IS NULL)),
    CHECK ((kind = 'adjust') = (reason IS NOT NULL)),
    CHECK (
        (kind = 'receive' AND on_hand_change = quantity AND reserved_change = 0)
        OR (kind = 'adjust' AND abs(on_hand_change) = quantity AND reserved_change = 0)
        OR (kind = 'reserve' AND on_hand_change = 0 AND reserved_change = quantity)
        OR (kind = 'release' AND on_hand_change = 0 AND reserved_change = -quantity)
        OR (kind = 'expire' AND on_hand_change = 0 AND reserved_change = -quantity)
        OR (kind = 'commit' AND on_hand_change = -quantity AND reserved_change = -quantity)
        OR (kind = 'return' AND on_hand_change = quantity AND reserved_change = 0)
    )
) STRICT, WITHOUT ROWID;

INSERT INTO new_stock_movement (id, sku, kind, quantity, on_hand_change, reserved_change,
                                reservation_id, account_id, note, reason, created_at)
SELECT id, sku, kind, quantity, on_hand_change, reserved_change,
       reservation_id, account_id, note, reason, created_at
  FROM stock_movement;

DROP TABLE stock_movement;
ALTER TABLE new_stock_movement RENAME TO stock_movement;

CREATE INDEX stock_movement_by_sku ON stock_movement (sku, id);

-- A hold ends once, in one way: a double release cannot be written.
CREATE UNIQUE INDEX stock_movement_ends_hold ON stock_movement (reservation_id)
    WHERE kind IN ('release', 'expire', 'commit');

CREATE TRIGGER stock_movement_is_not_updated BEFORE UPDATE ON stock_movement
BEGIN
    SELECT RAISE(ABORT, 'stock movements are append-only');
END;

CREATE TRIGGER stock_movement_is_not_deleted BEFORE DELETE ON stock_movement
BEGIN
    SELECT RAISE(ABORT, 'stock movements are append-only');
END;
