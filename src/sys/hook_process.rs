//! Hook processes: they are told something and have nothing to answer.
//!
//! Nothing of one outlives the call: its process group is killed when its time is over, and what it
//! left in the background is killed when it has ended.

use std::process::Stdio;

use crate::ports::program::{Exit, HookCommand, ProgramError};

use super::child::{self, Inherited};
use super::process_group::{Bounds, ProcessGroup, Run};

/// Checks a hook and runs it to its end.
pub(super) fn run(hook: &HookCommand<'_>) -> Result<Exit, ProgramError> {
    let mut command = child::command(hook.path, Inherited::AllBut(hook.withheld))?;
    command
        .args(hook.args)
        .envs(hook.with.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .stdin(Stdio::piped())
        // Ours may be the answer that a script reads.
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    let bounds = Bounds {
        limit: hook.limit,
        stop: hook.stop,
        answer: 0,
    };
    let run = ProcessGroup::run(&mut command, hook.input.clone(), &bounds, false);
    let run = run.map_err(|error| ProgramError::NotStarted {
        path: hook.path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(match run {
        Run::Ended(status, _) if status.success() => Exit::Success,
        Run::Ended(status, _) => Exit::Failure(format!("failed with {status}")),
        Run::Stopped => Exit::Stopped,
        Run::TimedOut | Run::TooLong => Exit::TimedOut,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ports::program::Programs;
    use crate::sys::process_group::tests::{LONG, script, until_gone};
    use crate::sys::program::SystemPrograms;

    fn send(text: &str, limit: Duration, stop: &dyn Fn() -> bool) -> (tempfile::TempDir, Exit) {
        let (dir, path) = script(text);
        let left = dir.path().join("left").display().to_string();
        let ending = SystemPrograms
            .run(&HookCommand {
                path: &path,
                args: &["a b".to_owned(), left],
                with: &[("OPENCLAW_EVENT", "x".to_owned())],
                withheld: &|name| name == "PATH",
                input: b"{}\n".to_vec(),
                limit,
                stop,
            })
            .unwrap();
        (dir, ending)
    }

    fn left(dir: &tempfile::TempDir) -> String {
        std::fs::read_to_string(dir.path().join("left")).unwrap()
    }

    #[test]
    fn it_is_told_what_it_is_told_and_nothing_else() {
        let text = r#"read -r line; env_path=$(/bin/sed -z -n '/^PATH=/p' /proc/$$/environ)
echo "$1 $line $OPENCLAW_EVENT $# [$env_path] $(pwd)" > "$2"; echo seen by nobody"#;
        let (dir, ending) = send(text, LONG, &|| false);
        assert_eq!(ending, Exit::Success);
        assert_eq!(left(&dir), "a b {} x 2 [] /\n");
    }

    #[test]
    fn a_bad_end_is_told() {
        let ended = |text| send(text, LONG, &|| false).1;
        assert_eq!(
            ended("exit 3"),
            Exit::Failure("failed with exit status: 3".into())
        );
        assert!(matches!(ended("kill -9 $$"), Exit::Failure(how) if how.contains("signal: 9")));
    }

    #[test]
    fn nothing_of_it_lives_on() {
        let busy = "trap '' TERM; /bin/sleep 100000 & echo $! > \"$2\"; ";
        let short = Duration::from_millis(200);
        let cases: [(&str, Duration, &dyn Fn() -> bool, Exit); 3] = [
            ("wait; wait", short, &|| false, Exit::TimedOut),
            ("wait; wait", LONG, &|| true, Exit::Stopped),
            ("exit 0", LONG, &|| false, Exit::Success),
        ];
        for (then, limit, stop, expected) in cases {
            let (dir, ending) = send(&format!("{busy}{then}"), limit, stop);
            assert_eq!(ending, expected);
            // One that was ended before it began has left nothing.
            let Ok(pid) = std::fs::read_to_string(dir.path().join("left")) else {
                continue;
            };
            until_gone(&pid);
        }
    }
}
