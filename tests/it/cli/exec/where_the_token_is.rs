//! Where the token is, and where it is not.

use std::process::Command;

use super::{KEY, TOKEN, everything, exec, run, sh, world};
use crate::support::{World, ran};

const SUB: [&str; 2] = ["--profile", "anthropic:sub"];
const ANTHROPIC_VARIABLES: [&str; 4] = [
    "ANTHROPIC_OAUTH_TOKEN",
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
];

/// The environment of the program, which started with these variables.
fn environment(world: &World, options: &[&str], set: &[(&str, &str)]) -> Vec<String> {
    let mut command = exec(world, options, &["env"]);
    let ran = ran(command.envs(set.iter().copied()).output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{ran:?}");
    ran.out.lines().map(str::to_owned).collect()
}

fn value<'a>(environment: &'a [String], name: &str) -> Option<&'a str> {
    let start = format!("{name}=");
    environment
        .iter()
        .find_map(|line| line.strip_prefix(&start))
}

#[test]
fn a_token_is_in_the_variable_for_tokens_and_a_key_in_that_for_keys() {
    let world = world();
    for (options, name, secret) in [
        (&SUB[..], "ANTHROPIC_OAUTH_TOKEN", TOKEN),
        (&["--profile", "anthropic:key"], "ANTHROPIC_API_KEY", KEY),
        (
            &["--provider", "openai"],
            "OPENAI_API_KEY",
            "sk-MARKER-OPENAI",
        ),
        (
            &[&SUB[..], &["--env", "MY_TOKEN"]].concat(),
            "MY_TOKEN",
            TOKEN,
        ),
    ] {
        let environment = environment(&world, options, &[]);
        assert_eq!(value(&environment, name), Some(secret), "{options:?}");
        let places = environment.iter().filter(|line| line.contains(secret));
        assert_eq!(places.count(), 1, "{environment:?}");
    }
}

#[test]
fn no_stale_variable_of_the_provider_wins() {
    let world = world();
    let stale = ANTHROPIC_VARIABLES.map(|name| (name, "stale"));
    let others = [("OPENAI_API_KEY", "other"), ("HOUSE", "other")];
    let set = [&stale[..], &others].concat();
    let fd = [&SUB[..], &["--fd"]].concat();
    let own = [&SUB[..], &["--env", "CLAUDE_CODE_OAUTH_TOKEN"]].concat();
    for (options, name) in [
        (&SUB[..], "ANTHROPIC_OAUTH_TOKEN"),
        (&own, "CLAUDE_CODE_OAUTH_TOKEN"),
        (&fd, ""),
    ] {
        let environment = environment(&world, options, &set);
        for other in ANTHROPIC_VARIABLES {
            let expected = (other == name).then_some(TOKEN);
            assert_eq!(value(&environment, other), expected, "{options:?}");
        }
        assert_eq!(value(&environment, "OPENAI_API_KEY"), Some("other"));
        assert_eq!(value(&environment, "HOUSE"), Some("other"));
    }
    let keep = [&SUB[..], &["--keep", "ANTHROPIC_API_KEY"]].concat();
    let environment = environment(&world, &keep, &set);
    assert_eq!(value(&environment, "ANTHROPIC_API_KEY"), Some("stale"));
    assert_eq!(value(&environment, "ANTHROPIC_OAUTH_TOKEN"), Some(TOKEN));
    assert_eq!(value(&environment, "ANTHROPIC_AUTH_TOKEN"), None);
}

#[test]
fn the_program_is_told_whose_it_is_and_when_it_ends() {
    let world = world();
    let of_another = [
        ("OPENCLAW_AUTH_EXPIRES", "1"),
        ("OPENCLAW_AUTH_PROFILE", "x"),
    ];
    let sub = environment(&world, &SUB, &of_another);
    assert_eq!(value(&sub, "OPENCLAW_AUTH_PROFILE"), Some("anthropic:sub"));
    let end = value(&sub, "OPENCLAW_AUTH_EXPIRES").unwrap();
    let stored = &world.store()["profiles"]["anthropic:sub"]["expires"];
    assert_eq!(end, stored.to_string());
    // A key has no end, one of the environment no profile either.
    let key = environment(&world, &["--profile", "anthropic:key"], &of_another);
    assert_eq!(value(&key, "OPENCLAW_AUTH_EXPIRES"), None);
    let set = [&of_another[..], &[("GEMINI_API_KEY", "kkkk")]].concat();
    let google = environment(&world, &["--provider", "google"], &set);
    assert_eq!(value(&google, "OPENCLAW_AUTH_PROFILE"), None);
    assert_eq!(value(&google, "GEMINI_API_KEY"), Some("kkkk"));
}

