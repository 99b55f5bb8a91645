-- Who did what, and who tried. Each row's hash covers its fields and the hash of the row before it
-- in its chain, so rows are kept as they were hashed; a text that there is not is empty. Added to
-- and never changed: the program's role may not, and its owner is refused.

CREATE TABLE audit (
    chain bigint NOT NULL CHECK (chain > 0),
    sequence bigint NOT NULL CHECK (sequence > 0),
    at bigint NOT NULL,
    actor text COLLATE "C" NOT NULL,
    roles text COLLATE "C" NOT NULL,
    action text COLLATE "C" NOT NULL,
    object_kind text COLLATE "C" NOT NULL,
    object_id text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL,
    detail text COLLATE "C" NOT NULL,
    request text COLLATE "C" NOT NULL,
    previous bytea NOT NULL CHECK (length(previous) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (chain, sequence)
);

CREATE INDEX audit_by_time ON audit (at, chain, sequence);
CREATE INDEX audit_by_actor ON audit (actor, at, chain, sequence);
CREATE INDEX audit_by_object ON audit (object_id, at, chain, sequence);

-- The heads of all chains, signed from time to time: a line each, as it is also told outside.
CREATE TABLE audit_checkpoint (
    number bigint PRIMARY KEY CHECK (number > 0),
    line text NOT NULL
);

CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit trail is append-only';
END
$$;

CREATE TRIGGER audit_is_not_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

CREATE TRIGGER audit_checkpoint_is_not_changed
    BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_checkpoint
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();
