//! `models auth login --finish`: the second half of a login that [`start`](super::start) began.
//!
//! It takes what the browser ended on, checks its `state`, and uses the code once. A code that is
//! not the answer, and a network that failed before the code was judged, leave the attempt there
//! for another try.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProviderId};
use crate::model::secret::Secret;
use crate::model::time::LocalTime;
use crate::oauth::authorization::{AuthorizationCode, PendingAuthorization};
use crate::oauth::error::OAuthError;
use crate::oauth::paste::Pasted;
use crate::ports::dialog::{DialogError, Notice, Question};

use super::super::failure::{Failure, Kind};
use super::attempts;
use super::auth_code::{CodeFlow, exchange_failure};
use super::file_name;
use super::login_file::is_open;
use super::pending::{self, Pending};
use super::request::{Login, Request};
use super::sources::judge;
use super::start::{finish_command, start_command};
use super::{choose, obey_signal};
use crate::app::context::Context;
use crate::app::deposit::StoredProfile;

/// What to do with a code whose login is not known.
const WHOLE_URL: &str = "paste the whole URL that the browser was redirected to";

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Only logins of this agent.
    pub agent: Option<AgentId>,
    /// The attempt; by default the one whose `state` came back.
    pub attempt: Option<String>,
    /// The file with the redirect URL; `-` for standard input.
    pub code_file: PathBuf,
    /// Accept a code without its `state`: the caller vouches that it belongs to this login.
    pub accept_bare_code: bool,
}

/// Completes a login that was started.
///
/// # Errors
/// [`Kind::Usage`] if what was pasted is not the answer to it, [`Kind::NotFound`] if there is no
/// such attempt any more, [`Kind::NeedsLogin`] if the provider refused, [`Kind::Temporary`] for the
/// network, [`Kind::Busy`], and what the store says. Nothing is stored then.
pub fn run(cx: Context<'_>, wanted: &Wanted) -> Result<StoredProfile, Failure> {
    if let Some(agent) = &wanted.agent {
        cx.require_agent(agent)?;
    }
    // A signal ends the wait for a pipe.
    let pasted = read(cx, &wanted.code_file)?;
    cx.interrupt.defer();
    let pasted = match Pasted::parse(pasted.expose()) {
        Pasted::Invalid(why) => return Err(unusable(&why, None)),
        pasted => pasted,
    };
    // Held until the attempt is gone: another process finds either it or nothing.
    let _lock = pending::lock(cx)?;
    let found = attempts::all(cx)?;
    let picked = pick(&found.open, wanted, &pasted, cx.clock.local());
    attempts::sweep(cx, &found);
    let pending = match (picked, &found.fault) {
        // It may be one of those that are locked.
        (Err(failure), Some(fault)) if failure.kind == Kind::NotFound => {
            return Err(fault.clone().into());
        }
        (picked, _) => picked?,
    };
    let provider = cx.provider(&pending.provider)?;
    let flow = CodeFlow::of(cx, &provider, choose(&provider, Some(&pending.method))?)?;
    if !flow.client.binding().is_same(&pending.code.binding()) {
        let message = format!(
            "the client or token endpoint of {} has changed since this login was started; the code was not sent",
            provider.name
        );
        return Err(Failure::new(Kind::Config, message).hint(start_command(&provider.id)));
    }
    let login = Login {
        cx,
        request: &request(pending),
        provider: &provider,
        relay: None,
    };
    let ending = Completion {
        login,
        pending,
        flow,
        attempt: pending.code.authorization(),
    };
    let code = ending.judge(pasted, wanted.accept_bare_code)?;
    obey_signal(cx, ending.spend(&code)?)
}

/// Restores the request of the login.
fn request(pending: &Pending) -> Request {
    Request {
        agent: pending.agent.clone(),
        provider: pending.provider.clone(),
        method: Some(pending.method.clone()),
        profile: pending.profile.clone(),
        no_browser: true,
        clipboard: false,
        timeout: Duration::ZERO,
        set_default: pending.set_default,
        yes: false,
        attempt: Some(pending.id.clone()),
        scopes: None,
        display_name: None,
    }
}

