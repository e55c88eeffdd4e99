//! Findings in the state directory: what is damaged, open to others or left over. Reads only.

use std::error::Error;
use std::path::{Path, PathBuf};

use crate::model::credential::OAuth;
use crate::model::declared::Severity;
use crate::model::grant::{Attempt, GrantRecord, RefreshOutcome};
use crate::model::hint::{Command, Hint, shell_word};
use crate::model::id::AgentId;
use crate::model::state_files::{AGENTS, DECLARED, LOCKS, RESCUE};
use crate::ports::store::{Detail, Scope, StoreError};
use crate::ports::swap;

use super::report::{Check, Verdict};
use super::{imports, other_users, secrets, trash};
use crate::app::context::Context;
use crate::app::credential::document_faults::unusable_secrets;
use crate::app::credential::strays::{self, StrayFile};
use crate::app::credential::taken_away;
use crate::app::login;

/// The age in milliseconds at which a lock of OpenClaw is stale.
const STALE: i64 = 30_000;

/// The longest a refresh takes, in milliseconds: one that is still open then was never ended.
const LONGEST_REFRESH: i64 = 60_000;

/// Paths and the verdicts on them.
pub(super) type Found = Vec<(PathBuf, Verdict)>;

/// The name of a check, the text if it finds nothing, and the check.
type Inspection = (
    &'static str,
    &'static str,
    fn(Context<'_>, &[AgentId]) -> Found,
);

const LOOKS: [Inspection; 15] = [
    ("documents", "all readable", documents),
    ("file_modes", "credentials are private", file_modes),
    (
        "other_users",
        "nobody else can change what this program does",
        other_users::find,
    ),
    ("taken_away", "every login is where it was stored", taken),
    (
        "other_files",
        "no credentials in files that are not read",
        strays,
    ),
    ("refreshes", "no refresh with an unknown outcome", refreshes),
    ("responses", "no unsaved refresh responses", responses),
    (
        "imports",
        "no import into a database was interrupted",
        imports::find,
    ),
    ("quarantine", "no quarantined files", quarantine),
    ("stale_locks", "none", stale_locks),
    ("config_yaml", "no problems in config.yaml", config_yaml),
    ("secrets", "none found in the clear", secrets::find),
    ("trash", "no old files of deleted agents", trash::find),
    ("temp_files", "none left by a crash", temp_files),
    ("leftovers", "no files left by earlier versions", leftovers),
];

/// Runs all checks.
pub(super) fn look(cx: Context<'_>) -> Vec<Check> {
    let state = &cx.dirs.state;
    let mut checks = Vec::new();
    let agents = cx.store.agents().unwrap_or_else(|error| {
        checks.push(Check {
            name: "agents",
            place: state.join(AGENTS),
            verdict: unreadable(&error),
        });
        vec![AgentId::main()]
    });
    for (name, nothing, look) in LOOKS {
        let mut found = look(cx, &agents);
        if found.is_empty() {
            found.push((state.clone(), Verdict::ok(nothing)));
        }
        checks.extend(found.into_iter().map(|(place, verdict)| Check {
            name,
            place,
            verdict,
        }));
    }
    checks
}

fn unreadable(error: &dyn Error) -> Verdict {
    Verdict::warning(error.to_string(), "make it readable for this user")
}

/// Lists the directories that hold credentials, each with its file names. One that cannot be read
/// is reported by the checks of the disk.
fn names(cx: Context<'_>, agents: &[AgentId]) -> Vec<(PathBuf, Vec<String>)> {
    let directories = agents.iter().flat_map(|agent| {
        let own = cx.store_files.directory(agent);
        [own.join("auth-history"), own]
    });
    let state = cx.dirs.state.clone();
    directories
        .chain([state])
        .map(|path| {
            let names = cx.files.list(&path).unwrap_or_default();
            (path, names)
        })
        .collect()
}

fn documents(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let mut found = Found::new();
    for agent in agents {
        let place = cx.place_of(agent);
        match cx.look(agent, Scope::All, Detail::Masked) {
            Ok(document) => found.extend(unusable_secrets(&document).map(|(words, mend)| {
                let verdict = Verdict::warning(words, mend.of_agent(agent));
                (place.clone(), verdict)
            })),
            Err(error) => {
                let advice = match &error {
                    StoreError::Corrupt { .. } => {
                        "repair it; otherwise the next write moves it aside"
                    }
                    _ => "make it readable for this user",
                };
                found.push((place, Verdict::warning(error.to_string(), advice)));
            }
        }
        if let Err(error) = cx.store.inheritance(agent) {
            let verdict = Verdict::warning(error.to_string(), Command::isolate(agent));
            found.push((cx.store_files.directory(agent), verdict));
        }
    }
    found
}

fn config_yaml(cx: Context<'_>, _: &[AgentId]) -> Found {
    let path = cx.dirs.state.join(DECLARED);
    let findings = match cx.catalogue.findings() {
        Ok(findings) => findings,
        Err(error) => return vec![(path, unreadable(&error))],
    };
    let all = findings.into_iter();
    let telling = all.filter(|finding| finding.severity != Severity::Info);
    telling
        .map(|finding| {
            let advice = format!("correct line {}", finding.place.line);
            let verdict = Verdict::warning(finding.advice(), advice);
            (finding.place.file, verdict)
        })
        .collect()
}

fn file_modes(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let all = agents
        .iter()
        .flat_map(|agent| cx.store_files.wide_modes(agent));
    let verdict = |(path, mode): (PathBuf, u32)| {
        let word = shell_word(&path.display().to_string());
        let found = format!(
            "{} is accessible by others (mode {mode:03o})",
            path.display()
        );
        let verdict = Verdict::warning(found, format!("chmod go-rwx {word}"));
        (path, verdict)
    };
    all.map(verdict).collect()
}

/// Finds logins that another program took away since they were stored.
fn taken(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let of_agent = |agent: &AgentId| {
        let place = cx.place_of(agent);
        let all = taken_away::found(cx, agent).into_iter();
        let verdict = |(text, undo)| (place.clone(), Verdict::warning(text, undo));
        all.map(verdict).collect::<Found>()
    };
    agents.iter().flat_map(of_agent).collect()
}

/// Finds files with credentials that no command reads.
fn strays(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let of_agent = |agent: &AgentId| {
        let import = |file: &StrayFile| match agent.is_main() {
            true => file.import(),
            false => file.import().of_agent(agent),
        };
        let own = cx
            .store
            .look(agent, Scope::All, Detail::Masked)
            .unwrap_or_default();
        let found = strays::found(cx, agent, &own).into_iter();
        found
            .map(|file| {
                (
                    file.path.clone(),
                    Verdict::warning(file.text(), import(&file)),
                )
            })
            .collect::<Found>()
    };
    agents.iter().flat_map(of_agent).collect()
}

/// Finds stored grants whose last refresh was begun and never ended.
fn refreshes(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let mut found = Found::new();
    let local = cx.clock.local();
    let now = local.now;
    for agent in agents {
        let document = cx
            .store
            .look(agent, Scope::All, Detail::Masked)
            .unwrap_or_default();
        for (id, credential) in document.profiles() {
            let grant = credential.as_oauth().and_then(OAuth::grant);
            let record = grant.and_then(|grant| cx.store.grant_record(&grant).ok().flatten());
            let Some(Attempt {
                begun_at, outcome, ..
            }) = record.and_then(|record| record.attempt)
            else {
                continue;
            };
            let is_open = match outcome {
                None => begun_at.until(now) > LONGEST_REFRESH,
                Some(outcome) => matches!(outcome, RefreshOutcome::Unknown { .. }),
            };
            if is_open {
                let begun = local.spoken(begun_at);
                let verdict = Verdict::warning(
                    format!("the refresh of {id} started {begun} has no known outcome"),
                    Hint::from("check whether the login still works: ")
                        .run(Command::refresh(id).arg("--force")),
                );
                found.push((cx.place_of(agent), verdict));
            }
        }
    }
    found
}

fn responses(cx: Context<'_>, _: &[AgentId]) -> Found {
    let answers = match cx.store_files.waiting_answers() {
        Ok(answers) => answers,
        Err(error) => return vec![(cx.dirs.state.join(RESCUE), unreadable(&error))],
    };
    let of_refreshes = answers.into_iter().map(|(grant, path)| {
        let record = cx.store.grant_record(&grant).ok().flatten();
        let spent = record.filter(GrantRecord::is_not_understood);
        let verdict = match spent {
            Some(record) => not_understood(&path, &record),
            None => not_stored(&path),
        };
        (path, verdict)
    });
    let of_logins = login::waiting(cx).into_iter().map(|path| {
        let verdict = match login::is_unconfirmed(&path) {
            true => unconfirmed(&path),
            false => not_stored(&path),
        };
        (path, verdict)
    });
    of_refreshes.chain(of_logins).collect()
}

fn unconfirmed(path: &Path) -> Verdict {
    let found = format!("{} contains a login that nobody confirmed", path.display());
    Verdict::warning(found, login::to_store(path))
}

fn not_stored(path: &Path) -> Verdict {
    let found = format!(
        "{} contains a login that could not be stored",
        path.display()
    );
    let refresh = Command::new("models auth refresh");
    let advice = Hint::from("if the disk is full, free some space; then run: ").run(refresh);
    Verdict::warning(found, advice)
}

fn not_understood(path: &Path, record: &GrantRecord) -> Verdict {
    let found = format!(
        "{} contains a refresh response that cannot be used; it is kept",
        path.display()
    );
    let login = Command::login(&record.provider, Some(&record.profile));
    Verdict::warning(found, Hint::from("log in again: ").run(login))
}

fn quarantine(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let mut found = Found::new();
    for (directory, names) in names(cx, agents) {
        let aside = names.iter().filter(|name| name.contains(".unreadable-"));
        for name in aside {
            let path = directory.join(name);
            let text = format!("{} was unreadable and has been moved aside", path.display());
            let advice = "copy what you need from it, then delete it; it may contain credentials";
            found.push((path, Verdict::warning(text, advice)));
        }
    }
    found
}

fn stale_locks(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let mut found = Found::new();
    for agent in agents {
        let Some(document) = cx.store_files.document(agent) else {
            continue;
        };
        let mut path = document.into_os_string();
        path.push(".lock");
        let path = PathBuf::from(path);
        let Some(stat) = cx.files.stat(&path).ok().flatten() else {
            continue;
        };
        let age = stat.modified.until(cx.clock.now());
        if age > STALE {
            let text = format!("{} is {} s old", path.display(), age / 1_000);
            let advice = "no action needed: the next write removes it";
            found.push((path, Verdict::warning(text, advice)));
        }
    }
    found
}

fn temp_files(cx: Context<'_>, agents: &[AgentId]) -> Found {
    let mut found = Found::new();
    for (directory, names) in names(cx, agents) {
        for name in names {
            let pid = name
                .strip_prefix('.')
                .and_then(|rest| rest.strip_suffix(".tmp"))
                .and_then(|rest| rest.rsplit('.').nth(1))
                .and_then(|pid| pid.parse::<u32>().ok());
            if pid.is_some_and(|pid| !cx.files.process_lives(pid)) || swap::is_one(&name) {
                let path = directory.join(name);
                let text = format!("{} was left by a crash", path.display());
                let advice = "no action needed: the next write of that file removes it";
                found.push((path, Verdict::warning(text, advice)));
            }
        }
    }
    found
}

/// Finds files that an earlier version made for each refresh, and nobody needs.
fn leftovers(cx: Context<'_>, _: &[AgentId]) -> Found {
    let place = cx.dirs.state.join(LOCKS).join("oauth-refresh");
    let verdict = match cx.store_files.leftovers() {
        Ok(0) => return Found::new(),
        Ok(count) => Verdict::warning(
            format!("an earlier version left {count} files of used refresh tokens"),
            Command::new("doctor --fix"),
        ),
        Err(error) => unreadable(&error),
    };
    vec![(place, verdict)]
}

/// Removes files that nobody needs; `None` if there were none.
pub(super) fn fix(cx: Context<'_>) -> Option<Check> {
    let verdict = match cx.store_files.remove_leftovers() {
        Ok(0) => return None,
        Ok(count) => Verdict::ok(format!("removed {count} files of used refresh tokens")),
        Err(error) => Verdict::warning(error.to_string(), "make it writable for this user"),
    };
    Some(Check {
        name: "fixed",
        place: cx.dirs.state.clone(),
        verdict,
    })
}
