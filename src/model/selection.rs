//! Which profile of a provider is used: every candidate in order, taken or passed over, and why.
//!
//! One pure function. `token` uses its answer and the order of the answers is the reference
//! release's (`docs/compatibility.md`); a test compares it with what that release gave for 300
//! generated stores.

use std::collections::HashSet;

use super::credential::{Credential, Kind, OAuth, SecretFault};
use super::id::{AgentId, ProfileId, ProviderId};
use super::profile_index::ProfileIndex;
use super::profiles::{Effective, VisibleProfile};
use super::settings::Settings;
use super::time::Timestamp;

/// One candidate and what became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The profile.
    pub id: ProfileId,
    /// The agent whose document holds it; `None` if none does.
    pub owner: Option<AgentId>,
    /// Taken into the order, or why not.
    pub verdict: Verdict,
}

/// What became of a candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Eligible.
    Eligible,
    /// Eligible, but tried last, until this moment.
    CoolingDown(Timestamp),
    /// Named by an order or the configuration, and in no document.
    NotStored,
    /// It is for another provider.
    OtherProvider(String),
    /// The configuration gives it another provider or mode.
    ConfigDisagrees,
    /// It holds no secret.
    NoSecret,
    /// A reference to its secret, which another program follows.
    Elsewhere,
    /// What stands in the place of its secret is none.
    SecretFault(SecretFault),
    /// A token that has ended.
    Expired,
    /// Stored, and not named by the order or by `auth.profiles`, which then excludes it.
    NotNamed,
}

/// The candidates of one provider, those that can be used first and in the order of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The provider that was asked for.
    pub provider: ProviderId,
    /// Every candidate: the usable ones in order, then those passed over.
    pub candidates: Vec<Candidate>,
}

impl Decision {
    /// The profiles that can be used, in order.
    pub fn order(&self) -> impl Iterator<Item = &Candidate> {
        self.candidates.iter().filter(|candidate| {
            matches!(
                candidate.verdict,
                Verdict::Eligible | Verdict::CoolingDown(_)
            )
        })
    }
}

/// What says in which order the profiles of a provider are used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderSource {
    /// The override in the document of this agent.
    Override(AgentId),
    /// `auth.order` of the configuration.
    AuthOrder,
    /// The profiles that `auth.profiles` of the configuration names.
    AuthProfiles,
    /// Nothing: every stored profile counts.
    Stored,
}

/// Everything that says something of the order for `provider`: the first holds, and is what
/// [`decide`] goes by; the others are in its shadow.
pub fn order_sources(
    seen: &Effective,
    settings: &Settings,
    provider: &ProviderId,
) -> Vec<OrderSource> {
    let main = seen.main.as_ref().map(|main| (AgentId::main(), main));
    let documents = [Some((seen.agent.clone(), &seen.own)), main];
    let overrides = documents.into_iter().flatten();
    let overrides = overrides.filter(|(_, document)| document.order_of(provider).is_some());
    let mut sources: Vec<OrderSource> = overrides
        .map(|(agent, _)| OrderSource::Override(agent))
        .collect();
    if settings.order_of(provider).is_some() {
        sources.push(OrderSource::AuthOrder);
    }
    if !named_by_config(settings, provider).is_empty() {
        sources.push(OrderSource::AuthProfiles);
    }
    if sources.is_empty() {
        sources.push(OrderSource::Stored);
    }
    sources
}

