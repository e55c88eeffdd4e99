-- The names of transactions that are committed, for those who did not hear of that and repeat them.
CREATE TABLE openclaw.committed (
    name text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX committed_at ON openclaw.committed (at);
