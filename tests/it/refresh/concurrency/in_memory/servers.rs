//! The servers of providers, without a network.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use openclaw::app::context::Context;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::host::{Clock, Interrupt, Signal};
use openclaw::ports::http::{Http, HttpError, HttpErrorKind, Method, Request, Response};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;

use crate::security::random_inputs::targets::fake_ports::{FakePorts, NOW, STATE};

/// The clock of the store: real threads wait for its locks.
struct Running(Instant);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        NOW.after(self.monotonic())
    }

    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// What comes in place of a grant.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    None(HttpErrorKind),
    Answer(u16, &'static [u8]),
    /// A defect of this program.
    Panic,
}

impl Fault {
    fn answer(self) -> Result<Response, HttpError> {
        match self {
            Self::None(kind) => Err(HttpError {
                kind,
                detail: "no answer".to_owned(),
            }),
            Self::Panic => panic!("a defect"),
            Self::Answer(status, body) => Ok(Response {
                status,
                headers: Vec::new(),
                body: Secret::new(body.to_vec()),
            }),
        }
    }
}

/// A signal that comes while a request is under way.
#[derive(Default)]
pub(super) struct Raised(AtomicBool);

impl Interrupt for Raised {
    fn defer(&self) {}

    fn pending(&self) -> Option<Signal> {
        self.0.load(Ordering::SeqCst).then_some(Signal::TERMINATE)
    }
}

/// Grants what it is asked for, except where something is wrong.
pub(super) struct Servers<'a> {
    /// What is wrong with the server that hangs.
    pub(super) fault: Fault,
    /// The method of the request that a signal comes with.
    pub(super) is_signalled: Option<Method>,
    pub(super) raised: Raised,
    pub(super) ports: &'a FakePorts,
    pub(super) store: FileStore,
    /// How long an answer takes.
    pub(super) takes: Duration,
    pub(super) asked: Mutex<Vec<String>>,
    /// The requests that have to come before the first one is answered.
    pub(super) gathers: usize,
    pub(super) crowd: Mutex<Crowd>,
    pub(super) came: Condvar,
}

#[derive(Default)]
pub(super) struct Crowd {
    pub(super) under_way: usize,
    pub(super) most_at_once: usize,
    pub(super) all: usize,
}

impl<'a> Servers<'a> {
    pub(super) fn new(ports: &'a FakePorts) -> Self {
        let (files, clock) = (Arc::new(ports.files.clone()), Running(Instant::now()));
        Self {
            fault: Fault::None(HttpErrorKind::AnswerTimeout),
            is_signalled: None,
            raised: Raised::default(),
            ports,
            store: FileStore::new(files, Arc::new(clock), StorePaths::below(STATE)),
            takes: Duration::ZERO,
            asked: Mutex::default(),
            gathers: 0,
            crowd: Mutex::default(),
            came: Condvar::new(),
        }
    }

    pub(super) fn context(&self) -> Context<'_> {
        Context {
            http: self,
            interrupt: &self.raised,
            store: &self.store,
            ..self.ports.ports()
        }
    }

    /// How many requests went to hosts with this in their names.
    pub(super) fn asked(&self, part: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|url| url.contains(part)).count()
    }

    /// Waits until enough requests are there.
    fn gather(&self) {
        let mut crowd = self.crowd.lock().unwrap();
        crowd.all += 1;
        crowd.under_way += 1;
        crowd.most_at_once = crowd.most_at_once.max(crowd.under_way);
        self.came.notify_all();
        let is_alone = |crowd: &mut Crowd| crowd.all < self.gathers;
        let limit = Duration::from_secs(60);
        let (mut crowd, waited) = self
            .came
            .wait_timeout_while(crowd, limit, is_alone)
            .unwrap();
        assert!(!waited.timed_out(), "the others never came");
        crowd.under_way -= 1;
    }
}

impl Http for Servers<'_> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.url.clone());
        let n = asked.len();
        drop(asked);
        self.ports.advance(self.takes);
        self.gather();
        if self.is_signalled == Some(request.method) {
            self.raised.0.store(true, Ordering::SeqCst);
        }
        if request.url.contains("hanging") {
            return self.fault.answer();
        }
        let body = format!(
            r#"{{"access_token":"at-{n}","refresh_token":"rt-new-{n}","expires_in":3600}}"#
        );
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            body: Secret::new(body.into_bytes()),
        })
    }
}
