use std::sync::Arc;

use serde_json::json;

use super::*;
use crate::model::credential::Identity;
use crate::model::json::Extra;
use crate::model::provider::Account;
use crate::oauth::claims;
use crate::oauth::grant::Grant;
use crate::testing::clock::FakeClock;
use crate::testing::program::ScriptedProgram;

const NOW: Timestamp = Timestamp(1_795_242_600_000);
const HELLO: &str = r#"{"type":"hello","protocol":1,"name":"Acme","requests":["login","refresh","revoke","later"]}"#;
const GRANT: &str = r#"{"type":"grant","access_token":"at-2","refresh_token":"rt-2"}"#;

struct World {
    clock: Arc<FakeClock>,
    program: ScriptedProgram,
}

impl World {
    fn saying(lines: &[&str]) -> Self {
        let clock = Arc::new(FakeClock::new(NOW));
        let program = ScriptedProgram::saying(Arc::clone(&clock), lines);
        Self { clock, program }
    }

    fn stopped_by(&self, stop: &dyn Fn() -> Option<Signal>) -> Result<(), OAuthError> {
        self.with(stop, |program| program.revoke(&old()))
    }

    fn with<T>(&self, stop: &dyn Fn() -> Option<Signal>, run: impl FnOnce(Program<'_>) -> T) -> T {
        run(Program {
            programs: &self.program,
            clock: &*self.clock,
            path: Path::new("/usr/bin/openclaw-auth-acme"),
            provider: &ProviderId::parse("acme").unwrap(),
            variables: &[],
            stop,
        })
    }

    /// What a refresh comes to, and what was saved of it before anything looked at it.
    fn refresh(&self) -> (Result<Secret<Vec<u8>>, OAuthError>, Vec<String>) {
        let mut saved = Vec::new();
        let mut save = |line: &Secret<Vec<u8>>| {
            saved.push(String::from_utf8_lossy(line.expose()).into_owned());
        };
        let result = self.with(&|| None, |program| program.refresh(&old(), &mut save));
        (result, saved)
    }

    fn login(&self, asides: &mut Vec<Interaction>) -> Result<Secret<Vec<u8>>, OAuthError> {
        let mut login = Login {
            deadline: NOW.after(Duration::from_secs(600)),
            limit: Duration::from_secs(600),
            remote: false,
            interactive: true,
            interact: &mut |aside| {
                asides.push(aside);
                Some("an answer".into())
            },
        };
        self.with(&|| None, |program| program.login(&mut login))
    }
}

fn old() -> OAuth {
    OAuth {
        provider: "acme".into(),
        access: Some("at-1".into()),
        refresh: Some("rt-1".into()),
        expires: None,
        identity: Identity::default(),
        extra: Extra::default(),
    }
}

fn understood(line: &serde_json::Value) -> Result<Grant, OAuthError> {
    let line = Secret::new(line.to_string().into_bytes());
    grant(line, NOW, Duration::ZERO)
}

#[test]
fn a_refresh_is_saved_and_then_understood() {
    let world = World::saying(&[HELLO, r#"{"type":"notice","text":"working"}"#, GRANT]);
    let (result, saved) = world.refresh();
    assert_eq!(saved, [GRANT]);
    let grant = grant(result.unwrap(), NOW, Duration::ZERO).unwrap();
    assert_eq!(grant.refresh, Some("rt-2".into()));
    let told = world.program.told();
    assert_eq!(told.len(), 2);
    assert!(!told[0].contains("rt-1") && told[1].contains(r#""refresh_token":"rt-1""#));
}

#[test]
fn nothing_leaves_before_the_program_has_said_what_it_can() {
    let hellos = [
        (
            r#"{"type":"hello","protocol":2,"requests":["refresh"]}"#,
            "version 2",
        ),
        (
            r#"{"type":"hello","protocol":1,"requests":["login"]}"#,
            "does not support refresh",
        ),
        (
            r#"{"type":"hello","protocol":1}"#,
            "does not support refresh",
        ),
        (GRANT, "does not start with hello"),
        ("hello", "line 1 is not valid JSON"),
    ];
    for (hello, words) in hellos {
        let world = World::saying(&[hello]);
        let (result, saved) = world.refresh();
        let error = result.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(!error.is_unknown());
        assert_eq!((world.program.told().len(), saved.len()), (1, 0), "{hello}");
    }
    let world = World::saying(&[]);
    let error = world.refresh().0.unwrap_err();
    assert_eq!(
        error.to_string(),
        "openclaw-auth-acme did not answer within 10 s"
    );
    assert!(error.is_transient());
    assert_eq!(world.program.stopped(), Some(Signal::TERMINATE));
}

#[test]
fn without_an_answer_nobody_knows_whether_the_token_is_spent() {
    let silent = World::saying(&[HELLO]);
    let error = silent.refresh().0.unwrap_err();
    assert!(error.is_unknown());
    assert_eq!(
        error.to_string(),
        "openclaw-auth-acme did not answer within 30 s"
    );
    for (heard, words) in [
        (Received::TooLong, "longer than 1048576 bytes"),
        (
            Received::Ended("crashed".into()),
            "openclaw-auth-acme crashed",
        ),
    ] {
        let world = World::saying(&[HELLO]);
        world.program.push(heard);
        let (result, saved) = world.refresh();
        let error = result.unwrap_err();
        assert!(
            error.is_unknown() && error.to_string().contains(words),
            "{error}"
        );
        assert!(saved.is_empty());
    }
    // Nonsense may hold a token, so it is kept, and not shown.
    let world = World::saying(&[HELLO, "access_token=MARKER"]);
    let (result, saved) = world.refresh();
    assert_eq!(saved, ["access_token=MARKER"]);
    let error = result.unwrap_err();
    assert!(
        error.is_unknown() && !error.to_string().contains("MARKER"),
        "{error}"
    );
    let world = World::saying(&[HELLO, r#"{"type":"done"}"#]);
    assert!(world.refresh().0.unwrap_err().is_unknown());
}

#[test]
fn what_was_said_before_the_end_still_counts() {
    let world = World::saying(&[HELLO]);
    let grant = Secret::new(GRANT.as_bytes().to_vec());
    world.program.push_last_words(Received::Line(grant));
    let (result, saved) = world.refresh();
    assert_eq!((result.is_ok(), saved.len()), (true, 1));
    assert_eq!(world.program.stopped(), Some(Signal::TERMINATE));
}

#[test]
fn errors_say_what_became_of_the_grant_and_show_no_token() {
    let error = |fields: &str| {
        let line =
            format!(r#"{{"type":"error","code":"no\u001b[2J","description":"not rt-1"{fields}}}"#);
        let (result, saved) = World::saying(&[HELLO, &line]).refresh();
        assert!(saved.is_empty());
        result.unwrap_err()
    };
    let lasting = error(r#","kind":"lasting""#);
    assert!(lasting.is_permanent());
    assert_eq!(lasting.to_string(), "refused: no [2J: not (hidden)");
    let OAuthError::Transient {
        retry_after,
        status,
        ..
    } = error(r#","kind":"passing","retry_after":7"#)
    else {
        panic!("not passing");
    };
    assert_eq!(
        (retry_after, status),
        (Some(Duration::from_secs(7)), Some(0))
    );
    assert!(error("").is_unknown());
    assert_eq!(
        error(r#","kind":"unknown""#).to_string(),
        "openclaw-auth-acme answered no [2J: not (hidden)"
    );
}

#[test]
fn a_login_shows_and_asks_through_us() {
    let world = World::saying(&[
        HELLO,
        r#"{"type":"notice","text":"Open\u0007 it","url":"https://acme.example/device","code":"AB-12"}"#,
        r#"{"type":"notice","text":"or","url":"file:///etc/passwd"}"#,
        r#"{"type":"ask","text":"The \u001b[31mcode"}"#,
        GRANT,
    ]);
    let mut asides = Vec::new();
    world.login(&mut asides).unwrap();
    let notice = |text: &str, url: Option<&str>, code: Option<&str>| {
        Interaction::Notice(Notice {
            text: Some(text.to_owned()),
            url: url.map(str::to_owned),
            code: code.map(str::to_owned),
        })
    };
    let prompt = "The [31mcode".to_owned();
    assert_eq!(
        asides,
        [
            notice(
                "Open it",
                Some("https://acme.example/device"),
                Some("AB-12")
            ),
            notice(
                "or (a URL that is neither https nor on this machine is not shown)",
                None,
                None
            ),
            Interaction::Ask { prompt },
        ]
    );
    assert_eq!(
        world.program.told()[2],
        r#"{"type":"answer","text":"an answer"}"#
    );
}

#[test]
fn a_flood_ends() {
    let mut lines = vec![HELLO];
    lines.extend([r#"{"type":"notice","text":"x"}"#; 2_000]);
    let error = World::saying(&lines).login(&mut Vec::new()).unwrap_err();
    assert!(
        error.to_string().contains("more than 1000 lines"),
        "{error}"
    );
}

#[test]
fn a_signal_ends_a_revocation_and_is_passed_on() {
    let world = World::saying(&[HELLO]);
    let stop = || (world.program.told().len() > 1).then_some(Signal::INTERRUPT);
    assert!(world.stopped_by(&stop).unwrap_err().is_unknown());
    assert_eq!(world.program.stopped(), Some(Signal::INTERRUPT));
    // Before anything was sent it is just as if nobody had asked.
    let world = World::saying(&[HELLO]);
    let stopped = world.stopped_by(&|| Some(Signal::INTERRUPT));
    assert!(stopped.unwrap_err().is_transient());
    let world = World::saying(&[HELLO, r#"{"type":"done"}"#]);
    assert_eq!(world.stopped_by(&|| None), Ok(()));
}

#[test]
fn a_grant_is_understood_as_a_token_response_is() {
    let grant = |more: serde_json::Value| {
        let mut line = json!({"type": "grant", "access_token": "at"});
        line.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        understood(&line).unwrap()
    };
    let hour = Some(Timestamp(NOW.0 + 3_600_000));
    for told in [
        json!({"expires_in": 3_600}),
        json!({"expires_at": NOW.0 + 3_600_000}),
        json!({"expires_at": NOW.0 / 1_000 + 3_600, "expires_in": 60}),
        json!({"expires_at": null, "expires_in": "3600"}),
    ] {
        assert_eq!(grant(told.clone()).expires, hour, "{told}");
    }
    assert_eq!(grant(json!({})).expires, None);
    let stored = grant(json!({
        "fields": {"tenant": {"a": [1]}, "access": "x", "authProgram": "/bin/evil", "provider": "y"},
        "account": {"id": 7, "email": "me@example.com", "plan": "pro"},
    }));
    let names: Vec<&str> = stored
        .extra
        .0
        .iter()
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(names, ["tenant"]);
    let found = claims::of_grant(&account(&Account::default()), &stored, None);
    assert_eq!(found.identity.account_id.as_deref(), Some("7"));
    assert_eq!(found.identity.email.as_deref(), Some("me@example.com"));
    assert_eq!(found.plan.as_deref(), Some("pro"));
}

#[test]
fn what_is_no_token_is_not_stored() {
    for access in [
        json!(null),
        json!(""),
        json!(" "),
        json!("a\nb"),
        json!(["x"]),
    ] {
        let error = understood(&json!({"access_token": access})).unwrap_err();
        assert!(error.is_unknown());
    }
    let odd = understood(&json!({"access_token": "at", "refresh_token": 5, "fields": 7})).unwrap();
    assert_eq!((odd.refresh, odd.extra), (None, Extra::default()));
}
