-- Tenants that share nothing. A role of the database that does not own the tables sees the rows of those
-- tenants that name it, and no others; a tenant that names none is seen by the owner alone. The role is asked
-- for, and not a setting, which whoever connects could choose.
ALTER TABLE openclaw.tenant ADD COLUMN role name;
ALTER TABLE openclaw.tenant ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON openclaw.tenant USING (role = current_user);

-- Who may write rows of one tenant takes no place away from those of another. That of a machine is found by
-- its id alone, as before: programs that know no tenants do so, and it is random, and seen by nobody else.
ALTER TABLE openclaw.audit DROP CONSTRAINT audit_pkey, ADD PRIMARY KEY (tenant, position);
CREATE INDEX audit_tenant_at ON openclaw.audit (tenant, at);
ALTER TABLE openclaw.login_attempt DROP CONSTRAINT login_attempt_state_hash_key,
    ADD UNIQUE (tenant, state_hash);

-- A machine has another id for each tenant, and nobody may make that of another tenant look alive, or gone.
ALTER TABLE openclaw.node ADD COLUMN tenant text NOT NULL DEFAULT 'main' REFERENCES openclaw.tenant (id);

DO $$
DECLARE
    owned text;
BEGIN
    FOR owned IN SELECT table_name FROM information_schema.columns
        WHERE table_schema = 'openclaw' AND column_name = 'tenant'
    LOOP
        EXECUTE format('ALTER TABLE openclaw.%I ENABLE ROW LEVEL SECURITY', owned);
        EXECUTE format('CREATE POLICY own ON openclaw.%I USING '
            '(tenant IN (SELECT id FROM openclaw.tenant WHERE role = current_user))', owned);
    END LOOP;
END
$$;
