//! What can go wrong between the two halves of a login: the wrong answer, too late, twice, killed.

use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, SystemTime};

use crate::support::issuer::Scripted;

use super::two_halves::{FINISH, begun, ended_on, finish, start, text, waiting};
use crate::support::{World, ran};

fn in_the_background(world: &World, pasted: &str) -> Child {
    let file = world.directory.path().join("code.txt");
    // Not while another one reads it.
    if !file.exists() {
        std::fs::write(&file, pasted).unwrap();
    }
    let mut args = FINISH.to_vec();
    args[5] = "code.txt";
    let mut command = world.command(&args);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

#[test]
fn the_answer_to_another_login_is_not_used_and_the_attempt_stays() {
    let (world, issuer, begun) = begun();
    let url = ended_on(&issuer, &begun);
    let state = text(&begun, "url").split("state=").nth(1).unwrap();
    let state = state.split('&').next().unwrap();
    let cases = [
        (
            url.replace(state, "of-another-login"),
            "the state does not match this login",
        ),
        (url.replace("state=", "x="), "the state is missing"),
        (
            format!("{url}&state={state}"),
            "the parameter state appears more than once",
        ),
        (
            "https://example.com/".to_owned(),
            "this URL contains no authorization code",
        ),
        (
            text(&begun, "url").to_owned(),
            "this URL contains no authorization code",
        ),
        (String::new(), "standard input is empty"),
    ];
    for (pasted, why) in cases {
        let ran = finish(&world, &pasted, &[]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(
            ran.err.contains(&format!("code not used: {why}")),
            "{ran:?}"
        );
        assert!(ran.err.contains("--finish"), "{ran:?}");
        assert_eq!(waiting(&world).len(), 1, "{why}");
    }
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(finish(&world, &url, &[]).code, 0);
}

#[test]
fn a_proven_refusal_ends_the_attempt() {
    let (world, issuer, begun) = begun();
    issuer.refuse_consent("access_denied", "No.\u{1b}[2J");
    let ran = finish(&world, &ended_on(&issuer, &begun), &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("login denied (access_denied: No. [2J)"),
        "{ran:?}"
    );
    assert!(
        ran.err
            .contains("openclaw models auth login --provider openai-codex --start --json")
    );
    assert_eq!(waiting(&world), Vec::<PathBuf>::new());
}

#[test]
fn an_attempt_whose_time_is_over_is_refused_and_swept() {
    let (world, issuer, _) = begun();
    let late = start(&world, &["--timeout", "1ms"]);
    let ran = finish(&world, &ended_on(&issuer, &late), &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    let id = text(&late, "attempt");
    assert!(ran.err.contains(&format!("login {id} expired ")), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(waiting(&world).len(), 1);
    let ran = finish(&world, &ended_on(&issuer, &late), &["--attempt", id]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains(&format!("no login {id} is in progress")),
        "{ran:?}"
    );
    let ran = finish(&world, "code=x&state=y", &["--attempt", "../../openclaw"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("that is not a valid attempt ID"),
        "{ran:?}"
    );
}

#[test]
fn what_a_crash_left_is_swept_and_nothing_else() {
    let (world, _issuer, _) = begun();
    let pending = world.state().join("pending");
    let long_ago = SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
    let put = |name: &str, old: bool| {
        let file = std::fs::File::create(pending.join(name)).unwrap();
        if old {
            file.set_modified(long_ago).unwrap();
        }
    };
    put(".0123456789abcdef.json.1.01234567.tmp", true);
    put("0123456789abcdef.json", true);
    put(".fedcba9876543210.json.1.01234567.tmp", false);
    put("notes.txt", true);
    start(&world, &[]);
    let mut names: Vec<String> = waiting(&world)
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .filter(|name| {
            name.len() != "0123456789abcdef.json".len() || name.starts_with("0123456789abcdef")
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        [".fedcba9876543210.json.1.01234567.tmp", "notes.txt"]
    );
}

#[test]
fn of_many_processes_one_uses_the_code() {
    let (world, issuer, begun) = begun();
    issuer.set_delay(Duration::from_millis(200));
    let url = ended_on(&issuer, &begun);
    let children: Vec<Child> = (0..6).map(|_| in_the_background(&world, &url)).collect();
    let mut codes: Vec<i32> = Vec::new();
    for child in children {
        let ran = ran(child.wait_with_output().unwrap());
        if ran.code == 1 {
            assert!(
                ran.err.contains("is in progress: it was finished"),
                "{ran:?}"
            );
        }
        codes.push(ran.code);
    }
    codes.sort_unstable();
    assert_eq!(codes, [0, 1, 1, 1, 1, 1]);
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(waiting(&world), Vec::<PathBuf>::new());
}

#[test]
fn a_process_that_is_killed_on_the_way_bars_nobody() {
    let (world, issuer, begun) = begun();
    let url = ended_on(&issuer, &begun);
    issuer.hold();
    let mut child = in_the_background(&world, &url);
    while issuer.dealt_with() == 0 {
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    issuer.let_go();
    assert_eq!(waiting(&world).len(), 1);
    // The code is spent, so its second use is refused; and then the attempt is over.
    let ran = finish(&world, &url, &[]);
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("refused: invalid_grant"), "{ran:?}");
    assert!(ran.err.contains("--start --json"), "{ran:?}");
    assert_eq!(waiting(&world), Vec::<PathBuf>::new());
}

#[test]
fn trouble_that_did_not_judge_the_code_leaves_it_for_another_try() {
    let (world, issuer, begun) = begun();
    let url = ended_on(&issuer, &begun);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    let ran = finish(&world, &url, &[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(
        ran.err.contains("the login is still waiting for its code"),
        "{ran:?}"
    );
    let again = format!(
        "--finish --attempt {} --code-file -",
        text(&begun, "attempt")
    );
    assert!(ran.err.contains(&again), "{ran:?}");
    assert_eq!(waiting(&world).len(), 1);
    assert_eq!(finish(&world, &url, &[]).code, 0);
}

#[test]
fn a_server_that_cannot_be_reached_leaves_the_code_for_another_try() {
    let (world, issuer, begun) = begun();
    let url = ended_on(&issuer, &begun);
    drop(issuer);
    let ran = finish(&world, &url, &[]);
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(waiting(&world).len(), 1);
}

#[test]
fn the_code_goes_to_nobody_else_than_the_login_was_begun_with() {
    let (world, issuer, begun) = begun();
    let url = ended_on(&issuer, &begun);
    let path = "providers/openai-codex.toml";
    let manifest = world.read(path);
    for (from, to) in [
        ("\"test-client\"", "\"other\""),
        ("/oauth/token", "/other/token"),
    ] {
        world.write(path, &manifest.replace(from, to));
        let ran = finish(&world, &url, &[]);
        assert_eq!(ran.code, 1, "{ran:?}");
        assert!(ran.err.contains("the code was not sent"), "{ran:?}");
    }
    assert_eq!(issuer.token_requests().len(), 0);
    world.write(path, &manifest);
    assert_eq!(finish(&world, &url, &[]).code, 0);
}

#[test]
fn nothing_is_spent_for_a_login_that_could_not_be_kept() {
    let (world, issuer, begun) = begun();
    let url = ended_on(&issuer, &begun);
    world.block("agents/main");
    let ran = finish(&world, &url, &[]);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 0);
    assert_eq!(waiting(&world).len(), 1);
}

#[test]
fn no_output_of_either_half_holds_the_verifier_or_the_code() {
    let (world, issuer, begun) = begun();
    let verifier = {
        let text = std::fs::read_to_string(&waiting(&world)[0]).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        file["codeVerifier"].as_str().unwrap().to_owned()
    };
    let url = ended_on(&issuer, &begun);
    let code = url
        .split("code=")
        .nth(1)
        .unwrap()
        .split('&')
        .next()
        .unwrap();
    let mut seen = begun.to_string();
    for pasted in [format!("{url}&state=x"), url.clone(), url.clone()] {
        let ran = finish(&world, &pasted, &["-vvv"]);
        seen.push_str(&(ran.out + &ran.err));
    }
    assert!(
        seen.contains("Saved profile") && seen.contains("no login is in progress"),
        "{seen}"
    );
    assert_eq!(
        issuer.token_requests()[0]
            .iter()
            .filter(|(_, value)| *value == verifier)
            .count(),
        1
    );
    for secret in [verifier.as_str(), code] {
        assert!(!seen.contains(secret), "{secret} in {seen}");
    }
}
