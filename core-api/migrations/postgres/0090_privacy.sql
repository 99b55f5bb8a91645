-- Data keys, sealed columns, consents, erasures: the tables of migrations/sqlite 90, where the
-- columns are explained.

CREATE TABLE data_key (
    account_id uuid PRIMARY KEY REFERENCES account (id),
    wrapped bytea NOT NULL CHECK (length(wrapped) = 80)
)
-- A key that was deleted is cleared away at the next round of the vacuum.
WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);

CREATE TABLE unsealed_account (
    account_id uuid PRIMARY KEY REFERENCES account (id),
    username text NOT NULL,
    email text NOT NULL,
    phone text
)
WITH (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0);

INSERT INTO unsealed_account (account_id, username, email, phone)
SELECT id, username, email, phone
  FROM account;

ALTER TABLE account
    DROP COLUMN username,
    DROP COLUMN username_folded,
    DROP COLUMN email,
    DROP COLUMN email_folded,
    DROP COLUMN phone;

ALTER TABLE account
    ADD COLUMN username bytea,
    ADD COLUMN username_digest bytea UNIQUE CHECK (length(username_digest) = 32),
    ADD COLUMN email bytea,
    ADD COLUMN email_digest bytea UNIQUE CHECK (length(email_digest) = 32),
    ADD COLUMN phone bytea,
    ADD COLUMN full_name bytea,
    ADD COLUMN version bigint NOT NULL DEFAULT 1 CHECK (version > 0);

ALTER TABLE email_link ADD COLUMN email bytea;

DELETE FROM mail;
ALTER TABLE mail ADD COLUMN account_id uuid NOT NULL REFERENCES account (id);
CREATE INDEX mail_by_account ON mail (account_id);

-- Added to and never changed: the program's role may not.
CREATE TABLE consent (
    id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account (id),
    purpose text COLLATE "C" NOT NULL,
    version text COLLATE "C" NOT NULL,
    given boolean NOT NULL,
    created_at bigint NOT NULL
);

CREATE INDEX consent_by_account ON consent (account_id, id);

-- Added to and never changed: the program's role may not.
CREATE TABLE erasure (
    account_id uuid PRIMARY KEY,
    erased_at bigint NOT NULL
);

CREATE INDEX erasure_by_time ON erasure (erased_at);
