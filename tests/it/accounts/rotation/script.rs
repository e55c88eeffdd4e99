//! `examples/rotate.sh` against a server that has had enough of one account.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::support::issuer::{Account, Issuer, Scripted};
use serde_json::json;

use super::{A, B, MAIN, pass};
use crate::support::{Ran, World, millis_from_now, ran};

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/rotate.sh");
const API: &str = "/v1/messages";

fn secret(id: &str) -> String {
    format!("MARKER-{}", &id[id.len() - 1..])
}

fn bearer(id: &str) -> String {
    format!("Bearer {}", secret(id))
}

/// An API that answers everybody, and two accounts.
fn world() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let token = |id| json!({ "type": "token", "provider": "anthropic", "token": secret(id) });
    let store = json!({ "version": 1, "profiles": { A: token(A), B: token(B) } });
    world.write(MAIN, &store.to_string());
    issuer.publish_json(API, &json!({ "answer": 42 }));
    (world, issuer)
}

fn refuse(issuer: &Issuer, id: &str, status: u16, retry_after: Option<&str>) {
    let headers = retry_after.map(|value| ("Retry-After", value.to_owned()));
    let answer = Scripted {
        status,
        headers: headers.into_iter().collect(),
        body: "no".to_owned(),
        ..Scripted::default()
    };
    issuer.answer_once(API, &bearer(id), answer);
}

fn rotate(world: &World, url: &str) -> Ran {
    let ours = world.command(&[]);
    let mut command = Command::new("/bin/sh");
    let variables = ours.get_envs();
    command
        .args([SCRIPT, "anthropic", &format!("{url}{API}")])
        .env_clear()
        .envs(variables.filter_map(|(name, value)| Some((name, value?))))
        .env("OPENCLAW", crate::support::program())
        .env("PATH", path(world))
        .current_dir(world.directory.path())
        .stdin(std::process::Stdio::null());
    ran(command.output().unwrap())
}

/// The usual path, with a `curl` before it that writes down what everybody can see of it.
fn path(world: &World) -> String {
    let directory = world.directory.path().join("bin");
    let usual = std::env::var("PATH").unwrap();
    if !directory.exists() {
        std::fs::create_dir(&directory).unwrap();
        let seen = world.directory.path().join("seen").display().to_string();
        let text = format!(
            "#!/bin/sh\n{{ echo \"$*\"; env; }} >> {seen}\nPATH='{usual}' exec curl \"$@\"\n"
        );
        let program = directory.join("curl");
        std::fs::write(&program, text).unwrap();
        std::fs::set_permissions(&program, PermissionsExt::from_mode(0o700)).unwrap();
    }
    format!("{}:{usual}", directory.display())
}

/// Whose token each request came with.
fn visits(issuer: &Issuer) -> Vec<String> {
    let visits = issuer.visits().into_iter();
    visits.map(|visit| visit.authorization.unwrap()).collect()
}

#[test]
#[ignore = "needs curl"]
fn the_script_goes_on_with_the_next_account_at_a_limit() {
    let (world, issuer) = world();
    refuse(&issuer, A, 429, Some("90"));
    let ran = rotate(&world, issuer.url());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("42"), "{ran:?}");
    assert!(ran.err.contains("anthropic:b works"), "{ran:?}");
    assert_eq!(visits(&issuer), [bearer(A), bearer(B)]);
    let store = world.store();
    let until = store["usageStats"][A]["cooldownUntil"].as_i64().unwrap();
    assert!(
        (80_000..=90_000).contains(&(until - millis_from_now(0))),
        "{store}"
    );
    assert_eq!(store["lastGood"]["anthropic"], B);

    pass(&world, MAIN, 91_000);
    let ran = rotate(&world, issuer.url());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(visits(&issuer)[2..], [bearer(A)]);

    let seen = std::fs::read_to_string(world.directory.path().join("seen")).unwrap();
    assert!(seen.contains(API) && !seen.contains("MARKER"), "{seen}");
    assert!(!ran.err.contains("MARKER"));
}

#[test]
#[ignore = "needs curl"]
fn the_script_ends_when_every_account_was_tried() {
    let (world, issuer) = world();
    // A date in the place of seconds.
    refuse(&issuer, A, 429, Some("Fri, 31 Dec 2100 23:59:59 GMT"));
    refuse(&issuer, B, 401, None);
    let ran = rotate(&world, issuer.url());
    assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
    assert!(
        ran.err.contains("every account of anthropic was tried"),
        "{ran:?}"
    );
    assert_eq!(visits(&issuer), [bearer(A), bearer(B)]);
    let store = world.store();
    let counts = |id: &str| store["usageStats"][id]["failureCounts"].clone();
    assert_eq!(counts(A), json!({ "rate_limit": 1 }));
    assert_eq!(counts(B), json!({ "auth": 1 }));
    assert!(store.get("lastGood").is_none(), "{store}");
}

#[test]
#[ignore = "needs curl"]
fn the_script_reports_only_what_is_a_fault_of_the_account() {
    let (world, issuer) = world();
    let before = world.read(MAIN);
    for (status, code) in [(400, 1), (503, 4)] {
        refuse(&issuer, A, status, None);
        let ran = rotate(&world, issuer.url());
        assert_eq!((ran.code, ran.out.as_str()), (code, "no"), "{ran:?}");
    }
    let ran = rotate(&world, "http://127.0.0.1:1");
    assert_eq!((ran.code, ran.out.as_str()), (4, ""), "{ran:?}");
    assert_eq!(world.read(MAIN), before);
}
