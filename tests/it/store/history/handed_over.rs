//! What a history keeps of a login that went to another machine, and of one that came back.

use openclaw::model::bundle::BundleId;
use openclaw::model::credential::{Credential, OAuth};
use openclaw::model::grant::{Attempt, GrantRecord, RefreshOutcome};
use openclaw::model::id::{AgentId, ProfileId, ProviderId};
use openclaw::model::json::Verbatim;
use openclaw::model::moved::Moved;
use openclaw::model::profiles::AuthProfiles;
use openclaw::model::secret::Secret;
use openclaw::model::time::Timestamp;
use openclaw::ports::store::{Documents as _, History as _, Journal as _};
use openclaw::store::file::FileStore;
use openclaw::testing::files::MemoryFiles;

use crate::support::memory_store::{oauth, store};

const AT: Timestamp = Timestamp(1_790_000_000_000);

fn profile() -> ProfileId {
    ProfileId::parse("openai-codex:default").unwrap()
}

fn bundle() -> BundleId {
    BundleId::new(&[7; BundleId::RANDOM])
}

/// The login without its refresh token, which went into a bundle.
fn moved(whole: &OAuth) -> OAuth {
    let mut rest = whole.clone();
    rest.refresh = Some(Secret::from(""));
    let moved = Moved {
        bundle: bundle(),
        at: AT,
        to: "/house".to_owned(),
        grant: whole.grant().unwrap(),
        database: None,
    };
    let text = serde_json::to_string(&moved).unwrap();
    rest.extra.set(Moved::MEMBER, Verbatim::new(text));
    rest
}

fn put(store: &FileStore, login: &OAuth) {
    let mut change = |doc: &mut AuthProfiles| {
        assert!(doc.put(profile(), Credential::OAuth(login.clone())));
        true
    };
    store.update(&AgentId::main(), &mut change).unwrap();
}

/// The refresh tokens of the generations.
fn kept(store: &FileStore) -> Vec<Option<String>> {
    let all = store.history(&AgentId::main(), Some(&profile())).unwrap();
    let all = all.histories.into_iter().flat_map(|one| one.generations);
    all.map(|one| {
        let token = one.credential.as_oauth()?.refresh_token()?;
        Some(token.expose().clone())
    })
    .collect()
}

#[test]
fn the_journal_and_not_the_profile_says_that_a_refresh_token_is_elsewhere() {
    let files = MemoryFiles::default();
    let store = store(&files);
    let whole = oauth("rt-1");
    put(&store, &whole);
    // Here, whatever an older document says of itself.
    put(&store, &moved(&whole));
    assert_eq!(kept(&store), [Some("rt-1".to_owned())]);
    // It comes back, and is no change that anybody could undo.
    put(&store, &whole);
    assert_eq!(kept(&store), []);
    let grant = whole.grant().unwrap();
    let provider = ProviderId::parse("openai-codex").unwrap();
    let handed_over = RefreshOutcome::HandedOver {
        bundle: bundle(),
        to: "/house".to_owned(),
    };
    let record = GrantRecord {
        attempt: Some(Attempt {
            begun_at: AT,
            settled_at: Some(AT),
            outcome: Some(handed_over),
            failures: 0,
        }),
        ..GrantRecord::new(grant, &provider, &profile())
    };
    store.record_login(&record).unwrap();
    put(&store, &moved(&whole));
    assert_eq!(kept(&store), []);
}
