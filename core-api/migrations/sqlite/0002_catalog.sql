-- Products and what is sold of them. Money is in minor units of an ISO 4217 currency.

CREATE TABLE product (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL CHECK (length(name) BETWEEN 3 AND 200),
    description TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sku (
    sku TEXT NOT NULL PRIMARY KEY,
    product_id BLOB NOT NULL REFERENCES product (id),
    price_minor INTEGER NOT NULL CHECK (price_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3)
) STRICT, WITHOUT ROWID;

CREATE INDEX sku_by_product ON sku (product_id, sku);
