//! Ends that cannot be, clocks that differ, and a clock that went back: told, and never trusted.

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer, Scripted};
use serde_json::{Value, json};

use crate::support::login::Waiting;
use crate::support::{World, millis_from_now};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const REFRESH: [&str; 4] = ["models", "auth", "refresh", "--force"];
const MAIN: &str = "agents/main/agent/auth-profiles.json";
/// 2200-01-01, and a moment of now in microseconds.
const TOO_LATE: [i64; 2] = [7_258_118_400_000, 1_795_230_521_000_000];

/// A world whose one login is stored with this end.
fn ending(expires: i64) -> (World, Issuer, String) {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, _) = world.seed(&issuer, "main", 0);
    let mut document = world.store();
    document["profiles"]["openai-codex:default"]["expires"] = json!(expires);
    world.write(MAIN, &document.to_string());
    (world, issuer, access)
}

/// A world with a pasted token that is stored with this end.
fn pasted(expires: i64) -> World {
    let world = World::new();
    let document = json!({ "version": 1, "profiles": { "anthropic:manual":
        { "type": "token", "provider": "anthropic", "token": "tok", "expires": expires } } });
    world.write(MAIN, &document.to_string());
    world
}

#[test]
fn an_end_in_seconds_is_read_as_such_and_told() {
    let (world, issuer, access) = ending(millis_from_now(7_200) / 1_000);
    let before = world.read(MAIN);
    let ran = world.run(&TOKEN);
    assert_eq!(
        (ran.code, ran.out.trim_end()),
        (0, access.as_str()),
        "{ran:?}"
    );
    assert!(
        ran.err
            .contains("openai-codex:default is stored in seconds"),
        "{ran:?}"
    );
    for command in [&["models", "status"][..], &["models", "auth", "list"]] {
        let ran = world.run(command);
        let all = format!("{}{}", ran.out, ran.err);
        assert!(all.contains("stored in seconds"), "{ran:?}");
        assert!(all.contains("2h"), "{ran:?}");
    }
    let status: Value =
        serde_json::from_str(&world.run(&["models", "status", "--json"]).out).unwrap();
    let profile = &status["auth"]["oauth"]["profiles"][0];
    assert_eq!(profile["status"], "ok");
    assert!(profile["expiresAt"].as_i64().unwrap() > millis_from_now(7_000));
    assert_eq!(world.read(MAIN), before, "it was written back");
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(world.run(&REFRESH).code, 0);
    let ran = world.run(&TOKEN);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
}

#[test]
fn a_pasted_token_that_ends_in_seconds_is_chosen() {
    let world = pasted(millis_from_now(7_200) / 1_000);
    let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!((ran.code, ran.out.as_str()), (0, "tok\n"), "{ran:?}");
    assert!(ran.err.contains("in seconds"), "{ran:?}");
    assert_eq!(world.run(&["models", "status", "--check"]).code, 2);
    let ended = pasted(millis_from_now(-7_200) / 1_000);
    let ran = ended.run(&["models", "auth", "token", "--provider", "anthropic"]);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
}

#[test]
fn an_end_that_cannot_be_is_refreshed_away() {
    for expires in [1, 1_500_000_000_000].into_iter().chain(TOO_LATE) {
        let (world, issuer, access) = ending(expires);
        let status = world.run(&["models", "status"]);
        let said = format!("{}{}", status.out, status.err);
        assert!(said.contains("treating it as unknown"), "{status:?}");
        let ran = world.run(&TOKEN);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
        assert_ne!(ran.out.trim_end(), access);
        assert_eq!(issuer.token_requests().len(), 1);
        let stored = &world.store()["profiles"]["openai-codex:default"]["expires"];
        assert!(stored.as_i64().unwrap() < millis_from_now(4_000));
    }
}

#[test]
fn where_nothing_brings_a_better_end_the_token_is_handed_out() {
    for expires in TOO_LATE {
        let world = pasted(expires);
        let ran = world.run(&["models", "auth", "token", "--provider", "anthropic"]);
        assert_eq!((ran.code, ran.out.as_str()), (0, "tok\n"), "{ran:?}");
        assert!(ran.err.contains("after 2100"), "{ran:?}");
        let (world, issuer, access) = ending(expires);
        issuer.answer_next(Scripted {
            status: 503,
            ..Scripted::default()
        });
        let ran = world.run(&TOKEN);
        assert_eq!(
            (ran.code, ran.out.trim_end()),
            (0, access.as_str()),
            "{ran:?}"
        );
        assert!(ran.err.contains("Warning:"), "{ran:?}");
    }
}

/// An answer of a server whose clock differs from ours by so many seconds.
fn answer(seconds: i64) -> Scripted {
    let date = chrono::DateTime::from_timestamp_millis(millis_from_now(seconds)).unwrap();
    let date = date.format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let body = json!({ "access_token": "at-new", "refresh_token": "rt-new", "expires_in": 3_600 });
    Scripted {
        status: 200,
        headers: vec![
            ("Content-Type", "application/json".to_owned()),
            ("Date", date),
        ],
        body: body.to_string(),
        ..Scripted::default()
    }
}

#[test]
fn a_clock_that_differs_from_the_servers_is_told() {
    for (seconds, words) in [
        (7_200, "2h behind the provider's"),
        (-7_200, "2h ahead of the provider's"),
        (60, ""),
    ] {
        let (world, issuer, _) = ending(millis_from_now(-10));
        issuer.answer_next(answer(seconds));
        let ran = world.run(&TOKEN);
        assert_eq!((ran.code, ran.out.as_str()), (0, "at-new\n"), "{ran:?}");
        match words {
            "" => assert_eq!(ran.err, ""),
            words => assert!(ran.err.contains(words), "{ran:?}"),
        }
        let stored = world.store()["profiles"]["openai-codex:default"]["expires"].clone();
        let left = stored.as_i64().unwrap() - millis_from_now(0);
        assert!((3_000_000..=3_600_000).contains(&left), "{left}");
    }
}

#[test]
fn a_login_tells_of_the_clock_too() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = issuer.issue();
    let mut given = answer(-7_200);
    let body = json!({ "access_token": access, "refresh_token": refresh, "expires_in": 3_600 });
    given.body = body.to_string();
    issuer.answer_next(given);
    let login = Waiting::start(&world, &["--provider", "openai-codex"]);
    let query = format!("code=x&state={}", login.state());
    assert_eq!(visit(&login.callback(&query)).unwrap().status, 200);
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let warnings = events.iter().filter(|event| event["event"] == "warning");
    let told = warnings.filter_map(|event| event["message"].as_str());
    let told: Vec<_> = told.filter(|text| text.contains("2h ahead of")).collect();
    assert_eq!(told.len(), 1, "{events:?}");
}

#[test]
fn a_clock_that_went_back_is_told() {
    let (world, _issuer, _) = ending(millis_from_now(-10));
    assert_eq!(world.run(&TOKEN).code, 0);
    assert!(!world.run(&["models", "status"]).out.contains("clock"));
    let directory = world.state().join("locks/oauth-refresh/journal");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let mut record: Value =
            serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        record["provenAt"] = json!(millis_from_now(3 * 86_400));
        std::fs::write(&path, record.to_string()).unwrap();
    }
    let ran = world.run(&["models", "status"]);
    assert!(ran.out.contains("the system clock shows"), "{ran:?}");
    assert!(ran.out.contains("refresh --force"), "{ran:?}");
}
