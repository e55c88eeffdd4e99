//! Any JSON text, and any text that is almost JSON, as a document of the store, as the legacy files,
//! and as `openclaw.json`.

use openclaw::config::edit::Edit;
use openclaw::model::credential::{Credential, OAuth, Token};
use openclaw::model::id::{ProfileId, ProviderId};
use openclaw::model::json::Extra;
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::ports::store::Scope;
use openclaw::store::document::{merge_state, parse};
use openclaw::store::legacy;
use openclaw::store::render::{Layout, Rendered, render};

use super::fake_ports::{FakePorts, NOW, assert_printable};
use super::{pieces, raw};

fn id(text: &str) -> ProfileId {
    ProfileId::parse(text).unwrap()
}

/// No text crashes anything, what is read is written whole in either layout, and what a change does
/// not mean it leaves alone.
pub(crate) fn check(bytes: &[u8]) {
    pieces::check(bytes);
    let text = String::from_utf8_lossy(bytes);
    let _ = legacy::import(Some(&text), Some(&text));
    configuration(&text);
    let mut document = match parse(&text, Scope::All) {
        Ok(document) => document,
        Err(fault) => return assert_printable(&fault),
    };
    let before = raw::members(&text).expect("a document that was read is an object");
    survives(&document);
    let stored: Vec<(ProfileId, Credential)> = document
        .profiles()
        .map(|(id, credential)| (id.clone(), credential.clone()))
        .collect();
    for (id, credential) in &stored {
        if let Credential::OAuth(old) = credential {
            refreshed(old);
        }
        assert_eq!(
            document.put(id.clone(), credential.clone()),
            credential.is_held()
        );
    }
    assert!(document.put(id("groq:added"), added()));
    let added = |key: &str| key.trim() == "groq:added";
    let changed = |key: &str| added(key) || stored.iter().any(|(id, _)| key.trim() == id.as_str());
    for (id, _) in &stored {
        assert!(document.get(id).is_some(), "{id} was put and is gone");
    }
    raw::assert_kept(&before, &written(&document), &changed);
    for (id, _) in &stored {
        document.remove(id);
        assert_eq!(document.usage_of(id), None);
    }
    survives(&document);
}

fn added() -> Credential {
    Credential::Token(Token {
        provider: "groq".into(),
        token: Some(Secret::from("t")),
        expires: Some(NOW),
        email: None,
        extra: Extra::default(),
    })
}

/// A refresh keeps what it does not bring.
fn refreshed(old: &OAuth) {
    let new = OAuth {
        provider: old.provider.clone(),
        access: Some(Secret::from("at-new")),
        refresh: None,
        expires: None,
        identity: openclaw::model::credential::Identity::default(),
        extra: Extra::default(),
    };
    let merged = old.renewed(&new);
    assert_eq!(merged.extra, old.extra);
    assert_eq!(
        (&merged.refresh, &merged.identity),
        (&old.refresh, &old.identity)
    );
}

fn text_of(bytes: &Secret<Vec<u8>>) -> String {
    String::from_utf8(bytes.expose().clone()).expect("what is written is text")
}

fn written(document: &AuthProfiles) -> raw::Members {
    let Rendered { credentials, state } = render(document, Layout::Single);
    assert!(state.is_none());
    raw::members(&text_of(&credentials)).expect("what is written is an object")
}

/// Written and read again it is the same, in one file and in two.
fn survives(document: &AuthProfiles) {
    let single = text_of(&render(document, Layout::Single).credentials);
    let again = parse(&single, Scope::All).expect("what was written");
    assert_eq!(text_of(&render(&again, Layout::Single).credentials), single);
    let split = render(document, Layout::Split);
    let credentials = text_of(&split.credentials);
    let mut joined = parse(&credentials, Scope::All).expect("what was written");
    if let Some(state) = &split.state {
        merge_state(&mut joined, &text_of(state)).expect("what was written");
    }
    let twice = render(&joined, Layout::Split);
    assert_eq!(text_of(&twice.credentials), credentials);
    assert_eq!(
        twice.state.as_ref().map(text_of),
        split.state.as_ref().map(text_of)
    );
    let (one, two) = (written(document), written(&joined));
    raw::assert_kept(&one, &two, &|_| false);
}

/// As `openclaw.json`: an edit either leaves every byte where it was, or a file that can be read.
fn configuration(text: &str) {
    let fakes = FakePorts::new();
    fakes.put("openclaw.json", text.as_bytes());
    let ports = fakes.ports();
    let was_readable = match ports.config.load() {
        Ok(_) => true,
        Err(error) => {
            assert_printable(&error.to_string());
            false
        }
    };
    let provider = ProviderId::parse("groq").unwrap();
    let edit = Edit::SetAuthProfile {
        id: id("groq:added"),
        provider,
        mode: "token".into(),
        email: None,
    };
    match ports.edit_config(&[edit]) {
        Ok(_) => {
            let is_readable = ports.config.load().is_ok();
            assert!(is_readable || !was_readable, "an edit broke it");
        }
        Err(error) => {
            assert_printable(&error.to_string());
            let now = fakes.bytes("openclaw.json");
            assert_eq!(now.as_deref(), Some(text.as_bytes()), "{error}");
        }
    }
}
