//! Clients with a secret, declared in `config.yaml` by the blocks of the guide: logins, renewals,
//! races and refusals, against a server that checks the client.

mod failures;

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer};
use openclaw::model::provider::ClientAuth;
use serde_json::{Value, json};

use crate::providers::declared_in_config::guide;
use crate::support::login::Waiting;
use crate::support::{Ran, World, millis_from_now, ran};

const LOGIN: [&str; 5] = ["models", "auth", "login", "--provider", "codex"];
const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "codex"];
pub(crate) const SECRET: &str = "s3cret+MARKER/client";

/// A world with a block of the guide, and a server that expects its client.
pub(crate) fn world(flow: &str, auth: ClientAuth) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    // Where its tokens lie is for `secrets` to test.
    let yaml = guide(flow);
    let lines = yaml.lines().filter(|line| !line.contains("token_store"));
    let yaml: String = lines.map(|line| format!("{line}\n")).collect();
    match auth {
        ClientAuth::Post => world.write("config.yaml", &yaml),
        ClientAuth::Basic => {
            let more = "      token_endpoint_auth_method: client_secret_basic\n";
            world.write("config.yaml", &(yaml.trim_end().to_owned() + "\n" + more));
        }
    }
    issuer.expect_client("client-1", SECRET, auth);
    (world, issuer)
}

/// With the two secrets of the guide in the environment, one under each of its names.
pub(crate) fn with_client(mut command: Command) -> Command {
    command.env("CODEX_CLIENT_ID", "client-1");
    command.env("OPENCLAW_SECRET_CODEX_CLIENT_SECRET", SECRET);
    command
}

pub(crate) fn run(world: &World, args: &[&str]) -> Ran {
    ran(with_client(world.command(args)).output().unwrap())
}

/// Lets the stored token end so many seconds from now.
pub(crate) fn ends_in(world: &World, seconds: i64) {
    let mut store = world.store();
    store["profiles"]["codex:default"]["expires"] = json!(millis_from_now(seconds));
    world.write("agents/main/agent/auth-profiles.json", &store.to_string());
}

fn profile(world: &World) -> Value {
    world.store()["profiles"]["codex:default"].clone()
}

fn logged_in() -> (World, Issuer) {
    let (world, issuer) = world("client_credentials", ClientAuth::Post);
    let ran = run(&world, &LOGIN);
    assert_eq!(ran.code, 0, "{ran:?}");
    (world, issuer)
}

#[test]
fn a_client_logs_in_without_a_person_by_both_methods() {
    for auth in [ClientAuth::Post, ClientAuth::Basic] {
        let (world, issuer) = world("client_credentials", auth);
        let ran = run(&world, &LOGIN);
        assert_eq!(ran.code, 0, "{auth:?} {ran:?}");
        let mut request = issuer.token_requests().remove(0);
        request.sort();
        let mut expected = vec![
            ("grant_type", "client_credentials"),
            ("scope", "model.request"),
        ];
        if auth == ClientAuth::Post {
            expected.extend([("client_id", "client-1"), ("client_secret", SECRET)]);
            expected.sort_unstable();
        }
        let expected = expected
            .into_iter()
            .map(|(k, v)| (k.to_owned(), v.to_owned()));
        assert_eq!(request, expected.collect::<Vec<_>>());
        let stored = profile(&world);
        assert_eq!(stored["type"], "token");
        assert_eq!(stored["provider"], "codex");
        assert_eq!(stored["grantType"], "client_credentials");
        assert_eq!(run(&world, &TOKEN).out.trim_end(), stored["token"]);
        assert_eq!(
            issuer.token_requests().len(),
            1,
            "a fresh token is not renewed"
        );
    }
}

#[test]
fn a_person_logs_in_to_a_client_with_a_secret_by_both_methods() {
    for auth in [ClientAuth::Post, ClientAuth::Basic] {
        let (world, issuer) = world("authorization_code", auth);
        let args = ["models", "auth", "login", "--json", "--provider", "codex"];
        let mut login = Waiting::of(with_client(world.command(&args)));
        assert!(
            login.url.contains("code_challenge_method=S256"),
            "{}",
            login.url
        );
        assert!(
            login
                .url
                .contains("scope=openid+model.request+offline_access"),
            "{}",
            login.url
        );
        // The page of the guide lies elsewhere: its address is what the person pastes.
        let elsewhere = "https://yourdomain.com/openclaw/oauth/callback/codex";
        assert_eq!(login.callback(""), format!("{elsewhere}?"));
        let address = address_after(&login.url);
        assert!(address.starts_with(elsewhere), "{address}");
        writeln!(login.child.stdin.as_mut().unwrap(), "{address}").unwrap();
        let (ran, _) = login.finish();
        assert_eq!(ran.code, 0, "{auth:?} {ran:?}");
        let id = "codex:me@example.com";
        assert_eq!(world.store()["profiles"][id]["type"], "oauth");
        // The refresh shows the secret, too.
        let refresh = run(
            &world,
            &["models", "auth", "refresh", "--profile", id, "--force"],
        );
        assert_eq!(refresh.code, 0, "{auth:?} {refresh:?}");
        assert_eq!(issuer.token_requests().len(), 2);
    }
}

/// Where the server sends the browser, which is nowhere in a test.
pub(crate) fn address_after(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let address = (url.host_str().unwrap(), url.port().unwrap());
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    let path = &url[url::Position::BeforePath..];
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    let location = answer
        .lines()
        .find_map(|line| line.strip_prefix("Location: "));
    location.unwrap().trim().to_owned()
}

