//! Logins of a world that count as made here: the journal says that the server of the manifest
//! issued them, as it does after a login. A login without such a record is an imported one, and a
//! manifest in the place of a built-in one does not get it (`tests/it/security/imported_logins.rs`).

use std::path::Path;
use std::sync::Arc;

use openclaw::model::grant::{Binding, GrantDigest, GrantRecord};
use openclaw::model::id::{ProfileId, ProviderId};
use openclaw::model::secret::Secret;
use openclaw::ports::store::Journal as _;
use openclaw::providers::catalogue::{Catalogue, built_in};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::sys::clock::SystemClock;
use openclaw::sys::files::SystemFiles;
use serde_json::Value;

use super::{World, millis_from_now};

impl World {
    /// Notes the issuer of each login in the main agent's document as it is now, after the journal
    /// was removed.
    pub(crate) fn note_issuers(&self) {
        note_issuers(&self.state(), &self.store().to_string());
    }

    /// Notes the issuer of a login that is stored in a file of another kind.
    pub(crate) fn note_issuer(&self, profile: &str, login: &Value) {
        note_issuer(&self.state(), profile, login).unwrap();
    }

    /// Lets every grant have been issued so many seconds ago: a refresh of one that was issued a moment ago
    /// brings no more than what it came with.
    pub(crate) fn age_grants(&self, seconds: i64) {
        let journal = self.state().join("locks/oauth-refresh/journal");
        let records = std::fs::read_dir(journal).into_iter().flatten().flatten();
        let paths = records.map(|record| record.path());
        for path in paths.filter(|path| path.extension().is_some_and(|end| end == "json")) {
            let text = std::fs::read_to_string(&path).unwrap();
            let mut record: Value = serde_json::from_str(&text).unwrap();
            record["provenAt"] = millis_from_now(-seconds).into();
            std::fs::write(&path, record.to_string()).unwrap();
        }
    }
}

/// Notes for each login in the text of a document whose built-in provider is replaced, and of which
/// nothing is known yet, that the server of that manifest issued it.
pub(super) fn note_issuers(state: &Path, document: &str) {
    let document: Value = serde_json::from_str(document).unwrap_or_default();
    for (profile, login) in document["profiles"].as_object().into_iter().flatten() {
        // The test may have put something else in the place of a directory.
        let _ = note_issuer(state, profile, login);
    }
}

fn note_issuer(state: &Path, profile: &str, login: &Value) -> Option<()> {
    let provider = ProviderId::parse(login["provider"].as_str()?).ok()?;
    let refresh = Secret::from(login["refresh"].as_str()?);
    let grant = GrantDigest::of(&provider, &refresh);
    let (clock, files) = (Arc::new(SystemClock::new()), Arc::new(SystemFiles));
    built_in(&provider)?.registration?;
    let catalogue = Catalogue::new(files.clone(), state.join("providers"));
    let client = catalogue.get(&provider).ok()?.registration?;
    let binding = Binding {
        token_endpoint: client.token?,
        client_id: client.id.value?.expose().clone(),
    };
    let store = FileStore::new(files, clock, StorePaths::below(state));
    if store.grant_record(&grant).ok()?.is_some() {
        return None;
    }
    let profile = ProfileId::parse(profile).ok()?;
    let record = GrantRecord {
        binding: Some(binding),
        ..GrantRecord::new(grant, &provider, &profile)
    };
    store.record_login(&record).ok()
}
