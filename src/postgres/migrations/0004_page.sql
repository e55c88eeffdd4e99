-- Who is signed in to the page, and the links that sign somebody in. In whose name is sealed for the digest
-- of what opens it, so that nobody who can only write to the database can sign in.
CREATE TABLE openclaw.page_pass (
    tenant text NOT NULL REFERENCES openclaw.tenant (id),
    kind text NOT NULL CHECK (kind IN ('session', 'link')),
    digest text NOT NULL,
    position bigint GENERATED ALWAYS AS IDENTITY,
    owner text NOT NULL,
    sealed bytea NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, kind, digest)
);
CREATE INDEX page_pass_position ON openclaw.page_pass (tenant, kind, position);
