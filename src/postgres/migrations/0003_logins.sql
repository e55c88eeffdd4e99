-- Logins with a browser that are under way at gateways: the last one of each provider. The digest of its
-- `state` finds it; what completes it is sealed for that digest, and goes when somebody takes it.
CREATE TABLE openclaw.login_attempt (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    provider text NOT NULL,
    state_hash text NOT NULL UNIQUE,
    node text NOT NULL,
    step text NOT NULL DEFAULT 'waiting' CHECK (step IN ('waiting', 'taken', 'ended')),
    taker text,
    sealed bytea,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, provider)
);
