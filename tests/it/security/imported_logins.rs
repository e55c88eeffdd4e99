//! Logins that another program stored, of which nobody wrote down who issued them. Under the id of a
//! built-in provider they go to what is built in; a manifest in its place gets one only once a
//! person accepted its endpoint.

use serde_json::{Value, json};

use crate::login::metadata_discovery::{self, OPENID};
use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::{Ran, World, millis_from_now};

const CODEX: &str = "openai-codex:default";
const MANIFEST: &str = "providers/openai-codex.toml";
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";
const TOKEN: [&str; 5] = ["models", "auth", "token", "--profile", CODEX];
const REFRESH: [&str; 6] = ["models", "auth", "refresh", "--profile", CODEX, "--force"];

/// A world whose `openai-codex` is the test issuer, with a login that another program stored.
fn imported(left: i64) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", left);
    lose_journal(&world);
    (world, issuer)
}

/// Stores a login of which nothing but its provider is known.
fn store(world: &World, issuer: &Issuer, provider: &str) {
    let (access, refresh) = issuer.issue();
    let login = json!({
        "type": "oauth", "provider": provider, "access": access, "refresh": refresh,
        "expires": millis_from_now(-10),
    });
    let profiles = json!({ format!("{provider}:default"): login });
    let document = json!({ "version": 1, "profiles": profiles });
    world.write(DOCUMENT, &document.to_string());
}

fn lose_journal(world: &World) {
    std::fs::remove_dir_all(world.state().join("locks")).unwrap();
}

fn endpoint(issuer: &Issuer) -> String {
    format!("{}/oauth/token", issuer.url())
}

fn accept(world: &World, endpoint: &str) -> Ran {
    world.run(&[&REFRESH[..], &["--accept-endpoint", endpoint]].concat())
}

fn refused(world: &World, args: &[&str]) -> Ran {
    let ran = world.run(args);
    assert_eq!(ran.code, 1, "{args:?}: {ran:?}");
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
    ran
}

fn done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn s13_no_command_sends_an_imported_login_to_a_manifest_in_the_place_of_a_built_in_one() {
    let (world, issuer) = imported(-10);
    let revoke = format!("\nrevoke = \"{}/oauth/revoke\"\n\n[[flow]]", issuer.url());
    let manifest = issuer.manifest().replacen("\n\n[[flow]]", &revoke, 1);
    world.write(MANIFEST, &manifest);
    let before = world.store();
    let advice = format!("--profile {CODEX} --accept-endpoint {}", endpoint(&issuer));
    for args in [
        &TOKEN[..],
        &REFRESH,
        &["models", "auth", "refresh"],
        &[
            "models",
            "auth",
            "exec",
            "--profile",
            CODEX,
            "--env",
            "T",
            "--",
            "true",
        ],
    ] {
        let ran = refused(&world, args);
        assert!(ran.err.contains("https://auth.openai.com/oauth/token"));
        assert!(ran.err.contains(&advice), "{args:?}: {ran:?}");
    }
    refused(
        &world,
        &["models", "auth", "logout", CODEX, "--revoke", "--yes"],
    );
    let tick = world.run(&["tick"]);
    assert!(
        tick.out.contains(&advice) || tick.err.contains(&advice),
        "{tick:?}"
    );
    assert_eq!(issuer.exchanges().len(), 0);
    assert_eq!(issuer.revocations().len(), 0);
    assert_eq!(world.store(), before);
}

#[test]
fn s13_every_view_says_so_in_advance() {
    let (world, issuer) = imported(-10);
    let advice = format!("--accept-endpoint {}", endpoint(&issuer));
    for args in [
        &["models", "status"][..],
        &["models", "auth", "explain", "--provider", "openai-codex"],
        &["models", "status", "--json"],
    ] {
        let ran = world.run(args);
        assert!(ran.out.contains(&advice), "{args:?}: {ran:?}");
    }
    let check = world.run(&["models", "status", "--check"]);
    assert_eq!(check.code, 1, "{check:?}");
    assert_eq!(issuer.exchanges().len(), 0);
}

#[test]
fn s13_a_token_that_lives_is_handed_out_with_a_warning() {
    let (world, issuer) = imported(120);
    let ran = world.run(&TOKEN);
    done(&ran);
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert_eq!(issuer.exchanges().len(), 0);
}

