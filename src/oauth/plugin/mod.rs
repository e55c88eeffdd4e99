//! The conversation with an external program that speaks for a provider: one process, one request.
//!
//! The program says first which version it speaks and what it can do; no token leaves before that.
//! Once a refresh token was sent, nobody knows whether it is spent unless the program says so: then
//! silence, a crash and nonsense leave the outcome open, as a token endpoint's do. `docs/plugins.md`
//! is the same for people who write programs.

mod grant;
mod message;

use std::path::Path;
use std::time::Duration;

use url::Url;

use super::error::OAuthError;
use super::redaction::clean;
use crate::model::credential::OAuth;
use crate::model::grant::Refusal;
use crate::model::id::{ProviderId, printable};
use crate::model::provider::is_loopback;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::host::{Clock, Signal};
use crate::ports::program::{MAX_LINE, ProgramError, Programs, Received, Running};

pub use grant::{account, grant};
use message::{ErrorKind, ErrorMessage, GrantMembers, Incoming, Outgoing};
pub use message::{Notice, ORIGIN, Request};

/// Time that a program has to say hello.
const HELLO_LIMIT: Duration = Duration::from_secs(10);
/// How long it has to refresh or revoke, its hello included: whoever waits for the grant waits for
/// little more.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// Time in which an answer that was written before the stop is still read.
const LATE_ANSWER: Duration = Duration::from_millis(200);
/// Interval at which `stop` is polled.
const TICK: Duration = Duration::from_millis(50);
/// The most lines of one program: it has something to say, or it floods.
const MAX_LINES: usize = 1_000;
/// The longest time that a program can ask to be left alone.
const LONGEST_PAUSE: Duration = Duration::from_secs(86_400);

/// A message of a plugin to the person who logs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interaction {
    /// A notice; each part is fit to print, at least one is there, and the page is https or on this
    /// machine.
    Notice(Notice),
    /// A question.
    Ask {
        /// The prompt, clean.
        prompt: String,
    },
}

/// The parameters of a login by a plugin.
pub struct Login<'a> {
    /// The deadline that the program is told.
    pub deadline: Timestamp,
    /// The time from now to the deadline.
    pub limit: Duration,
    /// Whether the person's browser is probably on another machine.
    pub remote: bool,
    /// Whether a person can be asked.
    pub interactive: bool,
    /// Shows a message; returns the answer to an [`Interaction::Ask`].
    pub interact: &'a mut dyn FnMut(Interaction) -> Option<Secret<String>>,
}

/// A plugin, and what it is run with.
#[derive(Clone, Copy)]
pub struct Program<'a> {
    /// Starts the program.
    pub programs: &'a dyn Programs,
    /// Measures the limits.
    pub clock: &'a dyn Clock,
    /// The path of the program.
    pub path: &'a Path,
    /// The provider that the program speaks for.
    pub provider: &'a ProviderId,
    /// The variables that it gets by name.
    pub variables: &'a [String],
    /// Polled every few milliseconds; a signal ends the request and the program. Gives none during
    /// a refresh, whose token may be spent.
    pub stop: &'a dyn Fn() -> Option<Signal>,
}

/// A running plugin that has said hello.
struct Session<'a> {
    running: Box<dyn Running>,
    program: Program<'a>,
    name: String,
    begun: Duration,
    /// From its begin.
    limit: Duration,
    lines: usize,
    /// Secrets that went to it, which no error may show.
    sent: Vec<Secret<String>>,
    /// Whether the request went to it.
    asked: bool,
}

impl<'a> Program<'a> {
    /// Runs a login. The line is for [`grant()`].
    ///
    /// # Errors
    /// Returns why there is no grant.
    pub fn login(&self, login: &mut Login<'_>) -> Result<Secret<Vec<u8>>, OAuthError> {
        let mut session = self.open(Request::Login, login.limit)?;
        session.ask(&Outgoing::Login {
            deadline: login.deadline.0,
            remote: login.remote,
            interactive: login.interactive,
        });
        let is_grant = |line: &Incoming| matches!(line, Incoming::Grant);
        session.answer(is_grant, login.interact, &mut |_| {})
    }