#[test]
fn a_redirect_of_the_guide_for_development_is_listened_on() {
    let (world, issuer) = world("authorization_code", ClientAuth::Post);
    // Any free port, for the test does not own 8080.
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let page = format!("http://localhost:{port}/openclaw/oauth/callback/codex");
    let yaml = guide("authorization_code");
    let yaml = yaml.replace(
        "https://yourdomain.com/openclaw/oauth/callback/codex",
        &page,
    );
    let yaml = yaml.replace("token_store: encrypted_file", "token_store: plain");
    world.write("config.yaml", &yaml);
    let args = ["models", "auth", "login", "--json", "--provider", "codex"];
    let login = Waiting::of(with_client(world.command(&args)));
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
    assert_eq!(issuer.token_requests().len(), 1);
}

/// So many processes that want a token at the same time.
fn all_at_once(world: &World, processes: usize) -> Vec<Ran> {
    let children: Vec<_> = (0..processes)
        .map(|_| {
            let mut command = with_client(world.command(&TOKEN));
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command.spawn().unwrap()
        })
        .collect();
    children
        .into_iter()
        .map(|child| ran(child.wait_with_output().unwrap()))
        .collect()
}

#[test]
fn sixteen_processes_renew_an_expired_token_once() {
    let (world, issuer) = logged_in();
    ends_in(&world, -10);
    let old = profile(&world)["token"].clone();
    issuer.set_delay(Duration::from_millis(200));
    let runs = all_at_once(&world, 16);
    assert!(
        runs.iter()
            .all(|ran| ran.code == 0 && ran.out == runs[0].out),
        "{runs:?}"
    );
    assert_ne!(old, runs[0].out.trim_end());
    assert_eq!(issuer.token_requests().len(), 2, "one login, one renewal");
    assert_eq!(profile(&world)["token"], runs[0].out.trim_end());
}

#[test]
fn the_configured_buffer_says_when_a_token_is_due() {
    let (world, issuer) = logged_in();
    ends_in(&world, 400);
    assert_eq!(run(&world, &TOKEN).code, 0);
    assert_eq!(
        issuer.token_requests().len(),
        1,
        "400 s are more than the buffer of 300 s"
    );
    ends_in(&world, 200);
    assert_eq!(run(&world, &TOKEN).code, 0);
    assert_eq!(issuer.token_requests().len(), 2);
}

#[test]
fn what_is_renewed_fills_no_history() {
    let (world, _issuer) = logged_in();
    for _ in 0..3 {
        let ran = run(&world, &["models", "auth", "refresh", "--force"]);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
    assert_eq!(run(&world, &LOGIN).code, 0);
    assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 1);
    let directory = world.state().join("agents/main/agent/auth-history");
    assert!(
        !directory.exists(),
        "a token that can be had again was kept"
    );
}

#[test]
fn what_is_not_renewed_by_itself_is_handed_out_until_its_end() {
    for flow in ["client_credentials", "authorization_code"] {
        let (world, issuer) = world(flow, ClientAuth::Post);
        let yaml = guide(flow).replace("token_auto_refresh: true", "token_auto_refresh: false");
        world.write("config.yaml", &yaml);
        let mut stored = json!({ "type": "oauth", "provider": "codex", "access": "at", "refresh": issuer.issue().1 });
        if flow == "client_credentials" {
            stored = json!({ "type": "token", "provider": "codex", "token": "at", "grantType": "client_credentials" });
        }
        let store = json!({ "version": 1, "profiles": { "codex:default": stored } });
        world.write("agents/main/agent/auth-profiles.json", &store.to_string());
        ends_in(&world, 200);
        let due = run(&world, &TOKEN);
        assert_eq!((due.code, due.out.as_str()), (0, "at\n"), "{flow}: {due:?}");
        assert!(
            due.err.contains("token_auto_refresh: false"),
            "{flow}: {due:?}"
        );
        ends_in(&world, -10);
        let dead = run(&world, &TOKEN);
        assert_eq!(dead.code, 3, "{flow}: {dead:?}");
        let hint = "Try: openclaw models auth refresh --profile codex:default";
        assert!(dead.err.contains(hint), "{flow}: {dead:?}");
        assert_eq!(issuer.token_requests().len(), 0, "{flow}");
        let status = run(&world, &["models", "status"]);
        assert!(
            status.out.contains("auto-refresh off"),
            "{flow}: {status:?}"
        );
        let refresh = run(
            &world,
            &["models", "auth", "refresh", "--profile", "codex:default"],
        );
        assert_eq!(refresh.code, 0, "{flow}: {refresh:?}");
        assert_eq!(run(&world, &TOKEN).code, 0, "{flow}");
    }
}

#[test]
fn a_name_that_holds_something_else_is_not_taken() {
    let (world, _issuer) = world("client_credentials", ClientAuth::Post);
    let paste = [
        "models",
        "auth",
        "paste-token",
        "--provider",
        "codex",
        "--profile-id",
        "codex:default",
    ];
    assert_eq!(world.pipe(&paste, "pasted-token").code, 0);
    assert_eq!(run(&world, &LOGIN).code, 0);
    let store = world.store();
    assert_eq!(store["profiles"]["codex:default"]["token"], "pasted-token");
    assert_eq!(
        store["profiles"]["codex:default-2"]["grantType"],
        "client_credentials"
    );
    // And what is pasted over a client's token is not renewed away.
    let paste = [
        "models",
        "auth",
        "paste-token",
        "--provider",
        "codex",
        "--profile-id",
        "codex:default-2",
    ];
    assert_eq!(world.pipe(&paste, "pasted-too").code, 0);
    assert_eq!(
        world.store()["profiles"]["codex:default-2"]["grantType"],
        Value::Null
    );
}
