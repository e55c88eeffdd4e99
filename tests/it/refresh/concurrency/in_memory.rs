//! A server that gives no valid response, signals during requests, and the time limit of a run:
//! without a server and a clock, so that nothing is waited for.

mod servers;

use std::time::Duration;

use openclaw::app::context::Context;
use openclaw::app::failure::{Kind, StoreEffect};
use openclaw::app::maintenance::tick;
use openclaw::app::refresh::outcome::RefreshResult;
use openclaw::app::usecase::refresh;
use openclaw::model::id::AgentId;
use openclaw::ports::host::Signal;
use openclaw::ports::http::{HttpErrorKind, Method, TORN};

use crate::security::random_inputs::targets::fake_ports::{FakePorts, NOW};

use servers::{Fault, Servers};

/// Agents, each with a login of that provider that ends so many milliseconds from now.
fn with(logins: &[(&str, &str, i64)]) -> FakePorts {
    let ports = FakePorts::new();
    let others = logins.iter().map(|(_, provider, _)| *provider);
    for name in ["hanging", "well"].into_iter().chain(others) {
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
        "hanging:c was not refreshed: hanging.example gave no valid response to 2 other logins"
    );
    assert_eq!(left.touched, StoreEffect::Nothing);
    // Its token is valid, so nothing is wrong yet.
    let living = report.rows[3].living.as_ref().unwrap();
    assert_eq!(living.how, RefreshResult::StillAlive);
    assert!(report.rows[3].warning().is_some());
    assert_eq!(report.late, 0);
}

/// Each of these may have cost the refresh token that was sent.
#[test]
fn a_server_without_a_valid_response_gets_no_third_token() {
    let logins: Vec<String> = (0..20).map(|number| format!("a{number}")).collect();
    let logins: Vec<(&str, &str, i64)> = logins
        .iter()
        .map(|agent| (agent.as_str(), "hanging", -1_000))
        .collect();
    let torn: &[u8] = &[b'{', TORN];
    for fault in [
        Fault::None(HttpErrorKind::NoAnswer),
        Fault::None(HttpErrorKind::TooLarge),
        Fault::Answer(302, b""),
        Fault::Answer(200, torn),
    ] {
        let ports = with(&logins);
        let servers = Servers {
            fault,
            ..Servers::new(&ports)
        };
        let report = tick(servers.context(), Duration::MAX);
        assert_eq!(servers.asked("hanging"), 2, "{:?}", report.problems);
        let problems = report.problems.iter();
        let left = problems.filter(|problem| problem.failure.kind == Kind::Temporary);
        assert_eq!(left.count(), 18);
    }
    // Nothing was sent, or it says so itself.
    for fault in [Fault::None(HttpErrorKind::Connect), Fault::Answer(503, b"")] {
        let ports = with(&logins);
        let servers = Servers {
            fault,
            ..Servers::new(&ports)
        };
        tick(servers.context(), Duration::MAX);
        assert_eq!(servers.asked("hanging"), 20);
    }
}

/// The document is read once for those that are left, not for each of them.
#[test]
fn what_is_read_for_logins_that_are_left_does_not_grow_with_their_number() {
    let read = |count: usize| {
        let ports = with(&[]);
        let login = |number: usize| {
            format!(
                r#""hanging:{number}":{{"type":"oauth","provider":"hanging","access":"at",
                "refresh":"rt-{number}","expires":1795230000000}}"#
            )
        };
        let logins: Vec<String> = (0..count).map(login).collect();
        let padding = " ".repeat(100_000);
        let document = format!(
            r#"{{"version":1,{padding}"profiles":{{{}}}}}"#,
            logins.join(",")
        );
        ports.put("agents/main/agent/auth-profiles.json", document.as_bytes());
        let servers = Servers::new(&ports);
        let before = ports.files.bytes_read();
        let report = tick(servers.context(), Duration::MAX);
        assert_eq!((report.rows.len(), servers.asked("hanging")), (count, 2));
        ports.files.bytes_read() - before
    };
    let (few, many) = (read(3), read(23));
    assert!(many < few + 100_000, "{few} {many}");
}

/// The request for the metadata is given up, which is no problem of the provider.
#[test]
fn a_signal_during_a_request_for_metadata_is_no_problem_of_the_provider() {
    let ports = with(&[("a", "hanging", -1_000)]);
    let manifest = "schema = 1\nid = \"hanging\"\nname = \"hanging\"\n\n[client]\nid = \"c\"\n\
         issuer = \"https://hanging.example\"\n\n[[flow]]\nkind = \"token\"\n";
    ports.put("providers/hanging.toml", manifest.as_bytes());
    let servers = Servers {
        fault: Fault::None(HttpErrorKind::NoAnswer),
        is_signalled: Some(Method::Get),
        ..Servers::new(&ports)
    };
    let report = tick(servers.context(), Duration::MAX);
    assert!(servers.asked("hanging") > 0);
    assert!(report.problems.is_empty(), "{:?}", report.problems);
    let stopped = report.stopped.unwrap();
    assert_eq!(stopped.kind, Kind::Cancelled(Signal::TERMINATE));
    assert_eq!(stopped.touched, StoreEffect::Nothing);
    assert_eq!(ports.bytes("alerts.json"), None);
}

#[test]
fn a_refusal_that_comes_with_a_signal_is_said() {
    let ports = with(&[("a", "hanging", -1_000)]);
    let servers = Servers {
        fault: Fault::Answer(400, br#"{"error":"invalid_grant"}"#),
        is_signalled: Some(Method::Post),
        ..Servers::new(&ports)
    };
    let report = tick(servers.context(), Duration::MAX);
    let kinds: Vec<Kind> = report.problems.iter().map(|it| it.failure.kind).collect();
    assert_eq!(kinds, [Kind::NeedsLogin]);
    assert!(report.stopped.is_some());
}

/// Where panics unwind; releases abort.
#[test]
fn a_panic_ends_the_run_when_what_is_under_way_has_ended() {
    let ports = with(&[
        ("a", "hanging", -1_000),
        ("b", "well", -1_000),
        ("c", "hanging", -1_000),
    ]);
    let servers = Servers {
        fault: Fault::Panic,
        ..Servers::new(&ports)
    };
    let run = || tick(servers.context(), Duration::MAX);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    assert!(ended.is_err());
    let stored = ports.bytes("agents/b/agent/auth-profiles.json").unwrap();
    let is_stored = String::from_utf8(stored).unwrap().contains("rt-new");
    assert_eq!(is_stored, servers.asked("well") == 1);
}

#[test]
fn sixteen_are_under_way_at_once() {
    let names: Vec<String> = (0..12).map(|number| format!("well{number}")).collect();
    let mut logins = Vec::new();
    for name in &names {
        logins.extend([(format!("{name}a"), name), (format!("{name}b"), name)]);
    }
    let logins: Vec<(&str, &str, i64)> = logins
        .iter()
        .map(|(agent, provider)| (agent.as_str(), provider.as_str(), -1_000))
        .collect();
    let ports = with(&logins);
    let servers = Servers {
        gathers: 16,
        ..Servers::new(&ports)
    };
    let report = tick(servers.context(), Duration::MAX);
    assert!(report.rows.iter().all(|row| row.is_refreshed));
    let crowd = servers.crowd.lock().unwrap();
    assert_eq!((crowd.most_at_once, crowd.all), (16, 24));
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
    let words = "was not refreshed: the time limit of 20 s was reached before its turn";
    for problem in &report.problems {
        assert_eq!(problem.failure.kind, Kind::Temporary);
        assert!(problem.failure.to_string().ends_with(words), "{problem:?}");
    }
}
