//! What is known of a stored credential: from the document, the journal and the manifest.

use std::collections::HashMap;
use std::time::Duration;

use crate::app::context::Context;
use crate::model::grant::{GrantDigest, GrantRecord, RefreshOutcome, Refusal};
use crate::model::id::{AgentId, ProviderId};
use crate::model::profiles::VisibleProfile;
use crate::model::time::Timestamp;
use crate::ports::store::{Location, StoreError};

/// What is known of a profile.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The agent in whose document it lies.
    pub owner: AgentId,
    /// That document.
    pub file: Location,
    /// Whether there is something to hand out.
    pub secret_present: bool,
    /// Whether there is not, and a reference says where it is.
    pub is_reference: bool,
    /// Whether there is a refresh token.
    pub refresh_present: bool,
    /// Whether it is the token of a client that can ask for another one by itself.
    pub of_client: bool,
    /// What renews it.
    pub renewal: Renewal,
    /// When a token endpoint last issued or rotated the grant to us.
    pub proven_at: Option<Timestamp>,
    /// The last refusal of this very grant, and when.
    pub refusal: Option<(Refusal, Option<Timestamp>)>,
    /// Since when a refresh of this very grant has had no known outcome.
    pub unknown_since: Option<Timestamp>,
    /// Since when this very grant is spent: its successor lies elsewhere, or nowhere.
    pub spent_since: Option<Timestamp>,
    /// When this very grant was revoked.
    pub revoked_at: Option<Timestamp>,
    /// How many attempts in a row to renew it have failed in passing.
    pub failures: u32,
    /// Until when the grant lives if nobody uses it, where its provider says for how long one does.
    pub rests_until: Option<Timestamp>,
}

impl Facts {
    /// Whether its grant gives no more tokens, as far as is known: only a person, or a copy that
    /// is newer, brings another one.
    pub fn is_dead(&self) -> bool {
        let is_refused = self.refusal.is_some() && !self.of_client;
        is_refused || self.revoked_at.is_some() || self.spent_since.is_some()
    }
}

/// Reads the facts of many profiles: the manifest of each provider is read once.
pub(in crate::app) struct FactsReader<'a> {
    cx: Context<'a>,
    idle_limits: HashMap<ProviderId, Option<Duration>>,
}

impl<'a> FactsReader<'a> {
    pub(in crate::app) fn new(cx: Context<'a>) -> Self {
        Self {
            cx,
            idle_limits: HashMap::new(),
        }
    }

    /// Reads what is known of one profile.
    ///
    /// # Errors
    /// If what the journal knows of its grant cannot be read.
    pub(in crate::app) fn read(&mut self, seen: &VisibleProfile<'_>) -> Result<Facts, StoreError> {
        let cx = self.cx;
        let oauth = seen.credential.as_oauth();
        let refresh_token = oauth.and_then(|oauth| oauth.refresh_token());
        let (renewal, grant) = renewal(cx, seen);
        let record = match grant {
            Some(grant) => cx.store.grant_record(&grant)?,
            None => None,
        };
        let attempt = record
            .as_ref()
            .and_then(|record: &GrantRecord| record.attempt.as_ref());
        let outcome = attempt.and_then(|attempt| attempt.outcome.as_ref());
        let proven_at = record.as_ref().and_then(|record| record.proven_at);
        Ok(Facts {
            owner: seen.owner.clone(),
            file: cx.store.location(seen.owner),
            secret_present: seen.credential.bearer().is_some(),
            is_reference: seen.credential.bearer().is_none() && seen.credential.is_reference(),
            refresh_present: refresh_token.is_some(),
            of_client: seen.credential.is_of_client(),
            renewal,
            proven_at,
            refusal: match outcome {
                Some(RefreshOutcome::Refused(refusal)) => Some((
                    refusal.clone(),
                    attempt.and_then(|attempt| attempt.settled_at),
                )),
                _ => None,
            },
            unknown_since: match (attempt, outcome) {
                (Some(attempt), None | Some(RefreshOutcome::Unknown { .. })) => {
                    Some(attempt.begun_at)
                }
                _ => None,
            },
            revoked_at: record.as_ref().and_then(GrantRecord::revoked_at),
            failures: attempt.map_or(0, |attempt| attempt.failures),
            spent_since: record
                .as_ref()
                .and_then(GrantRecord::successor)
                .and(attempt)
                .map(|attempt| attempt.begun_at),
            rests_until: proven_at
                .filter(|_| refresh_token.is_some())
                .and_then(|proven| Some(proven.after(self.idle_limit(seen)?))),
        })
    }

    fn idle_limit(&mut self, seen: &VisibleProfile<'_>) -> Option<Duration> {
        let provider = seen.credential.provider()?;
        if let Some(known) = self.idle_limits.get(&provider) {
            return *known;
        }
        let manifest = self.cx.catalogue.get(&provider).ok();
        let idle = manifest.and_then(|manifest| manifest.refresh.idle_limit);
        self.idle_limits.insert(provider, idle);
        idle
    }
}

/// Reads what is known of one profile.
///
/// # Errors
/// If what the journal knows of its grant cannot be read.
pub(in crate::app) fn facts(
    cx: Context<'_>,
    seen: &VisibleProfile<'_>,
) -> Result<Facts, StoreError> {
    FactsReader::new(cx).read(seen)
}

/// What renews a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// Nothing.
    Never,
    /// Whoever asks for it when it is due.
    Automatic,
    /// Only the command that does so: the configuration says so.
    ByCommand,
}

impl Renewal {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Automatic => "automatic",
            Self::ByCommand => "command",
        }
    }
}

/// What renews a profile, and what the journal knows its grant by. Reads a manifest only where the
/// credential itself does not say.
pub(in crate::app) fn renewal(
    cx: Context<'_>,
    seen: &VisibleProfile<'_>,
) -> (Renewal, Option<GrantDigest>) {
    let Some(provider) = seen.credential.provider() else {
        return (Renewal::Never, None);
    };
    let grant = match seen.credential.as_oauth() {
        Some(oauth) => oauth.grant(),
        None if seen.credential.is_of_client() => {
            let manifest = cx.catalogue.get(&provider);
            let can_ask = manifest.is_ok_and(|manifest| manifest.client_credentials().is_some());
            can_ask.then(|| GrantDigest::of_client(seen.owner, &provider, seen.id))
        }
        None => None,
    };
    let renewal = match &grant {
        None => Renewal::Never,
        Some(_) if cx.catalogue.refreshes_automatically(&provider) => Renewal::Automatic,
        Some(_) => Renewal::ByCommand,
    };
    (renewal, grant)
}
