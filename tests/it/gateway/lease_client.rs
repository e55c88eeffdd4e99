//! A machine that leases its tokens, and what answers in the place of a gateway: what is asked, what
//! is taken for a token, and what is told.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::support::stand_in_gateway::StandInGateway;
use crate::support::{Ran, World, ran};

const KEY: &str = "ock_MARKER-0123456789-0123456789-0123456789";
const ACCESS: &str = "access-0123456789-0123456789-0123456789";

fn machine() -> World {
    let world = World::new();
    world.write("key", KEY);
    world
}

/// Runs a command of a machine that leases from `url`.
fn run_at(url: &str, args: &[&str], env: &[(&str, &str)]) -> Ran {
    let world = machine();
    let mut command = world.command(args);
    command
        .env("OPENCLAW_LEASE_URL", url)
        .env("OPENCLAW_LEASE_KEY_FILE", world.state().join("key"))
        .envs(env.iter().copied());
    let told = ran(command.output().unwrap());
    assert!(
        !told.out.contains("MARKER") && !told.err.contains("MARKER"),
        "{told:?}"
    );
    told
}

fn ask(gateway: &StandInGateway, args: &[&str]) -> Ran {
    let words = [&["models", "auth", "token", "-vvv"], args].concat();
    run_at(&gateway.url(), &words, &[])
}

fn token() -> Value {
    json!({ "access_token": ACCESS, "token_type": "Bearer", "expires_at": "2099-01-01T00:00:00Z",
        "provider": "openai-codex", "account": "a@example.com" })
}

#[test]
fn what_is_chosen_is_asked_for_and_the_key_goes_along() {
    let gateway = StandInGateway::json(200, &token().to_string());
    for (words, path) in [
        ("", ""),
        ("--provider openai-codex", "provider=openai-codex"),
        ("--provider chatgpt", "provider=openai-codex"),
        (
            "--profile openai-codex:a&b=c@d",
            "profile=openai-codex%3Aa%26b%3Dc%40d",
        ),
        (
            "--model openai-codex/gpt@work --min-valid 30m --agent Main",
            "provider=openai-codex&agent=main&profile=openai-codex%3Awork&min_valid=1800",
        ),
    ] {
        let told = ask(&gateway, &words.split_whitespace().collect::<Vec<_>>());
        assert_eq!((told.code, told.out.trim_end()), (0, ACCESS), "{told:?}");
        let request = gateway.requests().pop().unwrap();
        let line = format!("GET /v1/token?{path} HTTP/1.1\r\n");
        assert!(request.starts_with(&line), "{request}");
        let bearer = format!("authorization: Bearer {KEY}\r\n");
        assert!(request.contains(&bearer), "{request}");
    }
}

#[test]
fn programs_get_what_the_gateway_says_of_the_token() {
    let mut answer = token();
    answer["warning"] = format!(r"no{}[2J, not {ACCESS}", '\u{1b}').into();
    let told = ask(&StandInGateway::json(200, &answer.to_string()), &["--json"]);
    assert_eq!(told.code, 0, "{told:?}");
    assert!(
        !told.err.contains('\u{1b}') && !told.err.contains(ACCESS),
        "{told:?}"
    );
    let document: Value = serde_json::from_str(&told.out).unwrap();
    assert_eq!(document["account"], "a@example.com");
    assert_eq!(document["token"], ACCESS);
    assert_eq!(document["expiresAt"], 4_070_908_800_000_i64);
    assert_eq!(
        (&document["profile"], &document["type"]),
        (&Value::Null, &json!("token"))
    );
}

