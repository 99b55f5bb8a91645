-- Stock and its ledger. The sums of a SKU's movements are its stock, always.
--
-- Nothing refers to `stock` by foreign key: every hold would then touch the one contended row
-- twice.

CREATE TABLE stock (
    sku TEXT NOT NULL PRIMARY KEY,
    on_hand INTEGER NOT NULL,
    reserved INTEGER NOT NULL,
    CHECK (0 <= reserved AND reserved <= on_hand)
) STRICT, WITHOUT ROWID;

CREATE TABLE reservation (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    order_id BLOB NOT NULL CHECK (length(order_id) = 16),
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'committed', 'released', 'expired')),
    expires_at INTEGER NOT NULL,
    UNIQUE (order_id, sku)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservation_due ON reservation (sku, expires_at) WHERE state = 'pending';
CREATE INDEX reservation_due_any ON reservation (expires_at) WHERE state = 'pending';

CREATE TABLE stock_movement (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    sku TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('receive', 'reserve', 'expire')),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    on_hand_change INTEGER NOT NULL,
    reserved_change INTEGER NOT NULL,
    reservation_id BLOB CHECK (length(reservation_id) = 16),
    account_id BLOB CHECK (length(account_id) = 16),
    note TEXT,
    created_at INTEGER NOT NULL,
    -- A hold is taken once and given back once: a double release cannot be written.
    UNIQUE (reservation_id, kind),
    CHECK ((kind = 'receive') = (reservation_id IS NULL)),
    CHECK (
        (kind = 'receive' AND on_hand_change = quantity AND reserved_change = 0)
        OR (kind = 'reserve' AND on_hand_change = 0 AND reserved_change = quantity)
        OR (kind = 'expire' AND on_hand_change = 0 AND reserved_change = -quantity)
    )
) STRICT, WITHOUT ROWID;

CREATE INDEX stock_movement_by_sku ON stock_movement (sku);

CREATE TRIGGER stock_movement_is_not_updated BEFORE UPDATE ON stock_movement
BEGIN
    SELECT RAISE(ABORT, 'stock movements are append-only');
END;

CREATE TRIGGER stock_movement_is_not_deleted BEFORE DELETE ON stock_movement
BEGIN
    SELECT RAISE(ABORT, 'stock movements are append-only');
END;
