//! Logging in with the real binary, a real authorization server and a real callback.

use std::io::Write;

use crate::support::browser::visit;
use crate::support::issuer::{Account, Issuer};

use crate::support::World;
use crate::support::login::Waiting;

pub(crate) fn logged_in(world: &World, more: &[&str]) -> String {
    let login = Waiting::start(world, more);
    let page = visit(&login.url).unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?} {events:?}");
    let saved = events
        .iter()
        .find(|event| event["event"] == "saved")
        .unwrap();
    saved["profileId"].as_str().unwrap().to_owned()
}

#[test]
fn a_login_is_stored_before_the_page_says_so() {
    let (world, issuer) = World::with_issuer(Account::default());
    let login = Waiting::start(&world, &[]);
    let page = visit(&login.url).unwrap();
    assert!(page.url.ends_with("/auth/callback"), "{}", page.url);
    let profile = &world.store()["profiles"]["openai-codex:me@example.com"];
    assert_eq!(profile["accountId"], "acct_1");
    assert_eq!(profile["email"], "me@example.com");
    for header in [
        "Cache-Control: no-store",
        "Content-Security-Policy: default-src 'none'",
        "Referrer-Policy: no-referrer",
        "X-Content-Type-Options: nosniff",
    ] {
        assert!(
            page.text.contains(header),
            "{header} is missing: {}",
            page.text
        );
    }
    assert!(!page.text.contains("MARKER"));
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let names: Vec<_> = events
        .iter()
        .map(|event| event["event"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["url", "waiting", "exchanging", "identity", "saved"]);
    let exchange = &issuer.token_requests()[0];
    let names: Vec<_> = exchange.iter().map(|(name, _)| name.as_str()).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "client_id",
            "code",
            "code_verifier",
            "grant_type",
            "redirect_uri"
        ]
    );
}

#[test]
fn strays_are_answered_and_ignored() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let login = Waiting::start(&world, &[]);
    let state = login.state();
    let status = |query: &str| visit(&login.callback(query)).unwrap().status;
    assert_eq!(status("code=x&state=wrong"), 400);
    assert_eq!(status("code=x"), 400);
    assert_eq!(status("error=access_denied&state=wrong"), 400);
    assert_eq!(status(&format!("state={state}")), 400);
    assert_eq!(status(&format!("code=a&code=b&state={state}")), 400);
    let elsewhere = login.callback("").replace("/auth/callback", "/success");
    assert_eq!(visit(&elsewhere).unwrap().status, 404);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
}

#[test]
fn a_refusal_ends_at_once_in_the_providers_words() {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.refuse_consent("access_denied", "not\r\n\u{1b}[32mallowed");
    let login = Waiting::start(&world, &[]);
    let page = visit(&login.url).unwrap();
    assert_eq!(page.status, 403);
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(
        ran.err.contains("access_denied: not [32mallowed"),
        "{ran:?}"
    );
    assert_eq!(events.last().unwrap()["event"], "error");
    assert!(!world.has_store());
}

#[test]
fn a_redirect_url_on_standard_input_is_enough() {
    let (world, issuer) = World::with_issuer(Account::default());
    let mut login = Waiting::start(&world, &[]);
    let url = redirect(&issuer, &login.url);
    let mut stdin = login.child.stdin.take().unwrap();
    writeln!(stdin, "{url}").unwrap();
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 1);
}

/// What the issuer redirects to, without going there.
pub(crate) fn redirect(issuer: &Issuer, url: &str) -> String {
    use std::io::Read;
    let url = url::Url::parse(url).unwrap();
    let address = issuer.url().trim_start_matches("http://").to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let (path, query) = (url.path(), url.query().unwrap());
    write!(
        stream,
        "GET {path}?{query} HTTP/1.0\r\nHost: {address}\r\n\r\n"
    )
    .unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("Location: "))
        .unwrap();
    line.trim_start_matches("Location: ").to_owned()
}

#[test]
fn two_accounts_never_overwrite_each_other() {
    let account = |id: &str, email: Option<&str>| Account {
        id: id.to_owned(),
        email: email.map(str::to_owned),
        ..Account::default()
    };
    let (world, issuer) = World::with_issuer(account("acct_1", None));
    assert_eq!(logged_in(&world, &[]), "openai-codex:default");
    assert_eq!(
        logged_in(&world, &[]),
        "openai-codex:default",
        "the same identity, in place"
    );
    issuer.set_account(account("acct_2", None));
    assert_eq!(logged_in(&world, &[]), "openai-codex:default-2");
    issuer.set_account(account("acct_3", Some("me@example.com")));
    assert_eq!(
        logged_in(&world, &["--profile-id", "openai-codex:default"]),
        "openai-codex:me@example.com"
    );
    assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 3);
}

#[test]
fn a_second_agent_logs_in_for_itself() {
    let (world, _issuer) = World::with_issuer(Account::default());
    world.add_agent("work");
    logged_in(&world, &["--agent", "work"]);
    assert!(
        world
            .state()
            .join("agents/work/agent/auth-profiles.json")
            .exists()
    );
    assert!(!world.has_store());
}

#[test]
fn nobody_logs_in_within_the_time() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let login = Waiting::start(&world, &["--timeout", "300ms"]);
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!(events.last().unwrap()["kind"], "temporary");
}

#[test]
fn nobody_is_sent_to_the_browser_for_a_login_that_could_not_be_kept() {
    let (world, issuer) = World::with_issuer(Account::default());
    let header = format!("SQLite format 3\0{}\0\0\0\x07", "\0".repeat(44));
    world.write("state/openclaw.sqlite", &header);
    world.write(
        "openclaw.json",
        r#"{ meta: { lastTouchedVersion: "2026.6.11" } }"#,
    );
    let ran = world.run(&["models", "auth", "login", "--provider", "openai-codex"]);
    assert_eq!((ran.code, ran.out.as_str()), (5, ""), "{ran:?}");
    assert!(
        ran.err.contains("openclaw.sqlite was written by a later OpenClaw release (its schema is number 7, and OpenClaw 2026.6.11 wrote the configuration)"),
        "{ran:?}"
    );
    assert!(!ran.err.contains(issuer.url()), "{ran:?}");
    assert!(!world.state().join("agents/main/agent").exists());
}
