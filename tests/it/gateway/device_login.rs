//! Logins with a device code that are asked for over HTTP: from the code to what is left in the store.

use std::time::{Duration, SystemTime};

use openclaw::model::time::Timestamp;
use serde_json::{Value, json};

use super::access::bearer;
use super::keys::add;
use super::login::{code_of, until};
use crate::login::unstored_login::{PLUGGED, saved};
use crate::support::issuer::{Codes, Issuer, Reply, Scripted};
use crate::support::running_gateway::Gateway;
use crate::support::{World, millis_from_now};

pub(crate) const PROVIDER: &str = "qwen-portal";
pub(crate) const PROFILE: &str = "qwen-portal:default";
pub(crate) const USER_CODE: &str = "WDJB-MJHT";

/// A path of the gateway about the login.
pub(crate) fn path(action: &str) -> String {
    format!("/v1/auth/{PROVIDER}/{action}")
}

/// A provider that has nothing but device codes and keys; nobody enters its codes yet.
fn world() -> (World, Issuer, Gateway) {
    let (world, issuer) = World::with_builtin(PROVIDER);
    issuer.set_device_codes(Codes::not_entered());
    let gateway = Gateway::start(&world);
    (world, issuer, gateway)
}

/// Starts a login: what is shown of it.
pub(crate) fn start(gateway: &Gateway) -> Value {
    let started = gateway.post_nothing(&path("start"));
    assert_eq!(started.status, 200, "{started:?}");
    assert_eq!(started.json()["user_code"], USER_CODE, "{started:?}");
    started.json()
}

/// The seconds until a login ends if nobody does anything.
fn left(shown: &Value) -> i64 {
    let end = shown["expires_at"].as_str().unwrap();
    let end = Timestamp::read(end).unwrap();
    (end.0 - millis_from_now(0)) / 1_000
}

