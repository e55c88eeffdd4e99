//! How each login stands: the reference release's one word, and the facts behind it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::model::credential::{Credential, Kind};
use crate::model::grant::{GrantDigest, GrantRecord, RefreshOutcome, Refusal};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::Seen;
use crate::model::time::Timestamp;
use crate::ports::store::StoreError;

use super::super::Ports;
use super::rows::email_of;
use super::state::State;

/// A login that ends within this many milliseconds is expiring: a day.
pub const WARN_AFTER_MS: i64 = 86_400_000;

/// The one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// Lives, or can be refreshed.
    Ok,
    /// Ends within a day.
    Expiring,
    /// Has ended.
    Expired,
    /// Has no usable end, or there is no login.
    Missing,
    /// Has no end.
    Static,
}

impl Status {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Expiring => "expiring",
            Self::Expired => "expired",
            Self::Missing => "missing",
            Self::Static => "static",
        }
    }
}

/// Health of everything.
#[derive(Clone, Debug)]
pub struct Health {
    /// By provider, then name.
    pub profiles: Vec<ProfileHealth>,
    /// Every provider that anything mentions, sorted.
    pub providers: Vec<ProviderHealth>,
}

impl Health {
    /// The last moment at which a grant is known to have been sent or taken.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let moments = self.profiles.iter().flat_map(|profile| {
            let facts = &profile.facts;
            let refused = facts.refusal.as_ref().and_then(|(_, at)| *at);
            [facts.proven_at, refused, facts.unknown_since]
        });
        moments.flatten().max()
    }
}

/// How one profile stands.
#[derive(Clone, Debug)]
pub struct ProfileHealth {
    /// The profile.
    pub id: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// What it holds.
    pub kind: Kind,
    /// The reference release's one word.
    pub status: Status,
    /// How it stands, by the facts.
    pub state: State,
    /// When its token ends.
    pub expires: Option<Timestamp>,
    /// Milliseconds until then; negative if it has passed.
    pub remaining: Option<i64>,
    /// Name and e-mail.
    pub label: String,
    /// The e-mail alone.
    pub email: Option<String>,
    /// The facts.
    pub facts: Facts,
}

/// What is known of a profile.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The agent in whose document it lies.
    pub owner: AgentId,
    /// That document.
    pub file: PathBuf,
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

/// How one provider stands.
#[derive(Clone, Debug)]
pub struct ProviderHealth {
    /// Its name.
    pub provider: String,
    /// The worst of its profiles.
    pub status: Status,
    /// Places in [`Health::profiles`].
    pub profiles: Vec<usize>,
    /// The soonest end.
    pub expires: Option<Timestamp>,
    /// Milliseconds until then; negative if it has passed.
    pub remaining: Option<i64>,
}

/// Judges every profile and every provider in `names`.
pub(super) fn judge(
    ports: Ports<'_>,
    seen: &[Seen<'_>],
    names: &[String],
    now: Timestamp,
) -> Result<Health, StoreError> {
    let mut judge = Judge {
        ports,
        now,
        idle: HashMap::new(),
    };
    let mut profiles = Vec::with_capacity(seen.len());
    for seen in seen {
        profiles.push(judge.profile(seen)?);
    }
    profiles.sort_by_cached_key(|p| (p.provider.to_lowercase(), p.id.as_str().to_lowercase()));
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, profile) in profiles.iter().enumerate() {
        places.entry(&profile.provider).or_default().push(place);
    }
    let providers = names.iter().map(|name| {
        let mine = places.get(name.as_str()).cloned().unwrap_or_default();
        provider(name, &profiles, mine)
    });
    let providers = providers.collect();
    Ok(Health {
        profiles,
        providers,
    })
}

/// What is known of one profile.
///
/// # Errors
/// If what the journal knows of its grant cannot be read.
pub(in crate::app) fn facts(ports: Ports<'_>, seen: &Seen<'_>) -> Result<Facts, StoreError> {
    let mut judge = Judge {
        ports,
        now: ports.clock.now(),
        idle: HashMap::new(),
    };
    judge.facts(seen)
}

/// What every profile is judged by.
struct Judge<'a> {
    ports: Ports<'a>,
    now: Timestamp,
    /// For how long a grant of a provider may rest: one manifest is read once.
    idle: HashMap<ProviderId, Option<Duration>>,
}

