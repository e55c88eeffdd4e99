-- What several machines share. Secrets are sealed, each row for its own place; the rest can be read,
-- so that the database can find, count and expire.

CREATE TABLE openclaw.deployment (
    id text PRIMARY KEY,
    key_id bytea NOT NULL,
    key_check bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE openclaw.tenant (
    id text PRIMARY KEY
);
INSERT INTO openclaw.tenant (id) VALUES ('main');

CREATE TABLE openclaw.agent (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    id text NOT NULL,
    revision bigint NOT NULL DEFAULT 0,
    inheritance text,
    rest bytea,
    PRIMARY KEY (tenant, id)
);

-- Orders, last good profiles, cooldowns: no secret, and written with every use.
CREATE TABLE openclaw.agent_usage (
    tenant text NOT NULL,
    agent text NOT NULL,
    state text NOT NULL,
    PRIMARY KEY (tenant, agent),
    FOREIGN KEY (tenant, agent) REFERENCES openclaw.agent (tenant, id) ON DELETE CASCADE
);

CREATE TABLE openclaw.credential (
    tenant text NOT NULL,
    agent text NOT NULL,
    profile text NOT NULL,
    position integer NOT NULL,
    provider text,
    kind text,
    sealed bytea NOT NULL,
    grant_digest text,
    expires_at timestamptz,
    PRIMARY KEY (tenant, agent, profile),
    FOREIGN KEY (tenant, agent) REFERENCES openclaw.agent (tenant, id) ON DELETE CASCADE
);
CREATE INDEX credential_grant ON openclaw.credential (tenant, grant_digest);

CREATE TABLE openclaw.history (
    tenant text NOT NULL,
    agent text NOT NULL,
    profile text NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant, agent, profile)
);

-- What could not be read when its profile changed; nothing reads it again.
CREATE TABLE openclaw.history_set_aside (
    tenant text NOT NULL,
    agent text NOT NULL,
    profile text NOT NULL,
    sealed bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp()
);

CREATE TABLE openclaw.node (
    id text PRIMARY KEY,
    name text NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- Who may spend a grant. `sent` is never taken over while its request may be under way; a grant that
-- has a successor never again.
CREATE TABLE openclaw.grant_lease (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    grant_digest text NOT NULL,
    epoch bigint NOT NULL DEFAULT 0,
    holder text,
    note text,
    phase text NOT NULL DEFAULT 'idle' CHECK (phase IN ('idle', 'held', 'sent')),
    sent_at timestamptz,
    until timestamptz,
    successor text,
    record text,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (tenant, grant_digest)
);

CREATE INDEX grant_lease_successor ON openclaw.grant_lease (tenant, successor);

-- Every refresh that was begun.
CREATE TABLE openclaw.grant_journal (
    tenant text NOT NULL,
    grant_digest text NOT NULL,
    epoch bigint NOT NULL,
    node text NOT NULL,
    sent_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    settled_at timestamptz,
    outcome text,
    PRIMARY KEY (tenant, grant_digest, epoch)
);
