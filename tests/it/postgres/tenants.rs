//! Tenants of one database on one machine: none sees anything of another, nor waits for it.

use std::process::{Command, Stdio};
use std::time::Duration;

use openclaw::model::access_key::AccessKey;
use openclaw::model::credential::Credential;
use openclaw::model::grant::GrantRecord;
use openclaw::model::id::{AgentId, ProviderId};
use openclaw::model::tenant::TenantId;
use openclaw::model::time::Timestamp;
use openclaw::ports::access_keys::AccessKeyStore as _;
use openclaw::ports::database::Database as _;
use openclaw::ports::store::{Documents as _, History as _, Journal as _, Scope};
use openclaw::postgres::store::PostgresStore;
use serde_json::{Value, json};

use super::logins::{pasting, state_is, until};
use super::page::Session;
use super::{put, refresh_token, take};
use crate::gateway::login::{STATUS, code_of, paste, start};
use crate::login::browser::redirect;
use crate::login::unstored_login::saved_in;
use crate::support::memory_store::{digest, oauth, profile};
use crate::support::postgres_node::Node;
use crate::support::postgres_server::Database;
use crate::support::running_gateway::{Gateway, TOKEN};
use crate::support::team::{Team, tokens_in};
use crate::support::{Ran, ran};

const NAMES: [&str; 2] = ["team-a", "team-b"];
const PROFILE: &str = "openai-codex:default";

/// A command of a tenant.
fn command(team: &Team, tenant: &str, args: &[&str]) -> Command {
    let mut command = team.command(0, args);
    command.env("OPENCLAW_TENANT", tenant);
    command
}

fn run(team: &Team, tenant: &str, args: &[&str]) -> Ran {
    ran(command(team, tenant, args).output().unwrap())
}

#[track_caller]
fn ok(team: &Team, tenant: &str, args: &[&str]) -> String {
    let ran = run(team, tenant, args);
    assert_eq!(ran.code, 0, "{tenant} {args:?}: {ran:?}");
    ran.out
}

fn gateway(team: &Team, tenant: &str) -> Gateway {
    let run = [
        "gateway",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--tenant",
        tenant,
    ];
    Gateway::of(team.command(0, &run))
}

/// A team whose first machine serves two tenants.
fn team() -> Team {
    let team = Team::new();
    for tenant in NAMES {
        let added = team.run(0, &["gateway", "tenant", "add", tenant]);
        assert_eq!(added.code, 0, "{added:?}");
    }
    team
}

fn stores() -> (Node, [PostgresStore; 2]) {
    let database = Database::new();
    let node = Node::on(&database);
    let stores = NAMES.map(|tenant| {
        let tenant = TenantId::parse(tenant).unwrap();
        assert!(node.open().add_tenant(&tenant, None).unwrap());
        assert!(!node.open().add_tenant(&tenant, None).unwrap());
        node.open_of(tenant.as_str())
    });
    (node, stores)
}

#[test]
#[ignore = "needs PostgreSQL"]
fn what_one_tenant_stores_is_not_there_for_another() {
    let (node, [a, b]) = stores();
    let main = AgentId::main();
    for refresh in ["rt-0", "rt-1", "rt-a"] {
        put(&a, refresh);
    }
    for refresh in ["rt-0", "rt-b"] {
        put(&b, refresh);
    }
    assert_eq!(refresh_token(&a).unwrap(), "rt-a");
    assert_eq!(refresh_token(&b).unwrap(), "rt-b");
    assert_eq!(refresh_token(&node.open()), None);
    let generations = |store: &PostgresStore| {
        let listed = store.history(&main, None).unwrap();
        listed.histories.first().map(|kept| kept.generations.len())
    };
    assert_eq!(generations(&a), Some(2));
    assert_eq!(generations(&b), Some(1));
    b.clear_history(&main, None).unwrap();
    assert_eq!(generations(&a), Some(2));

    put_in(&a, "work");
    assert_eq!(b.agents().unwrap(), [main]);
    let provider = ProviderId::parse("openai-codex").unwrap();
    let record = GrantRecord::new(digest("rt-a"), &provider, &profile());
    a.record_login(&record).unwrap();
    assert!(b.grant_record(&digest("rt-a")).unwrap().is_none());

    let key = json!({ "id": "a", "digest": "0".repeat(64), "role": "viewer", "created": 1 });
    let key: AccessKey = serde_json::from_value(key).unwrap();
    a.add_access_key(&key, Timestamp(1)).unwrap();
    assert_eq!(b.access_keys().unwrap().keys.len(), 0);
    assert!(
        b.revoke_access_key(&key.id, Timestamp(2))
            .unwrap()
            .is_none()
    );
    assert_eq!(a.access_keys().unwrap().keys[0].revoked_at, None);
}

/// Gives an agent a login.
fn put_in(store: &PostgresStore, agent: &str) {
    let change = store.update(&AgentId::normalise(agent), &mut |doc| {
        doc.put(profile(), Credential::OAuth(oauth("rt-9")))
    });
    change.unwrap();
}