/// Decides the order of the profiles of `provider` as OpenClaw does.
///
/// 1. An explicit order is the store's override, else `auth.order`. An empty `auth.order` is one,
///    too, and switches every profile off; an empty override is no override, and reading a
///    document drops it.
/// 2. Without one the candidates are the profiles that `auth.profiles` names for the provider, if
///    there is any, else all stored ones.
/// 3. Under an explicit order its sequence holds; otherwise OAuth before tokens before API keys,
///    and the least recently used first. Those cooling down come last, the soonest to recover
///    first.
/// 4. The preferred profile goes first even while it cools down, if it can be used at all; it is
///    the pin of a session, or what somebody named.
///
/// With a model of the provider, by its own name, a profile whose cooldown is of another model is
/// as good as any.
pub fn decide(
    index: &ProfileIndex<'_>,
    settings: &Settings,
    provider: &ProviderId,
    (preferred, model): (Option<&ProfileId>, Option<&str>),
    now: Timestamp,
) -> Decision {
    let explicit = index
        .effective()
        .order_of(provider)
        .or_else(|| settings.order_of(provider));
    let named = named_by_config(settings, provider);
    let mut others: Vec<&VisibleProfile<'_>> = index.of(provider).collect();
    let considered: Vec<Named<'_>> = if explicit.is_none() && named.is_empty() {
        let all = others.drain(..);
        all.map(|profile| (profile.id.clone(), Some(profile)))
            .collect()
    } else {
        let listed = listed(explicit.unwrap_or(&named), index);
        let ids: HashSet<&ProfileId> = listed.iter().map(|(id, _)| id).collect();
        others.retain(|profile| !ids.contains(profile.id));
        listed
    };
    let ranked = considered.into_iter().map(|(id, found)| {
        let verdict = found.map_or(Verdict::NotStored, |profile| {
            judge(profile, settings, provider, model, now)
        });
        let owner = found.map(|profile| profile.owner.clone());
        let candidate = Candidate { id, owner, verdict };
        let rank = rank(&candidate, found, explicit.is_some(), preferred);
        (rank, candidate)
    });
    let mut ranked: Vec<((u8, i64, i64), Candidate)> = ranked.collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    let not_named = others.into_iter().map(|profile| Candidate {
        id: profile.id.clone(),
        owner: Some(profile.owner.clone()),
        verdict: Verdict::NotNamed,
    });
    let candidates = ranked.into_iter().map(|(_, candidate)| candidate);
    let mut candidates: Vec<Candidate> = candidates.collect();
    candidates.extend(not_named);
    Decision {
        provider: provider.clone(),
        candidates,
    }
}

/// A profile that an order or the configuration names, and what is stored of it.
type Named<'a> = (ProfileId, Option<&'a VisibleProfile<'a>>);

/// The profiles of a list, each once.
fn listed<'a>(names: &[String], index: &'a ProfileIndex<'_>) -> Vec<Named<'a>> {
    let mut once = HashSet::new();
    let ids = names.iter().filter_map(|name| ProfileId::parse(name).ok());
    let ids = ids.filter(|id| once.insert(id.clone()));
    let named = ids.map(|id| {
        let found = index.get(&id);
        (id, found)
    });
    named.collect()
}

fn named_by_config(settings: &Settings, provider: &ProviderId) -> Vec<String> {
    settings
        .profiles
        .iter()
        .filter(|profile| provider.is_named(&profile.provider))
        .map(|profile| profile.id.as_str().to_owned())
        .collect()
}

fn judge(
    profile: &VisibleProfile<'_>,
    settings: &Settings,
    provider: &ProviderId,
    model: Option<&str>,
    now: Timestamp,
) -> Verdict {
    let credential = profile.credential;
    if !credential.is_for(provider) {
        return Verdict::OtherProvider(credential.raw_provider().to_owned());
    }
    if let Some(config) = settings.profile(profile.id) {
        let same_provider = provider.is_named(&config.provider);
        let mode_fits = config.mode == credential.kind().as_str()
            || (config.mode == "oauth" && credential.kind() == Kind::Token);
        if !same_provider || !mode_fits {
            return Verdict::ConfigDisagrees;
        }
    }
    let refreshes = || {
        credential
            .as_oauth()
            .and_then(OAuth::refresh_token)
            .is_some()
    };
    match credential.judged_secret() {
        Ok(Some(_)) => {}
        _ if refreshes() => {}
        Ok(None) if credential.is_reference() => return Verdict::Elsewhere,
        Ok(None) => return Verdict::NoSecret,
        Err(fault) => return Verdict::SecretFault(fault),
    }
    // Only what nothing renews is judged by its end.
    if matches!(credential, Credential::Token(_))
        && !credential.is_of_client()
        && credential.expires().is_some_and(|end| now >= end)
    {
        return Verdict::Expired;
    }
    match profile.unusable(now, model) {
        Some(unusable) => Verdict::CoolingDown(unusable.until),
        None => Verdict::Eligible,
    }
}

