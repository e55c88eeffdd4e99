//! `doctor`: proves on the user's own disk what every promise about credentials rests on, and says
//! what lies around that somebody should know of.
//!
//! Only throw-away files are written, in a directory that is removed again whatever happens. Every
//! check runs on a thread of its own, for a dead network disk answers nothing, not even that it is
//! dead; one that takes too long is left behind and said so.

mod disk;
mod findings;
mod imports;
mod lab;
pub(in crate::app) mod other_users;
mod place;
mod report;
mod secrets;
mod trash;

use lab::DiskCheck;
pub use lab::Lab;
pub use report::{Check, Report, Status, Verdict};

use std::path::{Path, PathBuf};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::model::hint::{Command, Hint, shell_word};
use crate::model::id::AgentId;
use crate::ports::disk::Owner;
use crate::ports::files::{FileError, Files};

use super::context::Context;
use super::failure::Failure;

/// The default time limit of the whole command.
pub const USUAL_TIMEOUT: Duration = Duration::from_millis(1_900);
/// The least time for cleaning up, even if the limit has passed.
const CLEANING: Duration = Duration::from_millis(500);
/// The beginning of the temporary directory's name; the process id follows.
const PREFIX: &str = ".openclaw-doctor-";

/// Checks the state directory, and each agent's directory on another device. A check may take up to
/// half of `timeout`. `fault` says why the configuration could not be read; then only the main
/// agent is known. With `fix`, files that nobody needs are removed.
///
/// # Errors
/// If a signal asked to stop; what was found wrong stands in the report.
pub fn run(
    cx: Context<'_>,
    lab: &Lab,
    fault: Option<&Failure>,
    timeout: Duration,
    fix: bool,
) -> Result<Report, Failure> {
    cx.interrupt.defer();
    let mut session = Session {
        lab: lab.clone(),
        start: lab.clock.monotonic(),
        budget: timeout,
        limit: timeout / 2,
        checks: Vec::new(),
        is_stuck: false,
    };
    for place in session.places(cx) {
        session.examine(&place);
        cx.uninterrupted()?;
    }
    session.checks.push(configuration(cx, fault));
    // What hangs would hang here, too, where nobody has patience with it.
    if !session.is_stuck {
        if fix {
            session.checks.extend(adopt(cx, lab));
            session.checks.extend(findings::fix(cx));
        }
        session.checks.push(owners(cx, lab));
        session.checks.extend(findings::look(cx));
    }
    Ok(Report {
        state: cx.dirs.state.clone(),
        checks: session.checks,
    })
}

fn configuration(cx: Context<'_>, fault: Option<&Failure>) -> Check {
    let verdict = match fault {
        None => Verdict::ok("valid"),
        Some(fault) => {
            let found = format!("{fault}; only the main agent is checked");
            Verdict::warning(found, fault.hint.clone().unwrap_or_default())
        }
    };
    Check {
        name: "configuration",
        place: cx.config.path().to_owned(),
        verdict,
    }
}

/// Finds what root left in a directory of somebody else, who is locked out by it.
fn owners(cx: Context<'_>, lab: &Lab) -> Check {
    let place = cx.dirs.state.clone();
    let verdict = match lab.disk.strangers(&place).unwrap_or_default().first() {
        None => Verdict::ok("nothing belongs to root alone"),
        Some(first) => {
            let found = format!("{} belongs to root", first.display());
            let word = shell_word(&place.display().to_string());
            let advice = match lab.disk.owner(&place) {
                Ok(Owner::User) => format!("sudo chown -R \"$USER\" {word}").into(),
                _ => Hint::from(Command::new("doctor --fix")),
            };
            Verdict::warning(found, advice)
        }
    };
    Check {
        name: "owners",
        place,
        verdict,
    }
}

/// Gives it back; `None` if there is nothing.
fn adopt(cx: Context<'_>, lab: &Lab) -> Option<Check> {
    let place = cx.dirs.state.clone();
    let verdict = match lab.disk.adopt(&place) {
        Ok(0) => return None,
        Ok(count) => Verdict::ok(format!("gave {count} files of root to their user")),
        Err(error) => Verdict::warning(error.to_string(), "run it as root"),
    };
    Some(Check {
        name: "fixed",
        place,
        verdict,
    })
}

/// A run of the command.
struct Session {
    lab: Lab,
    start: Duration,
    /// The time limit of the run.
    budget: Duration,
    /// The time limit of one check.
    limit: Duration,
    checks: Vec<Check>,
    is_stuck: bool,
}

