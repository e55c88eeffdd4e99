//! Any text in the place of a provider's manifest.

use openclaw::app::failure::Failure;
use openclaw::model::id::ProviderId;
use openclaw::model::provider::{Flow, Loopback, Provider, Redirect};
use openclaw::providers::manifest::parse;

use super::fake_ports::{FakePorts, assert_printable};

/// What gets through is safe to act on, and what does not is told by line and column in words that a
/// terminal can show.
pub(crate) fn check(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match parse(&text, "acme.toml") {
        Ok((provider, _)) => {
            safe(&provider);
            let known = provider.registration.as_ref();
            assert!(known.is_none_or(|known| known.secret.value.is_none()));
        }
        Err(error) => {
            assert_printable(&error.to_string());
            assert!(error.to_string().starts_with("acme.toml"), "{error}");
            let lines = text.matches('\n').count() + 1;
            assert!(error.line <= lines, "{error} of {lines} lines");
        }
    }
    as_file(bytes);
}

/// The same by way of a user's file, which need not be text.
fn as_file(bytes: &[u8]) {
    let fakes = FakePorts::new();
    fakes.put("providers/acme.toml", bytes);
    let acme = ProviderId::parse("acme").unwrap();
    match fakes.ports().catalogue.get(&acme) {
        Ok(provider) => assert_eq!(provider.id, acme),
        Err(error) => assert_printable(&Failure::from(error).message),
    }
}

/// A provider that a login can be begun with, whoever wrote it.
pub(crate) fn safe(provider: &Provider) {
    assert_printable(&provider.name);
    if let Some(known) = &provider.registration {
        let addresses = [
            &known.authorize,
            &known.token,
            &known.issuer,
            &known.device,
            &known.revoke,
        ];
        for address in addresses.into_iter().flatten() {
            guarded(address);
        }
    }
    for flow in &provider.flows {
        let needs_client = match flow {
            Flow::Browser(flow) => flow.key_exchange.is_none(),
            flow => matches!(flow, Flow::Device(_) | Flow::ClientCredentials(_)),
        };
        assert!(!needs_client || provider.registration.is_some());
        if let Flow::Browser(flow) = flow {
            match &flow.redirect {
                Redirect::Loopback(redirect) => comes_back_here(redirect),
                Redirect::Elsewhere(page) => guarded(page),
            }
            if let Some(keys) = &flow.key_exchange {
                guarded(&keys.authorize);
                guarded(&keys.exchange);
            }
            let ours = ["state", "code_challenge", "redirect_uri", "client_id"];
            let set = flow
                .params
                .iter()
                .any(|(name, _)| ours.contains(&name.as_str()));
            assert!(!set, "{flow:?}");
        }
    }
    for (name, value) in &provider.dialect.headers {
        assert!(!name.eq_ignore_ascii_case("authorization"));
        assert!(!format!("{name}{value}").contains(char::is_control));
    }
}

fn comes_back_here(redirect: &Loopback) {
    let hosts = ["localhost", "127.0.0.1", "[::1]"];
    assert!(hosts.contains(&redirect.host.as_str()), "{redirect:?}");
    assert!(!redirect.ports.is_empty() && redirect.path.starts_with('/'));
    assert!(!redirect.path.contains(['?', '#', '\r', '\n']));
}

fn guarded(address: &str) {
    let url = url::Url::parse(address).expect("a URL");
    let local = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    assert!(
        url.scheme() == "https" || local && url.scheme() == "http",
        "{address}"
    );
    assert!(
        url.username().is_empty() && url.password().is_none(),
        "{address}"
    );
}
