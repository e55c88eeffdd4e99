//! A store on files in memory, with one login, and a clock that only moves when somebody waits.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic, too")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use openclaw::model::credential::{Credential, Identity, OAuth};
use openclaw::model::grant::{Binding, GrantDigest};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::json::Extra;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::host::Clock;
use openclaw::ports::lock::Wait;
use openclaw::ports::store::{
    Documents as _, GrantLock, GrantLocks as _, Held, Journal as _, PendingRefresh, Scope,
    StoreError,
};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::testing::files::MemoryFiles;

/// As long as the program itself waits.
pub(crate) const PATIENCE: Wait<'static> = Wait::uninterrupted(Duration::from_secs(60));

pub(crate) const START: u64 = 1_790_000_000_000;
pub(crate) const MAIN: &str = "/s/agents/main/agent/auth-profiles.json";

pub(crate) struct Ticking(pub(crate) AtomicU64);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst) as i64)
    }
    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst) - START)
    }
    fn sleep(&self, duration: Duration) {
        self.0
            .fetch_add(duration.as_millis() as u64, Ordering::SeqCst);
        std::thread::yield_now();
    }
}

/// Whoever waits does so for real time that never counts: for threads that contend.
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp(START as i64)
    }
    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
    fn sleep(&self, _: Duration) {
        std::thread::yield_now();
    }
}

pub(crate) fn store_with(files: &MemoryFiles, clock: Arc<dyn Clock>) -> FileStore {
    files.set_now(Timestamp(START as i64));
    let places = StorePaths {
        spare: Some("/run/openclaw".into()),
        ..StorePaths::below("/s")
    };
    FileStore::new(Arc::new(files.clone()), clock, places)
}

pub(crate) fn store(files: &MemoryFiles) -> FileStore {
    store_with(files, Arc::new(Ticking(AtomicU64::new(START))))
}

pub(crate) fn oauth(refresh: &str) -> OAuth {
    OAuth {
        provider: "openai-codex".into(),
        access: Some(Secret::from("at")),
        refresh: Some(Secret::from(refresh)),
        expires: Some(Timestamp(1)),
        identity: Identity::default(),
        extra: Extra::default(),
    }
}

pub(crate) fn text(refresh: &str) -> String {
    format!(
        r#"{{"version":1,"profiles":{{"openai-codex:default":{{"type":"oauth","provider":"openai-codex","access":"at","refresh":"{refresh}","expires":1}}}}}}"#
    )
}

pub(crate) fn profile() -> ProfileId {
    ProfileId::parse("openai-codex:default").unwrap()
}

pub(crate) fn add(store: &FileStore, name: &str) -> Result<(), StoreError> {
    let id = ProfileId::parse(name).unwrap();
    let mut change = |doc: &mut openclaw::model::profiles::AuthProfiles| {
        assert!(doc.put(id.clone(), Credential::OAuth(oauth("added"))));
        true
    };
    store.update(&AgentId::main(), &mut change).map(drop)
}

pub(crate) fn refresh_of(store: &FileStore, agent: &str) -> String {
    let doc = store.load(&AgentId::normalise(agent), Scope::All).unwrap();
    match doc.get(&profile()) {
        Some(Credential::OAuth(oauth)) => oauth.refresh.as_ref().unwrap().expose().clone(),
        other => panic!("{other:?}"),
    }
}

pub(crate) fn digest(refresh: &str) -> GrantDigest {
    GrantDigest::of(
        &ProviderId::parse("openai-codex").unwrap(),
        &Secret::from(refresh),
    )
}

pub(crate) const ANSWER: &[u8] = br#"{"access_token":"at","refresh_token":"rt-2"}"#;

/// What a command does first: files every answer that was saved.
pub(crate) fn recover_pending(store: &FileStore) {
    for grant in store.pending_answers().unwrap() {
        let held = held(store.try_lock_grant(&grant).unwrap()).unwrap();
        // A torn one stays: the grant is spent, and nobody understands what was answered.
        let answer = held.saved().unwrap();
        if let Some(answer) = answer.filter(|answer| answer.body.expose() == ANSWER) {
            let resumed = held.resume(&answer).unwrap();
            resumed
                .commit(&oauth("rt-2"), Timestamp(START as i64))
                .unwrap();
        }
    }
}

/// The lock of a grant, if it is ours.
pub(crate) fn held<'a>(lock: GrantLock<'a>) -> Option<Box<dyn Held<'a> + 'a>> {
    match lock {
        GrantLock::Held(held) => Some(held),
        GrantLock::Spent { .. } | GrantLock::Taken { .. } => None,
    }
}

/// The refresh of the one login.
pub(crate) fn pending() -> PendingRefresh {
    let (agent, provider) = (AgentId::main(), ProviderId::parse("openai-codex").unwrap());
    let binding = Binding {
        token_endpoint: "https://auth.example/token".into(),
        client_id: "client".into(),
    };
    PendingRefresh {
        agent,
        provider,
        profile: profile(),
        binding,
        begun_at: Timestamp(START as i64),
    }
}

/// Reserves and commits; `None` if the reservation failed.
pub(crate) fn refresh(
    store: &FileStore,
    before: impl FnOnce(),
) -> Option<Result<Vec<AgentId>, StoreError>> {
    let what = pending();
    let now = what.begun_at;
    let held = held(store.try_lock_grant(&digest("rt-1")).ok()?)?;
    let mut reserved = held.reserve(&what, &PATIENCE).ok()?;
    before();
    reserved.save(&Secret::new(ANSWER.to_vec()));
    Some(reserved.commit(&oauth("rt-2"), now))
}
