-- Accounts that have no password yet, links to choose one, and sessions that outlive their
-- first access token. Of tokens and links only SHA-256 hashes are kept.

CREATE TABLE new_account (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    username TEXT NOT NULL,
    username_folded TEXT NOT NULL UNIQUE,
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL UNIQUE,
    password_hash TEXT,
    role TEXT NOT NULL,
    demo INTEGER NOT NULL CHECK (demo IN (0, 1)),
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE new_session (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    account_id BLOB NOT NULL REFERENCES new_account (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > created_at),
    ended_at INTEGER
) STRICT, WITHOUT ROWID;

INSERT INTO new_account (id, username, username_folded, email, email_folded,
                         password_hash, role, demo, created_at)
SELECT id, username, username_folded, email, email_folded,
       password_hash, role, demo, created_at
  FROM account;

INSERT INTO new_session (id, account_id, created_at, expires_at)
SELECT id, account_id, created_at, expires_at
  FROM session;

DROP TABLE session;
DROP TABLE account;
ALTER TABLE new_account RENAME TO account;
ALTER TABLE new_session RENAME TO session;

CREATE INDEX session_by_account ON session (account_id);
CREATE INDEX session_by_expiry ON session (expires_at);

-- A spent token is kept as long as its session could live: whoever shows it again has a copy.
CREATE TABLE refresh_token (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    session_id BLOB NOT NULL REFERENCES session (id),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL CHECK (expires_at > created_at),
    spent_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX refresh_token_by_session ON refresh_token (session_id);
-- A session has one token that is not spent.
CREATE UNIQUE INDEX refresh_token_unspent ON refresh_token (session_id) WHERE spent_at IS NULL;
CREATE INDEX refresh_token_by_expiry ON refresh_token (expires_at);

CREATE TABLE password_link (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    account_id BLOB NOT NULL REFERENCES account (id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX password_link_by_account ON password_link (account_id);
CREATE INDEX password_link_by_expiry ON password_link (expires_at);
