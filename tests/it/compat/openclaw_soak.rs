//! Two minutes beside the real OpenClaw, which pastes tokens without a lock while we do.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rexpect::session::spawn_command;

use super::openclaw_package::package_command;
use crate::support::{World, setup_token};

const SOAK: Duration = Duration::from_secs(120);
/// A person does not paste faster, nor do two programs.
const PAUSE: Duration = Duration::from_millis(300);
const PASTE: [&str; 5] = ["models", "auth", "paste-token", "--provider", "anthropic"];

/// Pastes with the package; true if it says that the token is stored. Its refusal to write a
/// configuration that has changed since it was read is its own.
pub(super) fn paste_theirs(world: &World, release: &str, id: &str) -> bool {
    let args = [&PASTE[..], &["--profile-id", id]].concat();
    let package = package_command(world, release, &args);
    // Where a terminal has no width, every letter stands on a line of its own.
    let mut command = Command::new("sh");
    command.args(["-c", "stty cols 200 rows 50; exec \"$0\" \"$@\""]);
    command.arg(package.get_program()).args(package.get_args());
    let env = package.get_envs();
    command
        .env_clear()
        .envs(env.filter_map(|(name, value)| Some((name, value?))));
    command.env("TERM", "xterm").stdin(Stdio::inherit());
    command.current_dir(world.directory.path());
    let mut session = spawn_command(command, Some(60_000)).unwrap();
    session.exp_string("Paste token for anthropic").unwrap();
    session.send(&format!("{}\r", setup_token())).unwrap();
    session.flush().unwrap();
    let said = session.exp_eof().unwrap();
    said.contains(&format!("Auth profile: {id}"))
}

/// Ends what goes on meanwhile, also if the test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

fn paste_ours(world: &World, id: &str) {
    let args = [&PASTE[..], &["--profile-id", id]].concat();
    let pasted = world.pipe(&args, &setup_token());
    assert_eq!(pasted.code, 0, "{pasted:?}");
}

#[test]
#[ignore = "needs the packages of tests/openclaw-npm, and two minutes"]
fn what_either_program_said_was_saved_is_there_or_comes_back() {
    let world = World::new();
    paste_ours(&world, "anthropic:first");
    let is_over = AtomicBool::new(false);
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    let mut refused = 0;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for n in 0.. {
                if is_over.load(Ordering::SeqCst) {
                    break;
                }
                let id = format!("anthropic:ours-{n}");
                paste_ours(&world, &id);
                ours.push(id);
                std::thread::sleep(PAUSE);
            }
        });
        let _over = Over(&is_over);
        let start = Instant::now();
        for n in 0.. {
            if start.elapsed() > SOAK {
                break;
            }
            let id = format!("anthropic:theirs-{n}");
            match paste_theirs(&world, "openclaw-late", &id) {
                true => theirs.push(id),
                false => refused += 1,
            }
        }
    });
    let is_there = |id: &String| world.store()["profiles"][id].is_object();
    let taken: Vec<_> = ours.iter().filter(|id| !is_there(id)).collect();
    let _ = writeln!(
        std::io::stderr(),
        "{} of ours, {} of them taken away; {} of theirs, and {refused} that they refused",
        ours.len(),
        taken.len(),
        theirs.len()
    );
    for id in taken {
        let told = world.run(&["models", "status"]).out;
        assert!(told.contains(&format!("models auth undo {id}")), "{told}");
        let undone = world.run(&["models", "auth", "undo", id]);
        assert_eq!(undone.code, 0, "{undone:?}");
    }
    for id in ours.iter().chain(&theirs) {
        assert!(is_there(id), "{id} is lost");
    }
    assert!(!theirs.is_empty(), "they stored nothing");
}
