-- Second factors, and what slows down those who guess.

ALTER TABLE session ADD COLUMN second_factor_at INTEGER;

-- Tokens issued before this second of 1970 UTC are not to be believed any more.
ALTER TABLE account ADD COLUMN tokens_not_before INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN disabled_at INTEGER;

-- Secrets are sealed (XChaCha20-Poly1305). One that waits to be confirmed is no factor yet.
-- A code is taken once: only for a time step after `last_step`.
CREATE TABLE totp (
    account_id BLOB NOT NULL PRIMARY KEY REFERENCES account (id),
    secret BLOB,
    pending BLOB,
    last_step INTEGER NOT NULL CHECK (last_step >= 0),
    CHECK (secret IS NOT NULL OR pending IS NOT NULL)
) STRICT, WITHOUT ROWID;

-- Keyed digests; a code that was used is gone.
CREATE TABLE recovery_code (
    account_id BLOB NOT NULL REFERENCES account (id),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (account_id, digest)
) STRICT, WITHOUT ROWID;

-- Logins that wait for their second factor.
CREATE TABLE login_challenge (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    account_id BLOB NOT NULL REFERENCES account (id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_challenge_by_account ON login_challenge (account_id);
CREATE INDEX login_challenge_by_expiry ON login_challenge (expires_at);

-- By a keyed digest of the name that was tried, whether or not there is such an account.
CREATE TABLE login_throttle (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    failures INTEGER NOT NULL CHECK (failures > 0),
    locked_until INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX login_throttle_by_expiry ON login_throttle (expires_at);
