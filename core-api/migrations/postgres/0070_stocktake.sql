-- What a stocktake found is an entry of the ledger, also where it found no difference; what an
-- order took may come back. A SKU may say when it is low.

ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_kind_check;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_kind_check
    CHECK (kind IN ('receive', 'adjust', 'stocktake', 'reserve', 'release', 'expire', 'commit',
                    'return'));

ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_quantity_check;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_quantity_check
    CHECK (quantity > 0 OR (quantity = 0 AND kind = 'stocktake'));

ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_of_hold;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_of_hold
    CHECK ((kind IN ('receive', 'adjust', 'stocktake')) = (reservation_id IS NULL));

ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_reason;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_reason
    CHECK ((kind IN ('adjust', 'stocktake')) = (reason IS NOT NULL));

ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_does_what_it_says;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_does_what_it_says CHECK (
    (kind = 'receive' AND on_hand_change = quantity AND reserved_change = 0)
    OR (kind IN ('adjust', 'stocktake') AND abs(on_hand_change) = quantity AND reserved_change = 0)
    OR (kind = 'reserve' AND on_hand_change = 0 AND reserved_change = quantity)
    OR (kind = 'release' AND on_hand_change = 0 AND reserved_change = -quantity)
    OR (kind = 'expire' AND on_hand_change = 0 AND reserved_change = -quantity)
    OR (kind = 'commit' AND on_hand_change = -quantity AND reserved_change = -quantity)
    OR (kind = 'return' AND on_hand_change = quantity AND reserved_change = 0)
);

-- Low is a SKU of which no more than so many units are available.
ALTER TABLE sku ADD COLUMN low_at bigint;
ALTER TABLE sku ADD CONSTRAINT sku_low_at CHECK (low_at >= 0);
