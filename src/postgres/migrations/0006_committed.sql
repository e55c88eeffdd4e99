-- The names of transactions that are committed, for those who did not hear of that and repeat them.
CREATE TABLE openclaw.committed (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    name text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX committed_at ON openclaw.committed (at);
ALTER TABLE openclaw.committed ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON openclaw.committed USING
    (tenant IN (SELECT id FROM openclaw.tenant WHERE role = current_user));
