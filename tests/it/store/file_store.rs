//! The store on files in memory, with every operation made to fail once.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use openclaw::model::grant::RefreshOutcome;
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::time::Timestamp;
use openclaw::ports::files::Files;
use openclaw::ports::host::Clock;
use openclaw::ports::store::{
    Detail, Documents as _, GrantLock, GrantLocks as _, Journal as _, Scope, StoreError,
};
use openclaw::testing::files::MemoryFiles;

use crate::support::memory_store::{
    MAIN, START, Still, Ticking, add, digest, refresh, refresh_of, store, store_with, text,
};

#[test]
fn a_view_holds_the_secrets_of_a_usual_document_and_a_glimpse_is_never_stored() {
    let secret = "x".repeat(2_000);
    let entries = (0..100)
        .map(|n| format!(r#""x:{n}":{{"type":"api_key","provider":"x","key":"{n:02}{secret}"}}"#));
    let entries = entries.collect::<Vec<_>>().join(",");
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &format!(r#"{{"profiles":{{{entries}}}}}"#));
    let (store, main) = (store(&files), AgentId::main());
    let held = |document: &AuthProfiles| {
        let all = document.profiles();
        all.filter(|(_, credential)| credential.is_held()).count()
    };
    let whole = store.load(&main, Scope::All).unwrap();
    let seen = store.look(&main, Scope::All, Detail::Masked).unwrap();
    assert_eq!((held(&whole), held(&seen)), (100, 64 * 1024 / 2_002));
    let id = ProfileId::parse("x:99").unwrap();
    let glimpse = seen.get(&id).unwrap();
    assert_eq!(glimpse.bearer(), None);
    let put = |document: &mut AuthProfiles| {
        assert!(!document.put(id.clone(), glimpse.clone()));
        true
    };
    store.update(&main, &mut { put }).unwrap();
    let after = store.load(&main, Scope::All).unwrap();
    assert_eq!(after.get(&id), whole.get(&id));
}

#[test]
fn concurrent_updates_are_all_kept() {
    let files = MemoryFiles::new();
    let store = store_with(&files, Arc::new(Still));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let store = &store;
            scope.spawn(move || {
                for n in 0..5 {
                    add(store, &format!("openai-codex:{thread}-{n}")).unwrap();
                }
            });
        }
    });
    let doc = store.load(&AgentId::main(), Scope::All).unwrap();
    assert_eq!(doc.profiles().count(), 20);
    let lock = files.stat(Path::new(&format!("{MAIN}.lock"))).unwrap();
    assert!(lock.is_none());
}

#[test]
fn an_unreadable_document_is_set_aside_before_it_is_replaced() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), "{ broken");
    let store = store(&files);
    let loaded = store.load(&AgentId::main(), Scope::All);
    assert!(matches!(loaded, Err(StoreError::Corrupt { .. })));
    add(&store, "openai-codex:new").unwrap();
    let names = files.list(Path::new("/s/agents/main/agent")).unwrap();
    let aside = names
        .iter()
        .find(|name| name.contains(".unreadable-"))
        .unwrap();
    let aside = Path::new("/s/agents/main/agent").join(aside);
    assert_eq!(files.text(&aside).as_deref(), Some("{ broken"));
    assert!(store.load(&AgentId::main(), Scope::All).is_ok());
}

#[test]
fn a_split_document_stays_split_and_a_link_stays_a_link() {
    let files = MemoryFiles::new();
    let real = Path::new("/elsewhere/store.json");
    files.put(real, &text("rt-1"));
    let state = Path::new("/s/agents/main/agent/auth-state.json");
    files.put(
        state,
        r#"{"order":{"openai-codex":["openai-codex:default"]}}"#,
    );
    files.link(Path::new(MAIN), real);
    add(&store(&files), "openai-codex:new").unwrap();
    assert!(files.text(real).unwrap().contains("openai-codex:new"));
    assert!(!files.text(real).unwrap().contains("order"));
    assert!(files.text(state).unwrap().contains("order"));
}

#[test]
fn legacy_logins_are_stored_at_the_first_write() {
    let files = MemoryFiles::new();
    let auth = PathBuf::from("/s/agents/main/agent/auth.json");
    files.put(
        &auth,
        r#"{"openai-codex":{"type":"oauth","access":"a","refresh":"old","expires":5}}"#,
    );
    let store = store(&files);
    assert_eq!(refresh_of(&store, "main"), "old");
    assert!(files.text(Path::new(MAIN)).is_none());
    add(&store, "openai-codex:new").unwrap();
    assert!(files.text(Path::new(MAIN)).unwrap().contains("old"));
    assert!(files.text(&auth).is_none());
    assert!(files.text(&auth.with_extension("json.imported")).is_some());
}

