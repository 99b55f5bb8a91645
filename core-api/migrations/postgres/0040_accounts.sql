-- Second factors, proved addresses, messages, revocations: the tables of migrations/sqlite 40
-- to 42, where the columns are explained.

ALTER TABLE session ADD COLUMN second_factor_at bigint;
ALTER TABLE account ADD COLUMN tokens_not_before bigint NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN disabled_at bigint;
ALTER TABLE account ADD COLUMN email_verified_at bigint;
ALTER TABLE account ADD COLUMN phone text;

CREATE TABLE totp (
    account_id uuid PRIMARY KEY REFERENCES account (id),
    secret bytea,
    pending bytea,
    last_step bigint NOT NULL CHECK (last_step >= 0),
    CHECK (secret IS NOT NULL OR pending IS NOT NULL)
);

CREATE TABLE recovery_code (
    account_id uuid NOT NULL REFERENCES account (id),
    digest bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (account_id, digest)
);

CREATE TABLE login_challenge (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    account_id uuid NOT NULL REFERENCES account (id),
    expires_at bigint NOT NULL
);

CREATE INDEX login_challenge_by_account ON login_challenge (account_id);
CREATE INDEX login_challenge_by_expiry ON login_challenge (expires_at);

CREATE TABLE login_throttle (
    key bytea PRIMARY KEY CHECK (length(key) = 32),
    failures bigint NOT NULL CHECK (failures > 0),
    locked_until bigint NOT NULL,
    expires_at bigint NOT NULL
);

CREATE INDEX login_throttle_by_expiry ON login_throttle (expires_at);

CREATE TABLE email_link (
    hash bytea PRIMARY KEY CHECK (length(hash) = 32),
    account_id uuid NOT NULL REFERENCES account (id),
    expires_at bigint NOT NULL
);

CREATE INDEX email_link_by_account ON email_link (account_id);
CREATE INDEX email_link_by_expiry ON email_link (expires_at);

CREATE TABLE mail (
    id uuid PRIMARY KEY,
    message bytea NOT NULL,
    attempts bigint NOT NULL CHECK (attempts >= 0),
    due_at bigint NOT NULL
);

CREATE INDEX mail_by_due ON mail (due_at);

-- Added to and never changed: the program's role may not.
CREATE TABLE revocation (
    seq bigint PRIMARY KEY,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('subject', 'session')),
    id uuid NOT NULL,
    not_before bigint,
    created_at bigint NOT NULL,
    CHECK ((kind = 'subject') = (not_before IS NOT NULL))
);

CREATE INDEX revocation_by_age ON revocation (created_at);
