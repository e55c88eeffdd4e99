-- The names of transactions that are committed, for those who did not hear of that and repeat them.
CREATE TABLE openclaw.committed (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    name text NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, name)
);
CREATE INDEX committed_at ON openclaw.committed (tenant, at);
ALTER TABLE openclaw.committed ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON openclaw.committed USING
    (tenant IN (SELECT id FROM openclaw.tenant WHERE role = current_user));
