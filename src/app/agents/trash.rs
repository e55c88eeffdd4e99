//! The trash: where the files of deleted agents lie under dated names until somebody purges them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::workspace;
use crate::model::hint::Command;
use crate::model::id::AgentId;
use crate::model::state_files::TRASH;
use crate::model::time::Timestamp;
use crate::ports::files::FileError;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

/// How long what was deleted is left without a word.
pub const USUAL_AGE: Duration = Duration::from_secs(30 * 86_400);

/// What OpenClaw and this program keep in the directory of an agent. Both add more names behind a
/// dot: backups, locks, copies of what could not be read.
const OWN: [&str; 8] = [
    "auth-profiles",
    "auth-state",
    "auth",
    "auth-history",
    "inherits",
    "models",
    "settings",
    "openclaw-agent",
];
/// The files of which one at least shows that a directory is an agent's.
const TELLING: [&str; 4] = [
    "auth-profiles.json",
    "auth-state.json",
    "auth.json",
    "models.json",
];

/// A deleted agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// Where its files lie.
    pub path: PathBuf,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// Fails unless a directory outside the state directory holds an agent's files and nothing else: a
/// configuration may name anything, the home directory, too.
pub(super) fn check_is_agents(
    cx: Context<'_>,
    id: &AgentId,
    directory: &Path,
) -> Result<(), Failure> {
    let names = cx.files.list(directory)?;
    if names.is_empty() {
        return Ok(());
    }
    let workspace = workspace::of(cx.settings, id, &cx.dirs.home, &cx.dirs.cwd);
    let own = |name: &&String| {
        let stem = name
            .trim_start_matches('.')
            .split('.')
            .next()
            .unwrap_or_default();
        OWN.contains(&stem)
    };
    let foreign = names.iter().find(|name| !own(name));
    let why = if [&cx.dirs.home, &cx.dirs.state, &workspace]
        .iter()
        .any(|kept| kept.starts_with(directory))
    {
        "it holds more than this agent".to_owned()
    } else if let Some(name) = foreign {
        format!("it also contains {}", crate::model::id::printable(name, 80))
    } else if !names.iter().any(|name| TELLING.contains(&name.as_str())) {
        "it holds no files of an agent".to_owned()
    } else {
        return Ok(());
    };
    let at = directory.display();
    let message = format!("Agent \"{id}\" was not deleted: {at} is its agentDir, and {why}");
    let hint = format!("remove agentDir of {id} from openclaw.json, then run the command again");
    Err(Failure::new(Kind::Config, message).hint(hint))
}

/// Moves a directory to a free, dated name; returns `None` if it does not exist.
pub(super) fn put(
    cx: Context<'_>,
    id: &AgentId,
    directory: &Path,
) -> Result<Option<PathBuf>, Failure> {
    let storage = |error: FileError| {
        let message = format!(
            "Agent \"{id}\" was not deleted: {} could not be moved: {error}",
            directory.display()
        );
        let again = Command::new("agents delete").arg(id);
        Failure::new(Kind::Storage, message).hint(again)
    };
    if cx.files.stat(directory).map_err(storage)?.is_none() {
        return Ok(None);
    }
    let trash = place(cx);
    cx.files.create_dirs(&trash).map_err(storage)?;
    let stamp = cx.clock.now().file_stamp();
    let mut number = 0;
    loop {
        let suffix = if number == 0 {
            String::new()
        } else {
            format!("-{number}")
        };
        let to = trash.join(format!("agent-{id}-{stamp}{suffix}"));
        if cx.files.stat(&to).map_err(storage)?.is_none() {
            cx.files.move_dir(directory, &to).map_err(storage)?;
            return Ok(Some(to));
        }
        number += 1;
    }
}

/// Lists the agents that were deleted longer ago than `age`, by name. What somebody else put there
/// is none.
///
/// # Errors
/// If the trash cannot be read.
pub fn list(cx: Context<'_>, age: Duration) -> Result<Vec<Trashed>, FileError> {
    let trash = place(cx);
    let names = cx.files.list(&trash)?;
    let now = cx.clock.now();
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    let trashed = names.iter().filter_map(|name| {
        let deleted_at = deleted_at(name)?;
        (now.0.saturating_sub(deleted_at.0).max(0) >= age).then(|| Trashed {
            path: trash.join(name),
            deleted_at,
        })
    });
    Ok(trashed.collect())
}

/// Removes for ever what was deleted longer ago than `age`, after a question; returns what it was.
/// With `dry_run` nothing is asked or removed.
///
/// # Errors
/// [`Kind::Usage`] if the answer was no or nobody can be asked, and [`Kind::Storage`] if something
/// cannot be removed; what comes before it in the list is gone then.
pub fn purge(
    cx: Context<'_>,
    age: Duration,
    yes: bool,
    dry_run: bool,
) -> Result<Vec<Trashed>, Failure> {
    let all = list(cx, age)?;
    if dry_run || all.is_empty() {
        return Ok(all);
    }
    if !yes {
        let agents = match all.len() {
            1 => "one deleted agent".to_owned(),
            count => format!("{count} deleted agents"),
        };
        let prompt =
            format!("Delete the files of {agents}, credentials included? This cannot be undone.");
        let refused = "Nothing was purged".to_owned();
        let unasked = format!("{refused}: there is no terminal to confirm it");
        let age = format!("{}s", age.as_secs());
        let command = Command::new("agents purge --yes").option("--older-than", &age);
        cx.require_yes(&prompt, (unasked, refused), command)?;
    }
    for trashed in &all {
        cx.files.remove_tree(&trashed.path)?;
    }
    Ok(all)
}

fn place(cx: Context<'_>) -> PathBuf {
    cx.dirs.state.join(TRASH)
}

/// Reads the date in a name that [`put`] gave: `agent-<id>-20261121-030758`, or with a number behind.
fn deleted_at(name: &str) -> Option<Timestamp> {
    let rest = name.strip_prefix("agent-")?;
    let parts: Vec<&str> = rest.rsplit('-').collect();
    let stamp = |date: &&str, time: &&str| Timestamp::parse_file_stamp(&format!("{date}-{time}"));
    match parts.as_slice() {
        [time, date, _, ..] if date.len() == 8 => stamp(date, time),
        [_, time, date, _, ..] => stamp(date, time),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_when_the_agent_was_deleted() {
        let at = Timestamp::parse_file_stamp("20261121-030758");
        assert!(at.is_some());
        for name in ["work", "work-2", "20250101-000000"] {
            for end in ["", "-1", "-12"] {
                let name = format!("agent-{name}-20261121-030758{end}");
                assert_eq!(deleted_at(&name), at, "{name}");
            }
        }
        for name in [
            "notes",
            "agent-",
            "agent-work",
            "agent-work-20261121",
            ".agent.partial",
        ] {
            assert_eq!(deleted_at(name), None, "{name}");
        }
    }
}
