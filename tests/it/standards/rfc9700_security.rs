//! RFC 9700: Best Current Practice for OAuth 2.0 Security. Sections 4.4 and 4.8 stand with the
//! tests of metadata.

use std::process::Stdio;
use std::time::Duration;

use crate::support::browser::visit;
use crate::support::issuer::{Account, Fate};
use openclaw::providers::manifest::parse;

use super::{abandon, asked, nothing_is_stored, value, waiting};
use crate::login::browser::redirect;
use crate::providers::manifests::ACME;
use crate::support::login::Waiting;
use crate::support::{World, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

#[test]
fn rfc9700_2_1_the_redirect_uri_is_exact_but_for_the_port() {
    let (_world, _issuer, login) = waiting();
    let uri = value(&asked(&login.url), "redirect_uri").to_owned();
    let url = url::Url::parse(&uri).unwrap();
    assert_eq!(
        uri,
        format!("http://localhost:{}/auth/callback", url.port().unwrap())
    );
    let query = format!("code=x&state={}", login.state());
    for near in [
        "/auth/callback/",
        "/auth/Callback",
        "/auth",
        "/",
        "/auth/callback/x",
    ] {
        let near = format!("{}{near}?{query}", uri.trim_end_matches("/auth/callback"));
        assert_eq!(visit(&near).unwrap().status, 404, "{near}");
    }
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
}

#[test]
fn rfc9700_2_1_1_each_transaction_has_a_challenge_of_its_own() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let logins = [(); 3].map(|()| Waiting::start(&world, &[]));
    let mut challenges = logins
        .each_ref()
        .map(|login| value(&asked(&login.url), "code_challenge").to_owned());
    challenges.sort();
    assert!(
        challenges.windows(2).all(|pair| pair[0] != pair[1]),
        "{challenges:?}"
    );
    logins.into_iter().for_each(abandon);
}

#[test]
fn rfc9700_2_2_2_a_rotated_refresh_token_is_never_sent_again() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    assert_eq!(world.run(&TOKEN).code, 0);
    for _ in 0..3 {
        assert_eq!(world.run(&["models", "auth", "refresh", "--force"]).code, 0);
    }
    let requests = issuer.token_requests();
    let mut sent: Vec<&str> = requests
        .iter()
        .map(|sent| value(sent, "refresh_token"))
        .collect();
    assert_eq!(sent.len(), 4);
    assert!(sent.iter().all(|token| issuer.fate(token) == Fate::Spent));
    sent.sort_unstable();
    sent.dedup();
    assert_eq!(sent.len(), 4, "each once");
    let store = world.store();
    let living = store["profiles"]["openai-codex:default"]["refresh"]
        .as_str()
        .unwrap();
    assert_eq!(issuer.fate(living), Fate::Living);
}

#[test]
fn rfc9700_2_6_what_the_server_publishes_is_used() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.write("providers/acme.toml", &issuer.issuer_manifest());
    assert!(!issuer.issuer_manifest().contains("/oauth/"));
    issuer.publish_json("/.well-known/openid-configuration", &issuer.metadata());
    let login = Waiting::start(&world, &["--provider", "acme"]);
    let endpoint = format!("{}/oauth/authorize?", issuer.url());
    assert!(login.url.starts_with(&endpoint), "{}", login.url);
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
}

#[test]
fn rfc9700_2_6_plain_http_is_for_this_machine_only() {
    let to = |address: &str| {
        parse(
            &ACME.replace("https://login.acme.example/token", address),
            "f",
        )
    };
    assert!(to("http://127.0.0.1:8080/token").is_ok());
    assert!(to("http://[::1]:8080/token").is_ok());
    for far in [
        "http://login.acme.example/token",
        "http://10.0.0.1/token",
        "http://localhost.acme.example/t",
    ] {
        assert!(
            to(far).unwrap_err().message.contains("must be https"),
            "{far}"
        );
    }
    let elsewhere = "kind = \"browser\"\nredirect_uri = \"http://acme.example/code\"\nscopes";
    let loopback =
        "kind = \"browser\"\nhost = \"localhost\"\nports = [0]\npath = \"/callback\"\nscopes";
    assert!(ACME.contains(loopback));
    let error = parse(&ACME.replace(loopback, elsewhere), "f").unwrap_err();
    assert!(error.message.contains("must be https"), "{error}");
}