#[test]
fn s13_an_endpoint_that_was_accepted_counts_from_then_on() {
    let (world, issuer) = imported(-10);
    done(&accept(&world, &endpoint(&issuer)));
    done(&world.run(&REFRESH));
    assert_eq!(issuer.token_requests().len(), 2);
    // The successor is bound to it.
    let other = issuer.manifest().replace("/oauth/token", "/other/token");
    world.write(MANIFEST, &other);
    let ran = refused(&world, &REFRESH);
    assert!(!ran.err.contains("--accept-endpoint"), "{ran:?}");
    // Of that one the issuer is known.
    let other = format!("{}/other/token", issuer.url());
    let ran = accept(&world, &other);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("only sent to its issuer"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn s13_an_acceptance_outlives_the_failure_of_the_refresh() {
    let (world, issuer) = imported(-10);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    assert_eq!(accept(&world, &endpoint(&issuer)).code, 4);
    done(&world.run(&REFRESH));
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn s13_only_the_endpoint_that_would_be_used_can_be_accepted() {
    let (world, issuer) = imported(-10);
    for other in [
        format!("{}/", endpoint(&issuer)),
        "https://auth.openai.com/oauth/token".to_owned(),
        String::new(),
    ] {
        let ran = accept(&world, &other);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains(&endpoint(&issuer)), "{ran:?}");
        refused(&world, &REFRESH);
    }
    // Whose endpoint it is cannot be said of all profiles at once.
    let of_all = ["models", "auth", "refresh", "--accept-endpoint"];
    let ran = world.run(&[&of_all[..], &[&endpoint(&issuer)]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_eq!(issuer.exchanges().len(), 0);
}

/// As a refresh that failed left it, before or after the manifest was replaced.
#[test]
fn s13_a_record_that_names_no_endpoint_frees_no_login() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let journal = "locks/oauth-refresh/journal";
    let names = std::fs::read_dir(world.state().join(journal)).unwrap();
    let names = names.map(|file| file.unwrap().file_name().into_string().unwrap());
    let path = format!("{journal}/{}", names.last().unwrap());
    let mut record: Value = serde_json::from_str(&world.read(&path)).unwrap();
    record["tokenEndpoint"] = Value::Null;
    record["clientId"] = Value::Null;
    let passing = json!({ "kind": "passing", "reason": "down", "retryAt": null });
    record["attempt"] = json!({ "begunAt": 1, "settledAt": 2, "outcome": passing, "failures": 3 });
    world.write(&path, &record.to_string());
    refused(&world, &REFRESH);
    refused(&world, &TOKEN);
    assert_eq!(issuer.exchanges().len(), 0);
    done(&accept(&world, &endpoint(&issuer)));
}

#[test]
fn s13_another_agent_that_inherits_the_login_can_accept_it_for_its_owner() {
    let (world, issuer) = imported(-10);
    world.add_agent("work");
    let of_work = |args: &[&'static str]| [&["--agent", "work"], args].concat();
    let ran = refused(&world, &of_work(&TOKEN));
    assert!(ran.err.contains("--accept-endpoint"), "{ran:?}");
    let endpoint = endpoint(&issuer);
    let accepted = [&of_work(&REFRESH)[..], &["--accept-endpoint", &endpoint]].concat();
    done(&world.run(&accepted));
    done(&world.run(&TOKEN));
    assert_eq!(issuer.token_requests().len(), 1);
}

/// Only the metadata of its issuer names the endpoint, so what is asked for is that.
#[test]
fn s13_a_manifest_that_names_an_issuer_gets_no_imported_login_either() {
    let (world, issuer) = metadata_discovery::world();
    let manifest = issuer.issuer_manifest();
    let manifest = manifest.replace("\"acme\"", "\"openai-codex\"");
    world.write(MANIFEST, &format!("replaces = true\n{manifest}"));
    store(&world, &issuer, "openai-codex");
    let ran = refused(&world, &TOKEN);
    assert!(ran.err.contains("issuer metadata"), "{ran:?}");
    assert!(issuer.exchanges().iter().all(|seen| seen.path == OPENID));
    assert_eq!(issuer.token_requests().len(), 0);
    done(&accept(&world, &endpoint(&issuer)));
    assert_eq!(issuer.token_requests().len(), 1);
}

/// Where nothing is built in, the first refresh binds, as nobody else can have stored the login.
#[test]
fn s13_an_imported_login_of_a_provider_of_ones_own_is_bound_by_its_first_refresh() {
    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer.manifest().replace("openai-codex", "acme");
    let manifest = manifest.replace("replaces = true\n", "");
    world.write("providers/acme.toml", &manifest);
    store(&world, &issuer, "acme");
    let force = ["models", "auth", "refresh", "--force"];
    done(&world.run(&force));
    let other = manifest.replace("/oauth/token", "/other/token");
    world.write("providers/acme.toml", &other);
    refused(&world, &force);
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn s13_only_a_login_has_an_endpoint() {
    let (world, issuer) = imported(-10);
    let key = json!({ "type": "api_key", "provider": "openai-codex", "key": "k".repeat(40) });
    let document = json!({ "version": 1, "profiles": { CODEX: key } });
    world.write(DOCUMENT, &document.to_string());
    let ran = accept(&world, &endpoint(&issuer));
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("never refreshed"), "{ran:?}");
}
