//! The plan of the probes: which credentials are tried, and the results of the others.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::address::{fault, way};
use super::options::Options;
use super::outcome::{Outcome, Reason};
use super::send::{ProbedCredential, Target, WORDS};
use super::verdict::Status;
use crate::app::context::Context;
use crate::app::credential::env_keys::{KeyMaterial as Found, Keys};
use crate::app::credential::provider_name::Purpose;
use crate::app::credential::secret_ref;
use crate::app::failure::{Failure, Kind as FailureKind};
use crate::app::status::report::Report;
use crate::model::credential::{Credential, Kind};
use crate::model::expiry::ExpiryAnomaly;
use crate::model::id::{ProfileId, ProviderId, printable};
use crate::model::named::{ProfileName, ProviderName};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::{Effective, VisibleProfile};
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::selection::{self, Verdict};
use crate::model::time::Timestamp;
use crate::providers::catalogue::CatalogueError;

/// The plan.
#[derive(Default)]
pub(super) struct ProbePlan {
    /// Results without a request.
    pub(super) known: Vec<Outcome>,
    /// Credentials to try.
    pub(super) targets: Vec<Target>,
}

/// What a plan is made of.
pub(super) struct Planner<'a> {
    pub(super) cx: Context<'a>,
    pub(super) report: &'a Report,
    pub(super) effective: &'a Effective,
    pub(super) options: &'a Options,
    pub(super) now: Timestamp,
}

