//! A server that never answers in time, and the time limit of a run: without a server and a clock,
//! so that nothing is waited for.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use openclaw::app::context::Context;
use openclaw::app::failure::{Kind, StoreEffect};
use openclaw::app::maintenance::tick;
use openclaw::app::refresh::outcome::RefreshResult;
use openclaw::app::usecase::refresh;
use openclaw::model::id::AgentId;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::host::Clock;
use openclaw::ports::http::{Http, HttpError, HttpErrorKind, Request, Response};
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

/// Grants what it is asked for, except where nothing is answered in time.
struct Servers<'a> {
    /// The part of a URL that hangs.
    hanging: &'static str,
    ports: &'a FakePorts,
    store: FileStore,
    /// How long an answer takes.
    takes: Duration,
    asked: Mutex<Vec<String>>,
}

impl<'a> Servers<'a> {
    fn new(ports: &'a FakePorts) -> Self {
        let (files, clock) = (Arc::new(ports.files.clone()), Running(Instant::now()));
        Self {
            hanging: "hanging",
            ports,
            store: FileStore::new(files, Arc::new(clock), StorePaths::below(STATE)),
            takes: Duration::ZERO,
            asked: Mutex::default(),
        }
    }

    fn context(&self) -> Context<'_> {
        Context {
            http: self,
            store: &self.store,
            ..self.ports.ports()
        }
    }

    /// How many requests went to hosts with this in their names.
    fn asked(&self, part: &str) -> usize {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|url| url.contains(part)).count()
    }
}

impl Http for Servers<'_> {
    fn send(&self, request: &Request) -> Result<Response, HttpError> {
        let mut asked = self.asked.lock().unwrap();
        asked.push(request.url.clone());
        let n = asked.len();
        drop(asked);
        self.ports.advance(self.takes);
        if request.url.contains(self.hanging) {
            return Err(HttpError {
                kind: HttpErrorKind::AnswerTimeout,
                detail: "no answer".to_owned(),
            });
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

/// Agents, each with a login of that provider that ends so many milliseconds from now.
fn with(logins: &[(&str, &str, i64)]) -> FakePorts {
    let ports = FakePorts::new();
    for name in ["hanging", "well"] {
        let manifest = format!(
            "schema = 1\nid = \"{name}\"\nname = \"{name}\"\n\n[client]\nid = \"c\"\n\
             token = \"https://{name}.example/token\"\n\n[[flow]]\nkind = \"token\"\n"
        );
        ports.put(&format!("providers/{name}.toml"), manifest.as_bytes());
    }
    for (agent, provider, left) in logins {
        let expires = NOW.0 + left;
        let document = format!(
            r#"{{"version":1,"profiles":{{"{provider}:{agent}":{{"type":"oauth",
            "provider":"{provider}","access":"at","refresh":"rt-{agent}","expires":{expires}}}}}}}"#
        );
        let path = format!("agents/{agent}/agent/auth-profiles.json");
        ports.put(&path, document.as_bytes());
    }
    ports
}

fn tick(cx: Context<'_>, limit: Duration) -> tick::Report {
    let request = tick::Request {
        agent: None,
        spread: Duration::ZERO,
        limit,
        dry_run: false,
    };
    tick::run(cx, &request).unwrap()
}

#[test]
fn a_server_that_hangs_holds_up_no_other_and_gets_no_third_token() {
    let ports = with(&[
        ("a", "hanging", -1_000),
        ("b", "hanging", -1_000),
        ("c", "hanging", -1_000),
        ("d", "hanging", 60_000),
        ("e", "well", -1_000),
    ]);
    let servers = Servers::new(&ports);
    let report = tick(servers.context(), Duration::MAX);
    assert_eq!((servers.asked("hanging"), servers.asked("well")), (2, 1));
    let agents: Vec<&str> = report.rows.iter().map(|row| row.agent.as_str()).collect();
    assert_eq!(agents, ["a", "b", "c", "d", "e"]);
    assert!(report.rows[4].is_refreshed);
    let kinds: Vec<Kind> = report.problems.iter().map(|it| it.failure.kind).collect();
    let unknown = Kind::UnknownOutcome;
    assert_eq!(kinds, [unknown, unknown, Kind::Temporary]);
    let left = &report.problems[2].failure;
    assert_eq!(
        left.to_string(),
        "hanging:c could not be refreshed: not tried, because hanging.example did not respond to \
         2 other logins in time"
    );
    assert_eq!(left.touched, StoreEffect::Nothing);
    // Its token is valid, so nothing is wrong yet.
    let living = report.rows[3].living.as_ref().unwrap();
    assert_eq!(living.how, RefreshResult::StillAlive);
    assert!(report.rows[3].warning().is_some());
    assert_eq!(report.late, 0);
}

#[test]
fn refresh_of_all_leaves_the_rest_of_a_server_that_hangs() {
    let ports = with(&[]);
    for (agent, name) in [("main", "hanging"), ("work", "well")] {
        let login = |number: usize| {
            format!(
                r#""{name}:{number}":{{"type":"oauth","provider":"{name}","access":"at",
                "refresh":"rt-{name}-{number}","expires":1795230000000}}"#
            )
        };
        let logins: Vec<String> = (0..3).map(login).collect();
        let document = format!(r#"{{"version":1,"profiles":{{{}}}}}"#, logins.join(","));
        let path = format!("agents/{agent}/agent/auth-profiles.json");
        ports.put(&path, document.as_bytes());
    }
    let servers = Servers::new(&ports);
    let agent = AgentId::normalise("work");
    let reports = refresh::run(servers.context(), &agent, None, false).unwrap();
    let kinds = reports
        .iter()
        .map(|report| report.result.as_ref().err().map(|failure| failure.kind));
    let kinds: Vec<Option<Kind>> = kinds.collect();
    assert_eq!(servers.asked("hanging"), 2, "{reports:?}");
    assert_eq!(servers.asked("well"), 3, "{reports:?}");
    let refreshed = reports.iter().filter(|report| report.is_refreshed).count();
    assert_eq!(refreshed, 3, "{reports:?}");
    let temporary = kinds.iter().filter(|kind| **kind == Some(Kind::Temporary));
    assert_eq!(temporary.count(), 1, "{reports:?}");
}

#[test]
fn what_has_not_begun_when_the_time_is_over_is_left_and_counted() {
    let ports = with(&[
        ("a", "well", -1_000),
        ("b", "well", -1_000),
        ("c", "well", -1_000),
        ("d", "well", 60_000),
        ("e", "well", -1_000),
    ]);
    let servers = Servers {
        takes: Duration::from_secs(30),
        ..Servers::new(&ports)
    };
    let report = tick(servers.context(), Duration::from_secs(20));
    let asked = servers.asked("well");
    assert!((1..=2).contains(&asked), "{asked}");
    let refreshed = report.rows.iter().filter(|row| row.is_refreshed).count();
    assert_eq!((refreshed, report.late), (asked, 5 - asked));
    let words = "not tried within the time limit of 20 s";
    for problem in &report.problems {
        assert_eq!(problem.failure.kind, Kind::Temporary);
        assert!(problem.failure.to_string().ends_with(words), "{problem:?}");
    }
}
