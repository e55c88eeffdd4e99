//! The wire format of the store: what is not changed leaves as it came.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

mod in_pieces;
mod properties;
mod selection_order;

use std::fs;
use std::path::{Path, PathBuf};

use openclaw::model::credential::{ApiKey, Credential, OAuth};
use openclaw::model::id::{ProfileId, ProviderId};
use openclaw::model::json::Extra;
use openclaw::model::profiles::{AuthProfiles, Content};
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::store::Scope;
use openclaw::store::document::{merge_state, parse};
use openclaw::store::legacy;
use openclaw::store::render::{Layout, render};
use serde_json::{Map, Value, json};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn read_json(path: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

fn id(text: &str) -> ProfileId {
    ProfileId::parse(text).unwrap()
}

fn all(text: &str) -> AuthProfiles {
    parse(text, Scope::All).unwrap()
}

fn single(document: &AuthProfiles) -> String {
    let rendered = render(document, Layout::Single);
    assert!(rendered.state.is_none());
    String::from_utf8(rendered.credentials.expose().clone()).unwrap()
}

fn split(document: &AuthProfiles) -> (Value, Option<Value>) {
    let rendered = render(document, Layout::Split);
    let value = |bytes: &Secret<Vec<u8>>| serde_json::from_slice(bytes.expose()).unwrap();
    (
        value(&rendered.credentials),
        rendered.state.as_ref().map(value),
    )
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

fn api_key(key: &str) -> Credential {
    Credential::ApiKey(ApiKey {
        provider: "openai".into(),
        key: Some(Secret::from(key)),
        email: None,
        extra: Extra::default(),
    })
}

/// Every object under `auth-profiles.json` of the recorded stores, with where it came from.
fn recorded_stores() -> Vec<(String, Value)> {
    let mut stores = Vec::new();
    for release in ["feb", "may"] {
        for dir in fs::read_dir(fixtures().join("recorded").join(release)).unwrap() {
            let state = dir.unwrap().path().join("state.json");
            for (name, file) in read_json(&state)["files"].as_object().unwrap() {
                if name.ends_with("auth-profiles.json") && file.is_object() {
                    stores.push((format!("{}: {name}", state.display()), file.clone()));
                }
            }
        }
    }
    assert!(stores.len() > 20, "only {} stores", stores.len());
    stores
}

#[test]
fn recorded_stores_are_written_as_they_were_read() {
    for (name, store) in recorded_stores() {
        let text = pretty(&store);
        assert_eq!(single(&all(&text)), text, "{name}");
        assert_eq!(value(&single(&all(&store.to_string()))), store, "{name}");
        let (credentials, state) = split(&all(&text));
        let mut document = all(&credentials.to_string());
        if let Some(state) = state {
            merge_state(&mut document, &state.to_string()).unwrap();
        }
        assert_eq!(value(&single(&document)), store, "{name}");
    }
}

#[test]
fn a_change_leaves_everything_else_alone() {
    for (name, store) in recorded_stores() {
        let mut document = all(&store.to_string());
        assert!(document.put(id("openai:added"), api_key("k")));
        let mut written = value(&single(&document));
        let added = json!({"type": "api_key", "provider": "openai", "key": "k"});
        let profiles = written["profiles"].as_object_mut().unwrap();
        assert_eq!(profiles.shift_remove("openai:added"), Some(added), "{name}");
        assert_eq!(written, store, "{name}");
    }
}

#[test]
fn a_rewritten_credential_loses_nothing() {
    for (name, store) in recorded_stores() {
        let mut document = all(&store.to_string());
        let stored: Vec<_> = document
            .profiles()
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect();
        for (id, credential) in stored {
            assert!(document.put(id, credential));
        }
        assert_eq!(value(&single(&document)), store, "{name}");
    }
}

#[test]
fn the_legacy_files_become_what_the_releases_made_of_them() {
    for release in ["feb", "may"] {
        for (store, file) in [
            ("legacy-auth-json", "agents/main/agent/auth.json"),
            ("legacy-oauth-json", "credentials/oauth.json"),
        ] {
            let dir = fixtures().join("recorded").join(release).join(store);
            let text = read_json(&dir.join("state.json"))["files"][file].to_string();
            let imported = if store == "legacy-auth-json" {
                legacy::import(Some(&text), None)
            } else {
                legacy::import(None, Some(&text))
            };
            let changed = &read_json(&dir.join("status-json.json"))["files_changed"];
            let expected = changed["agents/main/agent/auth-profiles.json"]["text"].as_str();
            assert_eq!(single(&imported.unwrap().unwrap()), expected.unwrap());
        }
    }
}

#[test]
fn legacy_entries_are_never_invalid_and_lose_nothing() {
    let oauth = r#"{"anthropic": {"type": "oauth", "access": "LA"}, "junk": "str",
        "odd": {"type": "weird", "provider": 5, "access": "OA", "more": [1]},
        "openai-codex": {"access": "CA", "refresh": "CR", "expires": 7, "accountId": "acc"}}"#;
    let auth = r#"{"openai": {"type": "api_key", "key": "K"}, "bad": {"type": "x"},
        "anthropic": {"type": "oauth", "access": "AA", "refresh": "AR", "expires": 5, "extra": "x"},
        "groq": {"type": "token", "token": "tt", "expires": 99, "provider": "groqq", "email": "e@e"}}"#;
    let document = legacy::import(Some(auth), Some(oauth)).unwrap().unwrap();
    assert_eq!(document.faults.len(), 2);
    let expected = json!({"version": 1, "profiles": {
        "openai:default": {"type": "api_key", "provider": "openai", "key": "K"},
        "anthropic:default": {"type": "oauth", "provider": "anthropic", "access": "AA",
            "refresh": "AR", "expires": 5, "extra": "x"},
        "groq:default": {"type": "token", "provider": "groqq", "token": "tt", "expires": 99,
            "email": "e@e"},
        "odd:default": {"type": "oauth", "provider": "odd", "access": "OA", "more": [1]},
        "openai-codex:default": {"type": "oauth", "provider": "openai-codex", "access": "CA",
            "refresh": "CR", "expires": 7, "accountId": "acc"},
    }});
    assert_eq!(value(&single(&document)), expected);
    let again = all(&single(&document));
    assert_eq!(again.profiles().count(), 5);

    assert_eq!(legacy::import(None, Some("{}")), Ok(None));
    assert_eq!(legacy::import(Some(r#"{"profiles": {}}"#), None), Ok(None));
    let fault = legacy::import(Some("{"), None).unwrap_err();
    assert!(fault.starts_with("auth.json: "), "{fault}");
}

#[test]
fn one_bad_entry_does_not_concern_the_others() {
    let text = r#"{"profiles": {
        "a": "MARKER", "b": {"type": "MARKER", "provider": "p"}, "c": {"type": "token"},
        "d": {"type": "token", "provider": "p", "token": 5}, "../e": {"type": "token", "provider": "p"},
        " good ": {"type": "api_key", "provider": "p"}, "good": {"type": "api_key", "provider": "p"},
        "lone": {"type": "token", "provider": "p", "token": "\ud800"},
        "deep": DEEP, "big": {"type": "token", "provider": "p", "token": "t", "n": 1e999, "expires": 1e999}
    }}"#
    .replace("DEEP", &format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)));
    let document = all(&text);
    let valid: Vec<_> = document.profiles().map(|(id, _)| id.as_str()).collect();
    assert_eq!(valid, ["../e", "good", "big"]);
    for entry in document.entries() {
        if let Content::Invalid { fault } = &entry.content {
            assert!(!fault.contains("MARKER") && !fault.is_empty(), "{fault}");
        }
    }
    assert_eq!(document.entries().len(), 10);
    assert_eq!(all(&single(&document)), document);
}