/// An attempt whose code has come.
struct Completion<'a> {
    login: Login<'a>,
    pending: &'a Pending,
    flow: CodeFlow,
    attempt: PendingAuthorization,
}

impl Completion<'_> {
    /// Returns the code, if it belongs to the attempt.
    fn judge(&self, pasted: Pasted, accept_bare: bool) -> Result<AuthorizationCode, Failure> {
        let query = match pasted {
            Pasted::Query(query) => query,
            Pasted::BareCode(code) if accept_bare && self.flow.ends_in_grant() => {
                return Ok(AuthorizationCode::unproven(code));
            }
            Pasted::BareCode(_) | Pasted::Invalid(_) => return Err(self.unproven()),
        };
        // A URL or a query without it is vouched for like the code alone.
        let value = |name: &str| query.iter().find(|(other, _)| other == name);
        if let (Some((_, code)), None, None) = (value("code"), value("state"), value("error"))
            && accept_bare
            && self.flow.ends_in_grant()
        {
            return Ok(AuthorizationCode::unproven(code.clone()));
        }
        let ended = judge(self.login, &self.attempt, &query)
            .map_err(|error| unusable(&error.to_string(), Some(self.pending)))?;
        ended.map_err(|failure| {
            self.forget();
            failure.hint(start_command(&self.pending.provider))
        })
    }

    /// Exchanges the code, once.
    fn spend(&self, code: &AuthorizationCode) -> Result<StoredProfile, Failure> {
        let Login { cx, provider, .. } = self.login;
        // Before the code is spent for a login that could not be kept.
        cx.store.check_writable(&self.pending.agent)?;
        cx.dialog.notice(&Notice::Exchanging);
        let saver = self.flow.prepare(self.login, &self.attempt)?;
        let gained = self.flow.exchange(self.login, &self.attempt, code, &saver);
        let saved = saver.finish();
        match gained {
            Ok(gained) => {
                let kept = gained.keep(self.login, saved);
                self.forget();
                kept.map_err(|failure| match is_open(&failure) {
                    true => failure,
                    false => begin_anew(failure, &provider.id),
                })
            }
            Err(error) if error.is_final() => {
                self.forget();
                let failure = saved.settle_failed(cx, &error, exchange_failure(provider, &error));
                Err(failure.hint(start_command(&provider.id)))
            }
            Err(error) => {
                let failure = exchange_failure(provider, &error);
                let mut failure = saved.settle_failed(cx, &error, failure);
                failure.message.push_str(match &error {
                    OAuthError::Unknown { .. } => {
                        "; the code may be used already: try once more, else start again"
                    }
                    _ => "; the login is still waiting for its code",
                });
                let command = finish_command(&self.pending.id);
                Err(failure.hint(by_pipe(command)))
            }
        }
    }

    /// Makes the failure for a bare code: without `state`, nothing shows that it belongs to this
    /// login (RFC 6749 section 10.12).
    fn unproven(&self) -> Failure {
        let message = "code not used: without its state it may belong to another login; this login is still waiting";
        let command = finish_command(&self.pending.id);
        Failure::new(Kind::Usage, message).hint(match self.flow.ends_in_grant() {
            true => Hint::from(format!("{WHOLE_URL}; or, if you got the code yourself: "))
                .run(command.arg("--accept-bare-code")),
            false => WHOLE_URL.into(),
        })
    }

    fn forget(&self) {
        if let Err(failure) = self.pending.remove(self.login.cx) {
            let id = &self.pending.id;
            let text =
                format!("login {id} is finished, but its file could not be removed: {failure}");
            self.login.cx.warn(text);
        }
    }
}

fn read(cx: Context<'_>, file: &Path) -> Result<Secret<String>, Failure> {
    if file == Path::new("-") || file == Path::new("/dev/stdin") {
        cx.interrupt.defer();
        let question =
            Question::Secret("Paste the URL that the browser was redirected to".to_owned());
        return match cx.dialog.ask(&question, &|| false) {
            Ok(text) => Ok(text),
            Err(DialogError::Failed(why)) => Err(unusable(&why, None)),
            Err(error) => Err(error.into()),
        };
    }
    let path = cx.dirs.cwd.join(file);
    let Some(bytes) = cx.files.read_input(&path)? else {
        let message = format!("{} does not exist", path.display());
        let hint = "name the file that contains the URL, or - for standard input";
        return Err(Failure::new(Kind::NotFound, message).hint(hint));
    };
    let bytes = Secret::new(bytes);
    match std::str::from_utf8(bytes.expose()) {
        Ok(text) => Ok(Secret::from(text)),
        Err(_) => Err(unusable("not UTF-8 text", None)),
    }
}

