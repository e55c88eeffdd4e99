//! Delivery of events to the commands that a user configured: the only place that runs hooks.
//!
//! Use cases note events while they run, and hooks run only when the command is done: every
//! credential is stored then and every lock released, so a hook that fails or hangs costs no login.
//! What is sent is written to the log first, so a hundred processes that meet one refusal send one
//! message.

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use crate::model::alert::{Alert, Hooks};
use crate::model::expiry::End;
use crate::model::hint::Hint;
use crate::model::id::AgentId;
use crate::model::path;
use crate::model::time::Timestamp;
use crate::model::variable::{SECRETS, names_credential};
use crate::ports::program::{Exit, HookCommand};

use super::sent_log;
use crate::app::context::Context;
use crate::app::credential::env_keys::of_known_credentials;

/// The time limit of a hook.
const LIMIT: Duration = Duration::from_secs(10);
/// Set for a hook. If it is set no hook is run: a hook that runs `openclaw` would call itself.
const EVENT: &str = "OPENCLAW_EVENT";

/// Validates the configured hooks without running them; one message per problem.
pub(in crate::app) fn check(cx: Context<'_>) -> Vec<String> {
    cx.alerts.is_checked.store(true, Ordering::Relaxed);
    let (hooks, findings) = match cx.catalogue.hooks() {
        Ok(found) => found,
        Err(error) => return vec![error.to_string()],
    };
    let unfit = hooks.commands.iter().filter_map(|(event, command)| {
        let path = find(cx, command.first()?);
        let judged = path.and_then(|path| {
            let judged = cx.programs.check_permissions(&path);
            judged.map_err(|error| error.to_string())
        });
        let fault = judged.err()?;
        Some(format!("the hook for {}: {fault}", event.as_ref()))
    });
    let findings = findings.iter().map(ToString::to_string);
    findings.chain(unfit).collect()
}

/// Runs the hooks for all events of the command. `render` turns advice about the logins of an agent
/// into text. Must be called when no lock is held and the output has been written.
///
/// What goes wrong is told, and is no failure.
pub fn deliver(cx: Context<'_>, render: &dyn Fn(&AgentId, &Hint) -> String) {
    let noted = cx.alerts.take();
    if noted.is_empty() || cx.env.plain(EVENT).is_some() {
        return;
    }
    let tell = |text: String| cx.warn(text);
    let is_checked = cx.alerts.is_checked.load(Ordering::Relaxed);
    let hooks = match cx.catalogue.hooks() {
        Ok((hooks, findings)) => {
            let news = findings.iter().filter(|_| !is_checked);
            news.for_each(|finding| tell(finding.to_string()));
            hooks
        }
        Err(_) if is_checked => return,
        Err(error) => return tell(format!("no hooks are run: {error}")),
    };
    let wanted = noted.into_iter();
    let wanted: Vec<Alert> = wanted
        .filter(|alert| hooks.of(alert.event).is_some())
        .collect();
    let claimed = sent_log::claim(cx, wanted);
    if claimed.is_empty() {
        return;
    }
    // A hook is no part of our process group: a signal that killed us would leave it behind.
    cx.interrupt.defer();
    let known = of_known_credentials(cx);
    let is_credential = |name: &str| {
        name.starts_with(SECRETS) || names_credential(name) || known.iter().any(|one| one == name)
    };
    let withheld =
        |name: &str| is_credential(name) && !hooks.env_keep.iter().any(|kept| kept == name);
    let mut arrived = Vec::new();
    let mut unsent = claimed.len();
    for alert in claimed {
        unsent -= 1;
        let told = Told {
            message: render(&alert.agent, &alert.message),
            command: (alert.command.as_ref()).map(|command| render(&alert.agent, command)),
            alert: &alert,
        };
        match run(cx, &hooks, &told, &withheld) {
            Ok(()) => arrived.extend(alert.mark),
            Err(Trouble { words, is_over }) => {
                let event = alert.event.as_ref();
                tell(format!(
                    "the hook for {event} of {}: {words}",
                    alert.profile
                ));
                if is_over {
                    match unsent {
                        0 => {}
                        1 => tell("the hook for 1 other event was not run".to_owned()),
                        _ => tell(format!("the hooks for {unsent} other events were not run")),
                    }
                    break;
                }
            }
        }
    }
    sent_log::arrived(cx, &arrived);
}

