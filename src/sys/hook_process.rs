//! A program that is told something and then left alone, but not for ever.
//!
//! The invariant: nothing of it outlives the call. Its process group is killed when its time is
//! over, and when it has ended and left something behind.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::ports::host::Clock;
use crate::ports::program::{Exit, HookCommand, ProgramError};

use super::clock::SystemClock;
use super::program::PAUSE;
use super::{env, process_group};

/// Runs `target`, which was judged, and which `errand` knows by another path if links lead to it.
pub(super) fn run(target: &Path, errand: &HookCommand<'_>) -> Result<Exit, ProgramError> {
    let mut command = Command::new(target);
    command
        .arg0(errand.path)
        .args(errand.args)
        .envs(errand.with.iter().map(|(name, value)| (name, value)))
        .current_dir("/")
        .process_group(0)
        .stdin(Stdio::piped())
        // Ours may be the answer that a script reads.
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    for name in env::names_set() {
        if name.to_str().is_some_and(|name| (errand.withheld)(name)) {
            command.env_remove(name);
        }
    }
    let mut child = command.spawn().map_err(|error| ProgramError::NotStarted {
        path: errand.path.to_owned(),
        reason: error.to_string(),
    })?;
    if let Some(mut stdin) = child.stdin.take() {
        let input = errand.input.clone();
        // Whoever does not read blocks nobody; the end of the process closes the pipe.
        std::thread::spawn(move || stdin.write_all(&input));
    }
    let cut_off = watch(&child, errand);
    process_group::kill(&child, Signal::KILL);
    let status = child.wait();
    Ok(match (cut_off, status) {
        (Some(ending), _) => ending,
        (None, Ok(status)) if status.success() => Exit::Well,
        (None, Ok(status)) => Exit::Badly(format!("ended with {status}")),
        (None, Err(error)) => Exit::Badly(format!("cannot be waited for: {error}")),
    })
}

/// Waits for its end; why that is not waited for any longer.
fn watch(child: &Child, errand: &HookCommand<'_>) -> Option<Exit> {
    let clock = SystemClock::new();
    let deadline = clock.monotonic() + errand.limit;
    while !process_group::has_ended(child) {
        if (errand.stop)() {
            return Some(Exit::Stopped);
        }
        if clock.monotonic() >= deadline {
            return Some(Exit::TooLate);
        }
        clock.sleep(PAUSE);
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::ports::program::Programs;
    use crate::sys::program::SystemPrograms;
    use crate::sys::program::tests::script;

    /// Longer than any test; what is over sooner was ended.
    const LONG: Duration = Duration::from_secs(86_400);

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
        assert_eq!(ending, Exit::Well);
        assert_eq!(left(&dir), "a b {} x 2 [] /\n");
    }

    #[test]
    fn a_bad_end_is_told() {
        let ended = |text| send(text, LONG, &|| false).1;
        assert_eq!(
            ended("exit 3"),
            Exit::Badly("ended with exit status: 3".into())
        );
        assert!(matches!(ended("kill -9 $$"), Exit::Badly(how) if how.contains("signal: 9")));
    }

    #[test]
    fn nothing_of_it_lives_on() {
        let busy = "trap '' TERM; /bin/sleep 100000 & echo $! > \"$2\"; ";
        let short = Duration::from_millis(200);
        let cases: [(&str, Duration, &dyn Fn() -> bool, Exit); 3] = [
            ("wait; wait", short, &|| false, Exit::TooLate),
            ("wait; wait", LONG, &|| true, Exit::Stopped),
            ("exit 0", LONG, &|| false, Exit::Well),
        ];
        for (then, limit, stop, expected) in cases {
            let (dir, ending) = send(&format!("{busy}{then}"), limit, stop);
            assert_eq!(ending, expected);
            // One that was ended before it began has left nothing.
            let Ok(pid) = std::fs::read_to_string(dir.path().join("left")) else {
                continue;
            };
            let stat = format!("/proc/{}/stat", pid.trim());
            let clock = SystemClock::new();
            // An orphan that was killed stays until somebody has waited for it.
            while std::fs::read_to_string(&stat).is_ok_and(|stat| !stat.contains(") Z ")) {
                clock.sleep(PAUSE);
            }
        }
    }
}
