//! How the program ends, and how it does not begin.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;

use crate::support::issuer::{Account, Scripted};
use rustix::process::{Pid, Signal, kill_process};

use super::{exec, run, sh, start, world};
use crate::login::at_a_terminal::{at_terminal, ends_with};
use crate::support::{World, ran};

const SUB: [&str; 2] = ["--profile", "anthropic:sub"];
const CODEX: [&str; 2] = ["--provider", "openai-codex"];
const AS_X: [&str; 4] = ["--provider", "openai-codex", "--env", "X"];

#[test]
fn the_exit_code_of_exec_is_that_of_the_program() {
    let world = world();
    for code in [0, 1, 3, 7, 42, 130, 255] {
        let ran = sh(&world, &SUB, &format!("exit {code}"));
        assert_eq!((ran.code, ran.err.as_str()), (code, ""));
    }
}

#[test]
fn a_program_that_cannot_be_run_is_told_as_env_tells_it() {
    let world = world();
    let file = world.directory.path().join("data");
    std::fs::write(&file, "echo never").unwrap();
    for (program, code, says) in [
        ("openclaw-nonesuch", 127, "No such file"),
        ("./nonesuch", 127, "No such file"),
        ("./data", 126, "Permission denied"),
        ("/", 126, "Permission denied"),
    ] {
        let ran = run(&world, &SUB, &[program]);
        assert_eq!((ran.code, ran.out.as_str()), (code, ""), "{ran:?}");
        let start = format!("Error: could not run {program}: {says}");
        assert!(ran.err.starts_with(&start), "{ran:?}");
        let mut env = std::process::Command::new("/usr/bin/env");
        env.arg(program).current_dir(world.directory.path());
        assert_eq!(env.output().unwrap().status.code(), Some(code));
    }
}

/// The program says that it runs, and is then sent a signal by the number that we had.
#[test]
fn a_signal_reaches_the_program_and_its_end_is_seen() {
    let world = world();
    for signal in [
        Signal::TERM,
        Signal::INT,
        Signal::HUP,
        Signal::KILL,
        Signal::PIPE,
    ] {
        let mut child = start(exec(
            &world,
            &SUB,
            &["sh", "-c", "echo $$; exec cat /dev/zero"],
        ));
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        assert_eq!(line.trim(), child.id().to_string(), "its number is ours");
        kill_process(Pid::from_child(&child), signal).unwrap();
        let status = child.wait().unwrap();
        assert_eq!(status.signal(), Some(signal.as_raw()), "{status:?}");
        drop(out);
    }
}

#[test]
fn the_program_may_handle_a_signal_itself() {
    let world = world();
    let script = "trap 'echo handled; exit 9' TERM; echo ready; while :; do sleep 0.01; done";
    let mut child = start(exec(&world, &SUB, &["sh", "-c", script]));
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    out.read_line(&mut text).unwrap();
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    out.read_to_string(&mut text).unwrap();
    assert_eq!(text, "ready\nhandled\n");
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn a_program_has_the_terminal_that_exec_had() {
    let world = world();
    let words = |script| {
        let exec = ["models", "auth", "exec", "--profile", "anthropic:sub"];
        [&exec[..], &["--", "/bin/sh", "-c", script]].concat()
    };
    let script = "test -t 0 && test -t 1 && read -r line && echo \"got $line\"; exit 5";
    let mut session = at_terminal(&world, &words(script));
    session.send_line("hello").unwrap();
    session.exp_string("got hello").unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 5);

    let script = "trap 'echo interrupted; exit 6' INT; echo ready; while :; do sleep 0.01; done";
    let mut session = at_terminal(&world, &words(script));
    session.exp_string("ready").unwrap();
    session.send_control('c').unwrap();
    session.exp_string("interrupted").unwrap();
    session.exp_eof().unwrap();
    ends_with(&session, 6);
}

/// Every failure has the code that `token` has, and the program has not run.
#[test]
fn without_a_token_the_program_does_not_run() {
    let fails = |world: &World, options: &[&str], code: i32| {
        let mark = world.directory.path().join("mark");
        let ran = run(world, options, &["touch", mark.to_str().unwrap()]);
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (code, ""),
            "{options:?}: {ran:?}"
        );
        assert!(!mark.exists(), "{options:?}");
    };
    let some = world();
    fails(&some, &["--profile", "anthropic:none"], 1);
    fails(&some, &["--profile", "../x"], 1);
    fails(&some, &["--env", "A=B"], 1);
    fails(&some, &["--provider", "google"], 3);
    fails(
        &some,
        &["--profile", "anthropic:sub", "--min-valid", "20h"],
        3,
    );
    some.write("openclaw.json", "{");
    fails(&some, &SUB, 1);

    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted {
        status: 503,
        ..Scripted::default()
    });
    fails(&world, &AS_X, 4);
    world.write("agents/main/agent/auth-profiles.json", "{");
    fails(&world, &AS_X, 5);
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    issuer.answer_next(Scripted {
        hang_up: true,
        ..Scripted::default()
    });
    fails(&world, &AS_X, 7);
}

#[test]
fn a_provider_whose_programs_read_no_variable_wants_one_named() {
    let world = World::new();
    world.write(
        "providers/acme.toml",
        "schema = 1\nid = \"acme\"\nname = \"Acme\"\n[[flow]]\nkind = \"key\"\n",
    );
    let stored = world.pipe(
        &["models", "auth", "paste-api-key", "--provider", "acme"],
        "kkkkkkkkkkkkkkkkkkkk",
    );
    assert_eq!(stored.code, 0, "{stored:?}");
    let ran = run(&world, &["--provider", "acme"], &["true"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("no environment variable is known"),
        "{ran:?}"
    );
    let (expired, issuer) = World::with_issuer(Account::default());
    expired.seed(&issuer, "main", -10);
    for options in [&CODEX[..], &["--profile", "openai-codex:default"], &[]] {
        assert_eq!(run(&expired, options, &["true"]).code, 1);
    }
    assert_eq!(issuer.token_requests().len(), 0);
    let named = ["--provider", "acme", "--env", "ACME"];
    assert_eq!(sh(&world, &named, "test \"$ACME\"").code, 0);
}

/// The kernel gives a script without a first line to nobody; `execvp` gives it to the shell.
#[test]
fn programs_are_found_as_everywhere() {
    let world = world();
    let directory = world.directory.path().join("bin");
    std::fs::create_dir(&directory).unwrap();
    let script: PathBuf = directory.join("mine");
    let text = "printf '%s ' \"$ANTHROPIC_OAUTH_TOKEN\" \"$@\"";
    let install = "umask 022; printf %s \"$0\" > \"$1\"; chmod 755 \"$1\"";
    let mut shell = std::process::Command::new("/bin/sh");
    let done = shell.args(["-c", install, text]).arg(&script).status();
    assert!(done.unwrap().success());
    let mut command = exec(&world, &SUB, &["mine", "one"]);
    command.env("PATH", format!("{}:/usr/bin:/bin", directory.display()));
    let ran = ran(command.output().unwrap());
    assert_eq!(ran.out, format!("{} one ", super::TOKEN), "{ran:?}");
}
