-- Categories, and products that are edited and taken off sale. A product that was taken off
-- stays: orders and the ledger still speak of its SKUs.

CREATE TABLE category (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    name_folded TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE product ADD COLUMN category_id BLOB REFERENCES category (id);
ALTER TABLE product ADD COLUMN version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0);
ALTER TABLE product ADD COLUMN deleted_at INTEGER;

CREATE INDEX product_by_category ON product (category_id, id);
