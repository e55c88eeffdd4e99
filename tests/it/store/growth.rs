//! A state directory that is used for years: what a refresh leaves behind, and what it costs.

use std::collections::BTreeSet;
use std::path::Path;

use openclaw::model::credential::Credential;
use openclaw::model::grant::{Attempt, Binding, GrantRecord, RefreshOutcome};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::files::{Files, Sharing};
use openclaw::ports::store::{
    Documents as _, GrantLock, GrantLocks as _, Journal as _, PendingRefresh, Scope,
};
use openclaw::ports::store_files::StoreFiles as _;
use openclaw::store::file::FileStore;
use openclaw::testing::files::MemoryFiles;

use crate::support::memory_store::{
    ANSWER, MAIN, PATIENCE, START, digest, held, oauth, profile, refresh_of, store, text,
};

const NOW: Timestamp = Timestamp(START as i64);
const LOCKS: &str = "/s/locks/oauth-refresh";

/// The `n`-th refresh of a login; how many steps the file system made for it.
fn refresh(store: &FileStore, files: &MemoryFiles, n: usize) -> usize {
    let before = files.steps();
    let (agent, profile) = (AgentId::main(), profile());
    let provider = ProviderId::parse("openai-codex").unwrap();
    let binding = Binding {
        token_endpoint: "https://auth.example/token".into(),
        client_id: "client".into(),
    };
    let lock = store.try_lock_grant(&digest(&format!("rt-{n}"))).unwrap();
    let pending = PendingRefresh {
        agent,
        provider,
        profile,
        binding,
        begun_at: NOW,
    };
    let mut reserved = held(lock).unwrap().reserve(&pending, &PATIENCE).unwrap();
    reserved.save(&Secret::new(ANSWER.to_vec()));
    let new = oauth(&format!("rt-{}", n + 1));
    reserved.commit(&new, NOW).unwrap();
    files.steps() - before
}

/// The files of grants; those that hold many records are counted apart.
fn of_grants(files: &MemoryFiles) -> (usize, usize) {
    let all = files.all().into_iter().map(|(path, _)| path);
    let all: Vec<_> = all.filter(|path| path.starts_with(LOCKS)).collect();
    let many = all
        .iter()
        .filter(|path| path.parent().unwrap().ends_with("spent"));
    let many = many.count();
    (all.len() - many, many)
}

#[test]
fn thousands_of_refreshes_leave_few_files_and_none_costs_more_than_two_steps_more() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &text("rt-0"));
    let store = store(&files);
    let mut costs = BTreeSet::new();
    for n in 0..3_000 {
        let cost = refresh(&store, &files, n);
        if n > 50 {
            costs.insert(cost);
        }
        if n % 100 == 0 {
            let (own, many) = of_grants(&files);
            assert!(own <= 2, "a record, and a lock: {own} after {n}");
            assert!(many <= 256, "{many} after {n}");
        }
    }
    // The first record of a file makes the file and its name, too.
    let spread = costs.last().unwrap() - costs.first().unwrap();
    assert!(spread <= 2, "{costs:?}");
    assert_eq!(refresh_of(&store, "main"), "rt-3000");
    // An old copy is known for what it is, without a lock that stays.
    let next = digest("rt-8");
    let record = store.grant_record(&digest("rt-7")).unwrap().unwrap();
    assert_eq!(record.successor(), Some(next.clone()));
    let lock = store.try_lock_grant(&digest("rt-7")).unwrap();
    assert!(matches!(lock, GrantLock::Spent { successor } if successor == next));
    assert!(of_grants(&files).0 <= 2);
}

/// What versions before this one left of a refresh.
fn leave(files: &MemoryFiles, n: usize) {
    let (spent, successor) = (digest(&format!("rt-{n}")), digest(&format!("rt-{}", n + 1)));
    let page = format!(
        r#"{{"schema":1,"grant":"{spent}","provider":"openai-codex","profile":"openai-codex:default","tokenEndpoint":null,"clientId":null,"provenAt":1,"attempt":{{"begunAt":{n},"settledAt":{n},"outcome":{{"kind":"stored","successor":"{successor}"}}}}}}"#
    );
    files.put(Path::new(&format!("{LOCKS}/journal/{spent}.json")), &page);
    let lock = format!("{LOCKS}/openclaw-rs/{spent}.lock");
    files.put(Path::new(&lock), "pid 1");
}