impl Session {
    /// Lists the state directory, and those of the agents that are on other devices.
    fn places(&mut self, cx: Context<'_>) -> Vec<PathBuf> {
        let state = cx.dirs.state.clone();
        let directories = std::iter::once(AgentId::main()).chain(cx.settings.agent_ids());
        let directories: Vec<PathBuf> = directories
            .map(|agent| cx.store_files.directory(&agent))
            .collect();
        let found = self.within(move |lab| {
            let device = |path: &Path| lab.files.stat(path).ok().flatten().map(|s| s.identity.0);
            let mut devices = vec![device(&state)];
            let mut places = vec![state];
            for directory in directories {
                let device = device(&directory);
                if device.is_some() && !devices.contains(&device) {
                    devices.push(device);
                    places.push(directory);
                }
            }
            places
        });
        found.unwrap_or_else(|| vec![cx.dirs.state.clone()])
    }

    fn examine(&mut self, place: &Path) {
        let path = place.to_owned();
        let made = self.within(move |lab| make(lab, &path));
        let verdict = match &made {
            Some(Ok(_)) => Some(Verdict::ok("files can be created")),
            Some(Err(error)) => {
                let advice = format!("make {} writable for this user", place.display());
                Some(Verdict::failed(error.to_string(), advice))
            }
            None => None,
        };
        self.note("writable", place, verdict);
        self.run_all(&place::LOOKS, place, place);
        let Some(Ok((bench, missing))) = made else {
            return;
        };
        self.run_all(&disk::TRIALS, place, &bench);
        let path = bench.clone();
        let cleaned = self.wait(self.limit.max(CLEANING), move |lab| {
            clean(&*lab.files, &path)?;
            missing.iter().try_for_each(|path| lab.files.remove(path))
        });
        if !matches!(cleaned, Some(Ok(()))) {
            let found = format!("{} could not be removed", bench.display());
            let verdict =
                Verdict::warning(found, "delete it yourself; it contains no data of yours");
            self.note("cleanup", place, Some(verdict));
        }
    }

    /// Runs checks of `place` in the directory at `path`.
    fn run_all(&mut self, checks: &[DiskCheck], place: &Path, path: &Path) {
        for &(name, check) in checks {
            let path = path.to_owned();
            let verdict = self.within(move |lab| lab::told(check(lab, &path)));
            self.note(name, place, verdict);
        }
    }

    fn note(&mut self, name: &'static str, place: &Path, verdict: Option<Verdict>) {
        let verdict = verdict.unwrap_or_else(|| {
            Verdict::warning(
                "timed out before it could be checked",
                "run it again with a longer --timeout",
            )
        });
        self.checks.push(Check {
            name,
            place: place.to_owned(),
            verdict,
        });
    }

    /// Runs `work` on a thread; `None` if it takes too long.
    fn within<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&Lab) -> T + Send + 'static,
    ) -> Option<T> {
        let spent = self.lab.clock.monotonic().saturating_sub(self.start);
        let limit = self.limit.min(self.budget.saturating_sub(spent));
        if limit.is_zero() {
            self.is_stuck = true;
            return None;
        }
        self.wait(limit, work)
    }

    fn wait<T: Send + 'static>(
        &mut self,
        limit: Duration,
        work: impl FnOnce(&Lab) -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = channel();
        let lab = self.lab.clone();
        std::thread::spawn(move || {
            // Nobody may be listening any more.
            let _ = sender.send(work(&lab));
        });
        let outcome = receiver.recv_timeout(limit).ok();
        self.is_stuck |= outcome.is_none();
        outcome
    }
}

/// Makes the temporary directory. Returns it, and the directories above it that had to be made, the
/// innermost first. What dead processes left is removed before.
fn make(lab: &Lab, place: &Path) -> Result<(PathBuf, Vec<PathBuf>), FileError> {
    let files = &*lab.files;
    for name in files.list(place)? {
        let left_by = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.parse::<u32>().ok());
        if left_by.is_some_and(|pid| pid == lab.pid || !files.process_lives(pid)) {
            clean(files, &place.join(name))?;
        }
    }
    let mut missing = Vec::new();
    for directory in place.ancestors() {
        if files.stat(directory)?.is_some() {
            break;
        }
        missing.push(directory.to_owned());
    }
    let bench = place.join(format!("{PREFIX}{}", lab.pid));
    files.create_dirs(&bench)?;
    Ok((bench, missing))
}

fn clean(files: &dyn Files, bench: &Path) -> Result<(), FileError> {
    for name in files.list(bench)? {
        files.remove(&bench.join(name))?;
    }
    files.remove(bench)
}

#[cfg(test)]
mod tests;
