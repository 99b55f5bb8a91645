-- What a stocktake found is an entry of the ledger, also where it found no difference; what an
-- order took may come back. A SKU may say when it is low.

CREATE TABLE new_stock_movement (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    sku TEXT NOT NULL,
    kind TEXT NOT NULL
        CHECK (kind IN ('receive', 'adjust', 'stocktake', 'reserve', 'release', 'expire', 'commit',
                        'return')),
    quantity INTEGER NOT NULL CHECK (quantity > 0 OR (quantity = 0 AND kind = 'stocktake')),
    on_hand_change INTEGER NOT NULL,
    reserved_change INTEGER NOT NULL,
    reservation_id BLOB CHECK (length(reservation_id) = 16),
    account_id BLOB CHECK (length(account_id) = 16),
    note TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    -- A hold is taken once, and what it took comes back once.
    UNIQUE (reservation_id, kind),
    CHECK ((kind IN ('receive', 'adjust', 'stocktake')) = (reservation_id IS NULL)),
    CHECK ((kind IN ('adjust', 'stocktake')) = (reason IS NOT NULL)),
    CHECK (
        (kind = 'receive' AND on_hand_change = quantity AND reserved_change = 0)
        OR (kind IN ('adjust', 'stocktake')
            AND abs(on_hand_change) = quantity AND reserved_change = 0)
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

-- Low is a SKU of which no more than so many units are available.
ALTER TABLE sku ADD COLUMN low_at INTEGER CHECK (low_at >= 0);
