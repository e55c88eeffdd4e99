//! Roles of the database that belong to a tenant: what each may see and do, and that it is enough.

use openclaw::model::tenant::TenantId;
use openclaw::ports::database::Database as _;

use super::logins::until;
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
    let (database, node, role) = filled();
    let bypassing = database.role("bypassing");
    database.sql(&format!("ALTER ROLE {bypassing} BYPASSRLS"));
    let replicating = database.role("replicating");
    database.sql(&format!("ALTER ROLE {replicating} REPLICATION"));
    let member_of = |name: &str, group: &str| {
        let member = database.role(name);
        database.sql(&format!("GRANT {group} TO {member}"));
        member
    };
    let member = member_of("member", "openclaw");
    let second = member_of("second", &bypassing);
    let writer = member_of("writer", "pg_write_all_data");
    let program = member_of("program", "pg_execute_server_program");
    let fellow = member_of("fellow", &role);
    let leader = database.role("leader");
    database.sql(&format!("GRANT {leader} TO {role}"));
    let deaf = database.role("deaf");
    database.sql(&format!("ALTER ROLE {deaf} NOLOGIN"));
    let tenant = TenantId::parse("team-c").unwrap();
    for (role, why) in [
        ("openclaw", "sees the rows of all"),
        ("admin", "sees the rows of all"),
        (&*bypassing, "sees the rows of all"),
        (&*replicating, "sees the rows of all"),
        (&*member, "a member of openclaw"),
        (&*second, &format!("a member of {bypassing}")),
        (&*writer, "a member of pg_write_all_data"),
        (&*program, "a member of pg_execute_server_program"),
        (&*fellow, "a member of the other"),
        (&*leader, "a member of the other"),
        (&*deaf, "cannot log in"),
        ("nobody-\"there", "has no role"),
    ] {
        let refused = node.open().add_tenant(&tenant, Some(role)).unwrap_err();
        assert!(refused.to_string().contains(why), "{role}: {refused}");
    }
    // Before PostgreSQL 16 that is enough to become any other.
    let making = database.role("making");
    database.sql(&format!("ALTER ROLE {making} CREATEROLE"));
    let is_enough = database.value("SELECT current_setting('server_version_num') < '160000'");
    let made = node.open().add_tenant(&tenant, Some(&making));
    assert_eq!(made.is_err(), is_enough == "t", "{made:?}");
    let known = "SELECT role FROM openclaw.tenant WHERE id = 'team-c'";
    assert_eq!(database.sql(known).is_empty(), made.is_err());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn several_roles_are_given_their_rights_at_the_same_time() {
    let (database, node, _) = filled();
    let roles: Vec<String> = (0..6).map(|n| database.role(&format!("r{n}"))).collect();
    std::thread::scope(|scope| {
        for (number, role) in roles.iter().enumerate() {
            let store = node.open();
            scope.spawn(move || {
                let tenant = TenantId::parse(&format!("t-{number}")).unwrap();
                assert!(store.add_tenant(&tenant, Some(role)).unwrap());
            });
        }
    });
}

#[test]
#[ignore = "needs PostgreSQL"]
fn doctor_names_a_role_that_came_to_see_more_than_its_rows() {
    let held = Held::new();
    let doctor = || held.team.run(1, &["gateway", "doctor", "--json"]);
    let found = format!("{TENANT}: the role {} sees the rows of all", held.role);
    assert!(!doctor().out.contains(&found));
    let grant = format!("GRANT pg_read_server_files TO {}", held.role);
    held.team.database.sql(&grant);
    let told = doctor();
    assert!(told.out.contains(&found), "{told:?}");
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

    fn gateway(&self) -> Gateway {
        let run = ["gateway", "run", "--listen", "127.0.0.1:0", "--migrate"];
        let mut run = self.team.command(0, &run);
        run.env("OPENCLAW_TENANT", TENANT);
        Gateway::of(run)
    }

    /// A login, its refresh, its token, keys and its end; by a gateway and by commands.
    fn live(&self) {
        let gateway = self.gateway();
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
    // What shows that tenant to this role.
    let remedy = format!("gateway tenant add main --role {}", held.role);
    assert!(other.err.contains(&remedy), "{other:?}");
    for (args, code) in [
        (&["gateway", "doctor", "--json"][..], 1),
        (&["gateway", "run", "--listen", "127.0.0.1:0"], 1),
    ] {
        let told = held.run_for("main", args);
        assert_eq!(told.code, code, "{told:?}");
        assert!(
            [&*told.out, &*told.err].concat().contains(&remedy),
            "{told:?}"
        );
    }
    let key = held.team.machines[0].state().join("database-key");
    let rekey = ["gateway", "rekey", "--new-key-file", key.to_str().unwrap()];
    for args in [&rekey[..], &["gateway", "tenant", "add", "team-b"]] {
        let refused = held.run_for(TENANT, args);
        assert_eq!(refused.code, 5, "{refused:?}");
        assert!(
            refused.err.contains("does not own the tables"),
            "{refused:?}"
        );
    }
    (held.team.database).sql("DELETE FROM openclaw.schema_version WHERE version = 6");
    let migrate = held.run_for(TENANT, &["gateway", "migrate"]);
    assert_eq!(migrate.code, 5, "{migrate:?}");
    assert!(
        migrate.err.contains("may not change its tables"),
        "{migrate:?}"
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn who_loses_its_tenant_says_so_and_never_that_nothing_is_stored() {
    let held = Held::new();
    held.team
        .seed_in(&held.team.store_of(TENANT), PROFILE, 3600);
    let gateway = held.gateway();
    gateway.until(STATUS, |status| status["authenticated"] == true);
    let other = held.team.database.role("other");
    let add = ["gateway", "tenant", "add", TENANT, "--role", &other];
    let added = held.team.run(1, &add);
    assert!(
        added
            .out
            .contains(&format!("The role {} does not", held.role)),
        "{added:?}"
    );
    let token = || gateway.get("/v1/token?provider=openai-codex&min_valid=4000");
    until(|| gateway.get("/readyz").json()["tenant"] == "unseen");
    assert_eq!(gateway.get("/readyz").status, 503);
    assert_eq!(token().status, 503, "{:?}", token());
    assert_eq!(gateway.get(STATUS).json()["authenticated"], true);
    for args in [["models", "auth", "list"], ["gateway", "key", "list"]] {
        let told = held.run_for(TENANT, &args);
        assert_eq!(told.code, 5, "{told:?}");
    }
    let back = ["gateway", "tenant", "add", TENANT, "--role", &held.role];
    assert_eq!(held.team.run(1, &back).code, 0);
    until(|| gateway.get("/readyz").status == 200);
    gateway.until(STATUS, |status| status["authenticated"] == true);
}

#[test]
#[ignore = "needs PostgreSQL and PgBouncer"]
fn it_is_enough_through_a_pool_by_transaction() {
    let held = Held::new();
    let pool = PgBouncer::start(&held.team.database.server);
    held.connect(pool.port);
    held.live();
}
