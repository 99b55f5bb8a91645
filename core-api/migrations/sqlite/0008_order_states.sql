-- Orders have every state they will ever have. The lines move along with their orders.

CREATE TABLE new_orders (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB NOT NULL CHECK (length(account_id) = 16),
    state TEXT NOT NULL
        CHECK (state IN ('pending_payment', 'paid', 'fulfilling', 'shipped', 'delivered',
                         'cancelled', 'expired', 'returned')),
    total_minor INTEGER NOT NULL CHECK (total_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE new_order_line (
    order_id BLOB NOT NULL REFERENCES new_orders (id),
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    unit_price_minor INTEGER NOT NULL CHECK (unit_price_minor > 0),
    PRIMARY KEY (order_id, sku)
) STRICT, WITHOUT ROWID;

INSERT INTO new_orders (id, account_id, state, total_minor, currency, created_at, expires_at)
SELECT id, account_id, state, total_minor, currency, created_at, expires_at
  FROM orders;

INSERT INTO new_order_line (order_id, sku, quantity, unit_price_minor)
SELECT order_id, sku, quantity, unit_price_minor
  FROM order_line;

DROP TABLE order_line;
DROP TABLE orders;
ALTER TABLE new_orders RENAME TO orders;
ALTER TABLE new_order_line RENAME TO order_line;

CREATE INDEX orders_by_account ON orders (account_id, id);