    /// Sends a refresh token. What comes back is given to `save` before it is looked into; the line
    /// is for [`grant()`].
    ///
    /// # Errors
    /// Returns why there is no new grant.
    pub fn refresh(
        &self,
        old: &OAuth,
        save: &mut dyn FnMut(&Secret<Vec<u8>>),
    ) -> Result<Secret<Vec<u8>>, OAuthError> {
        let mut session = self.open(Request::Refresh, REQUEST_LIMIT)?;
        session.ask_about(old, Outgoing::Refresh);
        let is_grant = |line: &Incoming| matches!(line, Incoming::Grant);
        session.answer(is_grant, &mut |_| None, save)
    }

    /// Revokes a grant at the provider.
    ///
    /// # Errors
    /// Returns why it is not known to be revoked.
    pub fn revoke(&self, grant: &OAuth) -> Result<(), OAuthError> {
        let mut session = self.open(Request::Revoke, REQUEST_LIMIT)?;
        session.ask_about(grant, Outgoing::Revoke);
        let is_done = |line: &Incoming| matches!(line, Incoming::Done);
        let done = session.answer(is_done, &mut |_| None, &mut |_| {});
        done.map(drop)
    }

    /// Starts the program and waits until it has said that it can do `request`. No token is sent
    /// before.
    fn open(&self, request: Request, limit: Duration) -> Result<Session<'a>, OAuthError> {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        let mut session = Session {
            running: self.programs.start(self.path, self.variables)?,
            program: *self,
            name: printable(&name.to_string_lossy(), 100),
            begun: self.clock.monotonic(),
            limit: limit.min(HELLO_LIMIT),
            lines: 0,
            sent: Vec::new(),
            asked: false,
        };
        session.running.send(message::line(&Outgoing::Hello {
            protocol: message::PROTOCOL,
            client: message::CLIENT,
            provider: self.provider.as_str(),
        }));
        session.check_hello(request)?;
        session.limit = limit;
        Ok(session)
    }
}

