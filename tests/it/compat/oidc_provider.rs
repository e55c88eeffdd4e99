//! The main job against an authorization server that nobody here wrote: `oidc-provider`, certified
//! for OpenID Connect, stands where a manifest points the endpoints of `openai-codex`.
//!
//! These tests need more than Rust, so they are ignored by default; `.ci/run` installs what they
//! need and runs them by name.

mod chromium;
mod device;
mod methods;
mod person;
mod server;

use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::support::login::Waiting;
use crate::support::{Ran, World, ran};
use chromium::Chromium;
use person::Person;
use server::Server;

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FORCE: [&str; 4] = ["models", "auth", "refresh", "--force"];
const STORE: &str = "agents/main/agent/auth-profiles.json";
const PROFILE: &str = "openai-codex:me@example.com";
const WHO: &str = "me@example.com";

fn world(server: &Server) -> World {
    let world = World::new();
    world.write("providers/openai-codex.toml", &server.manifest());
    world
}

/// Logs in with a new browser session; gives what the command did.
fn log_in(world: &World) -> Ran {
    let login = Waiting::start(world, &["--provider", "openai-codex"]);
    let page = Person::default().log_in(&login.url, WHO, "yes");
    assert_eq!(page.status, 200, "{page:?}");
    assert!(page.body.contains("<h1>Login complete</h1>"), "{page:?}");
    assert_eq!(page.url.query(), None, "{page:?}");
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?} {events:?}");
    ran
}

fn profile(world: &World) -> Value {
    world.store()["profiles"][PROFILE].clone()
}