#[test]
fn a_code_is_shown_until_it_is_entered_and_then_its_login_is_stored() {
    let (world, issuer, gateway) = world();
    let (key, _) = add(&world, &["--role", "operator"]);
    let offered = gateway.get("/v1/credentials").json()["offered"].clone();
    let mut offered = offered.as_array().unwrap().iter();
    let row = offered.find(|row| row["provider"] == PROVIDER).unwrap();
    assert_eq!(row["connect"], true, "{row}");
    assert_eq!(row["method"], "device_code", "{row}");

    let started = start(&gateway);
    assert_eq!(started["callback"], "polling", "{started}");
    let url = started["auth_url"].as_str().unwrap();
    assert!(url.contains("user_code=WDJB-MJHT"), "{started}");
    // The code lives longer than a login waits.
    assert!((300..=360).contains(&left(&started)), "{started}");
    // Whoever loads the page finds it where the accounts are.
    let listed = gateway.get("/v1/credentials").json()["providers"].clone();
    let mut listed = listed.as_array().unwrap().iter();
    assert!(listed.any(|row| row["provider"] == PROVIDER));
    let flow = gateway.get(&path("flow")).json();
    assert_eq!(flow["state"], "waiting", "{flow}");
    for member in ["auth_url", "user_code", "callback", "expires_at"] {
        assert_eq!(flow[member], started[member], "{flow}");
    }
    // Asked again, for a page that was loaded again; and by somebody else.
    assert_eq!(start(&gateway), started);
    let ask = |method, action| gateway.ask(method, &path(action), &bearer(&key), "");
    let flow = ask("GET", "flow").json();
    let expected = json!({
        "state": "waiting", "callback": "polling", "expires_at": started["expires_at"],
    });
    assert_eq!(flow, expected);
    assert_eq!(code_of(&ask("POST", "start")), "login_in_progress");
    let pasted = json!({ "redirect_url": "http://localhost:1455/?code=x&state=x" });
    let refused = gateway.post(&path("callback"), &pasted);
    assert_eq!(refused.status, 409, "{refused:?}");
    assert_eq!(code_of(&refused), "takes_no_redirect");

    issuer.enter_device_code(Vec::new());
    gateway.until(&path("status"), |status| status["authenticated"] == true);
    assert_eq!(
        gateway.get(&path("flow")).json(),
        json!({ "state": "connected" })
    );
    let stored = world.store()["profiles"][PROFILE].clone();
    assert_eq!(stored["resourceUrl"], "portal.qwen.ai", "{stored}");
    assert_eq!(issuer.polled_too_fast(), 0);
    assert_eq!(issuer.device_requests().len(), 1);
    let again = gateway.post_nothing(&path("start")).json();
    assert_eq!(again, json!({ "status": "already_authenticated" }));
    let log = gateway.stop().err;
    for secret in [
        USER_CODE,
        "dc-MARKER",
        stored["access"].as_str().unwrap(),
        stored["refresh"].as_str().unwrap(),
    ] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn what_the_provider_says_ends_it_as_it_ends_a_login_at_a_terminal() {
    let (world, issuer, gateway) = world();
    for (reply, state, words) in [
        (Reply::Denied, "refused", "the user said no"),
        (
            Reply::Expired,
            "timed_out",
            "the code expired before it was used",
        ),
    ] {
        start(&gateway);
        issuer.enter_device_code(vec![Reply::Pending, reply]);
        let flow = gateway.until(&path("flow"), |flow| flow["state"] != "waiting");
        assert_eq!(flow["state"], state, "{flow}");
        let message = flow["message"].as_str().unwrap();
        assert!(message.contains(words), "{flow}");
        if state == "refused" {
            assert_eq!(flow["code"], "access_denied", "{flow}");
        }
    }
    issuer.set_device_codes(Codes {
        expires_in: 60,
        ..Codes::not_entered()
    });
    let started = start(&gateway);
    assert!((1..=60).contains(&left(&started)), "{started}");
    gateway.post_nothing(&path("cancel"));
    issuer.set_device_codes(Codes {
        switched_off: true,
        ..Codes::default()
    });
    let refused = gateway.post_nothing(&path("start"));
    assert_eq!((refused.status, &*code_of(&refused)), (424, "login_needed"));
    assert!(refused.body.contains("HTTP 404"), "{refused:?}");
    assert!(!world.has_store());
}

#[test]
fn a_login_that_waits_is_cancelled_and_ends_by_a_logout_and_with_the_gateway() {
    let (world, issuer, gateway) = world();
    for (action, answer, state) in [
        ("cancel", json!({ "status": "cancelled" }), "cancelled"),
        ("logout", json!({ "status": "logged out" }), "cancelled"),
    ] {
        start(&gateway);
        let ended = gateway.post_nothing(&path(action));
        assert_eq!(ended.json(), answer);
        assert_eq!(gateway.get(&path("flow")).json(), json!({ "state": state }));
    }
    // A command does not wait for a person at the gateway.
    let key = json!({ "api_key": "sk-0123456789abcdef0123456789abcdef" });
    let stored = gateway.post(&path("credential"), &key);
    assert_eq!(stored.status, 200, "{stored:?}");
    let wish = json!({ "another": true });
    assert_eq!(gateway.post(&path("start"), &wish).status, 200);
    let logout = ["models", "auth", "logout", "qwen-portal:manual", "--yes"];
    let ran = world.run(&logout);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!ran.err.contains("is being completed"), "{ran:?}");
    assert_eq!(gateway.get(&path("flow")).json()["state"], "waiting");
    let ran = gateway.stop();
    assert_eq!(ran.code, 0, "{ran:?}");
    issuer.enter_device_code(Vec::new());
    assert!(saved(&world).is_empty());
}

#[test]
fn a_grant_that_has_come_is_not_cancelled() {
    let (world, issuer, gateway) = world();
    start(&gateway);
    // OpenClaw is at work on the document, so that the store waits.
    let lock = world.state().join(PLUGGED);
    std::fs::create_dir_all(&lock).unwrap();
    issuer.enter_device_code(Vec::new());
    gateway.until(&path("flow"), |flow| flow["state"] == "exchanging");
    let refused = gateway.post_nothing(&path("cancel"));
    assert_eq!((refused.status, &*code_of(&refused)), (409, "exchanging"));
    std::fs::remove_dir(&lock).unwrap();
    gateway.until(&path("status"), |status| status["authenticated"] == true);
}

#[test]
fn a_gateway_killed_before_it_stored_a_grant_stores_it_at_its_next_start() {
    let world = killed_with_a_grant();
    let gateway = Gateway::start(&world);
    gateway.until(&path("status"), |status| status["authenticated"] == true);
    let stored = &world.store()["profiles"][PROFILE];
    assert_eq!(stored["displayName"], "of the team", "{stored}");
    assert!(saved(&world).is_empty());
}