#[test]
fn later_spellings_are_read_and_written_the_old_way() {
    let text = r#"{"profiles": {
        "a": {"mode": "api_key", "provider": "p", "apiKey": "k"},
        "b": {"type": "token", "provider": "p", "token": {"source": "env", "id": "X"}}}}"#;
    let mut document = all(text);
    let Some(Credential::ApiKey(key)) = document.get(&id("a")).cloned() else {
        panic!("not a key")
    };
    assert_eq!(key.key, Some(Secret::from("k")));
    let b = document.get(&id("b")).cloned().unwrap();
    assert_eq!(b.bearer(), None);
    assert!(document.put(id("a"), Credential::ApiKey(key)));
    assert!(document.put(id("b"), b));
    let expected = json!({"version": 1, "profiles": {
        "a": {"type": "api_key", "provider": "p", "key": "k"},
        "b": {"type": "token", "provider": "p", "tokenRef": {"source": "env", "id": "X"}}}});
    assert_eq!(value(&single(&document)), expected);
}

#[test]
fn an_expiry_that_cannot_be_is_no_end_and_is_kept_as_it_is() {
    let end = |kind: &str, expires: &str| {
        let text = format!(
            r#"{{"profiles": {{"x": {{"type": "{kind}", "provider": "p", "expires": {expires}}}}}}}"#
        );
        let mut document = all(&text);
        let credential = document.get(&id("x")).cloned().unwrap();
        let end = credential.expires();
        assert!(document.put(id("x"), credential));
        (end.map(|end| end.0), single(&document))
    };
    assert_eq!(end("token", "1826766478442.9").0, Some(1_826_766_478_442));
    for (kind, expires) in [
        ("token", "0"),
        ("token", "-1"),
        ("token", "null"),
        ("token", "\"soon\""),
        ("token", "1e999"),
        ("oauth", "null"),
        ("oauth", "1e999"),
        ("oauth", "-5"),
        ("oauth", "1826766478442000"),
    ] {
        let (read, written) = end(kind, expires);
        assert_eq!(read, None, "{kind} {expires}");
        let kept = format!("\"expires\": {expires}");
        assert!(written.contains(&kept), "{kind} {expires}: {written}");
    }
}