/// Why a message was not delivered, and whether no further one is sent.
struct Trouble {
    words: String,
    is_over: bool,
}

/// An alert with its rendered texts.
struct Told<'a> {
    alert: &'a Alert,
    message: String,
    command: Option<String>,
}

fn run(
    cx: Context<'_>,
    hooks: &Hooks,
    told: &Told<'_>,
    withheld: &dyn Fn(&str) -> bool,
) -> Result<(), Trouble> {
    let failed = |words: String| Trouble {
        words,
        is_over: false,
    };
    let command = hooks.of(told.alert.event).unwrap_or_default();
    let Some((program, args)) = command.split_first() else {
        return Ok(());
    };
    let path = find(cx, program).map_err(failed)?;
    let limit = hooks.limit.map_or(LIMIT, |limit| limit.min(LIMIT));
    // One that came before has ended the command, and not what tells of it.
    let before = cx.interrupt.pending();
    let ending = cx.programs.run(&HookCommand {
        path: &path,
        args,
        with: &variables(told),
        withheld,
        input: line(told),
        limit,
        stop: &|| cx.interrupt.pending() != before,
    });
    match ending {
        Ok(Exit::Success) => Ok(()),
        Ok(Exit::Failure(how)) => Err(failed(format!("{program} {how}"))),
        Err(error) => Err(failed(error.to_string())),
        // The next one would hang as well, and the person has waited enough.
        Ok(Exit::TimedOut) => Err(Trouble {
            words: format!(
                "{program} did not finish within {} ms and was killed",
                limit.as_millis()
            ),
            is_over: true,
        }),
        Ok(Exit::Stopped) => Err(Trouble {
            words: "it was interrupted".to_owned(),
            is_over: true,
        }),
    }
}

/// Finds a program by its path, or by its name on `PATH`.
fn find(cx: Context<'_>, program: &str) -> Result<PathBuf, String> {
    if program.contains('/') {
        return Ok(path::resolve(program, &cx.dirs.home, &cx.dirs.home));
    }
    let on_path = cx.programs.on_path(program).into_iter();
    let mut fit = on_path.filter(|path| cx.programs.check_permissions(path).is_ok());
    fit.next()
        .ok_or_else(|| format!("{program} is not on PATH or not executable"))
}

/// Returns the variables for a hook, for people who write shell scripts.
fn variables(told: &Told<'_>) -> Vec<(&'static str, String)> {
    let alert = told.alert;
    let mut variables = vec![
        (EVENT, alert.event.as_ref().to_owned()),
        ("OPENCLAW_EVENT_PROFILE", alert.profile.in_environment()),
        ("OPENCLAW_EVENT_PROVIDER", alert.provider.to_string()),
        ("OPENCLAW_EVENT_AGENT", alert.agent.to_string()),
        ("OPENCLAW_EVENT_MESSAGE", told.message.clone()),
    ];
    // Set and empty where there is none: a script under `set -u` works all the same.
    let end = End::known_of(alert.end).map(Timestamp::iso8601);
    variables.push(("OPENCLAW_EVENT_END", end.unwrap_or_default()));
    let command = told.command.clone().unwrap_or_default();
    variables.push(("OPENCLAW_EVENT_COMMAND", command));
    variables
}

/// Returns the line of JSON for a hook.
fn line(told: &Told<'_>) -> Vec<u8> {
    let alert = told.alert;
    let line = json!({
        "event": alert.event.as_ref(),
        "profile": alert.profile.as_str(),
        "provider": alert.provider.as_str(),
        "agent": alert.agent.as_str(),
        "end": End::known_of(alert.end),
        "message": told.message,
        "command": told.command,
    });
    format!("{line}\n").into_bytes()
}