/// What comes first in the order, and what comes after it.
const PREFERRED: u8 = 0;
const AVAILABLE: u8 = 1;
const COOLING: u8 = 2;
const PASSED_OVER: u8 = 3;

/// The sort key of a candidate; sorting is stable, so equal keys keep the order of the base list.
fn rank(
    candidate: &Candidate,
    profile: Option<&VisibleProfile<'_>>,
    explicit: bool,
    preferred: Option<&ProfileId>,
) -> (u8, i64, i64) {
    match candidate.verdict {
        Verdict::Eligible | Verdict::CoolingDown(_) if Some(&candidate.id) == preferred => {
            (PREFERRED, 0, 0)
        }
        Verdict::Eligible if explicit => (AVAILABLE, 0, 0),
        Verdict::Eligible => {
            let kind = profile.map_or(i64::MAX, |profile| match profile.credential.kind() {
                Kind::OAuth => 0,
                Kind::Token => 1,
                Kind::ApiKey => 2,
            });
            let last_used = profile
                .and_then(|profile| profile.usage)
                .and_then(|usage| usage.last_used);
            (AVAILABLE, kind, last_used.map_or(0, |time| time.0))
        }
        Verdict::CoolingDown(until) => (COOLING, until.0, 0),
        _ => (PASSED_OVER, 0, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::super::credential::ApiKey;
    use super::super::json::Extra;
    use super::super::profiles::AuthProfiles;
    use super::super::secret::Secret;
    use super::super::settings::ProfileSettings;
    use super::*;

    fn id(text: &str) -> ProfileId {
        ProfileId::parse(text).unwrap()
    }

    /// With `x:a` to `x:d`, and an order that names one.
    fn document(order: Option<&str>) -> AuthProfiles {
        let mut document = AuthProfiles::default();
        for name in ["x:a", "x:b", "x:c", "x:d"] {
            let key = ApiKey {
                provider: "x".to_owned(),
                key: Some(Secret::from("k")),
                email: None,
                extra: Extra::default(),
            };
            assert!(document.put(id(name), Credential::ApiKey(key)));
        }
        let order = order.map(|name| ("X".to_owned(), vec![name.to_owned()]));
        document.order = order.into_iter().collect();
        document
    }

    #[test]
    fn the_first_source_of_an_order_is_the_one_that_holds() {
        use OrderSource::{AuthOrder, AuthProfiles, Override, Stored};
        let provider = ProviderId::parse("x").unwrap();
        let agent = AgentId::normalise("work");
        let profile = ProfileSettings {
            id: id("x:d"),
            provider: "x".to_owned(),
            mode: "api_key".to_owned(),
            email: None,
        };
        for bits in 0..16_u8 {
            let has = |bit: u8| bits & (1 << bit) != 0;
            let own = document(has(0).then_some("x:a"));
            let main = document(has(1).then_some("x:b"));
            let seen = Effective::new(agent.clone(), own, Some(main));
            let settings = Settings {
                order: (has(2).then(|| ("x".to_owned(), vec!["x:c".to_owned()])))
                    .into_iter()
                    .collect(),
                profiles: has(3).then(|| profile.clone()).into_iter().collect(),
                ..Settings::default()
            };
            let all = [
                (has(0), Override(agent.clone()), 1, "x:a"),
                (has(1), Override(AgentId::main()), 1, "x:b"),
                (has(2), AuthOrder, 1, "x:c"),
                (has(3), AuthProfiles, 1, "x:d"),
                (bits == 0, Stored, 4, "x:a"),
            ];
            let expected: Vec<_> = all.iter().filter(|(is_there, ..)| *is_there).collect();
            let sources: Vec<_> = expected
                .iter()
                .map(|(_, source, ..)| source.clone())
                .collect();
            assert_eq!(
                order_sources(&seen, &settings, &provider),
                sources,
                "{bits}"
            );
            let index = ProfileIndex::new(&seen);
            let decision = decide(&index, &settings, &provider, (None, None), Timestamp(1));
            let order: Vec<_> = decision.order().map(|one| one.id.as_str()).collect();
            let (.., count, first) = expected[0];
            assert_eq!((order.len(), order[0]), (*count, *first), "{bits}");
        }
    }
}
