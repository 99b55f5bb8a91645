-- The shop, as PostgreSQL keeps it: the tables of migrations/sqlite 1 to 9, table by table.
--
-- Ids are UUIDv7, times are microseconds since 1970 UTC, money is in minor units of an ISO 4217
-- currency. Texts that are compared sort by their bytes (COLLATE "C"), as in the program.
-- Nothing refers to `stock` by foreign key: every hold would then touch the one contended row
-- twice.

CREATE TABLE account (
    id uuid PRIMARY KEY,
    username text NOT NULL,
    username_folded text COLLATE "C" NOT NULL UNIQUE,
    email text NOT NULL,
    email_folded text COLLATE "C" NOT NULL UNIQUE,
    password_hash text,
    role text COLLATE "C" NOT NULL,
    demo boolean NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE session (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account (id),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL CHECK (expires_at > created_at),
    ended_at bigint
);

CREATE INDEX session_by_account ON session (account_id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- Of tokens and links only SHA-256 hashes are kept. A spent token is kept as long as its session
-- could live: whoever shows it again has a copy.
CREATE TABLE refresh_token (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    session_id uuid NOT NULL REFERENCES session (id),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL CHECK (expires_at > created_at),
    spent_at bigint
);

CREATE INDEX refresh_token_by_session ON refresh_token (session_id);
-- A session has one token that is not spent.
CREATE UNIQUE INDEX refresh_token_unspent ON refresh_token (session_id) WHERE spent_at IS NULL;
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at);

CREATE TABLE password_link (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    account_id uuid NOT NULL REFERENCES account (id),
    expires_at bigint NOT NULL
);

CREATE INDEX password_link_by_account ON password_link (account_id);
CREATE INDEX password_link_by_expiry ON password_link (expires_at);

CREATE TABLE category (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    name_folded text COLLATE "C" NOT NULL UNIQUE,
    created_at bigint NOT NULL
);

-- A product that was taken off sale stays: orders and the ledger still speak of its SKUs.
CREATE TABLE product (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (length(name) BETWEEN 3 AND 200),
    description text NOT NULL,
    created_at bigint NOT NULL,
    category_id uuid REFERENCES category (id),
    version bigint NOT NULL DEFAULT 1 CHECK (version > 0),
    deleted_at bigint
);

CREATE INDEX product_by_category ON product (category_id, id);

CREATE TABLE sku (
    sku text COLLATE "C" PRIMARY KEY,
    product_id uuid NOT NULL REFERENCES product (id),
    price_minor bigint NOT NULL CHECK (price_minor > 0),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3)
);

CREATE INDEX sku_by_product ON sku (product_id, sku);

-- Every order of a SKU rewrites its row: room on the page keeps the new row beside the old one.
CREATE TABLE stock (
    sku text COLLATE "C" PRIMARY KEY,
    on_hand bigint NOT NULL,
    reserved bigint NOT NULL,
    CONSTRAINT stock_reserved_is_on_hand CHECK (0 <= reserved AND reserved <= on_hand)
) WITH (fillfactor = 50);

CREATE TABLE reservation (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    sku text COLLATE "C" NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    state text COLLATE "C" NOT NULL
        CHECK (state IN ('pending', 'committed', 'released', 'expired')),
    expires_at bigint NOT NULL,
    UNIQUE (order_id, sku)
);

CREATE INDEX reservation_due ON reservation (sku, expires_at) WHERE state = 'pending';
CREATE INDEX reservation_due_any ON reservation (expires_at) WHERE state = 'pending';

-- The ledger. For each SKU, at every moment:
--   the sum of on_hand_change is stock.on_hand,
--   the sum of reserved_change is stock.reserved.
CREATE TABLE stock_movement (
    id uuid PRIMARY KEY,
    sku text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL
        CHECK (kind IN ('receive', 'adjust', 'reserve', 'release', 'expire', 'commit')),
    quantity bigint NOT NULL CHECK (quantity > 0),
    on_hand_change bigint NOT NULL,
    reserved_change bigint NOT NULL,
    reservation_id uuid,
    account_id uuid,
    note text,
    reason text,
    created_at bigint NOT NULL,
    -- A hold is taken once.
    UNIQUE (reservation_id, kind),
    CONSTRAINT stock_movement_of_hold
        CHECK ((kind IN ('receive', 'adjust')) = (reservation_id IS NULL)),
    CONSTRAINT stock_movement_reason CHECK ((kind = 'adjust') = (reason IS NOT NULL)),
    CONSTRAINT stock_movement_does_what_it_says CHECK (
        (kind = 'receive' AND on_hand_change = quantity AND reserved_change = 0)
        OR (kind = 'adjust' AND abs(on_hand_change) = quantity AND reserved_change = 0)
        OR (kind = 'reserve' AND on_hand_change = 0 AND reserved_change = quantity)
        OR (kind = 'release' AND on_hand_change = 0 AND reserved_change = -quantity)
        OR (kind = 'expire' AND on_hand_change = 0 AND reserved_change = -quantity)
        OR (kind = 'commit' AND on_hand_change = -quantity AND reserved_change = -quantity)
    )
);

CREATE INDEX stock_movement_by_sku ON stock_movement (sku, id);
-- A hold ends once, in one way: a double release cannot be written.
CREATE UNIQUE INDEX stock_movement_ends_hold ON stock_movement (reservation_id)
    WHERE kind IN ('release', 'expire', 'commit');

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'stock movements are append-only';
END
$$;

CREATE TRIGGER stock_movement_is_not_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movement
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An order exists before it is paid, and holds its stock until `expires_at`.
CREATE TABLE orders (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL,
    state text COLLATE "C" NOT NULL
        CHECK (state IN ('pending_payment', 'paid', 'fulfilling', 'shipped', 'delivered',
                         'cancelled', 'expired', 'returned')),
    total_minor bigint NOT NULL CHECK (total_minor > 0),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    created_at bigint NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX orders_by_account ON orders (account_id, id);

CREATE TABLE order_line (
    order_id uuid NOT NULL REFERENCES orders (id),
    sku text COLLATE "C" NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor > 0),
    PRIMARY KEY (order_id, sku)
);

-- Answers kept under idempotency keys, written in the transaction they answer for.
CREATE TABLE idempotency_key (
    account_id uuid NOT NULL,
    operation text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL CHECK (length(fingerprint) = 32),
    answer text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (account_id, operation, key)
);

CREATE INDEX idempotency_key_by_expiry ON idempotency_key (expires_at);
