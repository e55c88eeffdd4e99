//! When a device code is polled, and when no more: with a clock that moves only when somebody
//! waits.

use std::sync::Mutex;
use std::time::Duration;

use openclaw::app::context::Context;
use openclaw::app::failure::{Failure, Kind};
use openclaw::app::login::{self, Request};
use openclaw::model::id::{AgentId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::ports::dialog::{Dialog, DialogError, Notice, Question};
use openclaw::ports::host::{Clock, Interrupt, Signal};
use openclaw::ports::http::{Http, HttpError, HttpErrorKind, Request as HttpRequest, Response};
use openclaw::testing::http::ScriptedHttp;

use crate::security::random_inputs::targets::fake_ports::FakePorts;

const CODE: &str = r#"{"device_code":"dc","user_code":"WDJB-MJHT","verification_uri":"https://github.com/login/device","expires_in":900,"interval":5}"#;
const PENDING: &str = r#"{"error":"authorization_pending"}"#;
const TOKEN: &str = r#"{"access_token":"ghu_1","token_type":"bearer"}"#;

/// Scripted answers, and when each was asked for.
struct Timed<'a> {
    clock: &'a dyn Clock,
    script: ScriptedHttp,
    times: Mutex<Vec<u64>>,
}

impl Http for Timed<'_> {
    fn send(&self, request: &HttpRequest) -> Result<Response, HttpError> {
        let now = self.clock.monotonic().as_secs();
        self.times.lock().unwrap().push(now);
        self.script.send(request)
    }
}

#[derive(Default)]
struct Listener(Mutex<Vec<String>>);

impl Dialog for Listener {
    fn notice(&self, notice: &Notice) {
        self.0.lock().unwrap().push(format!("{notice:?}"));
    }

    fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<Secret<String>, DialogError> {
        Err(DialogError::NobodyThere)
    }

    fn can_ask(&self) -> bool {
        false
    }
}

/// Somebody who presses Ctrl-C at this second.
struct Impatient<'a>(&'a dyn Clock, u64);

impl Interrupt for Impatient<'_> {
    fn defer(&self) {}

    fn pending(&self) -> Option<Signal> {
        (self.0.monotonic().as_secs() >= self.1).then_some(Signal::INTERRUPT)
    }
}

/// What an answer of the token endpoint is.
enum Answered {
    With(u16, &'static str),
    RetryAfter(&'static str),
    Failed(HttpErrorKind),
}

struct Told {
    times: Vec<u64>,
    notices: Vec<String>,
    result: Result<login::StoredProfile, Failure>,
}

/// A login at GitHub that is answered so. The rest of the script is "not yet".
fn login(answers: &[Answered], timeout: u64, interrupted_at: u64) -> Told {
    let fakes = FakePorts::new();
    let clock = fakes.ports().clock;
    let http = Timed {
        clock,
        script: ScriptedHttp::answering(200, CODE),
        times: Mutex::default(),
    };
    for answer in answers {
        match answer {
            Answered::With(status, body) => http.script.answer(*status, body),
            Answered::Failed(kind) => http.script.fail(*kind),
            Answered::RetryAfter(value) => http.script.push(Ok(Response {
                status: 429,
                headers: vec![("retry-after".to_owned(), (*value).to_owned())],
                body: Secret::new(Vec::new()),
            })),
        }
    }
    (0..500).for_each(|_| http.script.answer(200, PENDING));
    let listener = Listener::default();
    let impatient = Impatient(clock, interrupted_at);
    let ports = Context {
        http: &http,
        dialog: &listener,
        interrupt: &impatient,
        ..fakes.ports()
    };
    let request = Request {
        agent: AgentId::main(),
        provider: ProviderId::parse("github-copilot").unwrap(),
        method: None,
        profile: None,
        no_browser: true,
        clipboard: false,
        timeout: Duration::from_secs(timeout),
        set_default: false,
        yes: false,
        attempt: None,
        scopes: None,
        display_name: None,
    };
    let result = login::run(ports, &request);
    Told {
        times: http.times.into_inner().unwrap(),
        notices: listener.0.into_inner().unwrap(),
        result,
    }
}

const LONG: u64 = 3_600;

#[test]
fn rfc8628_3_5_the_waits_are_those_of_the_rfc() {
    use Answered::{Failed, With};
    let slow = r#"{"error":"slow_down","interval":10}"#;
    let told = login(
        &[
            With(200, PENDING),
            With(200, slow),
            With(200, PENDING),
            Failed(HttpErrorKind::AnswerTimeout),
            Failed(HttpErrorKind::Connect),
            With(503, ""),
            With(200, PENDING),
            Answered::RetryAfter("100"),
            With(200, TOKEN),
        ],
        LONG,
        LONG,
    );
    // Asked at 0; 5 s; then 10 s for good; doubled to 20, 40, 60 by trouble; 10 again; as told.
    assert_eq!(told.times, [0, 5, 10, 20, 30, 50, 90, 150, 160, 260]);
    assert_eq!(
        told.result.unwrap().profile.as_str(),
        "github-copilot:github"
    );
    let warned = told
        .notices
        .iter()
        .filter(|notice| notice.contains("still waiting"));
    assert_eq!(
        warned.count(),
        2,
        "once for each time that trouble begins: {:?}",
        told.notices
    );
}

#[test]
fn rfc8628_3_5_nobody_polls_a_code_that_has_ended() {
    let told = login(&[], LONG, LONG);
    assert_eq!(*told.times.last().unwrap(), 895);
    let failure = told.result.unwrap_err();
    assert_eq!(failure.kind, Kind::Temporary);
    assert!(failure.message.contains("expired"), "{failure:?}");
}

#[test]
fn the_time_that_is_given_ends_the_wait_and_so_does_ctrl_c() {
    let told = login(&[], 60, LONG);
    assert_eq!(*told.times.last().unwrap(), 55);
    let failure = told.result.unwrap_err();
    assert!(
        failure.message.contains("login timed out after 60s"),
        "{failure:?}"
    );
    let told = login(&[], LONG, 12);
    assert_eq!(told.times, [0, 5, 10]);
    let failure = told.result.unwrap_err();
    assert_eq!(failure.kind, Kind::Cancelled(Signal::INTERRUPT));
}

#[test]
fn no_notice_and_no_failure_holds_the_device_code() {
    let told = login(
        &[Answered::With(
            200,
            r#"{"error":"x","error_description":"dc"}"#,
        )],
        LONG,
        LONG,
    );
    let failure = told.result.unwrap_err();
    let all = format!("{:?} {failure:?}", told.notices);
    assert!(!all.contains("\"dc\"") && !all.contains(": dc"), "{all}");
    assert!(all.contains("WDJB-MJHT"), "{all}");
}
