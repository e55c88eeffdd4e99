//! A token that is due: refreshed once before the program starts, whoever else asks.

use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::issuer::{Account, Issuer};
use rustix::process::{Pid, Signal, kill_process};

use super::{everything, exec, run, sh, start};
use crate::status::alert_hooks::Bell;
use crate::support::{Ran, World, ran};

const CODEX: [&str; 2] = ["--provider", "openai-codex"];
const SHOW: &str = "echo $CODEX_ACCESS_TOKEN";

fn world(left: i64) -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let variables = "schema = 1\ntool_env = [\"CODEX_ACCESS_TOKEN\"]";
    let manifest = issuer.manifest().replacen("schema = 1", variables, 1);
    world.write("providers/openai-codex.toml", &manifest);
    world.seed(&issuer, "main", left);
    (world, issuer)
}

fn access(world: &World) -> String {
    let store = world.store();
    let access = store["profiles"]["openai-codex:default"]["access"].as_str();
    access.unwrap().to_owned()
}

fn end(child: Child) -> Ran {
    ran(child.wait_with_output().unwrap())
}

#[test]
fn an_expired_token_is_refreshed_once_and_first() {
    let (world, issuer) = world(-10);
    let ran = sh(&world, &CODEX, SHOW);
    assert_eq!(ran.out.trim_end(), access(&world), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
    let before = everything(&world);
    assert_eq!(sh(&world, &CODEX, SHOW).out, ran.out);
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(everything(&world), before);
}

#[test]
fn a_token_that_lives_long_enough_may_be_asked_for() {
    let (world, issuer) = world(1_200);
    let old = access(&world);
    let asked = |least| {
        sh(
            &world,
            &[&CODEX[..], &["--min-valid", least]].concat(),
            SHOW,
        )
    };
    assert_eq!(asked("10m").out.trim_end(), old);
    assert_eq!(issuer.token_requests().len(), 0);
    let new = asked("30m").out;
    assert_eq!(issuer.token_requests().len(), 1);
    assert_eq!(new.trim_end(), access(&world));
    assert_ne!(new.trim_end(), old);
}

#[test]
fn sixteen_programs_are_one_refresh() {
    let (world, issuer) = world(-10);
    issuer.set_delay(Duration::from_millis(200));
    let children: Vec<Child> = (0..16)
        .map(|_| start(exec(&world, &CODEX, &["sh", "-c", SHOW])))
        .collect();
    let runs: Vec<Ran> = children.into_iter().map(end).collect();
    let expected = format!("{}\n", access(&world));
    for ran in runs {
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (0, expected.as_str()),
            "{ran:?}"
        );
    }
    assert_eq!(issuer.token_requests().len(), 1);
}

/// The masks of signals in what `/proc/self/status` says, those that the C library has for itself
/// left out.
fn masks(status: &str) -> Vec<(&str, u64)> {
    let lines = status.lines().filter_map(|line| line.split_once(':'));
    let masks = lines.filter(|(name, _)| ["SigBlk", "SigIgn", "SigCgt"].contains(name));
    masks
        .map(|(name, mask)| {
            let mask = u64::from_str_radix(mask.trim(), 16).unwrap();
            (name, mask & 0x7fff_ffff)
        })
        .collect()
}

/// After a refresh a connection, a runtime and handlers of signals were there.
#[test]
fn a_refresh_leaves_nothing_behind_in_the_program() {
    let plain = |args: &[&str]| {
        let mut command = std::process::Command::new(args[0]);
        command.args(&args[1..]).stdin(Stdio::null());
        ran(command.output().unwrap()).out
    };
    let (first, _issuer) = world(-10);
    let status = ["grep", "Sig", "/proc/self/status"];
    let refreshed = run(&first, &CODEX, &status);
    let expected = plain(&status);
    assert_eq!(masks(&refreshed.out), masks(&expected), "{refreshed:?}");
    assert_eq!(masks(&expected).len(), 3);

    let (second, _issuer) = world(-10);
    let fd = [&CODEX[..], &["--fd", "8"]].concat();
    let list = "for fd in /proc/self/fd/*; do echo ${fd##*/}; done; ls /proc/$$/task | wc -l";
    let refreshed = sh(&second, &fd, &format!("{list}; cat <&8"));
    let mut lines: Vec<&str> = refreshed.out.lines().collect();
    assert_eq!(lines.pop(), Some(access(&second).as_str()), "{refreshed:?}");
    lines.retain(|line| *line != "8");
    let expected = plain(&["sh", "-c", list]);
    assert_eq!(lines, expected.lines().collect::<Vec<_>>());

    // The lock of the grant is free: who needs it gets it.
    let script = "\"$0\" models auth refresh --force";
    let binary = crate::support::program();
    let ran = run(&second, &CODEX, &["sh", "-c", script, binary]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn a_signal_during_the_refresh_ends_exec_before_the_program() {
    let (world, issuer) = world(-10);
    issuer.hold();
    let child = start(exec(&world, &CODEX, &["sh", "-c", SHOW]));
    while issuer.token_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    issuer.let_go();
    let ran = end(child);
    assert_eq!((ran.code, ran.out.as_str()), (143, ""), "{ran:?}");
    assert!(
        ran.err.contains("The credential store was changed."),
        "{ran:?}"
    );
}

/// `nohup` holds for the refresh and for the program.
#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let (world, issuer) = world(-10);
    issuer.hold();
    let script = "trap '' HUP; exec \"$@\"";
    let inner = exec(&world, &CODEX, &["sh", "-c", "kill -HUP $$; echo alive"]);
    let mut command = std::process::Command::new("/bin/sh");
    command
        .args(["-c", script, "sh"])
        .arg(inner.get_program())
        .args(inner.get_args());
    let set = inner
        .get_envs()
        .filter_map(|(name, value)| Some((name, value?)));
    command.env_clear().envs(set);
    let child = start(command);
    while issuer.token_requests().is_empty() {
        std::thread::sleep(Duration::from_millis(2));
    }
    kill_process(Pid::from_child(&child), Signal::HUP).unwrap();
    issuer.let_go();
    let ran = end(child);
    assert_eq!((ran.code, ran.out.as_str()), (0, "alive\n"), "{ran:?}");
}

/// Nothing of ours is left to ring once the program runs.
#[test]
fn a_hook_rings_before_the_program_starts() {
    let (bell, issuer) = Bell::doing("");
    bell.world().seed(&issuer, "main", -10);
    let told = bell.world().directory.path().join("told");
    let cat = ["/bin/cat", told.to_str().unwrap()];
    let words = ["models", "auth", "exec", "--env", "X", "--"];
    let ran = bell.run(&[&words[..], &cat].concat());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    assert!(ran.out.contains("refreshed"), "{ran:?}");
    assert_eq!(bell.rang(), ["refreshed openai-codex:default"]);
}

#[test]
fn a_program_that_is_not_there_says_what_was_changed() {
    let (world, _issuer) = world(-10);
    let ran = run(&world, &CODEX, &["openclaw-nonesuch"]);
    assert_eq!(ran.code, 127);
    assert!(
        ran.err.contains("The credential store was changed."),
        "{ran:?}"
    );
    let ran = run(&world, &CODEX, &["openclaw-nonesuch"]);
    assert!(ran.err.contains("No credentials were changed."), "{ran:?}");
}
