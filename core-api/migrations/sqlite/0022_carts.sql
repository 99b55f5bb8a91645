-- Carts: what an account means to order, and what it cost when it was put there.

CREATE TABLE cart_line (
    account_id BLOB NOT NULL CHECK (length(account_id) = 16),
    sku TEXT NOT NULL REFERENCES sku (sku),
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_minor INTEGER NOT NULL CHECK (unit_price_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    PRIMARY KEY (account_id, sku)
) STRICT, WITHOUT ROWID;