#[test]
fn no_argument_and_no_output_holds_the_token() {
    let world = world();
    for options in [&SUB[..], &[&SUB[..], &["--fd"]].concat()] {
        let script = "tr '\\0' '\\n' </proc/$$/cmdline; ls -l /proc/$$/fd";
        let mut command = exec(&world, options, &["sh", "-c", script]);
        let ran = ran(command.arg("last").output().unwrap());
        assert!(ran.out.contains("last\n"), "{ran:?}");
        assert!(
            !format!("{}{}", ran.out, ran.err).contains("MARKER"),
            "{ran:?}"
        );
        let mut command = exec(&world, options, &["true"]);
        command.args(["-vvv", TOKEN]);
        let mut verbose = vec!["models", "auth", "exec", "-vvv"];
        verbose.extend(options);
        verbose.extend(["--", "nonesuch"]);
        let ran = world.run(&verbose);
        assert!(
            !format!("{}{}", ran.out, ran.err).contains("MARKER"),
            "{ran:?}"
        );
    }
}

#[test]
fn a_descriptor_holds_the_token_once() {
    let world = world();
    let fd = [&SUB[..], &["--fd"]].concat();
    let read = "echo $OPENCLAW_TOKEN_FD; cat <&$OPENCLAW_TOKEN_FD; cat <&$OPENCLAW_TOKEN_FD; env";
    let ran = sh(&world, &fd, read);
    let mut lines = ran.out.lines();
    let number: u32 = lines.next().unwrap().parse().unwrap();
    assert!(number > 2, "{ran:?}");
    assert_eq!(lines.next(), Some(TOKEN));
    let rest: Vec<&str> = lines.collect();
    assert!(rest.iter().all(|line| !line.contains(TOKEN)), "{ran:?}");

    let nine = [&SUB[..], &["--fd", "9"]].concat();
    let ran = sh(&world, &nine, "cat <&9; echo $OPENCLAW_TOKEN_FD");
    assert_eq!(ran.out, format!("{TOKEN}\n9\n"), "{ran:?}");
    let both = [&nine[..], &["--env", "X"]].concat();
    assert_eq!(run(&world, &both, &["true"]).code, 1);
    let two = [&SUB[..], &["--fd", "2"]].concat();
    assert_eq!(run(&world, &two, &["true"]).code, 1);
}

/// What the shell opened stays open and is not replaced; of ours nothing else is open.
#[test]
fn descriptors_are_those_of_the_caller_and_no_more() {
    let world = world();
    let list = "for fd in /proc/self/fd/*; do echo ${fd##*/}; done";
    let outer = |how: &str| {
        let inner = exec(&world, &[], &[]);
        let script = format!("exec 5</dev/zero; exec {how}");
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", &script, "sh", crate::support::program(), list]);
        let set = inner.get_envs();
        shell
            .env_clear()
            .envs(set.filter_map(|(name, value)| Some((name, value?))));
        ran(shell.output().unwrap())
    };
    let ours = |options: &str| {
        outer(&format!(
            "\"$1\" models auth exec --profile anthropic:sub {options} -- sh -c \"$2\""
        ))
    };
    let plain = outer("sh -c \"$2\"");
    assert!(plain.out.contains("5\n"), "{plain:?}");
    assert_eq!(ours("").out, plain.out);
    let with = ours("--fd 7");
    assert_eq!(with.out.replace("7\n", ""), plain.out.replace("7\n", ""));
    assert!(with.out.contains("7\n"), "{with:?}");
    let taken = ours("--fd 5");
    assert_eq!(taken.code, 1);
    assert!(
        taken.err.contains("descriptor 5 is already open"),
        "{taken:?}"
    );
}

#[test]
fn input_and_output_are_those_of_the_program() {
    let world = world();
    let words = [&["models", "auth", "exec"][..], &SUB, &["--", "/bin/cat"]].concat();
    let ran = world.pipe(&words, "in\n");
    assert_eq!((ran.code, ran.out.as_str()), (0, "in\n"), "{ran:?}");
    let ran = sh(&world, &SUB, "echo oops >&2; printf '%s|' \"$@\"");
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("|", "oops\n"));
    let ran = run(&world, &SUB, &["printf", "%s|", "a b", "--fd", "--", ""]);
    assert_eq!(ran.out, "a b|--fd|--||", "{ran:?}");
}

#[test]
fn what_lies_in_the_state_directory_is_as_before() {
    let world = world();
    let before = everything(&world);
    assert_eq!(sh(&world, &SUB, "exit 0").code, 0);
    assert_eq!(everything(&world), before);
}
