-- When whoever registered was asked to prove their address, as in migrations/sqlite 100.
ALTER TABLE account ADD COLUMN proof_asked_at bigint;

CREATE INDEX account_by_proof ON account (proof_asked_at)
    WHERE proof_asked_at IS NOT NULL AND email_verified_at IS NULL;
