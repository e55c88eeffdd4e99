//! A process that slept between taking its locks and sending (SIGSTOP, a suspended machine):
//! OpenClaw took its locks for stale, refreshed the login, and stored what it got.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use openclaw::app::context::Context;
use openclaw::app::failure::Kind;
use openclaw::app::refresh::outcome::RefreshResult;
use openclaw::app::usecase::refresh;
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::secret::Secret;
use openclaw::ports::http::{Http, HttpError, Request, Response};
use openclaw::testing::files::MemoryFiles;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::security::random_inputs::targets::fake_ports::{FakePorts, NOW};
use crate::support::issuer::Account;
use crate::support::{World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

#[test]
fn a_refusal_of_what_was_sent_too_late_is_none_of_the_login() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed_with("main", -10, "at-old", "rt-that-another-one-spent");
    issuer.hold();
    let command = world.start(&TOKEN);
    while issuer.dealt_with() == 0 {
        std::thread::sleep(Duration::from_millis(2));
    }
    let pid = Pid::from_child(&command);
    kill_process(pid, Signal::STOP).unwrap();
    let (access, refresh) = issuer.issue();
    world.seed_with("main", 3_600, &access, &refresh);
    kill_process(pid, Signal::CONT).unwrap();
    issuer.let_go();
    let ran = ran(command.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.out.trim_end()), (0, &*access), "{ran:?}");
    assert_eq!(issuer.token_requests().len(), 1);
    let status = world.run(&["models", "status", "--json"]);
    let status: Value = serde_json::from_str(&status.out).unwrap();
    let profile = &status["openclaw"]["profiles"][0];
    assert_eq!(profile["state"], "ok", "{profile}");
    assert_eq!(profile["lastRefusal"], Value::Null, "{profile}");
    assert!(!world.state().join("alerts.json").exists());
    // The login goes on from there.
    let ran = world.run(&["models", "auth", "refresh", "--force"]);
    assert_eq!(ran.code, 0, "{ran:?}");
}

const DOCUMENT: &str = "/state/agents/main/agent/auth-profiles.json";

fn document(access: &str, refresh: &str, left: i64) -> String {
    let expires = NOW.0 + left;
    format!(
        r#"{{"version":1,"profiles":{{"hanging:me":{{"type":"oauth","provider":"hanging",
        "access":"{access}","refresh":"{refresh}","expires":{expires}}}}}}}"#
    )
}

/// A server that knows the refresh token no more.
struct Refusing<'a> {
    files: &'a MemoryFiles,
    asked: AtomicUsize,
    /// The number of steps before the first request.
    sent_after: AtomicUsize,
}

impl Http for Refusing<'_> {
    fn send(&self, _: &Request) -> Result<Response, HttpError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.sent_after.store(self.files.steps(), Ordering::SeqCst);
        Ok(Response {
            status: 400,
            headers: Vec::new(),
            body: Secret::new(br#"{"error":"refresh_token_reused"}"#.to_vec()),
        })
    }
}

/// How often the server was asked, and after how many steps, if the process sleeps before this one;
/// `None` if that is after the last look.
fn sleep_before(step: usize) -> Option<(usize, usize)> {
    let ports = FakePorts::new();
    let manifest = "schema = 1\nid = \"hanging\"\nname = \"hanging\"\n\n[client]\nid = \"c\"\n\
         token = \"https://hanging.example/token\"\n\n[[flow]]\nkind = \"token\"\n";
    ports.put("providers/hanging.toml", manifest.as_bytes());
    let path = "agents/main/agent/auth-profiles.json";
    ports.put(path, document("at-old", "rt-old", -1_000).as_bytes());
    let clock = ports.clock();
    ports.files.intrude(step, move |tree| {
        clock.advance(Duration::from_secs(31));
        tree.put(
            Path::new(DOCUMENT),
            &document("at-new", "rt-new", 3_600_000),
        );
    });
    let server = Refusing {
        files: &ports.files,
        asked: AtomicUsize::new(0),
        sent_after: AtomicUsize::new(0),
    };
    let cx = Context {
        http: &server,
        ..ports.ports()
    };
    let profile = ProfileId::parse("hanging:me").unwrap();
    let reports = refresh::run(cx, &AgentId::main(), Some(&profile), false).unwrap();
    let asked = server.asked.load(Ordering::SeqCst);
    let sent_after = server.sent_after.load(Ordering::SeqCst);
    match &reports[0].result {
        Ok(token) => {
            assert_eq!(token.credential.access.as_ref().unwrap().expose(), "at-new");
            assert_ne!(token.how, RefreshResult::Refreshed);
        }
        Err(failure) => {
            assert_eq!((failure.kind, asked), (Kind::NeedsLogin, 1));
            if step < usize::MAX {
                return None;
            }
        }
    }
    Some((asked, sent_after))
}

#[test]
fn whoever_slept_before_any_step_finds_the_login_and_sends_nothing_that_it_can_know_to_be_spent() {
    let (asked, sent_after) = sleep_before(usize::MAX).unwrap();
    assert_eq!(asked, 1);
    let mut late = 0;
    for step in 0.. {
        let Some((asked, _)) = sleep_before(step) else {
            break;
        };
        assert_eq!(
            asked,
            usize::from(step > sent_after),
            "step {step} of {sent_after}"
        );
        late += asked;
    }
    // Those of the journal, which is told of the refusal.
    assert!(late > 3, "{late}");
}
