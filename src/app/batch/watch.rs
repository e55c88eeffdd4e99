//! The view of one job on the network: it notes how the host behaved, so that the schedule need not
//! guess it from the words of a failure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::secret::Secret;
use crate::ports::host::{Interrupt, Signal};
use crate::ports::http::{
    CALL_LIMIT, Http, HttpError, HttpErrorKind, Method, Patience, Request, Response,
};
use crate::ports::program::{Exit, HookCommand, ProgramError, Programs, Received, Running};

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
    fn noted(&self, answer: Result<Response, HttpError>) -> Result<Response, HttpError> {
        match &answer {
            Ok(answer) => self.worst.note(reply_of(answer.status)),
            Err(error) => {
                if let Some(reply) = reply_of_error(error.kind) {
                    self.worst.note(reply);
                }
            }
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
                let answer = self.noted(self.http.send(request));
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
        self.noted(self.http.send_within(request, patience))
    }
}

/// A refusal is about one login, and says that the server is well; 429 asks for less, whoever asks.
fn reply_of(status: u16) -> HostReply {
    match status {
        429 | 500.. => HostReply::Failed,
        _ => HostReply::Answered,
    }
}

fn reply_of_error(kind: HttpErrorKind) -> Option<HostReply> {
    match kind {
        HttpErrorKind::Local => None,
        HttpErrorKind::ConnectTimeout | HttpErrorKind::AnswerTimeout => Some(HostReply::TimedOut),
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

    fn start(&self, path: &Path) -> Result<Box<dyn Running>, ProgramError> {
        Ok(Box::new(WatchedPlugin {
            running: self.programs.start(path)?,
            worst: self.worst.clone(),
        }))
    }

    fn run(&self, hook: &HookCommand<'_>) -> Result<Exit, ProgramError> {
        self.programs.run(hook)
    }
}

struct WatchedPlugin {
    running: Box<dyn Running>,
    worst: Worst,
}

impl Running for WatchedPlugin {
    fn send(&mut self, line: Secret<Vec<u8>>) {
        self.running.send(line);
    }

    fn receive(&mut self, wait: Duration) -> Received {
        let received = self.running.receive(wait);
        match &received {
            Received::Line(_) => self.worst.note(HostReply::Answered),
            Received::TooLong | Received::Ended(_) => self.worst.note(HostReply::Failed),
            Received::Nothing => {}
        }
        received
    }

    fn stop(&mut self, signal: Signal) {
        // A refresh is not stopped for any other reason.
        self.worst.note(HostReply::TimedOut);
        self.running.stop(signal);
    }
}
