-- Every erasure asks whether a super-admin stays: a few rows, whatever the number of accounts.
CREATE INDEX account_super_admin ON account (id) WHERE role = 'super-admin';