#[test]
fn what_earlier_versions_left_is_counted_and_removed_but_not_forgotten() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &text("rt-500"));
    let store = store(&files);
    (0..500).for_each(|n| leave(&files, n));
    let living = GrantRecord {
        moves: 0,
        grant: digest("rt-500"),
        provider: ProviderId::parse("openai-codex").unwrap(),
        profile: profile(),
        binding: None,
        subject: None,
        revocation_endpoint: None,
        proven_at: Some(NOW),
        attempt: Some(Attempt {
            begun_at: NOW,
            settled_at: Some(NOW),
            outcome: Some(RefreshOutcome::Passing {
                reason: "down".into(),
                retry_at: None,
            }),
            failures: 1,
        }),
    };
    store.record_login(&living).unwrap();
    let lock = |n: usize| format!("{LOCKS}/openclaw-rs/{}.lock", digest(&format!("rt-{n}")));
    files.put(Path::new(&lock(500)), "pid 1");
    assert_eq!(store.leftovers().unwrap(), 1_000);

    let path = lock(3);
    let held = files
        .try_lock(Path::new(&path), Sharing::Exclusive)
        .unwrap();
    assert_eq!(store.remove_leftovers().unwrap(), 999);
    assert_eq!(store.leftovers().unwrap(), 1, "the lock that is held");
    drop(held);
    assert_eq!(store.remove_leftovers().unwrap(), 1);
    assert_eq!(of_grants(&files).0, 2);
    assert_eq!(store.grant_record(&living.grant).unwrap(), Some(living));
    let record = store.grant_record(&digest("rt-7")).unwrap().unwrap();
    assert_eq!(record.successor(), Some(digest("rt-8")));
}

/// What is looked at of a large document is read once, through one small buffer.
#[test]
fn a_large_document_is_never_held_to_look_at_it() {
    let files = MemoryFiles::new();
    let token = "t".repeat(1_900);
    let entry = |n| format!(r#""acme:{n}":{{"type":"token","provider":"acme","token":"{token}"}}"#);
    let entries: Vec<String> = (0..1_000).map(entry).collect();
    let text = format!(r#"{{"version":1,"profiles":{{{}}}}}"#, entries.join(","));
    files.put(Path::new(MAIN), &text);
    let store = store(&files);
    let (agent, profile) = (AgentId::main(), ProfileId::parse("acme:500").unwrap());
    let provider = ProviderId::parse("acme").unwrap();
    for (scope, count) in [
        (Scope::Profile(&profile), 1),
        (Scope::Provider(&provider), 1_000),
        (Scope::All, 1_000),
    ] {
        let before = files.bytes_read();
        let document = store.load(&agent, scope).unwrap();
        assert_eq!(document.profiles().count(), count);
        assert_eq!(files.bytes_read() - before, text.len());
    }
    assert!(
        files.largest_read() <= 64 * 1024,
        "{}",
        files.largest_read()
    );
    // Who changes it holds it.
    store.update(&agent, &mut |_| false).unwrap();
    assert_eq!(files.largest_read(), text.len());
}

/// A document of this many bytes with one login, most of them a text that nobody reads.
fn filled(login: &str, size: usize) -> String {
    let (head, tail) = (r#"{"filler":""#, r#"","#);
    let length = size - (head.len() + tail.len() + login.len() - 1);
    format!("{head}{}{tail}{}", "x".repeat(length), &login[1..])
}

const MIB: usize = 1 << 20;

#[test]
fn a_document_that_is_nearly_too_large_is_refreshed_and_read_again() {
    let files = MemoryFiles::new();
    files.put(Path::new(MAIN), &filled(&text("rt-9"), 64 * MIB));
    let store = store(&files);
    refresh(&store, &files, 9);
    assert_eq!(refresh_of(&store, "main"), "rt-10");
}

#[test]
fn neither_file_of_a_document_is_written_if_one_would_become_too_large() {
    const STATE: &str = "/s/agents/main/agent/auth-state.json";
    let files = MemoryFiles::new();
    let state = filled(r#"{"version":1}"#, 64 * MIB + 60 * 1024);
    files.put(Path::new(MAIN), &text("rt-0"));
    files.put(Path::new(STATE), &state);
    let store = store(&files);
    let order: Vec<String> = (0..1_000).map(|n| format!("openai-codex:{n}")).collect();
    let mut change = |doc: &mut AuthProfiles| {
        doc.order.push(("openai-codex".to_owned(), order.clone()));
        assert!(doc.put(profile(), Credential::OAuth(oauth("rt-1"))));
        true
    };
    let error = store.update(&AgentId::main(), &mut change).unwrap_err();
    let told = "cannot write /s/agents/main/agent/auth-state.json: it would become 65 MiB long";
    assert!(error.to_string().contains(told), "{error}");
    let after = files.all();
    for (path, old) in [(MAIN, text("rt-0")), (STATE, state)] {
        assert!(after.contains(&(path.into(), old)), "{path}");
    }
}
