-- Who did what, and who tried. Each row's hash covers its fields and the hash of the row before it
-- in its chain, so rows are kept as they were hashed; a text that there is not is empty.

CREATE TABLE audit (
    chain INTEGER NOT NULL CHECK (chain > 0),
    sequence INTEGER NOT NULL CHECK (sequence > 0),
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    roles TEXT NOT NULL,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    outcome TEXT NOT NULL,
    detail TEXT NOT NULL,
    request TEXT NOT NULL,
    previous BLOB NOT NULL CHECK (length(previous) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (chain, sequence)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_by_time ON audit (at, chain, sequence);
CREATE INDEX audit_by_actor ON audit (actor, at, chain, sequence);
CREATE INDEX audit_by_object ON audit (object_id, at, chain, sequence);

CREATE TRIGGER audit_is_not_updated BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_is_not_deleted BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

-- The heads of all chains, signed from time to time: a line each, as it is also told outside.
CREATE TABLE audit_checkpoint (
    number INTEGER NOT NULL PRIMARY KEY CHECK (number > 0),
    line TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_checkpoint_is_not_updated BEFORE UPDATE ON audit_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;

CREATE TRIGGER audit_checkpoint_is_not_deleted BEFORE DELETE ON audit_checkpoint
BEGIN
    SELECT RAISE(ABORT, 'the audit trail is append-only');
END;
