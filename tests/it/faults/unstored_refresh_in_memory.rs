//! What becomes of a refresh whose result cannot be stored.

use std::path::Path;

use openclaw::ports::store::{Journal as _, StoreError};
use openclaw::testing::files::MemoryFiles;

use crate::support::memory_store::{
    MAIN, digest, recover_pending, refresh, refresh_of, store, text,
};

#[test]
fn a_refresh_that_fails_anywhere_never_loses_the_new_grant() {
    for n in 1..200 {
        let files = MemoryFiles::new();
        files.put(Path::new(MAIN), &text("rt-1"));
        let store = store(&files);
        files.fail_nth(n);
        let committed = refresh(&store, || {});
        let is_over = !files.has_failed();
        let was_sent = committed.is_some();
        match committed {
            None => assert_eq!(refresh_of(&store, "main"), "rt-1", "operation {n}"),
            Some(Ok(_)) => assert_eq!(refresh_of(&store, "main"), "rt-2", "operation {n}"),
            Some(Err(StoreError::NotStored { saved, .. })) => {
                let rescued = files.text(Path::new(saved.unwrap().as_str())).unwrap();
                assert!(rescued.contains("rt-2"), "operation {n}");
                assert_eq!(refresh_of(&store, "main"), "rt-1", "operation {n}");
            }
            Some(Err(other)) => panic!("operation {n}: {other}"),
        }
        recover_pending(&store);
        let expected = if was_sent { "rt-2" } else { "rt-1" };
        assert_eq!(refresh_of(&store, "main"), expected, "operation {n}");
        assert_eq!(store.pending_answers().unwrap(), [], "operation {n}");
        if is_over {
            assert!(n > 10);
            return;
        }
    }
    panic!("it never ran through");
}

#[test]
fn an_answer_that_cannot_be_saved_ahead_goes_to_another_disk_when_storing_fails() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = store(&files);
    // The document turns unreadable, and the write of the answer is the next operation.
    let spoil = || {
        files.put(Path::new(MAIN), "not JSON");
        files.fail_nth(1);
    };
    let Some(Err(StoreError::NotStored { saved, .. })) = refresh(&store, spoil) else {
        panic!("stored into what cannot be read");
    };
    let saved = saved.unwrap();
    let rescued = Path::new(saved.as_str());
    assert!(rescued.starts_with("/run/openclaw"), "{rescued:?}");
    files.put(Path::new(MAIN), &text("rt-1"));
    recover_pending(&store);
    assert_eq!(refresh_of(&store, "main"), "rt-2");
    assert!(files.text(rescued).is_none());
}

#[test]
fn a_saved_answer_of_another_state_directory_is_left_alone() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = store(&files);
    let name = format!("/run/openclaw/{}.1.answer", digest("rt-1"));
    let theirs = r#"{"schema":1,"state":"/t","agent":"main","provider":"openai-codex","profile":"x:y","tokenEndpoint":"","clientId":"","begunAt":1}"#;
    files.put(Path::new(&name), theirs);
    recover_pending(&store);
    assert_eq!(files.text(Path::new(&name)).unwrap(), theirs);
    assert_eq!(refresh_of(&store, "main"), "rt-1");
}
