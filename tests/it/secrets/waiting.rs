//! What waits when a store is sealed: responses that could not be stored, and logins that were started.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{SEAL, assert_nowhere, files, key_file};
use crate::support::issuer::{Account, Issuer, Scripted};
use crate::support::{Ran, World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];
const FINISH: [&str; 6] = ["models", "auth", "login", "--finish", "--code-file", "-"];

/// With a runtime directory, to which responses go that the disk of the state directory does not take.
fn run(world: &World, args: &[&str]) -> Ran {
    let runtime = world.directory.path().join("run");
    let mut command = world.command(args);
    ran(command.env("XDG_RUNTIME_DIR", runtime).output().unwrap())
}

fn done(world: &World, args: &[&str]) -> Ran {
    let ran = run(world, args);
    assert_eq!(ran.code, 0, "{args:?} {ran:?}");
    ran
}

/// Starts a login; the address that the browser would end on.
fn start(world: &World) -> String {
    let login = ["models", "auth", "login", "--provider", "openai-codex"];
    let started = done(world, &[&login[..], &["--start", "--json"]].concat());
    let started: Value = serde_json::from_str(started.out.lines().next().unwrap()).unwrap();
    let url = url::Url::parse(started["url"].as_str().unwrap()).unwrap();
    let mut pairs = url.query_pairs();
    let (_, state) = pairs.find(|(key, _)| key == "state").unwrap();
    let redirect = started["redirectUri"].as_str().unwrap();
    format!("{redirect}?code=ac-1&state={state}")
}

fn ending(world: &World, name: &str) -> Vec<PathBuf> {
    let all = files(world).into_iter();
    all.filter(|path| path.display().to_string().ends_with(name))
        .collect()
}

/// A world in which a refresh, a login and a login that its person declined wait with responses that
/// nobody understands, one of them outside the state directory, and a login waits for its code.
fn waiting() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let answer = || Scripted::text(200, r#"{"token":1,"other":"MARKER-answer"}"#);
    issuer.answer_next(answer());
    assert_eq!(run(&world, &TOKEN).code, 3);
    let spare = world.directory.path().join("run/openclaw");
    std::fs::create_dir_all(&spare).unwrap();
    let [saved] = ending(&world, ".answer").try_into().unwrap();
    std::fs::copy(&saved, spare.join(saved.file_name().unwrap())).unwrap();
    let url = start(&world);
    issuer.answer_next(answer());
    assert_eq!(world.pipe(&FINISH, &url).code, 3);
    let [saved] = ending(&world, ".login").try_into().unwrap();
    let declined = saved.with_file_name("0123456789abcdef.declined");
    std::fs::copy(&saved, declined).unwrap();
    start(&world);
    (world, issuer)
}

/// The files that wait, and what they hold.
fn contents(world: &World) -> Vec<(PathBuf, String)> {
    let is_one = |path: &PathBuf| {
        let ends = |end| path.extension().is_some_and(|it| it == end);
        ["answer", "login", "declined"].into_iter().any(ends)
            || path.parent().is_some_and(|it| it.ends_with("pending"))
    };
    let mut paths: Vec<_> = files(world).into_iter().filter(is_one).collect();
    paths.sort();
    let text = |path: &Path| {
        let bytes = std::fs::read(path).unwrap();
        String::from_utf8_lossy(&bytes)
            .trim_end_matches('\0')
            .to_owned()
    };
    paths
        .into_iter()
        .map(|path| (path.clone(), text(&path)))
        .collect()
}

#[test]
fn what_waits_is_sealed_with_the_rest_and_comes_back() {
    let (world, _issuer) = waiting();
    let before = contents(&world);
    assert_eq!(before.len(), 5, "{before:?}");
    let mut all = before.iter();
    let is_attempt = |path: &Path| path.extension().is_some_and(|it| it == "json");
    let (_, attempt) = all.find(|(path, _)| is_attempt(path)).unwrap();
    let attempt: Value = serde_json::from_str(attempt).unwrap();
    let verifier = attempt["codeVerifier"].as_str().unwrap();
    let told = done(&world, &SEAL);
    assert!(!told.out.contains("Left as it is"), "{told:?}");
    assert_nowhere(&world, "MARKER-answer");
    assert_nowhere(&world, verifier);
    done(&world, &["secrets", "audit", "--check"]);
    // Under a new key they are sealed anew, once.
    let sealed = contents(&world);
    done(&world, &SEAL);
    assert_eq!(contents(&world), sealed);
    done(&world, &["secrets", "rotate"]);
    let rotated = contents(&world);
    for ((path, old), (_, new)) in sealed.iter().zip(&rotated) {
        assert_ne!(old, new, "{}", path.display());
    }
    // What was not understood is still known for that.
    assert_eq!(run(&world, &TOKEN).code, 3);
    done(&world, &["secrets", "migrate", "--to", "plain"]);
    assert_eq!(contents(&world), before);
}

#[test]
fn a_login_in_the_clear_is_found_beside_one_that_is_locked() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let url = start(&world);
    let [open] = ending(&world, ".json")
        .into_iter()
        .filter(|path| path.parent().unwrap().ends_with("pending"))
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let text = std::fs::read_to_string(&open).unwrap();
    done(&world, &SEAL);
    start(&world);
    std::fs::write(&open, text).unwrap();
    std::fs::remove_file(key_file(&world)).unwrap();
    // The code of the one that is there is judged.
    let refused = world.pipe(&FINISH, &url.replace("code=ac-1", "error=access_denied"));
    assert_eq!(refused.code, 3, "{refused:?}");
    assert!(!open.exists());
    // Of the other one it is said why it is not found.
    let locked = world.pipe(&FINISH, &url);
    assert_eq!(locked.code, 5, "{locked:?}");
    assert!(
        locked.err.contains("no key opens the secrets"),
        "{locked:?}"
    );
}
