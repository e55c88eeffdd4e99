//! Logouts that are asked for over HTTP.

use serde_json::{Value, json};

use super::login::{FLOW, PROFILE, STATUS, code_of, paste, start, until, waiting, world};
use crate::login::browser::redirect;
use crate::support::browser::visit;
use crate::support::issuer::Scripted;
use crate::support::ran;
use crate::support::running_gateway::Gateway;

const LOGOUT: &str = "/v1/auth/openai/logout";

fn log_out(gateway: &Gateway) -> Value {
    let answer = gateway.post_nothing(LOGOUT);
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()
}

#[test]
fn a_logout_removes_what_there_is_whatever_the_provider_can_revoke() {
    let (world, issuer, gateway) = world();
    let gone = |revoked: bool| json!({ "status": "logged out", "revoked": revoked });
    assert_eq!(log_out(&gateway), json!({ "status": "logged out" }));
    visit(&start(&gateway)).unwrap();
    assert_eq!(log_out(&gateway), gone(false));
    assert_eq!(world.store()["profiles"], json!({}));
    gateway.until(STATUS, |status| status["authenticated"] == false);
    let history = world.run(&["models", "auth", "history", PROFILE]);
    assert!(history.err.contains("no such profile"), "{history:?}");

    let revoke = format!("\nrevoke = \"{}/oauth/revoke\"\n\n[[flow]]", issuer.url());
    let manifest = issuer.manifest().replacen("\n\n[[flow]]", &revoke, 1);
    world.write("providers/openai-codex.toml", &manifest);
    visit(&start(&gateway)).unwrap();
    let refresh = world.only_profile()["refresh"].as_str().unwrap().to_owned();
    assert_eq!(log_out(&gateway), gone(true));
    assert_eq!(world.store()["profiles"], json!({}));
    let revoked = &issuer.revocations()[0].parameters;
    assert!(
        revoked.iter().any(|(_, value)| *value == refresh),
        "{revoked:?}"
    );
    // A provider that says no keeps no login here.
    visit(&start(&gateway)).unwrap();
    issuer.answer_revocation(Scripted::text(503, "no"));
    assert_eq!(log_out(&gateway), gone(false));
    assert_eq!(world.store()["profiles"], json!({}));
}

#[test]
fn a_logout_ends_a_login_that_waits() {
    let (_world, issuer, gateway) = world();
    let url = redirect(&issuer, &start(&gateway));
    log_out(&gateway);
    assert_eq!(gateway.get(FLOW).json(), json!({ "state": "cancelled" }));
    assert_eq!(code_of(&paste(&gateway, &url)), "no_login");
}

#[test]
fn a_logout_of_another_profile_or_of_none_leaves_a_login_waiting() {
    let (_world, issuer, gateway) = world();
    let url = redirect(&issuer, &start(&gateway));
    let log_out = |which: Value| gateway.post(LOGOUT, &which);
    let refused = log_out(json!({ "profile": "" }));
    assert!(refused.status >= 400, "{refused:?}");
    let other = log_out(json!({ "profile": "openai-codex:other" }));
    assert_eq!(other.json(), json!({ "status": "logged out" }), "{other:?}");
    assert_eq!(gateway.get(FLOW).json()["state"], "waiting");
    assert_eq!(paste(&gateway, &url).status, 200);
}

#[test]
fn a_logout_of_the_command_line_waits_for_a_login_that_a_gateway_completes() {
    let (world, issuer, gateway) = world();
    let url = redirect(&issuer, &start(&gateway));
    issuer.hold();
    let (pasted, waits) = std::thread::scope(|scope| {
        let pasted = scope.spawn(|| paste(&gateway, &url));
        until(|| !issuer.exchanges().is_empty());
        world.seed(&issuer, "main", 3_000);
        let profile = "openai-codex:default";
        let waits = waiting(&mut world.command(&["models", "auth", "logout", profile, "--yes"]));
        issuer.let_go();
        (pasted.join().unwrap(), waits)
    });
    assert_eq!(pasted.status, 200, "{pasted:?}");
    let logged_out = ran(waits.wait_with_output().unwrap());
    assert_eq!(logged_out.code, 0, "{logged_out:?}");
    assert_eq!(world.store()["profiles"], json!({}));
}
