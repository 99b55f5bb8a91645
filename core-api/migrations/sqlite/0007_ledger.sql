-- The ledger holds every kind of movement: what people enter and what becomes of holds.
--
-- For each SKU, at every moment:
--   the sum of on_hand_change is stock.on_hand,
--   the sum of reserved_change is stock.reserved.

CREATE TABLE new_stock_movement (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    sku TEXT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('receive', 'adjust', 'reserve', 'release', 'expire', 'commit')),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    on_hand_change INTEGER NOT NULL,
    reserved_change INTEGER NOT NULL,
    reservation_id BLOB CHECK (length(reservation_id) = 16),
    account_id BLOB CHECK (length(account_id) = 16),
    note TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    -- A hold is taken once.
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
    )
) STRICT, WITHOUT ROWID;

INSERT INTO new_stock_movement (id, sku, kind, quantity, on_hand_change, reserved_change,
                                reservation_id, account_id, note, created_at)
SELECT id, sku, kind, quantity, on_hand_change, reserved_change,
       reservation_id, account_id, note, created_at
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
