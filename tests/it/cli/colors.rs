//! `--color` is honoured before the command line is understood, too: in help and in errors.

use crate::support::{World, ran};

#[test]
fn help_and_usage_errors_are_painted_as_they_were_asked_for() {
    let world = World::new();
    let shown = |args: &[&str]| {
        let mut command = world.command(args);
        command.env_remove("NO_COLOR");
        let ran = ran(command.output().unwrap());
        format!("{}{}", ran.out, ran.err)
    };
    for line in [
        &["--help"][..],
        &["models", "status", "--help"],
        &["models", "nonsense"],
        &["models", "auth", "token", "--nonsense"],
    ] {
        let with = |options: &[&'static str]| shown(&[options, line].concat());
        assert!(with(&["--color", "always"]).contains('\u{1b}'), "{line:?}");
        assert!(with(&["--color=always"]).contains('\u{1b}'), "{line:?}");
        for options in [&["--color", "never"][..], &[]] {
            assert!(!with(options).contains('\u{1b}'), "{line:?}");
        }
        assert!(shown(&[line, &["--color", "always"]].concat()).contains('\u{1b}'));
    }
}
