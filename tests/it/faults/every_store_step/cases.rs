//! The operations that are made to fail, and the files that they find.

use std::cell::Cell;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use openclaw::model::cooldown::{self, Cooldowns, ProfileFailure, Reason};
use openclaw::model::credential::Credential;
use openclaw::model::grant::{Binding, GrantRecord};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::host::Clock;
use openclaw::ports::store::{
    Documents as _, GrantLocks as _, Journal as _, PendingRefresh, StoreError,
};
use openclaw::store::file::FileStore;
use openclaw::testing::clock::FakeClock;
use openclaw::testing::files::MemoryFiles;

use crate::support::memory_store::{ANSWER, MAIN, START, digest, held, oauth, store_with};

const NOW: Timestamp = Timestamp(START as i64);
pub(super) const STATE: &str = "/s/agents/main/agent/auth-state.json";
pub(super) const WORK: &str = "/s/agents/work/agent/auth-profiles.json";
pub(super) const LEGACY: &str = "/s/agents/main/agent/auth.json";
pub(super) const BROKEN: &str = "{ \"profiles\": BROKEN";

/// A clock of which no two readings are the same.
pub(super) struct Running(FakeClock);

impl Clock for Running {
    fn now(&self) -> Timestamp {
        self.0.advance(Duration::from_millis(1));
        self.0.now()
    }
    fn monotonic(&self) -> Duration {
        self.0.monotonic()
    }
    fn sleep(&self, duration: Duration) {
        self.0.sleep(duration);
    }
}

/// What a run is told, and tells.
pub(super) struct Run {
    pub(super) store: FileStore,
    pub(super) clock: Arc<Running>,
    pub(super) spent: Cell<bool>,
}

impl Run {
    pub(super) fn new(files: &MemoryFiles) -> Self {
        let clock = Arc::new(Running(FakeClock::new(NOW)));
        Self {
            store: store_with(files, Arc::clone(&clock) as Arc<dyn Clock>),
            clock,
            spent: Cell::new(false),
        }
    }

    fn update(&self, mut change: impl FnMut(&mut AuthProfiles)) -> Result<(), StoreError> {
        let mut change = |doc: &mut AuthProfiles| {
            change(doc);
            true
        };
        self.store.update(&AgentId::main(), &mut change).map(drop)
    }

    pub(super) fn add(&self, name: &str) -> Result<(), StoreError> {
        self.update(|doc| assert!(doc.put(id(name), Credential::OAuth(oauth("added")))))
    }
}

pub(super) type Act = fn(&Run) -> Result<(), StoreError>;

/// One operation, and the files that it finds.
pub(super) struct Case {
    pub(super) name: &'static str,
    files: Vec<(&'static str, String)>,
    pub(super) act: Act,
}

pub(super) fn id(name: &str) -> ProfileId {
    ProfileId::parse(name).unwrap()
}

fn provider() -> ProviderId {
    ProviderId::parse("openai-codex").unwrap()
}

fn binding() -> Binding {
    Binding {
        token_endpoint: "https://auth.example/token".into(),
        client_id: "client".into(),
    }
}

fn credentials() -> &'static str {
    r#""version": 1, "profiles": {
        "openai-codex:default": {"type": "oauth", "provider": "openai-codex", "access": "at", "refresh": "rt-1", "expires": 1, "mine": [1.50]},
        "anthropic:x": {"type": "token", "provider": "anthropic", "token": "t"}}, "future": {"kept": 2.50}"#
}

fn learnt() -> &'static str {
    r#""order": {"anthropic": ["anthropic:x"]}, "usageStats": {"anthropic:x": {"lastUsed": 5}}, "more": null"#
}

fn single() -> Vec<(&'static str, String)> {
    vec![(MAIN, format!("{{{}, {}}}", credentials(), learnt()))]
}

fn split() -> Vec<(&'static str, String)> {
    vec![
        (MAIN, format!("{{{}}}", credentials())),
        (STATE, format!("{{\"version\": 1, {}}}", learnt())),
    ]
}

fn two_agents(mut files: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    files.push((WORK, format!("{{{}}}", credentials())));
    files
}

fn add(run: &Run) -> Result<(), StoreError> {
    run.add("openai-codex:new")
}

fn logout(run: &Run) -> Result<(), StoreError> {
    run.update(|doc| drop(doc.remove(&id("anthropic:x"))))
}

fn login(run: &Run) -> Result<(), StoreError> {
    run.update(|doc| assert!(doc.put(id("openai-codex:me"), Credential::OAuth(oauth("rt-9")))))?;
    // The login stands, whatever becomes of its record.
    let recorded = run.store.record_login(&GrantRecord {
        moves: 0,
        grant: digest("rt-9"),
        provider: provider(),
        profile: id("openai-codex:me"),
        binding: Some(binding()),
        subject: None,
        revocation_endpoint: None,
        proven_at: Some(NOW),
        attempt: None,
    });
    drop(recorded);
    Ok(())
}

fn report(run: &Run) -> Result<(), StoreError> {
    let provider = ProviderId::parse("anthropic").unwrap();
    let failed = ProfileFailure {
        provider: &provider,
        reason: Reason::RateLimit,
        model: None,
        retry_after: None,
        now: NOW,
    };
    run.update(|doc| {
        let id = id("anthropic:x");
        let before = doc.usage_of(&id).cloned().unwrap_or_default();
        let after = cooldown::record_failure(&before, &failed, &Cooldowns::default(), doc.release);
        doc.set_usage(&id, after);
    })
}

fn refresh(run: &Run) -> Result<(), StoreError> {
    let (agent, profile, provider) = (AgentId::main(), id("openai-codex:default"), provider());
    let held = held(run.store.try_lock_grant(&digest("rt-1"))?).unwrap();
    let pending = PendingRefresh {
        agent,
        provider,
        profile,
        binding: binding(),
        begun_at: NOW,
    };
    let mut reserved = held.reserve(&pending, &crate::support::memory_store::PATIENCE)?;
    run.spent.set(true);
    reserved.save(&Secret::new(ANSWER.to_vec()));
    reserved.commit(&oauth("rt-2"), NOW).map(drop)
}

pub(super) fn cases() -> Vec<Case> {
    let legacy =
        r#"{"openai-codex": {"type": "oauth", "access": "a", "refresh": "rt-0", "expires": 5}}"#;
    let import = vec![(LEGACY, legacy.to_owned())];
    let mut broken = split();
    broken[0].1 = BROKEN.to_owned();
    let case = |name, files, act: Act| Case { name, files, act };
    vec![
        case("update", single(), add),
        case("update, split", split(), add),
        case("update, nothing there", Vec::new(), add),
        case("login", single(), login),
        case("login, split", split(), login),
        case("logout", single(), logout),
        case("logout, split", split(), logout),
        case("report", single(), report),
        case("report, split", split(), report),
        case("refresh", single(), refresh),
        case("refresh, split", split(), refresh),
        case("refresh, two agents", two_agents(single()), refresh),
        case("refresh, two agents, split", two_agents(split()), refresh),
        case("import", import, add),
        case("set aside", vec![(MAIN, BROKEN.to_owned())], add),
        case("set aside, split", broken, add),
    ]
}

impl Case {
    /// The files before.
    pub(super) fn world(&self) -> MemoryFiles {
        let files = MemoryFiles::new();
        for (path, text) in &self.files {
            files.put(Path::new(path), text);
        }
        files
    }
}
