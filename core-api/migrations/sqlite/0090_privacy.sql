-- What is confidential of a person is sealed (XChaCha20-Poly1305) under a key of their own, and
-- found by keyed digests alone. Without the key, nothing can be read any more.

-- Wrapped under the key from a file; the first eight bytes say which.
CREATE TABLE data_key (
    account_id BLOB NOT NULL PRIMARY KEY REFERENCES account (id),
    wrapped BLOB NOT NULL CHECK (length(wrapped) = 80)
) STRICT, WITHOUT ROWID;

-- What was written in the clear by earlier versions, until a core seals it.
CREATE TABLE unsealed_account (
    account_id BLOB NOT NULL PRIMARY KEY REFERENCES account (id),
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    phone TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO unsealed_account (account_id, username, email, phone)
SELECT id, username, email, phone
  FROM account;

-- The table is made again under its own name, since others refer to it by that.
PRAGMA defer_foreign_keys = ON;

CREATE TABLE kept_account AS
SELECT id, password_hash, role, demo, created_at, tokens_not_before, disabled_at,
       email_verified_at
  FROM account;

DROP TABLE account;

-- Sealed columns and digests are missing only where `unsealed_account` has a row.
CREATE TABLE account (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    username BLOB,
    username_digest BLOB UNIQUE CHECK (length(username_digest) = 32),
    email BLOB,
    email_digest BLOB UNIQUE CHECK (length(email_digest) = 32),
    phone BLOB,
    full_name BLOB,
    version INTEGER NOT NULL DEFAULT 1 CHECK (version > 0),
    password_hash TEXT,
    role TEXT NOT NULL,
    demo INTEGER NOT NULL CHECK (demo IN (0, 1)),
    created_at INTEGER NOT NULL,
    tokens_not_before INTEGER NOT NULL DEFAULT 0,
    disabled_at INTEGER,
    email_verified_at INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO account (id, password_hash, role, demo, created_at, tokens_not_before,
                     disabled_at, email_verified_at)
SELECT id, password_hash, role, demo, created_at, tokens_not_before, disabled_at,
       email_verified_at
  FROM kept_account;

DROP TABLE kept_account;

-- A link that was sent to another address, sealed, makes it the account's.
ALTER TABLE email_link ADD COLUMN email BLOB;

-- Sealed under the key of whoever is written to. What waited was sealed otherwise, and is asked
-- for again.
DROP TABLE mail;

CREATE TABLE mail (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB NOT NULL REFERENCES account (id),
    message BLOB NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_by_due ON mail (due_at);
CREATE INDEX mail_by_account ON mail (account_id);

-- What somebody agreed to, or no longer does: the last entry of a purpose counts.
CREATE TABLE consent (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB NOT NULL REFERENCES account (id),
    purpose TEXT NOT NULL,
    version TEXT NOT NULL,
    given INTEGER NOT NULL CHECK (given IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX consent_by_account ON consent (account_id, id);

CREATE TRIGGER consent_is_not_updated BEFORE UPDATE ON consent
BEGIN
    SELECT RAISE(ABORT, 'consents are append-only');
END;

-- Accounts that were erased: an id that names nobody any more, and when.
CREATE TABLE erasure (
    account_id BLOB NOT NULL PRIMARY KEY CHECK (length(account_id) = 16),
    erased_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX erasure_by_time ON erasure (erased_at);

CREATE TRIGGER erasure_is_not_updated BEFORE UPDATE ON erasure
BEGIN
    SELECT RAISE(ABORT, 'erasures are append-only');
END;

CREATE TRIGGER erasure_is_not_deleted BEFORE DELETE ON erasure
BEGIN
    SELECT RAISE(ABORT, 'erasures are append-only');
END;
