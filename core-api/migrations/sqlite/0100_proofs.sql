-- When whoever registered was asked to prove their address: they alone are erased when they never
-- do. Nobody who was there before was asked, nor was anybody who is imported or invited.
ALTER TABLE account ADD COLUMN proof_asked_at INTEGER;

-- Accounts that may be overdue: what is looked for every minute.
CREATE INDEX account_by_proof ON account (proof_asked_at)
    WHERE proof_asked_at IS NOT NULL AND email_verified_at IS NULL;