#[test]
fn a_logout_leaves_no_grant_that_was_to_be_stored_in_a_moment() {
    let world = killed_with_a_grant();
    // As if that had failed a moment ago.
    let [waiting] = &saved(&world)[..] else {
        panic!("no grant was saved")
    };
    let file = std::fs::File::options().append(true).open(waiting).unwrap();
    let soon = SystemTime::now() + Duration::from_secs(50);
    file.set_modified(soon).unwrap();
    let gateway = Gateway::start(&world);
    assert_eq!(saved(&world).len(), 1);
    let logged_out = gateway.post_nothing(&path("logout")).json();
    assert_eq!(logged_out["status"], "logged out", "{logged_out}");
    assert!(saved(&world).is_empty());
    assert!(world.store()["profiles"].as_object().unwrap().is_empty());
}

#[test]
fn a_logout_removes_nothing_while_a_grant_cannot_be_stored() {
    let world = killed_with_a_grant();
    let key = json!({ "type": "api_key", "provider": PROVIDER, "key": "sk-0123456789abcdef" });
    let store = json!({ "version": 1, "profiles": { PROFILE: key } }).to_string();
    world.write("agents/main/agent/auth-profiles.json", &store);
    world.write(&format!("providers/{PROVIDER}.toml"), "schema = 99\n");
    let logout = ["models", "auth", "logout", PROFILE, "--yes"];
    let ran = world.run(&logout);
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("nothing was removed"), "{ran:?}");
    let [waiting] = &saved(&world)[..] else {
        panic!("no grant was saved")
    };
    assert!(ran.err.contains(waiting.to_str().unwrap()), "{ran:?}");
    assert!(world.store()["profiles"][PROFILE].is_object());
    // As it says.
    std::fs::remove_file(waiting).unwrap();
    let ran = world.run(&logout);
    assert_eq!(ran.code, 0, "{ran:?}");
}

/// A gateway that was killed when the grant had come and could not be stored.
fn killed_with_a_grant() -> World {
    let (world, issuer, gateway) = world();
    let wish = json!({ "display_name": "of the team", "profile": PROFILE });
    assert_eq!(gateway.post(&path("start"), &wish).status, 200);
    let lock = world.state().join(PLUGGED);
    std::fs::create_dir_all(&lock).unwrap();
    issuer.enter_device_code(Vec::new());
    until(|| {
        let mut rescued = world.rescued().into_iter();
        rescued.any(|answer| answer.contains("access_token"))
    });
    gateway.kill();
    std::fs::remove_dir(&lock).unwrap();
    world
}

#[test]
fn a_provider_that_is_in_trouble_is_asked_again() {
    let (_world, issuer, gateway) = world();
    start(&gateway);
    issuer.answer_next(Scripted::text(503, "busy"));
    let flow = gateway.until(&path("flow"), |flow| flow["message"].is_string());
    assert_eq!(flow["state"], "waiting", "{flow}");
    issuer.enter_device_code(Vec::new());
    gateway.until(&path("flow"), |flow| flow["state"] == "connected");
}

#[test]
fn an_answer_that_is_not_understood_is_no_refusal() {
    let (_world, issuer, gateway) = world();
    start(&gateway);
    issuer.answer_next(Scripted::text(200, r#"{"access_token": []}"#));
    let flow = gateway.until(&path("flow"), |flow| flow["state"] != "waiting");
    assert_eq!(flow["state"], "failed", "{flow}");
}

#[test]
fn a_provider_without_a_login_says_what_to_do_instead() {
    let (world, _issuer, gateway) = world();
    let program =
        "schema = 1\nid = \"by-program\"\nname = \"By program\"\n\n[[flow]]\nkind = \"program\"\n";
    world.write("providers/by-program.toml", program);
    let refused = gateway.post_nothing("/v1/auth/by-program/start");
    assert_eq!(
        (refused.status, &*code_of(&refused)),
        (400, "needs_terminal")
    );
    let command = "openclaw models auth login --provider by-program";
    assert!(refused.body.contains(command), "{refused:?}");
    let refused = gateway.post_nothing("/v1/auth/groq/start");
    assert_eq!((refused.status, &*code_of(&refused)), (400, "needs_token"));
    assert!(refused.body.contains("/credential"), "{refused:?}");
}
