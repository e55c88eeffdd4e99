//! Profiles whose ids another program chose: with slashes, control characters, leading dots, very
//! long ones. They are profiles like any other, and are shown escaped.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::issuer::Account;
use crate::support::{Ran, World, millis_from_now};

const STORE: &str = "agents/main/agent/auth-profiles.json";

/// Ids, and how they are shown.
fn odd() -> Vec<(String, String)> {
    let same = [
        "openai:team/a",
        "openai:../../../../etc/x",
        "/etc/passwd",
        "..",
        ".hidden",
        r"openai:DOMAIN\new",
        "openai:münchen-漢字-🙂",
        "--force",
        "openai:a'b\"c$(d)",
        "con.json",
    ];
    let same = same.map(|id| (id.to_owned(), id.to_owned()));
    let long = "x".repeat(5_000);
    let escaped = [
        ("openai:a\u{1b}[2Jb", r"openai:a\u{1b}[2Jb"),
        (r"openai:a\u{1b}[2Jb", r"openai:a\\u{1b}[2Jb"),
        ("openai:two\nlines", r"openai:two\u{a}lines"),
        ("openai:nul\0", r"openai:nul\u{0}"),
        ("openai:\u{202e}rtl", r"openai:\u{202e}rtl"),
        (r"\\server\me", r"\\\\server\\me"),
    ];
    let escaped = escaped.map(|(id, shown)| (id.to_owned(), shown.to_owned()));
    let all = same.into_iter().chain(escaped);
    all.chain([(long.clone(), long)]).collect()
}

fn world() -> World {
    let world = World::new();
    let profiles: serde_json::Map<String, Value> = odd()
        .into_iter()
        .enumerate()
        .map(|(at, (id, _))| {
            let key = json!({"type": "api_key", "provider": "openai", "key": format!("key-{at}")});
            (id, key)
        })
        .collect();
    let store = json!({ "version": 1, "profiles": profiles });
    world.write(STORE, &store.to_string());
    world
}

fn auth(world: &World, args: &[&str]) -> Ran {
    world.run(&[&["models", "auth"], args].concat())
}

fn good(ran: Ran) -> Ran {
    assert_eq!(ran.code, 0, "{ran:?}");
    // JSON keeps an id exactly, and escapes in its own way what is a control character.
    if !ran.out.starts_with('{') {
        assert_plain(&ran);
    }
    ran
}

/// Nothing that steers a terminal.
fn assert_plain(ran: &Ran) {
    let acts = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    let text = format!("{}{}", ran.out, ran.err);
    assert!(!text.contains(acts), "{text:?}");
}

/// How a person can name it: as it is, unless no argument can hold it, and as it is shown.
fn names<'a>(id: &'a str, shown: &'a str) -> Vec<&'a str> {
    let mut names = vec![shown];
    // What looks escaped is read as such first.
    if !id.contains('\0') && odd().iter().all(|(_, shown)| shown != id) {
        names.push(id);
    }
    names
}

/// Every file of a directory and those below.
fn files(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, found),
            false => drop(found.insert(path)),
        }
    }
}

#[test]
fn a_profile_of_any_id_is_handed_out_under_it() {
    let world = world();
    for (at, (id, shown)) in odd().iter().enumerate() {
        for name in names(id, shown) {
            let ran = good(auth(&world, &["token", &format!("--profile={name}")]));
            assert_eq!(ran.out.trim_end(), format!("key-{at}"), "{name:?}");
        }
        let ran = good(auth(
            &world,
            &["token", &format!("--profile={shown}"), "--json"],
        ));
        let told: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(told["profile"], **id, "{told}");
    }
}

#[test]
fn every_id_is_listed_escaped_in_text_and_exact_in_json() {
    let world = world();
    let text = good(auth(&world, &["list"])).out;
    let status = good(world.run(&["models", "status"])).out;
    for (_, shown) in odd() {
        assert!(text.contains(&format!(" {shown} [")), "{shown} {text}");
        if shown.len() < 60 {
            assert!(status.contains(&shown), "{shown} {status}");
        }
    }
    let ids: BTreeSet<String> = odd().into_iter().map(|(id, _)| id).collect();
    let list: Value = serde_json::from_str(&good(auth(&world, &["list", "--json"])).out).unwrap();
    let rows = list["profiles"].as_array().unwrap().iter();
    let listed: BTreeSet<String> = rows.map(|row| row["id"].as_str().unwrap().into()).collect();
    assert_eq!(listed, ids);
    let status = good(world.run(&["models", "status", "--json"])).out;
    let status: Value = serde_json::from_str(&status).unwrap();
    let rows = status["auth"]["oauth"]["profiles"].as_array().unwrap();
    let rows: BTreeSet<String> = rows
        .iter()
        .map(|row| row["profileId"].as_str().unwrap().into())
        .collect();
    assert!(rows.is_subset(&ids), "{rows:?}");
    good(auth(&world, &["explain", "--provider", "openai"]));
}