impl Judge<'_> {
    fn profile(&mut self, seen: &Seen<'_>) -> Result<ProfileHealth, StoreError> {
        let (ports, now) = (self.ports, self.now);
        let credential = seen.credential;
        let expires = credential.expires();
        let by_end = match expires.map(|end| now.until(end)) {
            None => None,
            Some(..=0) => Some(Status::Expired),
            Some(..=WARN_AFTER_MS) => Some(Status::Expiring),
            Some(_) => Some(Status::Ok),
        };
        let facts = self.facts(seen)?;
        let status = match credential {
            Credential::ApiKey(_) => Status::Static,
            // What can be renewed is not about to end. What the provider has refused is told apart
            // by the facts.
            _ if facts.renewal == Renewal::Automatic && by_end.is_some() => Status::Ok,
            Credential::Token(_) => by_end.unwrap_or(Status::Static),
            Credential::OAuth(_) => by_end.unwrap_or(Status::Missing),
        };
        let email = email_of(ports, seen.id, credential);
        let label = match &email {
            Some(email) => format!("{} ({email})", seen.id),
            None => seen.id.to_string(),
        };
        Ok(ProfileHealth {
            id: seen.id.clone(),
            provider: credential.raw_provider().to_owned(),
            kind: credential.kind(),
            status,
            state: State::of(status, &facts, now),
            expires,
            remaining: expires.map(|end| now.until(end)),
            label,
            email,
            facts,
        })
    }

    fn facts(&mut self, seen: &Seen<'_>) -> Result<Facts, StoreError> {
        let ports = self.ports;
        let oauth = seen.credential.as_oauth();
        let refresh_token = oauth.and_then(|oauth| oauth.refresh_token());
        let (renewal, grant) = renewal(ports, seen);
        let record = match grant {
            Some(grant) => ports.store.grant_record(&grant)?,
            None => None,
        };
        let attempt = record
            .as_ref()
            .and_then(|record: &GrantRecord| record.attempt.as_ref());
        let outcome = attempt.and_then(|attempt| attempt.outcome.as_ref());
        let proven_at = record.as_ref().and_then(|record| record.proven_at);
        Ok(Facts {
            owner: seen.owner.clone(),
            file: ports.store.path(seen.owner),
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
                .and_then(|proven| Some(proven.after(self.idle(seen)?))),
        })
    }

    fn idle(&mut self, seen: &Seen<'_>) -> Option<Duration> {
        let provider = seen.credential.provider()?;
        if let Some(known) = self.idle.get(&provider) {
            return *known;
        }
        let manifest = self.ports.catalogue.get(&provider).ok();
        let idle = manifest.and_then(|manifest| manifest.refresh.idle_limit);
        self.idle.insert(provider, idle);
        idle
    }
}

/// What renews a profile, and what the journal knows its grant by. Reads a manifest only where the
/// credential itself does not say.
pub(in crate::app) fn renewal(ports: Ports<'_>, seen: &Seen<'_>) -> (Renewal, Option<GrantDigest>) {
    let Some(provider) = seen.credential.provider() else {
        return (Renewal::Never, None);
    };
    let grant = match seen.credential.as_oauth() {
        Some(oauth) => oauth.grant(),
        None if seen.credential.is_of_client() => {
            let manifest = ports.catalogue.get(&provider);
            let can_ask = manifest.is_ok_and(|manifest| manifest.client_credentials().is_some());
            can_ask.then(|| GrantDigest::of_client(seen.owner, &provider, seen.id))
        }
        None => None,
    };
    let renewal = match &grant {
        None => Renewal::Never,
        Some(_) if ports.catalogue.renews_by_itself(&provider) => Renewal::Automatic,
        Some(_) => Renewal::ByCommand,
    };
    (renewal, grant)
}

fn provider(name: &str, profiles: &[ProfileHealth], mine: Vec<usize>) -> ProviderHealth {
    let logins = || {
        let mine = mine.iter().map(|&place| &profiles[place]);
        mine.filter(|profile| profile.kind != Kind::ApiKey)
    };
    let any = |wanted: &[Status]| logins().any(|profile| wanted.contains(&profile.status));
    let status = if mine.is_empty() {
        Status::Missing
    } else if logins().next().is_none() {
        Status::Static
    } else if any(&[Status::Expired, Status::Missing]) {
        Status::Expired
    } else if any(&[Status::Expiring]) {
        Status::Expiring
    } else {
        Status::Ok
    };
    ProviderHealth {
        provider: name.to_owned(),
        status,
        expires: logins().filter_map(|profile| profile.expires).min(),
        remaining: logins().filter_map(|profile| profile.remaining).min(),
        profiles: mine,
    }
}