#[test]
fn what_cannot_be_read_survives() {
    let text = r#"{"version": 7, "profiles": {}, "order": {"a": "b", "c": [" x ", 5, ""], "d": []},
        "lastGood": {"a": null, "c": "x"}, "usageStats": {"x": 5, "y": {"lastUsed": 1.5}}, "new": 1e999}"#;
    let mut document = all(text);
    assert_eq!(document.order, [("c".to_owned(), vec!["x".to_owned()])]);
    assert_eq!(document.last_good, [("c".to_owned(), "x".to_owned())]);
    assert_eq!(document.usage[1].1.last_used, Some(Timestamp(1)));
    document.order.push(("d".into(), vec!["x".into()]));
    assert!(document.put(id("openai:added"), api_key("k")));
    let written = single(&document);
    assert!(written.contains("\"new\": 1e999"), "{written}");
    let written = value(&written.replace("1e999", "0"));
    assert_eq!(written["version"], 7);
    let order = json!({"a": "b", "c": ["x"], "d": ["x"]});
    assert_eq!(written["order"], order);
    assert_eq!(written["lastGood"], json!({"a": null, "c": "x"}));
    assert_eq!(
        written["usageStats"],
        json!({"x": 5, "y": {"lastUsed": 1.5}})
    );

    let mut odd = all("\u{feff}{\"profiles\": [1], \"order\": 5, \"version\": \"2\"}");
    assert_eq!(odd.faults.len(), 2);
    let expected = json!({"version": 1, "profiles": [1], "order": 5});
    assert_eq!(value(&single(&odd)), expected);
    assert!(odd.put(id("openai:added"), api_key("k")));
    assert!(value(&single(&odd))["profiles"]["openai:added"].is_object());
    for text in ["", "[]", "null", "\"MARKER\"", "{\"a\": MARKER", "{} x"] {
        let fault = parse(text, Scope::All).unwrap_err();
        assert!(!fault.contains("MARKER"), "{fault}");
    }
    assert_eq!(
        value(&single(&all("{}"))),
        json!({"version": 1, "profiles": {}})
    );
}

#[test]
fn of_duplicates_the_last_counts() {
    let text = r#"{"profiles": {"a": 1}, "order": {"p": ["a"], "p": ["b"]},
        "profiles": {"x": {"type": "token", "type": "api_key", "provider": "p", "key": "1", "key": "2"}, "y": 1, "y": 2}}"#;
    let document = all(text);
    let key = document.get(&id("x")).unwrap().bearer();
    assert_eq!(key, Some(&Secret::from("2")));
    assert_eq!(document.order, [("p".to_owned(), vec!["b".to_owned()])]);
    assert_eq!(document.entries().len(), 2);
}

