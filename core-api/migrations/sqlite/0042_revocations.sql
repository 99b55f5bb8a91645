-- What access tokens are not believed any more before they end by themselves, in the order in
-- which it was decided. `not_before` is a second of 1970 UTC, and for subjects alone.

CREATE TABLE revocation (
    seq INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('subject', 'session')),
    id BLOB NOT NULL CHECK (length(id) = 16),
    not_before INTEGER,
    created_at INTEGER NOT NULL,
    CHECK ((kind = 'subject') = (not_before IS NOT NULL))
) STRICT;

CREATE INDEX revocation_by_age ON revocation (created_at);

CREATE TRIGGER revocation_is_not_updated BEFORE UPDATE ON revocation
BEGIN
    SELECT RAISE(ABORT, 'revocations are append-only');
END;