/// Finds the attempt: the one that was named, else the one whose `state` came back, else the only
/// one.
fn pick<'a>(
    attempts: &'a [Pending],
    wanted: &Wanted,
    pasted: &Pasted,
    local: LocalTime,
) -> Result<&'a Pending, Failure> {
    let is_meant = |attempt: &&Pending| {
        wanted
            .agent
            .as_ref()
            .is_none_or(|agent| attempt.agent == *agent)
            && wanted.attempt.as_ref().is_none_or(|id| attempt.id == *id)
    };
    let meant: Vec<&Pending> = attempts.iter().filter(is_meant).collect();
    let state = match pasted {
        Pasted::Query(query) => query.iter().find(|(name, _)| name == "state"),
        Pasted::BareCode(_) | Pasted::Invalid(_) => None,
    };
    let is_proven =
        |attempt: &&&Pending| state.is_some_and(|(_, state)| *state == attempt.code.state);
    if let Some(attempt) = meant.iter().find(is_proven) {
        return living(attempt, local);
    }
    let alive: Vec<&Pending> = meant
        .iter()
        .copied()
        .filter(|a| !a.is_over(local.now))
        .collect();
    match (alive.as_slice(), meant.first()) {
        ([only], _) => Ok(only),
        ([], Some(over)) => living(over, local),
        ([], None) => Err(no_such_attempt(wanted)),
        (several, _) => Err(undecided(several.len(), state.is_some())),
    }
}

fn undecided(several: usize, has_state: bool) -> Failure {
    let why = match has_state {
        true => "its state matches none of them",
        false => "the code does not say which one it belongs to",
    };
    let message = format!("code not used: {several} logins are in progress, and {why}");
    let choose = if has_state {
        ""
    } else {
        ", or pass --attempt to choose one"
    };
    Failure::new(Kind::Usage, message).hint(format!("{WHOLE_URL}{choose}"))
}

fn living(attempt: &Pending, local: LocalTime) -> Result<&Pending, Failure> {
    if !attempt.is_over(local.now) {
        return Ok(attempt);
    }
    let message = format!(
        "login {} expired {}; the code was not used",
        attempt.id,
        local.spoken(attempt.expires)
    );
    Err(Failure::new(Kind::NeedsLogin, message).hint(start_command(&attempt.provider)))
}

fn no_such_attempt(wanted: &Wanted) -> Failure {
    let message = match &wanted.attempt {
        Some(id) if file_name::is_one(id) => {
            format!("no login {id} is in progress: it was finished or has expired")
        }
        Some(_) => "that is not a valid attempt ID".to_owned(),
        None => "no login is in progress: it was finished or has expired".to_owned(),
    };
    Failure::new(Kind::NotFound, message).hint(Command::new("models auth login --start --json"))
}

/// Makes the failure for a text that does not belong to `pending`, which stays.
fn unusable(why: &str, pending: Option<&Pending>) -> Failure {
    let (waits, command) = match pending {
        Some(pending) => ("; the login is still waiting", finish_command(&pending.id)),
        None => ("", Command::new("models auth login --finish --code-file -")),
    };
    let message = format!("code not used: {why}{waits}");
    Failure::new(Kind::Usage, message).hint(by_pipe(command))
}

fn by_pipe(command: Command) -> Hint {
    Hint::from("printf %s \"$URL\" | ").run(command)
}

/// Adds to a failure that the code is spent and the login must be started again.
fn begin_anew(mut failure: Failure, provider: &ProviderId) -> Failure {
    let command = start_command(provider);
    failure.hint = Some(match failure.hint {
        Some(hint) if hint != command.clone().into() => hint.then("; then ").run(command),
        _ => command.into(),
    });
    failure
}
