//! A login in two halves, each a process of its own.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::support::issuer::{Account, Issuer};
use serde_json::Value;

use super::world;
use crate::login::browser::redirect;
use crate::support::{Ran, World, millis_from_now};

pub(crate) const FINISH: [&str; 6] = ["models", "auth", "login", "--finish", "--code-file", "-"];

/// Begins a login: what it told.
pub(crate) fn start(world: &World, more: &[&str]) -> Value {
    let mut args = vec!["models", "auth", "login", "--start", "--json"];
    args.extend(more);
    let ran = world.run(&args);
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert_eq!(ran.out.lines().count(), 1, "{ran:?}");
    serde_json::from_str(&ran.out).unwrap()
}

/// Ends one with a text on standard input.
pub(crate) fn finish(world: &World, pasted: &str, more: &[&str]) -> Ran {
    let mut args = FINISH.to_vec();
    args.extend(more);
    world.pipe(&args, pasted)
}

pub(crate) fn text<'a>(begun: &'a Value, name: &str) -> &'a str {
    begun[name].as_str().unwrap()
}

/// What the browser ends on.
pub(crate) fn ended_on(issuer: &Issuer, begun: &Value) -> String {
    redirect(issuer, text(begun, "url"))
}

/// The files of attempts that wait.
pub(crate) fn waiting(world: &World) -> Vec<PathBuf> {
    let pending = world.state().join("pending");
    let entries = std::fs::read_dir(pending).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

pub(crate) fn begun() -> (World, Issuer, Value) {
    let (world, issuer) = World::with_issuer(Account::default());
    let begun = start(&world, &[]);
    (world, issuer, begun)
}

#[test]
fn one_process_begins_and_another_ends() {
    let (world, issuer) = world("openai-codex");
    let begun = start(&world, &["--profile-id", "openai-codex:bot"]);
    let names: Vec<_> = begun.as_object().unwrap().keys().collect();
    let expected = [
        "attempt",
        "provider",
        "agent",
        "url",
        "redirectUri",
        "expiresAt",
        "policy",
        "finish",
    ];
    assert_eq!(names, expected);
    let left = begun["expiresAt"].as_i64().unwrap() - millis_from_now(0);
    assert!((500_000..=600_000).contains(&left), "{left}");
    assert!(text(&begun, "policy").contains("OpenAI"));

    let files = waiting(&world);
    let [file] = files.as_slice() else {
        panic!("{files:?}");
    };
    let name = format!("{}.json", text(&begun, "attempt"));
    assert_eq!(file.file_name().unwrap().to_str(), Some(name.as_str()));
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(file), 0o600);
    assert_eq!(mode(file.parent().unwrap()), 0o700);

    let url = ended_on(&issuer, &begun);
    assert!(url.starts_with(text(&begun, "redirectUri")), "{url}");
    let ran = finish(&world, &url, &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{ran:?}");
    assert!(
        ran.err.contains("Saved profile openai-codex:bot"),
        "{ran:?}"
    );
    assert!(world.store()["profiles"]["openai-codex:bot"].is_object());
    assert_eq!(waiting(&world), Vec::<PathBuf>::new());
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn the_code_may_lie_in_a_file_and_events_may_be_asked_for() {
    let (world, issuer, begun) = begun();
    let path = world.directory.path().join("code.txt");
    std::fs::write(&path, ended_on(&issuer, &begun)).unwrap();
    let ran = world.run(&[
        "models",
        "auth",
        "login",
        "--finish",
        "--json",
        "--code-file",
        "code.txt",
        "--attempt",
        text(&begun, "attempt"),
    ]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let events: Vec<Value> = ran
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let names: Vec<_> = events.iter().map(|event| text(event, "event")).collect();
    assert_eq!(names, ["exchanging", "identity", "saved"]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_code_may_come_through_a_pipe_that_has_a_name() {
    for (file, is_taken) in [
        ("/dev/stdin", true),
        ("/dev/fd/0", true),
        ("/dev/null", false),
    ] {
        let (world, issuer, begun) = begun();
        let mut args = FINISH.to_vec();
        args[5] = file;
        let ran = world.pipe(&args, &ended_on(&issuer, &begun));
        assert_eq!(ran.code == 0, is_taken, "{file}: {ran:?}");
        assert!(!ran.err.contains("out of the way"), "{ran:?}");
    }
}

#[test]
fn a_damaged_code_is_never_sent_and_a_mended_one_is_whole() {
    let (world, issuer, begun) = begun();
    let url = ended_on(&issuer, &begun);
    let (front, back) = url.split_once("code=").unwrap();
    let (code, rest) = back.split_once('&').unwrap_or((back, ""));
    for damaged in [
        format!("{code}^x"),
        format!("{code}\\\\"),
        format!("{code}%2"),
        format!("{code}=\nx"),
    ] {
        let ran = finish(&world, &format!("{front}code={damaged}&{rest}"), &[]);
        assert_eq!(ran.code, 1, "{damaged}: {ran:?}");
        assert!(ran.err.contains("damaged"), "{damaged}: {ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 0);
    let escaped = url.replace('&', "^&");
    assert_eq!(finish(&world, &escaped, &[]).code, 0);
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn an_attempt_that_others_could_have_written_blocks_no_login() {
    let (world, issuer, planted) = begun();
    let path = waiting(&world).pop().unwrap();
    let others = std::fs::Permissions::from_mode(0o666);
    std::fs::set_permissions(&path, others).unwrap();
    let ran = world.run(&["models", "auth", "login", "--start", "--json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.err.contains("it is not used"), "{ran:?}");
    assert!(ran.err.contains("chmod go-w"), "{ran:?}");
    let begun: Value = serde_json::from_str(&ran.out).unwrap();
    // What it says is not heeded, and the other login is not disturbed.
    let of_planted = finish(&world, &ended_on(&issuer, &planted), &[]);
    assert_ne!(of_planted.code, 0, "{of_planted:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    let ran = finish(&world, &ended_on(&issuer, &begun), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn the_state_tells_which_of_several_is_meant() {
    let (world, issuer, first) = begun();
    world.add_agent("work");
    let second = start(&world, &["--agent", "work"]);
    assert_eq!(waiting(&world).len(), 2);
    let ran = finish(&world, &ended_on(&issuer, &second), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(
        world
            .state()
            .join("agents/work/agent/auth-profiles.json")
            .exists()
    );
    assert!(!world.has_store());
    let ran = finish(&world, &ended_on(&issuer, &first), &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(waiting(&world).len(), 0);
}

#[test]
fn a_bare_code_is_taken_when_the_caller_vouches_for_it() {
    let (world, issuer, begun) = begun();
    let url = url::Url::parse(&ended_on(&issuer, &begun)).unwrap();
    let code = url
        .query_pairs()
        .find(|(name, _)| name == "code")
        .unwrap()
        .1
        .into_owned();
    let ran = finish(&world, &code, &[]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("without its state"), "{ran:?}");
    assert!(ran.err.contains("--accept-bare-code"), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 0);

    let other = start(&world, &[]);
    let ran = finish(&world, &code, &["--accept-bare-code"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("2 logins are in progress"), "{ran:?}");
    let attempt = text(&begun, "attempt");
    let alone = format!("code={code}\n");
    let ran = finish(
        &world,
        &alone,
        &["--accept-bare-code", "--attempt", attempt],
    );
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(waiting(&world)[0].ends_with(format!("{}.json", text(&other, "attempt"))));
}

#[test]
fn a_key_is_made_in_two_halves_too() {
    let (world, issuer) = world("openrouter");
    let begun = start(&world, &["--provider", "openrouter"]);
    let url = ended_on(&issuer, &begun);
    let ran = finish(&world, &url, &[]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let stored = &world.store()["profiles"]["openrouter:default"];
    assert_eq!(stored["metadata"]["authFlow"], "oauth-pkce");
}

#[test]
fn the_text_for_a_person_ends_with_the_command() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let state = world.state();
    let state = state.to_str().unwrap();
    let ran = world.run(&["--state-dir", state, "models", "auth", "login", "--start"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let last = ran.out.lines().last().unwrap();
    assert!(
        last.starts_with(&format!(
            "  openclaw --state-dir {state} models auth login --finish --attempt "
        )),
        "{last}"
    );
}

#[test]
fn doctor_finds_nothing_odd_in_an_attempt_that_waits() {
    let (world, _issuer, _) = begun();
    let doctor = || {
        let ran = world.run(&["doctor", "--json"]);
        let report: Value = serde_json::from_str(&ran.out).unwrap();
        report["checks"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|check| check["status"] != "ok")
            .map(|check| check["name"].clone())
            .collect::<Vec<_>>()
    };
    let with = doctor();
    std::fs::remove_dir_all(world.state().join("pending")).unwrap();
    assert_eq!(with, doctor());
}