impl Planner<'_> {
    /// Plans for every provider of the report, in its order.
    pub(super) fn plan(&self) -> Result<ProbePlan, Failure> {
        let mut plan = ProbePlan::default();
        let named = self.named_profiles()?;
        let agent = &self.effective.agent;
        let wanted = match self.options.provider.as_deref().map(ProviderName::parse) {
            None => None,
            Some(Ok(name)) => Some(self.cx.provider_id(agent, &name, Purpose::Any)?),
            // No provider is called so.
            Some(Err(_)) => return Ok(plan),
        };
        let mut seen: HashSet<ProviderId> = HashSet::new();
        let index = ProfileIndex::new(self.effective);
        let labels = self.report.health.profiles.iter();
        let labels = labels.map(|known| (&known.facts.profile, known.label()));
        let known = (&index, &labels.collect());
        let mut keys = None;
        for name in &self.report.health.providers {
            let Ok(id) = ProviderId::parse(&name.provider) else {
                continue;
            };
            let is_wanted = wanted.as_ref().is_none_or(|wanted| *wanted == id);
            if !is_wanted || !seen.insert(id.clone()) {
                continue;
            }
            let mut profiles: Vec<&VisibleProfile<'_>> = index.of(&id).collect();
            profiles.retain(|profile| named.is_empty() || named.contains(profile.id));
            if !profiles.is_empty() {
                self.of_profiles(&mut plan, &id, &profiles, known)?;
            } else if named.is_empty() {
                // The login shell is started only if nothing stored speaks for somebody.
                let looked = match keys.take() {
                    Some(keys) => keys,
                    None => Keys::look(self.cx)?,
                };
                self.of_key(&mut plan, &id, keys.insert(looked))?;
            }
        }
        Ok(plan)
    }

    /// Returns the profiles that were picked. A name that nothing is called by picks nothing, as in
    /// the reference release.
    fn named_profiles(&self) -> Result<Vec<ProfileId>, Failure> {
        let names = self.options.profiles.iter();
        let names = names.filter_map(|name| ProfileName::parse(name).ok());
        names
            .map(|name| {
                let found = self.cx.profile_id(&self.effective.agent, &name);
                match found {
                    Err(failure) if failure.kind == FailureKind::NotFound => {
                        Ok(name.typed().clone())
                    }
                    found => found,
                }
            })
            .collect()
    }

    fn of_profiles(
        &self,
        plan: &mut ProbePlan,
        id: &ProviderId,
        profiles: &[&VisibleProfile<'_>],
        (index, labels): (&ProfileIndex<'_>, &HashMap<&ProfileId, Cow<'_, str>>),
    ) -> Result<(), Failure> {
        let settings = self.cx.settings;
        let order = self
            .effective
            .order_of(id)
            .or_else(|| settings.order_of(id));
        let order: Option<HashSet<&str>> =
            order.map(|order| order.iter().map(|name| name.trim()).collect());
        let decision = selection::decide(index, settings, id, (None, None), self.now);
        let disagreeing = decision.candidates.iter();
        let disagreeing =
            disagreeing.filter(|candidate| candidate.verdict == Verdict::ConfigDisagrees);
        let disagreeing: HashSet<&ProfileId> = disagreeing.map(|one| &one.id).collect();
        for seen in profiles {
            let label = labels.get(seen.id).map_or(seen.id.as_str(), AsRef::as_ref);
            let mut outcome = self.outcome(id, seen.credential.kind(), "profile", label);
            outcome.profile = Some(seen.id.clone());
            let is_excluded =
                (order.as_ref()).is_some_and(|order| !order.contains(seen.id.as_str()));
            let disagrees = disagreeing.contains(seen.id);
            plan.known.push(if is_excluded {
                let words = "Excluded by auth.order for this provider.";
                outcome.known(Reason::ExcludedByAuthOrder, words)
            } else if disagrees {
                let words = "It has another provider or mode in auth.profiles.";
                outcome.known(Reason::IneligibleProfile, words)
            } else if let Some(reason) = unusable(seen.credential, self.now) {
                outcome.lifeless(reason)
            } else {
                let referred = seen.credential.reference();
                let referred = match referred.map(|text| self.referred(text)) {
                    None => None,
                    Some(Ok(secret)) => Some(secret),
                    Some(Err(why)) => {
                        self.cx.uninterrupted()?;
                        plan.known.push(outcome.unresolved(why));
                        continue;
                    }
                };
                let what = ProbedCredential::Profile {
                    owner: seen.owner.clone(),
                    id: seen.id.clone(),
                    credential: Box::new(seen.credential.clone()),
                    referred,
                };
                let provider = self.cx.provider_of(id, seen.credential);
                self.target(plan, outcome, provider, what)?;
                continue;
            });
        }
        Ok(())
    }

    /// Plans for a key in a variable, else in the configuration.
    fn of_key(
        &self,
        plan: &mut ProbePlan,
        id: &ProviderId,
        keys: &Keys<'_>,
    ) -> Result<(), Failure> {
        let provider = self.cx.provider(id);
        let found = provider
            .as_ref()
            .ok()
            .and_then(|provider| keys.of(provider));
        let (source, mode, key) = match found.map(|found| (found.what, found.source)) {
            Some((Found::Key(key), _)) => ("env", Kind::ApiKey, key),
            Some((Found::Token(token), _)) => ("env", Kind::OAuth, token),
            Some((Found::Ambient, source)) => {
                let outcome = self.outcome(id, Kind::ApiKey, "env", "env");
                let words = format!("{source} has no key to try.");
                plan.known.push(outcome.known(Reason::NoModel, &words));
                return Ok(());
            }
            None => match self.cx.settings.key_of(id) {
                Some((_, key)) => ("models.json", Kind::ApiKey, key.clone()),
                None => return Ok(()),
            },
        };
        let outcome = self.outcome(id, mode, source, source);
        let key = match key.as_reference() {
            None if !key.is_held() => {
                plan.known.push(outcome.lifeless(Reason::UnresolvedRef));
                return Ok(());
            }
            None => key,
            Some(reference) => match self.referred(reference) {
                Ok(key) => key,
                Err(why) => {
                    self.cx.uninterrupted()?;
                    plan.known.push(outcome.unresolved(why));
                    return Ok(());
                }
            },
        };
        self.target(plan, outcome, provider, ProbedCredential::Key(key))
    }

    /// Follows a reference; else why it leads to nothing, in the words of the reference release.
    fn referred(&self, text: &str) -> Result<Secret<String>, String> {
        let reference = secret_ref::read(self.cx, text)
            .map_err(|failure| format!("could not resolve SecretRef: it {}", failure.message))?;
        secret_ref::find(self.cx, &reference).map_err(|failure| {
            let why = printable(&failure.message, WORDS);
            format!("could not resolve SecretRef \"{reference}\": {why}")
        })
    }

    /// The result of a credential that was not tried yet.
    fn outcome(&self, id: &ProviderId, mode: Kind, source: &'static str, label: &str) -> Outcome {
        Outcome {
            provider: id.clone(),
            model: self.report.models.of_provider(id),
            profile: None,
            label: label.to_owned(),
            source,
            mode: mode.as_str(),
            status: Status::Unknown,
            reason: None,
            error: None,
            detail: None,
            latency_ms: None,
        }
    }

    /// Plans for a credential: as a target, if it has a route and may take it.
    fn target(
        &self,
        plan: &mut ProbePlan,
        mut outcome: Outcome,
        provider: Result<Provider, CatalogueError>,
        what: ProbedCredential,
    ) -> Result<(), Failure> {
        let provider = match provider {
            Ok(provider) => Some(provider),
            Err(CatalogueError::Unknown { .. }) => None,
            Err(error) => {
                outcome.error = Some(printable(&error.to_string(), 300));
                plan.known.push(outcome);
                return Ok(());
            }
        };
        let (kind, stored) = match &what {
            ProbedCredential::Key(_) if outcome.mode == Kind::ApiKey.as_str() => {
                (Kind::ApiKey, None)
            }
            ProbedCredential::Key(_) => (Kind::OAuth, None),
            ProbedCredential::Profile {
                owner,
                id,
                credential,
                ..
            } => (credential.kind(), Some((owner, id, &**credential))),
        };
        let found = provider.and_then(|provider| {
            let probe = provider.probe.clone()?;
            let way = way(&probe, kind)?.clone();
            Some((provider, probe, way))
        });
        let Some((provider, probe, way)) = found else {
            let words = format!("No probe is known for {}.", outcome.provider);
            plan.known.push(outcome.known(Reason::NoModel, &words));
            return Ok(());
        };
        if let Some(fault) = fault(self.cx, &provider, &way, kind, stored)? {
            outcome.error = Some(fault);
            plan.known.push(outcome);
            return Ok(());
        }
        if probe.asks_a_model() && outcome.model.is_none() {
            let own = probe.model.as_ref();
            outcome.model = own.map(|model| format!("{}/{model}", outcome.provider));
        }
        if probe.asks_a_model() && outcome.model.is_none() {
            let words = "No model available for probe";
            plan.known.push(outcome.known(Reason::NoModel, words));
            return Ok(());
        }
        plan.targets.push(Target {
            outcome,
            provider,
            probe,
            way,
            what,
        });
        Ok(())
    }
}

/// Returns why there is nothing to send, if nothing can refresh the credential.
fn unusable(credential: &Credential, now: Timestamp) -> Option<Reason> {
    let oauth = credential.as_oauth();
    if credential.is_of_client() || oauth.is_some_and(|oauth| oauth.refresh_token().is_some()) {
        return None;
    }
    if credential.bearer().is_none() && credential.reference().is_none() {
        return Some(match credential.is_reference() {
            true => Reason::UnresolvedRef,
            false => Reason::MissingCredential,
        });
    }
    match credential.end() {
        None if oauth.is_some() => Some(Reason::InvalidExpires),
        Some(end) if end.anomaly == Some(ExpiryAnomaly::TooEarly) => Some(Reason::InvalidExpires),
        Some(end) if now >= end.at => Some(Reason::Expired),
        _ => None,
    }
}
