//! The history of a store on files in memory: when it is written, and what becomes of everything
//! when that fails.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use openclaw::model::credential::{Credential, Token};
use openclaw::model::history::Cause;
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::json::{Extra, Verbatim};
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::files::Files;
use openclaw::ports::store::{Documents as _, History as _, HistoryListing, Scope, StoreError};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::testing::clock::FakeClock;
use openclaw::testing::files::MemoryFiles;

const DIRECTORY: &str = "/s/agents/main/agent/auth-history";

fn store(files: &MemoryFiles) -> FileStore {
    let places = StorePaths::below("/s");
    let clock = Arc::new(FakeClock::new(Timestamp(1_790_000_000_000)));
    FileStore::new(Arc::new(files.clone()), clock, places)
}

fn profile() -> ProfileId {
    ProfileId::parse("anthropic:manual").unwrap()
}

fn token(text: &str) -> Credential {
    Credential::Token(Token {
        provider: "anthropic".into(),
        token: Some(Secret::from(text)),
        expires: Some(Timestamp(5)),
        email: None,
        extra: Extra(vec![(
            "metadata".into(),
            Verbatim::new(r#"{ "a": 1e999 }"#),
        )]),
    })
}

fn put(store: &FileStore, text: &str) -> Result<(), StoreError> {
    let new = token(text);
    let mut change = |doc: &mut openclaw::model::profiles::AuthProfiles| {
        assert!(doc.put(profile(), new.clone()));
        true
    };
    store.update(&AgentId::main(), &mut change).map(drop)
}

fn now(store: &FileStore) -> Option<Credential> {
    let doc = store.load(&AgentId::main(), Scope::All).unwrap();
    doc.get(&profile()).cloned()
}

fn kept(store: &FileStore) -> HistoryListing {
    store.history(&AgentId::main(), Some(&profile())).unwrap()
}

fn before(store: &FileStore) -> Vec<Credential> {
    let histories = kept(store).histories.into_iter();
    let generations = histories.flat_map(|history| history.generations);
    generations.map(|one| one.credential).collect()
}

fn file(files: &MemoryFiles) -> PathBuf {
    let names = files.list(Path::new(DIRECTORY)).unwrap();
    Path::new(DIRECTORY).join(names.first().unwrap())
}

#[test]
fn a_generation_comes_back_as_it_was() {
    let files = MemoryFiles::new();
    let store = store(&files);
    put(&store, "1").unwrap();
    put(&store, "2").unwrap();
    put(&store, "2").unwrap();
    assert_eq!(before(&store), [token("1")]);
    put(&store, "1").unwrap();
    assert_eq!(before(&store), [token("2")]);
    let history = &kept(&store).histories[0];
    assert_eq!(history.generations[0].cause, Cause::Undo);
}

#[test]
fn a_change_that_fails_anywhere_loses_neither_what_is_nor_what_was() {
    for n in 1..100 {
        let files = MemoryFiles::new();
        let store = store(&files);
        put(&store, "1").unwrap();
        put(&store, "2").unwrap();
        files.fail_nth(n);
        // Brings "1" back: the step that needs both files.
        let done = put(&store, "1");
        let is_over = !files.has_failed();
        let now = now(&store).unwrap();
        let is_done = match &done {
            Err(StoreError::Unavailable(error)) => error.is_done,
            other => other.is_ok(),
        };
        assert_eq!(is_done, now == token("1"), "operation {n}");
        let all = before(&store);
        for text in ["1", "2"] {
            let known = now == token(text) || all.contains(&token(text));
            assert!(known, "operation {n} lost {text}");
        }
        put(&store, "3").unwrap();
        let again = before(&store);
        let twice = |text| again.iter().filter(|one| **one == token(text)).count() > 1;
        assert!(!twice("1") && !twice("2"), "operation {n}");
        if is_over {
            assert!(n > 6);
            return;
        }
    }
    panic!("it never ran through");
}

#[test]
fn a_history_that_cannot_be_written_stops_a_change_before_it_begins() {
    let files = MemoryFiles::new();
    let store = store(&files);
    put(&store, "1").unwrap();
    // Locks and directories are the first operations; each is asked for in turn.
    let mut stopped = 0;
    for n in 1..20 {
        files.fail_nth(n);
        let done = put(&store, "2");
        if files.has_failed() && done.is_err() {
            assert_eq!(now(&store), Some(token("1")), "operation {n}");
            stopped += 1;
        } else {
            break;
        }
    }
    assert!(stopped > 4);
}

#[test]
fn a_damaged_history_is_told_of_and_set_aside_and_blocks_nothing() {
    let whole = {
        let files = MemoryFiles::new();
        let store = store(&files);
        put(&store, "1").unwrap();
        put(&store, "2").unwrap();
        files.text(&file(&files)).unwrap()
    };
    let damages = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        whole.replace("\"version\": 1", "\"version\": 2"),
        whole.replace("anthropic:manual", "anthropic:other"),
        whole.replace("\"paste\"", "\"spell\""),
        whole.replace("\"provider\": \"anthropic\",", ""),
        whole.replace("\"1\": {", "\"one\": {"),
    ];
    for damage in damages {
        assert_ne!(damage, whole);
        let files = MemoryFiles::new();
        let store = store(&files);
        put(&store, "1").unwrap();
        put(&store, "2").unwrap();
        let path = file(&files);
        files.put(&path, &damage);
        let kept = kept(&store);
        assert_eq!(
            (kept.histories.len(), kept.faults.len()),
            (0, 1),
            "{damage}"
        );
        put(&store, "3").unwrap();
        assert_eq!(before(&store), [token("2")], "{damage}");
        let names = files.list(Path::new(DIRECTORY)).unwrap();
        let aside = names.iter().find(|name| name.contains(".unreadable-"));
        let aside = Path::new(DIRECTORY).join(aside.unwrap());
        assert_eq!(files.text(&aside), Some(damage));
        // What was set aside may hold secrets: it goes with the rest.
        store
            .clear_history(&AgentId::main(), Some(&profile()))
            .unwrap();
        assert!(files.list(Path::new(DIRECTORY)).unwrap().is_empty());
    }
}

#[test]
fn one_profile_is_cleared_and_not_the_other() {
    let files = MemoryFiles::new();
    let store = store(&files);
    put(&store, "1").unwrap();
    put(&store, "2").unwrap();
    let other = ProfileId::parse("anthropic:other").unwrap();
    store.clear_history(&AgentId::main(), Some(&other)).unwrap();
    assert_eq!(before(&store).len(), 1);
    store.clear_history(&AgentId::main(), None).unwrap();
    assert!(before(&store).is_empty());
    assert_eq!(now(&store), Some(token("2")));
    // Without a directory there is nothing to do, and none is made.
    let nobody = AgentId::normalise("nobody");
    store.clear_history(&nobody, None).unwrap();
    assert!(files.stat(Path::new("/s/agents/nobody")).unwrap().is_none());
}

#[test]
fn more_than_the_limit_goes() {
    let files = MemoryFiles::new();
    let store = store(&files);
    for n in 0..9 {
        put(&store, &n.to_string()).unwrap();
    }
    let expected = ["7", "6", "5", "4", "3"].map(token);
    assert_eq!(before(&store), expected);
    // The oldest comes back although what is there now takes its place.
    put(&store, "3").unwrap();
    assert_eq!(before(&store), ["8", "7", "6", "5", "4"].map(token));
}
