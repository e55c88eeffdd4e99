//! A refresh in a sealed store: no token in the clear at any moment, and none sent without the key.

use std::path::Path;

use openclaw::model::credential::Credential;
use openclaw::model::secret::Secret;
use openclaw::model::vault::VaultFault;
use openclaw::ports::store::{GrantLocks as _, Journal as _, StoreError};
use openclaw::testing::files::MemoryFiles;
use openclaw::testing::fixed_vault::FixedVault;

use super::{LOCKED, change, load, sealed, vault, with};
use crate::support::memory_store::{
    ANSWER, MAIN, PATIENCE, digest, held, pending, profile, recover_pending, refresh, text,
};

#[test]
fn a_refresh_leaves_no_token_in_the_clear_and_its_answer_survives_a_closed_vault() {
    let (files, vault) = (MemoryFiles::new(), vault());
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = sealed(&files, &vault);
    change(&store, |_| {}).unwrap();
    assert_eq!(with(&files, "\"rt-1\""), Vec::<String>::new());
    // The process dies with the answer saved.
    let files_then = files.clone();
    let renewed = refresh(&store, || {
        assert_eq!(with(&files_then, "rt-1"), Vec::<String>::new());
    });
    renewed.unwrap().unwrap();
    for secret in ["\"rt-1\"", "\"rt-2\"", "\"at\""] {
        assert_eq!(with(&files, secret), Vec::<String>::new(), "{secret}");
    }
    let doc = load(&store).unwrap();
    let login = doc.get(&profile()).and_then(Credential::as_oauth).unwrap();
    assert_eq!(login.refresh_token().unwrap().expose(), "rt-2");
}

#[test]
fn a_saved_answer_waits_for_the_key() {
    let (files, vault) = (MemoryFiles::new(), vault());
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = sealed(&files, &vault);
    change(&store, |_| {}).unwrap();
    let grant = digest("rt-1");
    {
        let held = held(store.try_lock_grant(&grant).unwrap()).unwrap();
        let pending = pending();
        let wait = PATIENCE;
        let mut reserved = held.reserve(&pending, &wait).unwrap();
        reserved.save(&Secret::new(ANSWER.to_vec()));
        // The process ends here.
    }
    assert_eq!(with(&files, "rt-2"), Vec::<String>::new());
    vault.close(LOCKED);
    let lock = held(store.try_lock_grant(&grant).unwrap()).unwrap();
    let told = lock.saved().unwrap_err();
    assert!(matches!(
        told,
        StoreError::Sealed(VaultFault::NeedsPassphrase)
    ));
    drop(lock);
    assert_eq!(store.pending_answers().unwrap(), [grant]);
    vault.close(None);
    recover_pending(&store);
    let doc = load(&store).unwrap();
    let login = doc.get(&profile()).and_then(Credential::as_oauth).unwrap();
    assert_eq!(login.refresh_token().unwrap().expose(), "rt-2");
    assert!(store.pending_answers().unwrap().is_empty());
}

#[test]
fn a_refresh_does_not_begin_without_the_key() {
    let (files, vault) = (MemoryFiles::new(), vault());
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = sealed(&files, &vault);
    change(&store, |_| {}).unwrap();
    vault.close(LOCKED);
    let begun = refresh(&store, || panic!("the token would be sent"));
    assert!(begun.is_none());
    assert!(store.pending_answers().unwrap().is_empty());
}

/// Another process changed the key while the request was under way, and a person would have to be asked
/// for the new one.
#[test]
fn nobody_is_asked_once_a_refresh_token_may_have_been_sent() {
    let (files, vault) = (MemoryFiles::new(), vault());
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = sealed(&files, &vault);
    change(&store, |_| {}).unwrap();
    let asked = || std::mem::take(&mut *vault.asked.lock());
    let renewed = refresh(&store, || {
        let other = sealed(&files, &FixedVault::after(9, 7));
        change(&other, |_| {}).unwrap();
        vault.close(LOCKED);
        asked();
    });
    renewed.unwrap().unwrap();
    assert_eq!(asked(), 0);
    for secret in ["\"rt-1\"", "\"rt-2\"", "\"at\""] {
        assert_eq!(with(&files, secret), Vec::<String>::new(), "{secret}");
    }
    assert!(store.pending_answers().unwrap().is_empty());
    let doc = load(&sealed(&files, &FixedVault::after(9, 7))).unwrap();
    let login = doc.get(&profile()).and_then(Credential::as_oauth).unwrap();
    assert_eq!(login.refresh_token().unwrap().expose(), "rt-2");
}

#[test]
fn an_answer_whose_seal_is_torn_is_not_taken_for_one_of_a_later_version() {
    let (files, vault) = (MemoryFiles::new(), vault());
    files.put(Path::new(MAIN), &text("rt-1"));
    let store = sealed(&files, &vault);
    change(&store, |_| {}).unwrap();
    let grant = digest("rt-1");
    let begin = || {
        let held = held(store.try_lock_grant(&grant).unwrap()).unwrap();
        held.reserve(&pending(), &PATIENCE)
    };
    begin().unwrap().save(&Secret::new(ANSWER.to_vec()));
    let mut all = files.all().into_iter();
    let is_answer = |path: &Path| path.extension().is_some_and(|end| end == "answer");
    let (path, whole) = all.find(|(path, _)| is_answer(path)).unwrap();
    let end = whole.find(" sealed\n").unwrap() + 20;
    files.put(&path, &whole[..end]);
    let told = begin().map(drop).unwrap_err().to_string();
    assert!(told.contains("sealed and torn"), "{told}");
    let line = whole.replace(" sealed\n", " wrapped\n");
    files.put(&path, &line.replace("\"schema\":1", "\"schema\":2"));
    let told = begin().map(drop).unwrap_err().to_string();
    assert!(told.contains("of a later version"), "{told}");
}