#[test]
fn what_is_no_token_is_refused() {
    let changed = |name: &str, value: Value| {
        let mut answer = token();
        answer[name] = value;
        StandInGateway::json(200, &answer.to_string())
    };
    for gateway in [
        StandInGateway::json(200, r#""BODY""#),
        StandInGateway::json(200, "{}"),
        StandInGateway::json(500, "BODY"),
        StandInGateway::answering(200, "text/html", "", "<html>BODY</html>"),
        StandInGateway::raw(String::new()),
        changed("access_token", " ".into()),
        changed("access_token", "BODY\r\nX-Evil: 1".into()),
        changed("access_token", Value::Null),
        changed("provider", "".into()),
        changed("expires_at", "BODY".into()),
    ] {
        let told = ask(&gateway, &[]);
        assert_eq!((told.code, told.out.as_str()), (4, ""), "{told:?}");
        assert!(!told.err.contains("BODY"), "{told:?}");
    }
    let told = ask(
        &changed("provider", "anthropic".into()),
        &["--provider", "openai-codex"],
    );
    assert_eq!((told.code, told.out.as_str()), (4, ""), "{told:?}");
    assert!(told.err.contains("a token of another provider"), "{told:?}");
}

#[test]
fn a_token_that_has_ended_by_this_clock_is_told() {
    let mut answer = token();
    answer["expires_at"] = "2020-01-01T00:00:00Z".into();
    let told = ask(&StandInGateway::json(200, &answer.to_string()), &[]);
    assert_eq!((told.code, told.out.trim_end()), (0, ACCESS), "{told:?}");
    assert!(
        told.err.contains("Warning: by the clock of this machine"),
        "{told:?}"
    );
}

#[test]
fn a_redirect_takes_the_key_nowhere() {
    let target = StandInGateway::json(200, &token().to_string());
    let location = format!("location: {}/v1/token\r\n", target.url());
    let gateway = StandInGateway::answering(307, "application/json", &location, "{}");
    let told = ask(&gateway, &[]);
    assert_eq!((told.code, told.out.as_str()), (4, ""), "{told:?}");
    assert!(target.requests().is_empty());
}

#[test]
fn each_refusal_has_its_exit_code_and_words() {
    for (status, body, code, words) in [
        (400, r#"{"error":"no such name"}"#, 1, "no such name"),
        (
            401,
            r#"{"error":"unauthorized"}"#,
            1,
            "does not accept the key of ",
        ),
        (403, r#"{"error":"not for you"}"#, 1, "not for you"),
        (404, r#"{"error":"nobody"}"#, 1, "nobody"),
        (
            409,
            r#"{"error":"two","code":"ambiguous"}"#,
            1,
            "Try: add --provider",
        ),
        (
            424,
            r#"{"error":"gone","code":"login_needed"}"#,
            3,
            "connect the provider on the page",
        ),
        (
            429,
            r#"{"error":"slow down"}"#,
            4,
            "Try: run the command again in 7s\n",
        ),
        (
            503,
            r#"{"error":"no place","code":"busy"}"#,
            4,
            "Try: run the command again in 7s\n",
        ),
        (
            503,
            r#"{"error":"no rows","code":"database_unavailable"}"#,
            5,
            "no rows",
        ),
        (
            503,
            r#"{"error":"who knows","code":"outcome_unknown"}"#,
            7,
            "the refresh token may already be used",
        ),
    ] {
        let fields = "retry-after: 7\r\n";
        let gateway = StandInGateway::answering(status, "application/json", fields, body);
        let told = ask(&gateway, &[]);
        assert_eq!(
            (told.code, told.out.as_str()),
            (code, ""),
            "{status} {told:?}"
        );
        assert!(told.err.contains(words), "{status} {told:?}");
    }
}

#[test]
fn commands_that_need_credentials_of_this_machine_say_where_they_are() {
    let gateway = StandInGateway::json(200, &token().to_string());
    for words in [
        "models auth login --provider openai-codex",
        "models auth paste-token --provider anthropic",
        "models auth logout openai-codex:a",
        "models auth list",
        "models status",
        "onboard",
        "agents list",
        "secrets list",
        "provider codex token-status",
        "channels list",
        "tick",
        "doctor",
    ] {
        let told = run_at(&gateway.url(), &words.split(' ').collect::<Vec<_>>(), &[]);
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{words} {told:?}");
        let message = format!(
            "Error: this machine keeps no credentials: OPENCLAW_LEASE_URL is set, and tokens come \
             from the gateway at {}\n",
            gateway.url()
        );
        assert!(told.err.starts_with(&message), "{words} {told:?}");
        assert!(
            told.err
                .contains("Try: run the command where the gateway runs"),
            "{told:?}"
        );
    }
    assert!(gateway.requests().is_empty());
    let prompt = run_at(&gateway.url(), &["models", "status", "--prompt"], &[]);
    assert_eq!(
        (prompt.code, prompt.out.as_str(), prompt.err.as_str()),
        (0, "", "")
    );
    for words in ["models auth providers", "completions bash"] {
        let told = run_at(&gateway.url(), &words.split(' ').collect::<Vec<_>>(), &[]);
        assert_eq!(told.code, 0, "{words} {told:?}");
    }
}

#[test]
fn what_is_named_wrongly_is_told_before_anything_is_sent() {
    let gateway = StandInGateway::json(200, &token().to_string());
    let url = gateway.url();
    let token = ["models", "auth", "token"];
    let world = World::new();
    world.write("open", "MARKER");
    let open = world.state().join("open");
    std::fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).unwrap();
    for (url, env, words) in [
        (
            &*url,
            ("OPENCLAW_LEASE_KEY_FILE", ""),
            "OPENCLAW_LEASE_KEY_FILE is not set",
        ),
        (
            &url,
            ("OPENCLAW_LEASE_KEY_FILE", "none"),
            "there is no token file",
        ),
        (
            &url,
            ("OPENCLAW_LEASE_KEY_FILE", open.to_str().unwrap()),
            "open",
        ),
        (&url, ("OPENCLAW_DATABASE_URL_FILE", "url"), "are both set"),
        (
            "https://u:MARKER@a.test",
            ("A", "b"),
            "OPENCLAW_LEASE_URL contains a user name",
        ),
        (
            "https://a.test?MARKER",
            ("A", "b"),
            "OPENCLAW_LEASE_URL contains a query",
        ),
        ("a.test:MARKER", ("A", "b"), "OPENCLAW_LEASE_URL is "),
        (
            "http://gateway.invalid",
            ("A", "b"),
            "OPENCLAW_LEASE_INSECURE_HTTP=1",
        ),
    ] {
        let told = run_at(url, &token, &[env]);
        assert_eq!((told.code, told.out.as_str()), (1, ""), "{told:?}");
        assert!(told.err.contains(words), "{words} {told:?}");
    }
    assert!(gateway.requests().is_empty());
    let permitted = [("OPENCLAW_LEASE_INSECURE_HTTP", "1")];
    let told = run_at("http://gateway.invalid", &token, &permitted);
    assert_eq!(told.code, 4, "{told:?}");
}
