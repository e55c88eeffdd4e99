//! Health of each login: the reference release's word, and the facts behind it.

use std::borrow::Cow;
use std::sync::Arc;

use foldhash::HashMap;
use serde::Serialize;

use crate::app::credential::facts::Facts;
use crate::app::credential::facts::Renewal;
use crate::app::credential::state::State;
use crate::model::collation;
use crate::model::credential::Kind;
use crate::model::id::ProfileId;
use crate::model::profiles::VisibleProfile;
use crate::model::time::Timestamp;
use crate::model::usage::Unusable;
use crate::ports::store::StoreError;

use crate::app::context::Context;
use crate::app::credential::account::{email_of, label};
use crate::app::credential::assessment::{Assessment, assess};
use crate::app::credential::facts_reader::FactsReader;
use crate::app::refresh::outcome::RefreshPolicy;

/// A login that ends within this many milliseconds is expiring: a day.
pub const WARN_AFTER_MS: i64 = 86_400_000;

/// The reference release's word for a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Valid, or can be refreshed.
    Ok,
    /// Expires within a day.
    Expiring,
    /// Has expired.
    Expired,
    /// Has no usable expiry, or there is no login.
    Missing,
    /// Does not expire.
    Static,
}

/// The health of all profiles and providers.
#[derive(Clone, Debug)]
pub struct Health {
    /// The profiles, by provider, then name.
    pub profiles: Vec<ProfileHealth>,
    /// Every provider that anything mentions, sorted.
    pub providers: Vec<ProviderHealth>,
}

impl Health {
    /// Returns the last moment at which a grant is known to have been sent or received.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        let moments = self.profiles.iter().flat_map(|profile| {
            let facts = &profile.facts;
            let refused = facts.refusal().and_then(|(_, at)| at);
            [facts.proven_at(), refused, facts.unknown_since()]
        });
        moments.flatten().max()
    }
}

/// The health of a profile.
#[derive(Clone, Debug)]
pub struct ProfileHealth {
    /// Its provider as written.
    pub provider: Arc<str>,
    /// The facts, with the profile, its owner and its expiry.
    pub facts: Facts,
    /// The assessment of the facts.
    pub assessment: Assessment,
    /// The reference release's word.
    pub status: Status,
    /// The e-mail.
    pub email: Option<String>,
    /// The cooldown, if it cools down or is disabled.
    pub unusable: Option<Unusable>,
    /// The fingerprint of its secret, if there is one and it was asked for.
    pub fingerprint: Option<String>,
}

impl ProfileHealth {
    /// Its name and e-mail.
    pub fn label(&self) -> Cow<'_, str> {
        label(&self.facts.profile, self.email.as_deref())
    }
}

/// The health of a provider.
#[derive(Clone, Debug)]
pub struct ProviderHealth {
    /// Its name.
    pub provider: String,
    /// The worst status of its profiles.
    pub status: Status,
    /// Indices in [`Health::profiles`].
    pub profiles: Vec<usize>,
    /// The earliest expiry.
    pub expires: Option<Timestamp>,
}

impl Health {
    /// Adds the fingerprint of each secret.
    pub(super) fn add_fingerprints(&mut self, seen: &[VisibleProfile<'_>]) {
        let secrets = seen
            .iter()
            .filter_map(|seen| Some((seen.id, seen.credential.shown_secret()?)));
        let secrets: HashMap<&ProfileId, _> = secrets.collect();
        for profile in &mut self.profiles {
            let secret = secrets.get(&profile.facts.profile);
            profile.fingerprint = secret.and_then(|secret| secret.fingerprint());
        }
    }
}

/// Judges every profile, and every provider in `names`.
pub(super) fn judge(
    cx: Context<'_>,
    reader: &mut FactsReader<'_>,
    seen: &[VisibleProfile<'_>],
    names: &[String],
    now: Timestamp,
) -> Result<Health, StoreError> {
    let mut sorted: Vec<&VisibleProfile<'_>> = seen.iter().collect();
    sorted.sort_by(|a, b| {
        let providers = [a, b].map(|seen| seen.credential.raw_provider());
        collation::compare(providers[0], providers[1])
            .then_with(|| collation::compare(a.id.as_str(), b.id.as_str()))
    });
    // Thousands of them take megabytes, which are not allocated twice.
    let mut profiles = Vec::with_capacity(sorted.len());
    let mut provider: Arc<str> = Arc::default();
    for seen in sorted {
        let name = seen.credential.raw_provider();
        if *provider != *name {
            provider = name.into();
        }
        profiles.push(profile(cx, reader, (&provider, seen), now)?);
    }
    let mut places: HashMap<&str, Vec<usize>> = HashMap::default();
    for (place, profile) in profiles.iter().enumerate() {
        places.entry(&profile.provider).or_default().push(place);
    }
    let providers = names.iter().map(|name| {
        let mine = places.get(name.as_str()).cloned().unwrap_or_default();
        of_provider(name, &profiles, mine)
    });
    let providers = providers.collect();
    Ok(Health {
        profiles,
        providers,
    })
}

/// Assesses one profile; `provider` is that which it names.
fn profile(
    cx: Context<'_>,
    reader: &mut FactsReader<'_>,
    (provider, seen): (&Arc<str>, &VisibleProfile<'_>),
    now: Timestamp,
) -> Result<ProfileHealth, StoreError> {
    let facts = reader.read(seen)?;
    let assessment = assess(&facts, RefreshPolicy::MinValid(None), now);
    let status = status(&facts, &assessment, now);
    Ok(ProfileHealth {
        provider: Arc::clone(provider),
        status,
        assessment,
        email: email_of(cx, seen.id, seen.credential),
        unusable: seen.unusable(now, None),
        fingerprint: None,
        facts,
    })
}

/// Returns the reference release's word. It knows no journal; if that says that there is no token,
/// the word says so, too (`docs/compatibility.md`).
fn status(facts: &Facts, assessment: &Assessment, now: Timestamp) -> Status {
    let by_end = match facts.expires_at().map(|end| now.until(end)) {
        None => None,
        Some(..=0) => Some(Status::Expired),
        Some(..=WARN_AFTER_MS) => Some(Status::Expiring),
        Some(_) => Some(Status::Ok),
    };
    // What is refreshed automatically is not about to end.
    let is_refreshed = assessment.is_refreshed(facts);
    match facts.kind {
        Kind::ApiKey => Status::Static,
        _ if is_refreshed && by_end.is_some() => Status::Ok,
        _ if facts.renewal == Renewal::Automatic && assessment.needs_somebody() => Status::Expired,
        Kind::Token => by_end.unwrap_or(Status::Static),
        Kind::OAuth if assessment.state == State::Static => Status::Static,
        Kind::OAuth => by_end.unwrap_or(Status::Missing),
    }
}

fn of_provider(name: &str, profiles: &[ProfileHealth], mine: Vec<usize>) -> ProviderHealth {
    let logins = || {
        let mine = mine.iter().map(|&place| &profiles[place]);
        mine.filter(|profile| profile.facts.kind != Kind::ApiKey)
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
        expires: logins()
            .filter_map(|profile| profile.facts.expires_at())
            .min(),
        profiles: mine,
    }
}