#[test]
fn any_id_can_be_put_first_in_an_order() {
    for (at, (id, shown)) in odd().iter().enumerate() {
        let world = world();
        good(auth(&world, &["use", "--", shown]));
        assert_eq!(world.store()["order"]["openai"][0], **id);
        let ran = good(auth(&world, &["token", "--provider", "openai"]));
        assert_eq!(ran.out.trim_end(), format!("key-{at}"));
        let set = ["order", "set", "--provider", "openai", "--", shown];
        assert!(good(auth(&world, &set)).out.contains(shown.as_str()));
        assert_eq!(world.store()["order"]["openai"], json!([id]));
        let ran = good(auth(&world, &["order", "get", "--provider", "openai"]));
        assert!(ran.out.contains(shown.as_str()), "{ran:?}");
    }
}

#[test]
fn any_profile_can_be_removed_and_brought_back() {
    let world = world();
    let before = world.store();
    for (id, shown) in odd() {
        let ran = good(auth(&world, &["logout", "--yes", "--", &shown]));
        assert!(ran.out.contains(&shown) || ran.err.contains(&shown));
        assert_eq!(world.store()["profiles"].get(&id), None, "{id:?}");
    }
    assert_eq!(world.store()["profiles"], json!({}));
    let kept = good(auth(&world, &["history", "--json"])).out;
    let kept: Value = serde_json::from_str(&kept).unwrap();
    let ids: BTreeSet<&str> = (kept["profiles"].as_array().unwrap().iter())
        .map(|row| row["profileId"].as_str().unwrap())
        .collect();
    assert_eq!(ids.len(), odd().len(), "two ids share a file");
    for (id, shown) in odd() {
        good(auth(&world, &["undo", "--", &shown]));
        assert_eq!(world.store()["profiles"][&id], before["profiles"][&id]);
    }
    // No file is called by an id, and none lies outside.
    let mut found = BTreeSet::new();
    files(world.directory.path(), &mut found);
    let history = world.state().join("agents/main/agent/auth-history");
    let is_hash = |path: &&PathBuf| {
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        stem.len() == 32 && stem.bytes().all(|b| b.is_ascii_hexdigit())
    };
    let histories = found.iter().filter(|path| path.starts_with(&history));
    let histories: Vec<_> = histories.collect();
    assert_eq!(histories.len(), odd().len());
    assert!(histories.iter().all(is_hash), "{histories:?}");
    let outside = |path: &&PathBuf| !path.starts_with(world.state());
    assert_eq!(found.iter().find(outside), None);
}

#[test]
fn a_login_of_any_id_is_refreshed_and_its_successor_kept() {
    for (id, shown) in odd() {
        let (world, issuer) = World::with_issuer(Account::default());
        let (access, refresh) = issuer.issue();
        let expires = millis_from_now(-10);
        let store = json!({ "version": 1, "profiles": { id.as_str(): {
            "type": "oauth", "provider": "openai-codex", "access": access, "refresh": refresh,
            "expires": expires, "accountId": "acct_1",
        } } })
        .to_string();
        world.write(STORE, &store);
        let profile = format!("--profile={shown}");
        let ran = good(auth(&world, &["token", &profile]));
        let new = world.store()["profiles"][&id]["access"].clone();
        assert_eq!(ran.out.trim_end(), new);
        assert_ne!(new, access);
        // Another program writes the document as it was.
        world.write(STORE, &store);
        let ran = good(auth(&world, &["token", &profile]));
        assert_eq!(ran.out.trim_end(), new);
        assert_eq!(issuer.token_requests().len(), 1);
    }
}

#[test]
fn a_new_profile_may_have_any_printable_name_and_no_other() {
    let world = World::new();
    let paste = |id: &str| {
        let id = format!("--profile-id={id}");
        let args = [
            "models",
            "auth",
            "paste-api-key",
            "--provider",
            "openai",
            &id,
        ];
        world.pipe(&args, "sk-a-key-that-is-long-enough")
    };
    good(paste("openai:team/a"));
    let ran = paste("openai:a\u{1b}b");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert_plain(&ran);
    assert_eq!(world.store()["profiles"].as_object().unwrap().len(), 1);
}

/// Half of a surrogate pair, as JavaScript writes a text that was cut: no Rust string can hold it. The
/// document is left alone, and moved aside by a write.
#[test]
fn a_store_with_half_a_character_in_an_id_is_named_and_never_lost() {
    let world = World::new();
    let entry = r#"{"type":"api_key","provider":"openai","key":"key-MARKER"}"#;
    let store =
        format!(r#"{{"version":1,"profiles":{{"openai:cut\ud83d":{entry},"openai:ok":{entry}}}}}"#);
    world.write(STORE, &store);
    let ran = auth(&world, &["token", "--provider", "openai"]);
    assert!(
        ran.err.contains("a name that is not Unicode text"),
        "{ran:?}"
    );
    assert_eq!(world.read(STORE), store);
    let args = ["models", "auth", "paste-api-key", "--provider", "openai"];
    let ran = world.pipe(&args, "sk-a-key-that-is-long-enough");
    assert!(ran.err.contains("unreadable"), "{ran:?}");
    let names = std::fs::read_dir(world.state().join("agents/main/agent"))
        .unwrap()
        .flatten();
    let aside = names.map(|entry| entry.path());
    let aside = aside.filter(|path| path.to_string_lossy().contains(".unreadable-"));
    let kept: Vec<String> = aside
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect();
    assert_eq!(kept, [store]);
}
