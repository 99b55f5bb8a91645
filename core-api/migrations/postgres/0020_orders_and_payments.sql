-- An order's life after it was placed, payments, the outbox and carts.

-- Every move of an order; ranks only rise, so a state is entered once and left once.
CREATE TABLE order_event (
    order_id uuid NOT NULL REFERENCES orders (id),
    from_state text COLLATE "C" NOT NULL,
    to_state text COLLATE "C" NOT NULL,
    -- Who moved it; the core itself where it is null.
    account_id uuid,
    created_at bigint NOT NULL,
    PRIMARY KEY (order_id, to_state),
    UNIQUE (order_id, from_state),
    CONSTRAINT order_event_is_a_move CHECK (from_state || '>' || to_state IN (
        'pending_payment>expired', 'pending_payment>cancelled', 'pending_payment>paid',
        'expired>paid', 'paid>fulfilling', 'fulfilling>shipped', 'shipped>delivered',
        'paid>returned', 'fulfilling>returned', 'shipped>returned', 'delivered>returned'))
);

INSERT INTO order_event (order_id, from_state, to_state, account_id, created_at)
SELECT id, 'pending_payment', state, NULL,
       CASE state WHEN 'expired' THEN expires_at ELSE created_at END
  FROM orders
 WHERE state <> 'pending_payment';

CREATE TRIGGER order_event_is_not_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON order_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- An order holds a SKU once at a time: one that expired may be held again.
ALTER TABLE reservation DROP CONSTRAINT reservation_order_id_sku_key;
CREATE INDEX reservation_by_order ON reservation (order_id, sku);
CREATE UNIQUE INDEX reservation_live ON reservation (order_id, sku)
    WHERE state IN ('pending', 'committed');

-- What a hold took may come back, once.
ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_kind_check;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_kind_check
    CHECK (kind IN ('receive', 'adjust', 'reserve', 'release', 'expire', 'commit', 'return'));
ALTER TABLE stock_movement DROP CONSTRAINT stock_movement_does_what_it_says;
ALTER TABLE stock_movement ADD CONSTRAINT stock_movement_does_what_it_says CHECK (
    (kind = 'receive' AND on_hand_change = quantity AND reserved_change = 0)
    OR (kind = 'adjust' AND abs(on_hand_change) = quantity AND reserved_change = 0)
    OR (kind = 'reserve' AND on_hand_change = 0 AND reserved_change = quantity)
    OR (kind = 'release' AND on_hand_change = 0 AND reserved_change = -quantity)
    OR (kind = 'expire' AND on_hand_change = 0 AND reserved_change = -quantity)
    OR (kind = 'commit' AND on_hand_change = -quantity AND reserved_change = -quantity)
    OR (kind = 'return' AND on_hand_change = quantity AND reserved_change = 0)
);

-- Of a payment only the provider's name for it and its totals are kept, never card data.
CREATE TABLE payment (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES orders (id),
    -- Null until the provider has answered.
    provider_ref text COLLATE "C" UNIQUE,
    state text COLLATE "C" NOT NULL
        CHECK (state IN ('open', 'authorised', 'cancelled', 'captured')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    -- The provider's totals, as it last told them.
    captured_minor bigint NOT NULL,
    refunded_minor bigint NOT NULL,
    created_at bigint NOT NULL,
    CONSTRAINT payment_gives_back_what_it_took
        CHECK (0 <= refunded_minor AND refunded_minor <= captured_minor),
    CONSTRAINT payment_took_when_captured CHECK (state = 'captured' OR captured_minor = 0)
);

CREATE INDEX payment_by_order ON payment (order_id, id);

CREATE TABLE refund (
    id uuid PRIMARY KEY,
    payment_id uuid NOT NULL REFERENCES payment (id),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    reason text COLLATE "C" NOT NULL CHECK (reason IN ('requested', 'late', 'double', 'short')),
    -- Who asked for it; the core itself where it is null.
    account_id uuid,
    created_at bigint NOT NULL,
    CONSTRAINT refund_was_requested CHECK ((reason = 'requested') = (account_id IS NOT NULL))
);

CREATE INDEX refund_by_payment ON refund (payment_id, id);

-- Events whose effect is in the database: the row and the effect are one transaction.
CREATE TABLE provider_event (
    id text COLLATE "C" PRIMARY KEY,
    kind text COLLATE "C" NOT NULL,
    received_at bigint NOT NULL
);

CREATE INDEX provider_event_by_age ON provider_event (received_at);

-- The outbox. A job is gone once it is done. A lease moves `due_at` on.
CREATE TABLE job (
    id uuid PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('capture', 'cancel', 'refund')),
    -- A payment, or for `refund` a refund.
    subject_id uuid NOT NULL,
    attempts bigint NOT NULL CHECK (attempts >= 0),
    due_at bigint NOT NULL,
    dead_at bigint,
    last_error text,
    created_at bigint NOT NULL,
    UNIQUE (kind, subject_id)
);

CREATE INDEX job_due ON job (due_at) WHERE dead_at IS NULL;
CREATE INDEX job_dead ON job (id) WHERE dead_at IS NOT NULL;

-- What an account means to order, and what it cost when it was put there.
CREATE TABLE cart_line (
    account_id uuid NOT NULL,
    sku text COLLATE "C" NOT NULL REFERENCES sku (sku),
    quantity bigint NOT NULL CHECK (quantity > 0),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor > 0),
    currency text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    PRIMARY KEY (account_id, sku)
);