#[test]
fn rfc9700_4_1_a_redirect_uri_has_no_patterns() {
    let path = |path: &str| parse(&ACME.replace("\"/callback\"", &format!("{path:?}")), "f");
    assert!(path("/callback").is_ok());
    for pattern in [
        "/*",
        "/callback?next=x",
        "/callback#x",
        "//evil.example/",
        "callback",
        "/%2e%2e/",
    ] {
        // Two slashes are a path like any other here: the host stands in front of them.
        assert_eq!(
            path(pattern).is_ok(),
            pattern == "//evil.example/",
            "{pattern}"
        );
    }
    let host = |host: &str| parse(&ACME.replace("\"localhost\"", &format!("{host:?}")), "f");
    for pattern in [
        "*.localhost",
        "0.0.0.0",
        "localhost.evil.example",
        "127.0.0.1@evil.example",
    ] {
        assert!(host(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn rfc9700_4_2_no_page_tells_where_it_was_reached_from() {
    let (_world, _issuer, login) = waiting();
    let stray = visit(&login.callback("code=x&state=y")).unwrap();
    let page = visit(&login.url).unwrap();
    for text in [&stray.text, &page.text] {
        assert!(text.contains("Referrer-Policy: no-referrer"), "{text}");
    }
    assert_eq!(login.finish().0.code, 0);
}

#[test]
fn rfc9700_4_3_the_browser_is_left_at_an_address_without_the_code() {
    let (_world, issuer, login) = waiting();
    let page = visit(&login.url).unwrap();
    assert!(!page.url.contains('?'), "{}", page.url);
    assert!(
        page.text.contains("Cache-Control: no-store"),
        "{}",
        page.text
    );
    assert_eq!(login.finish().0.code, 0);
    let code = value(&issuer.token_requests()[0], "code").to_owned();
    assert!(!page.text.contains(&code) && !page.url.contains(&code));
}

#[test]
fn rfc9700_4_5_a_code_of_another_transaction_is_of_no_use() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (theirs, mine) = (Waiting::start(&world, &[]), Waiting::start(&world, &[]));
    let stolen = asked(&redirect(&issuer, &theirs.url));
    let query = format!("code={}&state={}", value(&stolen, "code"), mine.state());
    visit(&mine.callback(&query)).unwrap();
    let (ran, _) = mine.finish();
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.err.contains("invalid_grant"), "{ran:?}");
    assert!(nothing_is_stored(&world));
    abandon(theirs);
}

#[test]
fn rfc9700_4_7_a_state_is_good_for_one_login_and_one_answer() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (one, two) = (Waiting::start(&world, &[]), Waiting::start(&world, &[]));
    assert_ne!(one.state(), two.state());
    let answer = redirect(&issuer, &one.url);
    assert_eq!(visit(&answer).unwrap().status, 200);
    assert_eq!(one.finish().0.code, 0);
    assert!(visit(&answer).is_err(), "the door is closed");
    assert_eq!(issuer.token_requests().len(), 1);
    abandon(two);
}

#[test]
fn rfc9700_4_14_refreshes_wait_for_each_other() {
    let (world, issuer) = World::with_issuer(Account::default());
    issuer.set_delay(Duration::from_millis(100));
    world.seed(&issuer, "main", -10);
    let children: Vec<_> = (0..8)
        .map(|_| {
            let mut command = world.command(&TOKEN);
            command
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .unwrap()
        })
        .collect();
    let runs = children
        .into_iter()
        .map(|child| ran(child.wait_with_output().unwrap()));
    let runs: Vec<_> = runs.collect();
    assert!(
        runs.iter()
            .all(|ran| ran.code == 0 && ran.out == runs[0].out),
        "{runs:?}"
    );
    assert_eq!(issuer.token_requests().len(), 1);
}

#[test]
fn rfc9700_4_14_a_reused_token_asks_for_a_new_login_and_is_not_tried_again() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (access, refresh) = world.seed(&issuer, "main", -10);
    assert_eq!(world.run(&TOKEN).code, 0);
    // A backup was put back: its refresh token is spent.
    let other = World::new();
    other.write("providers/openai-codex.toml", &issuer.manifest());
    other.seed_with("main", -10, &access, &refresh);
    let ran = other.run(&TOKEN);
    assert_eq!((ran.code, ran.out.as_str()), (3, ""), "{ran:?}");
    assert!(ran.err.contains("refresh_token_reused"), "{ran:?}");
    assert_eq!(other.run(&TOKEN).code, 3);
    assert_eq!(
        issuer.token_requests().len(),
        2,
        "the refusal is remembered"
    );
}