#[test]
fn a_later_generation_is_never_written_to() {
    for database in [
        "/s/state/openclaw.sqlite",
        "/s/agents/main/agent/openclaw-agent.sqlite",
    ] {
        let files = MemoryFiles::new();
        files.put(Path::new(database), "");
        let store = store(&files);
        let added = add(&store, "openai-codex:new");
        assert!(
            matches!(&added, Err(StoreError::LaterGeneration { at, .. }) if at.as_str() == database),
            "{added:?}"
        );
        let document = store.load(&AgentId::main(), Scope::All).unwrap();
        assert!(document.faults[0].starts_with(database));
    }
}

#[test]
fn a_commit_moves_every_copy() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &text("rt-1"));
    files.put(
        Path::new("/s/agents/work/agent/auth-profiles.json"),
        &text("rt-1"),
    );
    files.put(
        Path::new("/s/agents/other/agent/auth-profiles.json"),
        &text("mine"),
    );
    let store = store(&files);
    let changed = refresh(&store, || {}).unwrap().unwrap();
    assert_eq!(changed, [AgentId::main(), AgentId::normalise("work")]);
    assert_eq!(refresh_of(&store, "work"), "rt-2");
    assert_eq!(refresh_of(&store, "other"), "mine");
    let old = store.grant_record(&digest("rt-1")).unwrap().unwrap();
    let successor = digest("rt-2");
    assert_eq!(
        old.attempt.unwrap().outcome,
        Some(RefreshOutcome::Stored {
            successor: successor.clone()
        })
    );
    let new = store.grant_record(&successor).unwrap().unwrap();
    assert_eq!(new.proven_at, Some(Timestamp(START as i64)));
    let lock = store.try_lock_grant(&digest("rt-1")).unwrap();
    assert!(matches!(lock, GrantLock::Spent { successor: it } if it == successor));
}

#[test]
fn a_logout_during_the_refresh_wins() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = store(&files);
    let logged_out = || files.put(Path::new(MAIN), r#"{"version":1,"profiles":{}}"#);
    assert_eq!(refresh(&store, logged_out).unwrap().unwrap(), []);
    assert!(!files.text(Path::new(MAIN)).unwrap().contains("rt-2"));
}

#[test]
fn an_update_that_fails_anywhere_leaves_the_document_whole() {
    for n in 1..100 {
        let files = MemoryFiles::new();
        files.put(Path::new(MAIN), &text("rt-1"));
        let store = store(&files);
        files.fail_nth(n);
        let added = add(&store, "openai-codex:new");
        let is_over = !files.has_failed();
        assert_eq!(refresh_of(&store, "main"), "rt-1", "operation {n}");
        let is_there = files
            .text(Path::new(MAIN))
            .unwrap()
            .contains("openai-codex:new");
        let is_done = match &added {
            Err(StoreError::Unavailable(error)) => error.is_done,
            other => other.is_ok(),
        };
        assert_eq!(is_done, is_there, "operation {n}");
        add(&store, "openai-codex:next").unwrap();
        if is_over {
            assert!(n > 4);
            return;
        }
    }
    panic!("it never ran through");
}

#[test]
fn stale_locks_of_openclaw_are_removed_and_living_ones_end_in_busy() {
    let lock = PathBuf::from(format!("{MAIN}.lock"));
    let created = Timestamp(START as i64).iso8601();
    let note = format!(r#"{{"pid": 77, "createdAt": "{created}"}}"#);

    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &text("rt-1"));
    let dead = store(&files);
    files.put(&lock, &note);
    files.kill(77);
    add(&dead, "openai-codex:new").unwrap();
    assert!(files.stat(&lock).unwrap().is_none());

    files.create_dir_new(&lock).unwrap();
    files
        .touch(&lock, Timestamp(START as i64 - 30_001))
        .unwrap();
    add(&dead, "openai-codex:new").unwrap();
    assert!(files.stat(&lock).unwrap().is_none());

    // A heartbeat a minute ahead: alive for as long as we wait.
    files.create_dir_new(&lock).unwrap();
    files
        .touch(&lock, Timestamp(START as i64 + 59_000))
        .unwrap();
    let clock = Arc::new(Ticking(AtomicU64::new(START)));
    let waiting = store_with(&files, clock.clone());
    let added = add(&waiting, "openai-codex:late");
    assert!(
        matches!(added, Err(StoreError::Busy { at, owner: Some(_) }) if Path::new(at.as_str()) == lock)
    );
    assert!(clock.monotonic() >= Duration::from_secs(60));
    assert!(files.stat(&lock).unwrap().is_some());
}
