-- Messages that wait to be sent, addresses that were proved, and when tokens ended.

ALTER TABLE account ADD COLUMN email_verified_at INTEGER;
ALTER TABLE account ADD COLUMN phone TEXT;

CREATE TABLE email_link (
    hash BLOB NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    account_id BLOB NOT NULL REFERENCES account (id),
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX email_link_by_account ON email_link (account_id);
CREATE INDEX email_link_by_expiry ON email_link (expires_at);

-- Sealed, since messages carry one-time links. One that was handed over is gone; `due_at` of
-- one that is being handed over says when it is tried again.
CREATE TABLE mail (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    message BLOB NOT NULL,
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX mail_by_due ON mail (due_at);