#[test]
fn the_state_file_wins_key_by_key_and_goes_when_it_is_empty() {
    let mut document = all(r#"{"profiles": {}, "order": {"z.ai": ["a"], "q": ["b"]},
        "usageStats": {"a": {"lastUsed": 1}}, "top": 1}"#);
    let state = r#"{"version": 2, "order": {"zai": ["c"], "q": ["d"]}, "usageStats": {"a": {"lastUsed": 2}}, "own": {}}"#;
    merge_state(&mut document, state).unwrap();
    let zai = ProviderId::parse("zai").unwrap();
    assert_eq!(document.order_of(&zai), Some(["c".to_owned()].as_slice()));
    assert_eq!(
        document.usage_of(&id("a")).unwrap().last_used,
        Some(Timestamp(2))
    );
    let (credentials, state) = split(&document);
    assert_eq!(credentials, json!({"version": 1, "profiles": {}, "top": 1}));
    let order = json!({"zai": ["c"], "q": ["d"], "z.ai": ["a"]});
    let usage = json!({"a": {"lastUsed": 2}});
    let expected = json!({"version": 2, "order": order, "usageStats": usage, "own": {}});
    assert_eq!(state, Some(expected));

    let before = document.clone();
    assert!(merge_state(&mut document, "[]").is_err());
    assert_eq!(document, before);

    let mut document = all(r#"{"profiles": {}}"#);
    merge_state(&mut document, r#"{"version": 1, "order": {"p": ["a"]}}"#).unwrap();
    document.order.clear();
    assert_eq!(split(&document).1, None);
}

#[test]
fn a_refresh_lays_the_new_grant_over_the_old() {
    let grant = |text: &str| -> OAuth {
        let document = all(&format!(r#"{{"profiles": {{"x": {text}}}}}"#));
        document.get(&id("x")).unwrap().as_oauth().unwrap().clone()
    };
    let old = grant(
        r#"{"type": "oauth", "provider": "P", "access": "a", "refresh": "r", "expires": 1,
            "email": "e", "accountId": "i", "custom": "keepme", "plan": "free"}"#,
    );
    let new = grant(
        r#"{"type": "oauth", "provider": "p", "access": "b", "refresh": " ", "expires": 2, "plan": "pro", "id": 3}"#,
    );
    let expected = grant(
        r#"{"type": "oauth", "provider": "P", "access": "b", "refresh": "r", "expires": 2,
            "email": "e", "accountId": "i", "custom": "keepme", "plan": "pro", "id": 3}"#,
    );
    assert_eq!(old.renewed(&new), expected);
}

#[test]
fn a_scope_keeps_only_its_entries() {
    let mut profiles = Map::new();
    for n in 0..10_000 {
        let provider = if n % 1000 == 0 { "Z.AI" } else { "p" };
        let entry = json!({"type": "token", "provider": provider, "token": "t".repeat(100)});
        profiles.insert(format!("p:{n}"), entry);
    }
    profiles.insert("broken".into(), json!({"type": "x", "provider": "zai"}));
    let usage = json!({"p:1": {"lastUsed": 1}});
    let text = json!({"profiles": profiles, "order": {"p": ["p:1"]}, "usageStats": usage, "x": 1});
    let text = text.to_string();

    let name = id("p:4711");
    let one = parse(&text, Scope::Profile(&name)).unwrap();
    assert_eq!(one.entries().len(), 1);
    assert!(one.get(&name).is_some());
    assert_eq!(
        (one.order.len(), one.usage.len(), one.extra.0.len()),
        (1, 1, 1)
    );

    let zai = ProviderId::parse("z-ai").unwrap();
    let some = parse(&text, Scope::Provider(&zai)).unwrap();
    assert_eq!(some.profiles().count(), 10);
    assert_eq!(some.entries().len(), 11);
    assert_eq!(all(&text).entries().len(), 10_001);
}
