//! Roles of the database that belong to a tenant: what each may see and do, and that it is enough.

use openclaw::model::tenant::TenantId;
use openclaw::ports::database::Database as _;

use crate::gateway::login::{FLOW, PROFILE, STATUS, paste, start};
use crate::login::browser::redirect;
use crate::support::pgbouncer::PgBouncer;
use crate::support::postgres_node::Node;
use crate::support::postgres_server::Database;
use crate::support::running_gateway::Gateway;
use crate::support::team::Team;
use crate::support::{Ran, ran};

pub(super) const TENANT: &str = "team-a";

/// Tables with a tenant in each row.
const OWNED: &str = "SELECT table_name FROM information_schema.columns \
    WHERE table_schema = 'openclaw' AND column_name = 'tenant' ORDER BY 1";

/// One row of every table for each of three tenants, and the role of one of them.
pub(super) fn filled() -> (Database, Node, String) {
    let database = Database::new();
    let node = Node::on(&database);
    let role = database.role("team_a");
    for (tenant, role) in [(TENANT, Some(&*role)), ("team-b", None)] {
        let tenant = TenantId::parse(tenant).unwrap();
        assert!(node.open().add_tenant(&tenant, role).unwrap());
    }
    for tenant in ["main", TENANT, "team-b"] {
        let sealed = "'\\x01'::bytea";
        database.sql(&format!(
            "INSERT INTO openclaw.agent (tenant, id) VALUES ('{tenant}', 'a');
            INSERT INTO openclaw.agent_usage VALUES ('{tenant}', 'a', '{{}}');
            INSERT INTO openclaw.credential (tenant, agent, profile, position, sealed)
                VALUES ('{tenant}', 'a', 'p', 0, {sealed});
            INSERT INTO openclaw.history VALUES ('{tenant}', 'a', 'p', {sealed});
            INSERT INTO openclaw.history_set_aside VALUES ('{tenant}', 'a', 'p', {sealed});
            INSERT INTO openclaw.node (tenant, id, name) VALUES ('{tenant}', 'n-{tenant}', 'n');
            INSERT INTO openclaw.grant_lease (tenant, grant_digest) VALUES ('{tenant}', 'g');
            INSERT INTO openclaw.grant_journal (tenant, grant_digest, epoch, node)
                VALUES ('{tenant}', 'g', 1, 'n');
            INSERT INTO openclaw.access_key (tenant, id, sealed) VALUES ('{tenant}', 'k', {sealed});
            INSERT INTO openclaw.audit (tenant, at, node, key, action, outcome)
                VALUES ('{tenant}', now(), 'n', 'k', 'a', 'o');
            INSERT INTO openclaw.login_attempt (tenant, provider, state_hash, node, expires_at)
                VALUES ('{tenant}', 'p', 's-{tenant}', 'n', now());
            INSERT INTO openclaw.committed (tenant, name) VALUES ('{tenant}', 'c-{tenant}');
            INSERT INTO openclaw.page_pass (tenant, kind, digest, owner, sealed, expires_at)
                VALUES ('{tenant}', 'link', 'd', 'o', {sealed}, now())"
        ));
    }
    (database, node, role)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn no_table_forgets_whose_its_rows_are() {
    let (database, _node, _) = filled();
    let open = "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
        WHERE n.nspname = 'openclaw' AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity \
            AND EXISTS (SELECT 1 FROM pg_policies p WHERE p.schemaname = 'openclaw' \
                AND p.tablename = c.relname AND p.cmd = 'ALL')) ORDER BY 1";
    // These two are about the database, and of them a role of a tenant may change nothing.
    assert_eq!(database.sql(open), [["deployment"], ["schema_version"]]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_role_sees_and_changes_the_rows_of_its_tenant_alone() {
    let (database, _node, role) = filled();
    let counted = |text: &str| database.sql_as(&role, text).unwrap()[0][0].clone();
    let tables: Vec<String> = database.sql(OWNED).into_iter().flatten().collect();
    assert_eq!(tables.len(), 13);
    for table in &tables {
        let all = format!("SELECT count(DISTINCT tenant) FROM openclaw.{table}");
        assert_eq!(database.value(&all), "3", "{table}");
        assert_eq!(counted(&all), "1", "{table}");
        for change in [
            format!("UPDATE openclaw.{table} SET tenant = tenant"),
            format!("DELETE FROM openclaw.{table}"),
        ] {
            let others = format!(
                "BEGIN; WITH done AS ({change} WHERE tenant <> '{TENANT}' RETURNING 1) \
                SELECT count(*) FROM done; ROLLBACK"
            );
            assert_eq!(counted(&others), "0", "{change}");
            let own = others.replace("<>", "=");
            assert_eq!(counted(&own), "1", "{change}");
        }
        for theft in [
            format!("UPDATE openclaw.{table} SET tenant = 'team-b'"),
            format!("ALTER TABLE openclaw.{table} DISABLE ROW LEVEL SECURITY"),
            format!("DROP POLICY own ON openclaw.{table}"),
        ] {
            let refused = database.sql_as(&role, &theft).unwrap_err();
            let is_refused = ["row-level security", "must be owner"];
            assert!(
                is_refused.iter().any(|why| refused.contains(why)),
                "{theft}: {refused}"
            );
        }
    }
    for (theft, why) in [
        (
            "INSERT INTO openclaw.agent (tenant, id) VALUES ('team-b', 'b')",
            "row-level security",
        ),
        (
            "UPDATE openclaw.tenant SET role = current_user",
            "permission denied",
        ),
        (
            "INSERT INTO openclaw.tenant (id, role) VALUES ('x', current_user)",
            "permission denied",
        ),
        (
            "UPDATE openclaw.deployment SET id = 'x'",
            "permission denied",
        ),
        ("CREATE TABLE openclaw.x (id text)", "permission denied"),
        ("SET ROLE openclaw", "permission denied"),
    ] {
        // As whoever connects so, who was never more than that.
        let text = format!("SET SESSION AUTHORIZATION {role}; {theft}");
        let refused = database.sql_as(&role, &text).unwrap_err();
        assert!(refused.contains(why), "{theft}: {refused}");
    }
    let tenants = database.sql_as(&role, "SELECT id FROM openclaw.tenant");
    assert_eq!(tenants.unwrap(), [[TENANT]]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_role_that_would_see_everything_is_no_role_of_a_tenant() {
    let (database, node, _) = filled();
    let bypassing = database.role("bypassing");
    database.sql(&format!("ALTER ROLE {bypassing} BYPASSRLS"));
    let member = database.role("member");
    database.sql(&format!("GRANT openclaw TO {member}"));
    let tenant = TenantId::parse("team-c").unwrap();
    for (role, why) in [
        ("openclaw", "sees the rows of all"),
        ("admin", "sees the rows of all"),
        (&*bypassing, "sees the rows of all"),
        (&*member, "sees the rows of all"),
        ("nobody-\"there", "has no role"),
    ] {
        let refused = node.open().add_tenant(&tenant, Some(role)).unwrap_err();
        assert!(refused.to_string().contains(why), "{role}: {refused}");
    }
    let known = "SELECT count(*) FROM openclaw.tenant WHERE id = 'team-c'";
    assert_eq!(database.value(known), "0");
}

/// A team whose first machine connects as the role of its tenant.
struct Held {
    team: Team,
    role: String,
}

impl Held {
    fn new() -> Self {
        let team = Team::new();
        let role = team.database.role("team_a");
        let add = ["gateway", "tenant", "add", TENANT, "--role", &role];
        let added = team.run(0, &add);
        assert_eq!(added.code, 0, "{added:?}");
        let port = team.database.server.port;
        let held = Self { team, role };
        held.connect(port);
        held
    }

    fn connect(&self, port: u16) {
        let url = self.team.database.url_of(&self.role, port);
        self.team.machines[0].write("database-url", &url);
    }

    fn run_for(&self, tenant: &str, args: &[&str]) -> Ran {
        let mut command = self.team.command(0, args);
        ran(command.env("OPENCLAW_TENANT", tenant).output().unwrap())
    }

    #[track_caller]
    fn ok(&self, args: &[&str]) -> String {
        let ran = self.run_for(TENANT, args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        [ran.out, ran.err].concat()
    }

    /// A login, its refresh, its token, keys and its end; by a gateway and by commands.
    fn live(&self) {
        let run = ["gateway", "run", "--listen", "127.0.0.1:0", "--migrate"];
        let mut run = self.team.command(0, &run);
        run.env("OPENCLAW_TENANT", TENANT);
        let gateway = Gateway::of(run);
        assert_eq!(gateway.get("/readyz").status, 200);
        let url = start(&gateway);
        let stored = paste(&gateway, &redirect(&self.team.issuer, &url));
        assert_eq!(stored.status, 200, "{stored:?}");
        gateway.until(STATUS, |status| status["authenticated"] == true);
        gateway.until(FLOW, |flow| flow["state"] == "connected");
        let token = ["models", "auth", "token", "--profile", PROFILE];
        let before = self.ok(&token);
        self.ok(&["models", "auth", "refresh", "--force"]);
        assert_ne!(self.ok(&token), before);
        let key = self.ok(&["gateway", "key", "add"]);
        let key = key.lines().next().unwrap();
        let bearer = format!("Authorization: Bearer {key}\r\n");
        assert_eq!(gateway.ask("GET", STATUS, &bearer, "").status, 200);
        self.ok(&["models", "auth", "history"]);
        self.ok(&["models", "status"]);
        let out = gateway.post_nothing("/v1/auth/openai/logout");
        assert_eq!(out.status, 200, "{out:?}");
        assert_eq!(gateway.get(STATUS).json()["authenticated"], false);
        let log = gateway.stop().err;
        assert!(!log.contains("permission denied"), "{log}");
    }
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_role_that_may_change_no_table_is_enough_for_everything_but_migrations() {
    let held = Held::new();
    held.live();
    held.ok(&["gateway", "doctor"]);
    assert!(held.ok(&["gateway", "migrate"]).contains("up to date"));
    let listed = held.ok(&["gateway", "tenant", "list"]);
    assert!(
        listed.contains(TENANT) && !listed.contains("main"),
        "{listed}"
    );
    let other = held.run_for("main", &["models", "auth", "list"]);
    assert_eq!(other.code, 5, "{other:?}");
    assert!(other.err.contains("no tenant main"), "{other:?}");
    let add = held.run_for(TENANT, &["gateway", "tenant", "add", "team-b"]);
    assert_eq!(add.code, 5, "{add:?}");
    (held.team.database).sql("DELETE FROM openclaw.schema_version WHERE version = 6");
    let migrate = held.run_for(TENANT, &["gateway", "migrate"]);
    assert_eq!(migrate.code, 5, "{migrate:?}");
    assert!(
        migrate.err.contains("may not change its tables"),
        "{migrate:?}"
    );
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer"]
fn it_is_enough_through_a_pool_by_transaction() {
    let held = Held::new();
    let pool = PgBouncer::start(&held.team.database.server);
    held.connect(pool.port);
    held.live();
}
