//! What is left of a revocation that was stopped on its way, and what the next command says of it.

use std::process::{Child, Stdio};

use crate::support::issuer::Fate;

use super::{PROFILE, REVOKE, TOKEN, holds, logged_in, sent};
use crate::support::{World, ran};

fn spawn(world: &World, args: &[&str]) -> Child {
    let mut command = world.command(args);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

fn until(mut is_so: impl FnMut() -> bool) {
    while !is_so() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn a_signal_waits_until_the_answer_is_acted_on() {
    let (world, issuer, _, refresh) = logged_in();
    issuer.hold();
    let child = spawn(&world, &REVOKE);
    until(|| issuer.fate(&refresh) == Fate::Dead);
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    assert!(holds(&world, PROFILE), "nothing goes before the answer");
    issuer.let_go();
    let ran = ran(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 143, "{ran:?}");
    assert!(
        ran.err.contains("The credential store was changed."),
        "{ran:?}"
    );
    assert!(!holds(&world, PROFILE));
}

#[test]
fn whoever_is_killed_before_the_answer_leaves_a_doubt() {
    let (world, issuer, _, refresh) = logged_in();
    issuer.hold();
    let mut child = spawn(&world, &REVOKE);
    until(|| issuer.fate(&refresh) == Fate::Dead);
    child.kill().unwrap();
    child.wait().unwrap();
    issuer.let_go();
    let status = world.run(&["models", "status"]);
    assert!(status.out.contains("uncertain"), "{status:?}");
    let token = world.run(&TOKEN);
    assert!(token.err.contains("may already be used"), "{token:?}");
    // To ask once more does no harm.
    let again = world.run(&REVOKE);
    assert_eq!(again.code, 0, "{again:?}");
    assert!(!holds(&world, PROFILE));
}

#[test]
fn what_is_revoked_and_could_not_be_removed_is_told_by_every_command() {
    let (world, issuer, _, refresh) = logged_in();
    world.block("agents/main/agent/auth-history");
    let ran = world.run(&REVOKE);
    assert_eq!(ran.code, 5, "{ran:?}");
    assert!(
        ran.err
            .contains("was revoked, but could not be removed from this machine")
    );
    assert_eq!(issuer.fate(&refresh), Fate::Dead);
    assert!(holds(&world, PROFILE));
    let status = world.run(&["models", "status"]);
    assert!(status.out.contains("revoked"), "{status:?}");
    let token = world.run(&TOKEN);
    assert_eq!(token.code, 3, "{token:?}");
    assert!(token.err.contains("was revoked just now"), "{token:?}");
    assert_eq!(issuer.token_requests().len(), 1, "it is not sent again");
    std::fs::remove_file(world.state().join("agents/main/agent/auth-history")).unwrap();
    assert_eq!(
        world
            .run(&["models", "auth", "logout", PROFILE, "--yes"])
            .code,
        0
    );
    assert_eq!(world.run(&["models", "auth", "undo", PROFILE]).code, 3);
}

#[test]
fn a_login_that_is_being_renewed_is_revoked_as_it_is_then() {
    let (world, issuer, _, old) = logged_in();
    issuer.hold();
    let refresh = spawn(&world, &crate::login::metadata_discovery::FORCE);
    until(|| issuer.fate(&old) == Fate::Spent);
    let revoke = spawn(&world, &REVOKE);
    // It finds the grant locked, whether or not it has come so far when the answer goes out.
    issuer.let_go();
    let refreshed = ran(refresh.wait_with_output().unwrap());
    assert_eq!(refreshed.code, 0, "{refreshed:?}");
    let revoked = ran(revoke.wait_with_output().unwrap());
    assert_eq!(revoked.code, 0, "{revoked:?}");
    let token = |request: &Vec<(String, String)>| request[0].1.clone();
    let sent: Vec<String> = sent(&issuer).iter().map(token).collect();
    assert!(
        !sent.contains(&old),
        "a spent token says nothing of the living one"
    );
    assert_eq!(issuer.fate(&sent[0]), Fate::Dead);
    assert!(!holds(&world, PROFILE));
}
