//! A refresh of ours that is under way in the process of the test, for as long as it likes.

use std::path::Path;
use std::sync::Arc;

use openclaw::model::grant::{Binding, GrantDigest, RefreshOutcome};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::ports::host::Clock as _;
use openclaw::ports::store::{GrantLocks as _, PendingRefresh, Reserved};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use serde_json::Value;

use super::memory_store::{PATIENCE, held};

/// What a refresh holds from before its request until its end.
pub(crate) struct InFlight(Box<dyn Reserved>);

impl InFlight {
    /// Begins the refresh of a login of an agent, which is only looked at. `written_by` is the release
    /// that the configuration names.
    pub(crate) fn begin(
        state: &Path,
        written_by: Option<&str>,
        agent: &str,
        profile: &str,
    ) -> Self {
        let document = state.join(format!("agents/{agent}/agent/auth-profiles.json"));
        let document: Value = serde_json::from_slice(&std::fs::read(document).unwrap()).unwrap();
        let refresh = document["profiles"][profile]["refresh"].as_str().unwrap();
        let clock = Arc::new(SystemClock::new());
        let places = StorePaths {
            written_by: written_by.map(str::to_owned),
            ..StorePaths::below(state)
        };
        let store = FileStore::new(Arc::new(SystemFiles), Arc::clone(&clock) as _, places);
        // As long as the process that would hold it.
        let store: &'static FileStore = Box::leak(Box::new(store));
        let provider = ProviderId::parse("openai-codex").unwrap();
        let grant = GrantDigest::of(&provider, &Secret::from(refresh));
        let pending = PendingRefresh {
            agent: AgentId::normalise(agent),
            provider,
            profile: ProfileId::parse(profile).unwrap(),
            binding: Binding {
                token_endpoint: "http://127.0.0.1:1/oauth/token".to_owned(),
                client_id: "test-client".to_owned(),
            },
            begun_at: clock.now(),
        };
        let held = held(store.try_lock_grant(&grant).unwrap()).unwrap();
        Self(held.reserve(&pending, &PATIENCE).unwrap())
    }

    /// Ends it as if the provider had problems.
    pub(crate) fn end(self) {
        let outcome = RefreshOutcome::Passing {
            reason: "a test".to_owned(),
            retry_at: None,
        };
        self.0.settle(&outcome, SystemClock::new().now()).unwrap();
    }
}