#[test]
#[ignore = "needs PostgreSQL"]
fn tenants_hold_the_same_grant_at_the_same_time_and_are_told_nothing_of_each_other() {
    let (_node, [a, b]) = stores();
    for store in [&a, &b] {
        put(store, "rt-1");
    }
    let _held = [take(&a, "rt-1"), take(&b, "rt-1")];
    // It listens from here on.
    b.revision().unwrap();
    until(|| b.revision().unwrap() > 0);
    let before = b.revision().unwrap();
    for number in 0..20 {
        put(&a, &format!("rt-{number}"));
    }
    put(&b, "rt-2");
    until(|| b.revision().unwrap() > before);
    // Its own change, by a notification and by a look.
    assert!(b.revision().unwrap() <= before + 2);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn gateways_of_two_tenants_on_one_machine_give_each_its_own() {
    let team = team();
    for tenant in NAMES {
        team.seed_in(&team.store_of(tenant), PROFILE, 3_600);
    }
    let gateways = NAMES.map(|tenant| gateway(&team, tenant));
    for (tenant, gateway) in NAMES.iter().zip(&gateways) {
        let (access, _) = tokens_in(&team.store_of(tenant), PROFILE).unwrap();
        let answer = gateway.get("/v1/token?provider=openai-codex");
        assert_eq!(answer.json()["access_token"], access.as_str(), "{answer:?}");
        let token = ok(
            &team,
            tenant,
            &["models", "auth", "token", "--profile", PROFILE],
        );
        assert_eq!(token.trim(), access);
    }
    let [a, b] = &gateways;
    let key = ok(&team, NAMES[0], &["gateway", "key", "add"]);
    let bearer = format!("Authorization: Bearer {}\r\n", key.trim());
    assert_eq!(a.ask("GET", STATUS, &bearer, "").status, 200);
    assert_eq!(b.ask("GET", STATUS, &bearer, "").status, 401);
    let listed = ok(&team, NAMES[1], &["gateway", "key", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["keys"], json!([]));
    let session = Session::open(a, &json!({ "bearer": TOKEN }));
    assert_eq!(session.ask(a, "GET"), 200);
    assert_eq!(session.ask(b, "GET"), 401);

    assert_eq!(a.post_nothing("/v1/auth/openai/logout").status, 200);
    let both = NAMES.map(|tenant| tokens_in(&team.store_of(tenant), PROFILE));
    assert!(both[0].is_none() && both[1].is_some());
    assert_eq!(b.get(STATUS).json()["authenticated"], true);
    let audit = "SELECT DISTINCT tenant FROM openclaw.audit WHERE action = 'logged out'";
    until(|| !team.database.sql(audit).is_empty());
    assert_eq!(team.database.value(audit), NAMES[0]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_login_that_waits_at_the_gateway_of_one_tenant_is_nothing_to_another() {
    let team = team();
    let [a, b] = NAMES.map(|tenant| gateway(&team, tenant));
    let url = start(&a);
    assert_eq!(b.get("/v1/auth/openai/flow").json()["state"], "idle");
    let other = start(&b);
    assert_ne!(url, other);
    let answer = paste(&b, &redirect(&team.issuer, &url));
    assert_eq!((answer.status, &*code_of(&answer)), (400, "not_accepted"));
    assert_eq!(paste(&b, &redirect(&team.issuer, &other)).status, 200);
    state_is(&a, "waiting");
    assert_eq!(a.get(STATUS).json()["authenticated"], false);
    assert_eq!(paste(&a, &redirect(&team.issuer, &url)).status, 200);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn each_tenant_refreshes_once_and_waits_for_no_other() {
    let team = team();
    for tenant in NAMES {
        team.seed_in(&team.store_of(tenant), PROFILE, -10);
    }
    team.issuer.set_delay(Duration::from_millis(50));
    let token = ["models", "auth", "token", "--profile", PROFILE];
    let begun = (0..16).map(|number| {
        let tenant = NAMES[number % 2];
        let mut command = command(&team, tenant, &token);
        let piped = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        (tenant, piped.spawn().unwrap())
    });
    let begun: Vec<_> = begun.collect();
    let ended = begun.into_iter();
    let ended: Vec<_> = ended
        .map(|(tenant, child)| (tenant, ran(child.wait_with_output().unwrap())))
        .collect();
    for (tenant, ran) in ended {
        let (access, _) = tokens_in(&team.store_of(tenant), PROFILE).unwrap();
        assert_eq!((ran.code, ran.out.trim()), (0, &*access), "{ran:?}");
    }
    assert_eq!(team.issuer.token_requests().len(), 2);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_answer_that_waits_for_one_tenant_is_stored_by_no_other() {
    let team = team();
    let here = gateway(&team, NAMES[0]);
    let url = start(&here);
    team.issuer.hold();
    let pasted = pasting(&here.address, &redirect(&team.issuer, &url));
    until(|| !team.issuer.exchanges().is_empty());
    let held = (team.database)
        .hold("LOCK TABLE openclaw.agent, openclaw.credential IN SHARE ROW EXCLUSIVE MODE");
    team.issuer.let_go();
    let state = team.machines[0].state();
    let rescue = state.join("tenants").join(NAMES[0]).join("rescue");
    until(|| {
        saved_in(&rescue).iter().any(|path| {
            let text = std::fs::read_to_string(path).unwrap_or_default();
            text.contains("access_token")
        })
    });
    here.kill();
    drop(held);
    pasted.join().unwrap();
    let count = "SELECT count(*) FROM openclaw.credential";
    for tenant in [NAMES[1], "main"] {
        ok(&team, tenant, &["models", "auth", "list"]);
    }
    assert_eq!(team.database.value(count), "0");
    ok(&team, NAMES[0], &["models", "auth", "list"]);
    let whose = "SELECT tenant FROM openclaw.credential";
    assert_eq!(team.database.value(whose), NAMES[0]);
    assert!(saved_in(&rescue).is_empty());
}

#[test]
#[ignore = "needs PostgreSQL"]
fn an_agent_that_one_tenant_deletes_stays_with_another() {
    let team = team();
    for tenant in NAMES {
        put_in(&team.store_of(tenant), "work");
    }
    let workspace = team.machines[0].directory.path().join("work");
    let add = ["agents", "add", "work", "--non-interactive", "--workspace"];
    ok(
        &team,
        NAMES[0],
        &[&add[..], &[workspace.to_str().unwrap()]].concat(),
    );
    ok(&team, NAMES[0], &["agents", "delete", "work", "--force"]);
    let left = NAMES.map(|tenant| {
        let work = AgentId::normalise("work");
        let doc = team.store_of(tenant).load(&work, Scope::All).unwrap();
        doc.profiles().count()
    });
    assert_eq!(left, [0, 1]);
}

#[test]
#[ignore = "needs PostgreSQL"]
fn a_tenant_that_is_not_there_is_refused_and_what_adds_it_is_named() {
    let team = Team::new();
    let add = "gateway tenant add team-c";
    for args in [&["models", "auth", "list"][..], &["gateway", "key", "list"]] {
        let refused = run(&team, "team-c", args);
        assert_eq!(refused.code, 5, "{refused:?}");
        assert!(refused.err.contains(add), "{refused:?}");
    }
    let listen = ["gateway", "run", "--listen", "127.0.0.1:0"];
    for args in [&listen[..], &["gateway", "doctor"]] {
        let refused = run(&team, "team-c", args);
        assert_eq!(refused.code, 1, "{refused:?}");
        let told = [refused.out, refused.err].concat();
        assert!(told.contains(add), "{told}");
    }
    ok(&team, "team-c", &["gateway", "tenant", "add", "team-c"]);
    ok(&team, "team-c", &["models", "auth", "list"]);
    ok(&team, "team-c", &["gateway", "doctor"]);
    let listed = ok(&team, "main", &["gateway", "tenant", "list", "--json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let ids = listed["tenants"].as_array().unwrap().iter();
    let ids: Vec<&Value> = ids.map(|tenant| &tenant["id"]).collect();
    assert_eq!(ids, ["main", "team-c"]);
    assert_eq!(run(&team, "Team C", &["models", "auth", "list"]).code, 1);

    // What is not there for a tenant is not there without a database either.
    let world = &team.machines[0];
    let mut list = world.command(&["models", "auth", "list"]);
    let refused = ran(list.env("OPENCLAW_TENANT", "team-c").output().unwrap());
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.err.contains("unset OPENCLAW_TENANT"), "{refused:?}");
    // Nobody who can write a file there chooses whose logins are used.
    world.write(".env", "OPENCLAW_TENANT=team-c\n");
    assert_eq!(
        ran(world.command(&["models", "auth", "list"]).output().unwrap()).code,
        0
    );
}

#[test]
#[ignore = "needs PostgreSQL"]
fn another_key_is_one_for_all_tenants() {
    let team = team();
    for tenant in NAMES {
        team.seed_in(&team.store_of(tenant), PROFILE, 3_600);
    }
    let world = &team.machines[0];
    world.write("new-key", &"0b".repeat(32));
    let new = world.state().join("new-key");
    let rekey = ["gateway", "rekey", "--new-key-file", new.to_str().unwrap()];
    ok(&team, "main", &rekey);
    let token = ["models", "auth", "token", "--profile", PROFILE];
    for tenant in NAMES {
        assert_ne!(run(&team, tenant, &token).code, 0);
        let mut command = command(&team, tenant, &token);
        let got = ran(command
            .env("GOCLAW_ENCRYPTION_KEY_FILE", &new)
            .output()
            .unwrap());
        assert_eq!(got.code, 0, "{got:?}");
    }
}