impl Session<'_> {
    fn check_hello(&mut self, request: Request) -> Result<(), OAuthError> {
        let line = self.next()?;
        let hello = match message::read(&line) {
            Ok(Incoming::Hello(hello)) => hello,
            Ok(Incoming::Error(message)) => return Err(self.error(&message)),
            Ok(_) => return Err(self.fault("does not start with hello")),
            Err(fault) => return Err(self.line_fault(&fault)),
        };
        if hello.protocol != message::PROTOCOL {
            return Err(self.fault(&format!(
                "uses protocol version {}, but only version {} is supported",
                hello.protocol,
                message::PROTOCOL
            )));
        }
        match hello.requests.iter().any(|known| known == request.name()) {
            true => Ok(()),
            false => Err(OAuthError::Refused(Refusal {
                code: "unsupported_request".to_owned(),
                description: format!("{} does not support {}", self.name, request.name()),
                status: 0,
            })),
        }
    }

    fn ask_about<'o>(
        &mut self,
        credential: &'o OAuth,
        request: fn(GrantMembers<'o>) -> Outgoing<'o>,
    ) {
        let tokens = [credential.refresh.clone(), credential.access.clone()];
        let tokens = tokens.into_iter().flatten();
        self.sent = tokens.filter(|token| !token.is_blank()).collect();
        self.ask(&request(message::grant_members(credential)));
    }

    fn ask(&mut self, request: &Outgoing<'_>) {
        self.asked = true;
        self.running.send(message::line(request));
    }

    /// The line that ends the request, if it fits; `save` sees it first.
    fn answer(
        &mut self,
        fits: fn(&Incoming) -> bool,
        interact: &mut dyn FnMut(Interaction) -> Option<Secret<String>>,
        save: &mut dyn FnMut(&Secret<Vec<u8>>),
    ) -> Result<Secret<Vec<u8>>, OAuthError> {
        loop {
            let line = self.next()?;
            match message::read(&line) {
                Ok(Incoming::Notice(notice)) => {
                    interact(Interaction::Notice(cleaned(&notice)));
                }
                Ok(Incoming::Ask(ask)) => {
                    let prompt = printable(&ask.text, 200);
                    let text = interact(Interaction::Ask { prompt });
                    let answer = message::exposed(text.as_ref());
                    let answer = Outgoing::Answer { text: answer };
                    self.running.send(message::line(&answer));
                    self.sent.extend(text.filter(|text| !text.is_blank()));
                }
                Ok(Incoming::Error(message)) => return Err(self.error(&message)),
                read => {
                    // What cannot be read may hold a token all the same.
                    if matches!(read, Ok(Incoming::Grant) | Err(_)) {
                        save(&line);
                    }
                    return match read {
                        Ok(incoming) if fits(&incoming) => Ok(line),
                        Ok(_) => Err(self.line_fault("is not a response to the request")),
                        Err(fault) => Err(self.line_fault(&fault)),
                    };
                }
            }
        }
    }

    fn next(&mut self) -> Result<Secret<Vec<u8>>, OAuthError> {
        self.lines += 1;
        if self.lines > MAX_LINES {
            return Err(self.fault(&format!("wrote more than {MAX_LINES} lines")));
        }
        loop {
            if let Some(signal) = (self.program.stop)() {
                self.running.stop(signal);
                return Err(self.fault("was stopped"));
            }
            let spent = self.program.clock.monotonic().saturating_sub(self.begun);
            let left = self.limit.saturating_sub(spent);
            if left.is_zero() {
                return self.read_late_answer();
            }
            match self.running.receive(left.min(TICK)) {
                Received::Line(line) => return Ok(line),
                Received::Nothing => {}
                Received::TooLong => {
                    return Err(self.fault(&format!("wrote a line longer than {MAX_LINE} bytes")));
                }
                Received::Ended(how) => return Err(self.fault(&how)),
            }
        }
    }

    /// The time is over. What the program had said by now still counts: a new refresh token in it
    /// is the only one there is.
    fn read_late_answer(&mut self) -> Result<Secret<Vec<u8>>, OAuthError> {
        self.running.stop(Signal::TERMINATE);
        match self.running.receive(LATE_ANSWER) {
            Received::Line(line) => Ok(line),
            Received::Nothing | Received::TooLong | Received::Ended(_) => {
                let seconds = self.limit.as_secs();
                Err(self.fault(&format!("did not answer within {seconds} s")))
            }
        }
    }

    fn line_fault(&self, fault: &str) -> OAuthError {
        self.fault(&format!(
            "wrote an invalid message: line {} {fault}",
            self.lines
        ))
    }

    /// There is no answer; what that means depends on whether anything was sent.
    fn fault(&self, words: &str) -> OAuthError {
        OAuthError::unanswered(format!("{} {words}", self.name), self.asked)
    }

    fn error(&self, message: &ErrorMessage) -> OAuthError {
        let clean = |text: &str, limit| clean(text, limit, self.sent.iter());
        let code = match clean(&message.code, 64) {
            code if code.is_empty() => "error".to_owned(),
            code => code,
        };
        let refusal = Refusal {
            code,
            description: clean(&message.description, 200),
            status: 0,
        };
        let reason = format!("{} answered {}", self.name, refusal.words());
        match message.kind {
            ErrorKind::Permanent => OAuthError::Refused(refusal),
            ErrorKind::Transient => OAuthError::Transient {
                reason,
                retry_after: message
                    .retry_after
                    .map(|seconds| Duration::from_secs(seconds).min(LONGEST_PAUSE)),
                status: Some(0),
            },
            ErrorKind::Unknown => OAuthError::Unknown { reason },
        }
    }
}

impl From<ProgramError> for OAuthError {
    fn from(error: ProgramError) -> Self {
        Self::unanswered(printable(&error.to_string(), 300), false)
    }
}

fn cleaned(notice: &Notice) -> Notice {
    let clean = |text: &Option<String>, limit| {
        let text = printable(text.as_deref().unwrap_or_default(), limit);
        (!text.is_empty()).then_some(text)
    };
    let url = notice.url.as_deref().map(page);
    let mut text = clean(&notice.text, 500);
    if url == Some(None) {
        let warning = "(a URL that is neither https nor on this machine is not shown)";
        let words = text.map_or_else(String::new, |text| format!("{text} "));
        text = Some(format!("{words}{warning}"));
    }
    Notice {
        text,
        url: url.flatten(),
        code: clean(&notice.code, 64),
    }
}

/// A URL as a browser may be sent to it, unless it is none.
fn page(text: &str) -> Option<String> {
    let url = Url::parse(text).ok()?;
    let fits = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url.host()?));
    fits.then(|| url.to_string())
}

#[cfg(test)]
mod tests;
