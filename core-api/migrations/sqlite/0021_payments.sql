-- Payments and refunds, the provider's events, and jobs for the world outside. Of a payment
-- only the provider's name for it and its totals are kept, never card data.

CREATE TABLE payment (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    order_id BLOB NOT NULL REFERENCES orders (id),
    -- Null until the provider has answered.
    provider_ref TEXT UNIQUE,
    state TEXT NOT NULL CHECK (state IN ('open', 'authorised', 'cancelled', 'captured')),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    currency TEXT NOT NULL CHECK (length(currency) = 3),
    -- The provider's totals, as it last told them.
    captured_minor INTEGER NOT NULL,
    refunded_minor INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    CHECK (0 <= refunded_minor AND refunded_minor <= captured_minor),
    CHECK (state = 'captured' OR captured_minor = 0)
) STRICT, WITHOUT ROWID;

CREATE INDEX payment_by_order ON payment (order_id, id);

CREATE TABLE refund (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    payment_id BLOB NOT NULL REFERENCES payment (id),
    amount_minor INTEGER NOT NULL CHECK (amount_minor > 0),
    state TEXT NOT NULL CHECK (state IN ('pending', 'succeeded', 'failed')),
    reason TEXT NOT NULL CHECK (reason IN ('requested', 'late', 'double', 'short')),
    -- Who asked for it; the core itself where it is null.
    account_id BLOB CHECK (length(account_id) = 16),
    created_at INTEGER NOT NULL,
    CHECK ((reason = 'requested') = (account_id IS NOT NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX refund_by_payment ON refund (payment_id, id);

-- Events whose effect is in the database: the row and the effect are one transaction.
CREATE TABLE provider_event (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    received_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX provider_event_by_age ON provider_event (received_at);

-- The outbox. A job is gone once it is done. A lease moves `due_at` on: a job whose worker died
-- is due again when its lease is over.
CREATE TABLE job (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind TEXT NOT NULL CHECK (kind IN ('capture', 'cancel', 'refund')),
    -- A payment, or for `refund` a refund.
    subject_id BLOB NOT NULL CHECK (length(subject_id) = 16),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at INTEGER NOT NULL,
    dead_at INTEGER,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (kind, subject_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_due ON job (due_at) WHERE dead_at IS NULL;
CREATE INDEX job_dead ON job (id) WHERE dead_at IS NOT NULL;
