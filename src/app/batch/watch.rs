//! The view of one job on the network: it notes how the host behaved, so that the schedule need not
//! guess it from the words of a failure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::secret::Secret;
use crate::ports::host::{Interrupt, Signal};
use crate::ports::http::{
    CALL_LIMIT, Http, HttpError, HttpErrorKind, Method, Patience, Request, Response, TORN,
};
use crate::ports::program::{
    AskedProgram, Exit, HookCommand, ProgramAnswer, ProgramError, Programs, Received, Running,
};

use super::schedule::HostReply;

/// The worst reply so far.
#[derive(Clone, Default)]
pub(super) struct Worst(Arc<Mutex<Option<HostReply>>>);

impl Worst {
    fn note(&self, reply: HostReply) {
        let mut worst = self.0.lock();
        *worst = (*worst).max(Some(reply));
    }

    pub(super) fn get(&self) -> Option<HostReply> {
        *self.0.lock()
    }
}

/// The HTTP client of a job.
pub(super) struct WatchedHttp<'a> {
    pub(super) http: &'a dyn Http,
    pub(super) interrupt: &'a dyn Interrupt,
    pub(super) worst: Worst,
    /// Told once the request that the job is about has ended.
    pub(super) tell: &'a (dyn Fn() + Sync),
}

impl WatchedHttp<'_> {
    fn noted(
        &self,
        method: Method,
        answer: Result<Response, HttpError>,
    ) -> Result<Response, HttpError> {
        let reply = match &answer {
            Ok(answer) => Some(reply_of(method, answer)),
            Err(error) => reply_of_error(method, error.kind),
        };
        if let Some(reply) = reply {
            self.worst.note(reply);
        }
        answer
    }
}

impl Http for WatchedHttp<'_> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let stop = || self.interrupt.pending().is_some();
        match request.method {
            // What is asked for in this way costs nothing to give up.
            Method::Get => {
                let patience = Patience {
                    limit: CALL_LIMIT,
                    stop: &stop,
                };
                self.send_within(request, &patience)
            }
            Method::Post => {
                let answer = self.noted(Method::Post, self.http.send(request));
                (self.tell)();
                answer
            }
        }
    }

    fn send_within(
        &self,
        request: &Request,
        patience: &Patience<'_>,
    ) -> Result<Response, HttpError> {
        self.noted(request.method, self.http.send_within(request, patience))
    }
}

/// A refusal is about one login, and says that the server is well; 429 asks for less, whoever asks.
/// Behind a redirect, or an answer that broke off, what was posted may be spent.
fn reply_of(method: Method, answer: &Response) -> HostReply {
    let is_torn = answer.body.expose().last() == Some(&TORN);
    match answer.status {
        429 | 500.. => HostReply::Failed,
        300..400 if method == Method::Post => HostReply::Unanswered,
        _ if is_torn => HostReply::Unanswered,
        _ => HostReply::Answered,
    }
}

/// Every time limit counts as no response, and whatever may have spent what was posted.
fn reply_of_error(method: Method, kind: HttpErrorKind) -> Option<HostReply> {
    match kind {
        HttpErrorKind::Local => None,
        HttpErrorKind::ConnectTimeout | HttpErrorKind::AnswerTimeout => Some(HostReply::Unanswered),
        _ if method == Method::Post && kind.may_have_been_sent() => Some(HostReply::Unanswered),
        HttpErrorKind::Connect
        | HttpErrorKind::Tls
        | HttpErrorKind::NoAnswer
        | HttpErrorKind::TooLarge => Some(HostReply::Failed),
    }
}

/// The programs of a job, of which plugins stand in for a host.
pub(super) struct WatchedPrograms<'a> {
    pub(super) programs: &'a dyn Programs,
    pub(super) worst: Worst,
}

impl Programs for WatchedPrograms<'_> {
    fn on_path(&self, name: &str) -> Vec<PathBuf> {
        self.programs.on_path(name)
    }

    fn with_prefix(&self, prefix: &str) -> Vec<PathBuf> {
        self.programs.with_prefix(prefix)
    }

    fn check_permissions(&self, path: &Path) -> Result<(), ProgramError> {
        self.programs.check_permissions(path)
    }

    fn start(&self, path: &Path, variables: &[String]) -> Result<Box<dyn Running>, ProgramError> {
        Ok(Box::new(WatchedPlugin {
            running: self.programs.start(path, variables)?,
            worst: self.worst.clone(),
            lines: 0,
        }))
    }

    fn run(&self, hook: &HookCommand<'_>) -> Result<Exit, ProgramError> {
        self.programs.run(hook)
    }

    fn ask(&self, asked: &AskedProgram<'_>) -> Result<ProgramAnswer, ProgramError> {
        self.programs.ask(asked)
    }
}

struct WatchedPlugin {
    running: Box<dyn Running>,
    worst: Worst,
    /// How many lines went to it.
    lines: usize,
}

impl WatchedPlugin {
    /// The first line is the hello, and spends nothing.
    fn fault(&self) -> HostReply {
        match self.lines {
            0 | 1 => HostReply::Failed,
            _ => HostReply::Unanswered,
        }
    }
}

impl Running for WatchedPlugin {
    fn send(&mut self, line: Secret<Vec<u8>>) {
        self.lines += 1;
        self.running.send(line);
    }

    fn receive(&mut self, wait: Duration) -> Received {
        let received = self.running.receive(wait);
        match &received {
            Received::Line(_) => self.worst.note(HostReply::Answered),
            Received::TooLong | Received::Ended(_) => self.worst.note(self.fault()),
            Received::Nothing => {}
        }
        received
    }

    fn stop(&mut self, signal: Signal) {
        // A refresh is not stopped for any other reason.
        self.worst.note(HostReply::Unanswered);
        self.running.stop(signal);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use crate::testing::clock::FakeClock;
    use crate::testing::program::ScriptedProgram;

    #[test]
    fn a_plugin_that_fails_may_have_spent_what_it_got_after_the_hello() {
        for (lines, reply) in [(1, HostReply::Failed), (2, HostReply::Unanswered)] {
            let program = ScriptedProgram::new(Arc::new(FakeClock::new(Timestamp(0))));
            program.push(Received::Ended("crashed".into()));
            let worst = Worst::default();
            let watched = WatchedPrograms {
                programs: &program,
                worst: worst.clone(),
            };
            let mut plugin = watched.start(Path::new("/opt/acme"), &[]).unwrap();
            for _ in 0..lines {
                plugin.send(Secret::new(b"line".to_vec()));
            }
            plugin.receive(Duration::ZERO);
            assert_eq!(worst.get(), Some(reply));
        }
    }
}
