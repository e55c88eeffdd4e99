-- What gateways on one database share beside credentials.

-- Who may ask them. The whole key is sealed for its row, so that nobody who can only write to the
-- database can make one, or give one a better role. It holds the digest of the bearer, and never that.
CREATE TABLE openclaw.access_key (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    id text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    revision bigint NOT NULL DEFAULT 0,
    sealed bytea NOT NULL,
    stops_at timestamptz,
    PRIMARY KEY (tenant, id)
);

-- What was done with which key.
CREATE TABLE openclaw.audit (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    node text NOT NULL,
    key text NOT NULL,
    action text NOT NULL,
    agent text,
    provider text,
    profile text,
    about text,
    outcome text NOT NULL
);
CREATE INDEX audit_at ON openclaw.audit (at);