fn wait_for_expiry(world: &World) {
    let ends = profile(world)["expires"].as_u64().unwrap();
    let ends = SystemTime::UNIX_EPOCH + Duration::from_millis(ends);
    while SystemTime::now() <= ends {
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// What as many processes print that ask for a token at the same time.
fn ask_at_once(world: &World, processes: usize) -> Vec<Ran> {
    let start = |_| {
        let mut command = world.command(&TOKEN);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let children: Vec<_> = (0..processes).map(start).collect();
    let ended = children.into_iter().map(Child::wait_with_output);
    ended.map(|output| ran(output.unwrap())).collect()
}

fn assert_needs_login(ran: &Ran) {
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("invalid_grant"), "{ran:?}");
    assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
    let hint =
        format!("Try: openclaw models auth login --provider openai-codex --profile-id {PROFILE}");
    assert!(ran.err.contains(&hint), "{ran:?}");
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn a_login_is_accepted_and_its_token_handed_out() {
    let server = Server::start(3_600);
    let world = world(&server);
    log_in(&world);
    let profile = profile(&world);
    assert_eq!(profile["email"], WHO);
    assert_eq!(profile["accountId"], format!("acct_{WHO}"));
    let token = world.run(&TOKEN);
    assert_eq!(token.code, 0, "{token:?}");
    assert_eq!(token.out.trim_end(), profile["access"]);
    assert_eq!(token.err, "");
    let once = json!({ "granted": 1, "refused": 0 });
    assert_eq!(server.count(), json!({ "authorization_code": once }));
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn a_person_who_says_no_ends_the_login() {
    let server = Server::start(3_600);
    let world = world(&server);
    let login = Waiting::start(&world, &["--provider", "openai-codex"]);
    let page = Person::default().log_in(&login.url, WHO, "no");
    assert_eq!(page.status, 403, "{page:?}");
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 3, "{ran:?}");
    let words = "access_denied: the person said no";
    assert!(ran.err.contains(words), "{ran:?}");
    assert!(!world.state().join(STORE).exists());
    assert_eq!(server.count(), json!({}));
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn one_refresh_for_all_and_a_spent_token_costs_the_grant() {
    let server = Server::start(1);
    let world = world(&server);
    log_in(&world);
    let spent = world.read(STORE);
    wait_for_expiry(&world);

    let runs = ask_at_once(&world, 12);
    let living = profile(&world)["access"].clone();
    for ran in &runs {
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(ran.out.trim_end(), living);
    }
    assert!(!spent.contains(living.as_str().unwrap()));
    let refreshes = |granted, refused| {
        let expected = json!({ "granted": granted, "refused": refused });
        assert_eq!(server.count()["refresh_token"], expected);
    };
    refreshes(1, 0);

    // A backup from before the refresh, restored where no journal knows that its token is spent.
    let restored = self::world(&server);
    restored.write(STORE, &spent);
    assert_needs_login(&restored.run(&TOKEN));
    assert_eq!(restored.read(STORE), spent);
    refreshes(1, 1);

    // The server took it for theft and revoked the whole grant, the good token with it.
    let before = world.read(STORE);
    assert_needs_login(&world.run(&FORCE));
    assert_eq!(world.read(STORE), before);
    refreshes(1, 2);

    log_in(&world);
    assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 1);
    let healed = world.run(&FORCE);
    assert_eq!(healed.code, 0, "{healed:?}");
    refreshes(2, 2);
}

#[test]
#[ignore = "needs node and the packages of tests/oidc-provider"]
fn an_issuer_is_enough_and_what_it_gave_is_revoked() {
    let server = Server::start(3_600);
    let world = World::new();
    let manifest = server.manifest_of_issuer();
    assert!(!manifest.contains("\ntoken = "), "{manifest}");
    world.write("providers/openai-codex.toml", &manifest);
    // The endpoints come from its metadata, the nonce comes back, and the signature is right.
    log_in(&world);
    let refreshed = world.run(&FORCE);
    assert_eq!(
        (refreshed.code, refreshed.err.as_str()),
        (0, ""),
        "{refreshed:?}"
    );
    let living = world.read(STORE);

    let ran = world.run(&["models", "auth", "logout", PROFILE, "--revoke", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("/token/revocation\n"), "{ran:?}");
    assert!(profile(&world).is_null());
    // Where no journal knows it: the server does.
    let restored = World::new();
    restored.write("providers/openai-codex.toml", &manifest);
    restored.write(STORE, &living);
    // Nor who issued it: then a person says that this server did.
    let told = restored.run(&FORCE);
    assert_eq!(told.code, 1, "{told:?}");
    let url = told.err.trim_end().rsplit(' ').next().unwrap();
    let accept = [
        "models",
        "auth",
        "refresh",
        "--profile",
        PROFILE,
        "--accept-endpoint",
        url,
    ];
    let accepted = restored.run(&accept);
    assert_eq!(accepted.code, 0, "{accepted:?}");
    assert_needs_login(&restored.run(&FORCE));
}

#[test]
#[ignore = "needs node, Chromium and its driver"]
fn chromium_is_opened_follows_the_redirect_and_shows_the_page() {
    let server = Server::start(3_600);
    let world = world(&server);
    let mut command = world.command(&["models", "auth", "login", "--json"]);
    let chromium = Chromium::opened_by(&mut command, world.directory.path());
    let login = Waiting::of(command);
    let tab = chromium.attach();
    tab.fill("input[name=login]", WHO);
    tab.click("button[value=yes]");
    tab.click("form:has(button[value=no]) button[value=yes]");
    assert_eq!(tab.text("//h1[text()='Login complete']"), "Login complete");
    let words = format!("You are logged in as {WHO}. You can close this tab.");
    assert_eq!(tab.text("//p"), words);

    let url = url::Url::parse(&tab.url()).unwrap();
    assert_eq!(url.host_str(), Some("localhost"));
    assert_eq!((url.path(), url.query()), ("/auth/callback", None));
    let visited = tab.history();
    assert!(
        visited.iter().any(|visited| *visited == tab.url()),
        "{visited:?}"
    );
    assert!(
        !visited.iter().any(|url| url.contains("code=")),
        "{visited:?}"
    );
    assert_eq!(tab.console(), json!([]), "nothing was blocked or missing");

    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?} {events:?}");
    let token = world.run(&TOKEN);
    assert_eq!(token.out.trim_end(), profile(&world)["access"], "{token:?}");
}
