//! RFC 8252: OAuth 2.0 for Native Apps.

use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::sync::Arc;

use crate::support::browser::visit;
use crate::support::issuer::Account;
use openclaw::model::provider::{Client, Flow, Provider, Redirect};
use openclaw::oauth::authorization;
use openclaw::providers::catalogue::Catalogue;
use openclaw::providers::manifest::parse;
use openclaw::sys::random::OsRandom;
use openclaw::testing::files::MemoryFiles;

use super::{abandon, asked, nothing_is_stored, value, waiting};
use crate::login::browser::redirect;
use crate::providers::manifests::ACME;
use crate::support::World;
use crate::support::login::Waiting;

fn built_in() -> Vec<Provider> {
    let catalogue = Catalogue::new(Arc::new(MemoryFiles::new()), "/none".into());
    let ids = catalogue.ids().unwrap().into_iter();
    ids.map(|id| catalogue.get(&id).unwrap()).collect()
}

#[test]
fn rfc8252_6_every_browser_login_uses_pkce() {
    let mut count = 0;
    for provider in built_in() {
        let Some(flow) = provider.browser() else {
            continue;
        };
        let client = match &flow.key_exchange {
            Some(keys) => keys.client(),
            None => Client {
                authorize: provider.registration.as_ref().unwrap().authorize.clone(),
                ..Client::public("c", "https://login.example/token")
            },
        };
        let begun =
            authorization::begin(&client, flow, "http://127.0.0.1:1/cb", &OsRandom).unwrap();
        let request = asked(&begun.url);
        assert_eq!(
            value(&request, "code_challenge_method"),
            "S256",
            "{}",
            provider.id
        );
        assert_eq!(
            value(&request, "code_challenge").len(),
            43,
            "{}",
            provider.id
        );
        count += 1;
    }
    assert!(count >= 4);
}

#[test]
fn rfc8252_7_3_the_port_is_chosen_when_it_is_needed() {
    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer
        .manifest()
        .replace("host = \"localhost\"", "host = \"127.0.0.1\"");
    world.write("providers/openai-codex.toml", &manifest);
    let logins = [Waiting::start(&world, &[]), Waiting::start(&world, &[])];
    let uris = logins
        .each_ref()
        .map(|login| value(&asked(&login.url), "redirect_uri").to_owned());
    assert_ne!(uris[0], uris[1]);
    for (login, uri) in logins.into_iter().zip(uris) {
        assert!(uri.starts_with("http://127.0.0.1:"), "{uri}");
        assert_eq!(visit(&login.url).unwrap().status, 200);
        assert_eq!(login.finish().0.code, 0);
    }
}

#[test]
fn rfc8252_8_1_the_verifier_never_leaves_but_for_the_token_endpoint() {
    let (world, issuer, login) = waiting();
    let page = visit(&login.url).unwrap();
    let url = login.url.clone();
    let (ran, _) = login.finish();
    assert_eq!(ran.code, 0, "{ran:?}");
    let verifier = value(&issuer.token_requests()[0], "code_verifier").to_owned();
    assert_eq!(verifier.len(), 43);
    for place in [
        &url,
        &page.url,
        &page.text,
        &ran.out,
        &ran.err,
        &world.store().to_string(),
    ] {
        assert!(!place.contains(&verifier), "{place}");
    }
}

/// The addresses that listen on a port, as Linux writes them.
fn listeners(port: u16) -> Vec<String> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"];
    let text = tables
        .map(|table| std::fs::read_to_string(table).unwrap_or_default())
        .concat();
    let rows = text.lines().filter_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let (address, number) = fields.get(1)?.split_once(':')?;
        let listens = fields.get(3) == Some(&"0A") && number == format!("{port:04X}");
        listens.then(|| address.to_owned())
    });
    rows.collect()
}

#[test]
fn rfc8252_8_3_the_port_is_open_for_the_login_only_and_on_loopback_only() {
    let (_world, _issuer, login) = waiting();
    let uri = url::Url::parse(value(&asked(&login.url), "redirect_uri")).unwrap();
    let port = uri.port().unwrap();
    if cfg!(target_os = "linux") {
        let here = ["0100007F", "00000000000000000000000001000000"];
        let found = listeners(port);
        assert!(!found.is_empty());
        assert!(
            found.iter().all(|address| here.contains(&address.as_str())),
            "{found:?}"
        );
    }
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert_eq!(visit(&login.url).unwrap().status, 200);
    assert_eq!(login.finish().0.code, 0);
    assert!(
        TcpStream::connect(("127.0.0.1", port)).is_err(),
        "closed after the answer"
    );
}

#[test]
fn rfc8252_8_5_no_manifest_holds_a_secret() {
    for provider in built_in() {
        if let Some(registration) = provider.registration {
            assert_eq!(registration.secret.value, None, "{}", provider.id);
        }
    }
    let literal = ACME.replace("id = \"public\"", "id = \"public\"\nsecret = \"s3cret\"");
    let error = parse(&literal, "acme.toml").unwrap_err();
    assert!(
        error
            .message
            .contains("a manifest must not contain a secret"),
        "{error}"
    );
}

#[test]
fn rfc8252_8_10_each_server_has_a_redirect_uri_of_its_own() {
    let mut uris = Vec::new();
    for provider in built_in() {
        for flow in &provider.flows {
            let redirect = match flow {
                Flow::Browser(flow) => match &flow.redirect {
                    Redirect::Loopback(redirect) => redirect,
                    Redirect::Elsewhere(_) => continue,
                },
                _ => continue,
            };
            uris.extend(redirect.ports.iter().map(|port| redirect.uri(*port)));
        }
    }
    let mut once = uris.clone();
    once.sort();
    once.dedup();
    assert_eq!(once.len(), uris.len(), "{uris:?}");
    assert!(uris.len() >= 5, "{uris:?}");
}

#[test]
fn rfc8252_8_10_the_answer_of_one_login_is_none_for_another() {
    let (world, issuer) = World::with_issuer(Account::default());
    let (one, two) = (Waiting::start(&world, &[]), Waiting::start(&world, &[]));
    let answer = redirect(&issuer, &one.url);
    let (_, query) = answer.split_once('?').unwrap();
    assert_eq!(visit(&two.callback(query)).unwrap().status, 400);
    assert!(issuer.token_requests().is_empty() && nothing_is_stored(&world));
    abandon(one);
    abandon(two);
}

#[test]
fn rfc8252_8_12_the_systems_own_browser_is_opened() {
    let (world, _issuer) = World::with_issuer(Account::default());
    let bin = world.directory.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    let told = world.directory.path().join("told");
    let opener = bin.join("xdg-open");
    let script = format!(
        "#!/bin/sh\nprintf %s \"$1\" > {0}.new && /bin/mv {0}.new {0}\n",
        told.display()
    );
    std::fs::write(&opener, script).unwrap();
    std::fs::set_permissions(&opener, PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = world.command(&["models", "auth", "login", "--json"]);
    command.env("PATH", &bin).stdin(Stdio::null());
    let login = Waiting::of(command);
    let url = std::iter::repeat_with(|| {
        std::thread::sleep(std::time::Duration::from_millis(10));
        std::fs::read_to_string(&told).ok()
    });
    let url = url.take(6_000).flatten().next().unwrap();
    // By an address of ours, which leads there.
    let page = visit(&url).unwrap();
    assert_eq!(page.status, 200, "{page:?}");
    assert_eq!(login.finish().0.code, 0);
}
