//! `models auth explain`: which credential would be used, and why. No lock, no network, no write,
//! and no type in the report can hold a secret.
//!
//! What is used is what `models auth token` hands out: both resolve the selector in
//! `credential/resolve.rs`, try the candidates in the same order, and assess each in
//! `credential/assessment.rs`.

mod beside;
mod bills;
mod chain;
mod rows;
mod shadows;

pub use rows::{CandidateSource, ProfileRow, Row, Standing, Stored};
pub use shadows::Shadow;

use std::collections::HashMap;
use std::sync::Arc;

use crate::model::id::{AgentId, ProviderId};
use crate::model::inheritance::Inheritance;
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::Effective;
use crate::model::selection::{OrderSource, order_sources};
use crate::ports::store::{Detail, Scope};

use super::context::Context;
use super::credential::document_faults::faults;
use super::credential::env_keys::Keys;
use super::credential::getting_started;
use super::credential::model_ref::{Models, resolve};
use super::credential::pins::load_bindings;
use super::credential::resolve::{choose, choose_within};
use super::credential::selector::{Pin, Resolved, Selector};
use super::failure::{Failure, Kind};
use chain::ChainContext;
use shadows::Files;

/// The explanation.
#[derive(Clone, Debug)]
pub struct Report {
    /// The agent.
    pub agent: AgentId,
    /// What it inherits from main; `None` for main itself.
    pub inheritance: Option<Inheritance>,
    /// The default model of the agent, its alias resolved.
    pub default_model: String,
    /// The providers, that of the default model first.
    pub providers: Vec<Explained>,
    /// Files that are not read because others are.
    pub shadows: Vec<Shadow>,
    /// Faults of documents and the configuration, one sentence each.
    pub faults: Vec<String>,
}

/// The explanation for one provider.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The provider.
    pub provider: ProviderId,
    /// Its display name, if it is known.
    pub name: Option<String>,
    /// Whether the default model is one of its models.
    pub of_default_model: bool,
    /// The sources of the order; the first wins.
    pub order: Vec<OrderSource>,
    /// The preferred profile.
    pub preferred: Option<Pin>,
    /// The candidates in order: profiles, then variables, then the configuration.
    pub rows: Vec<Row>,
    /// The index in [`Explained::rows`] of the one that is used.
    pub used: Option<usize>,
    /// The failure if none is used.
    pub failure: Option<Failure>,
    /// Credentials that others hide.
    pub shadows: Vec<Shadow>,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
}

impl Explained {
    /// Returns the row that is used.
    pub fn used(&self) -> Option<&Row> {
        self.rows.get(self.used?)
    }
}

/// Explains which credential is used for what is wanted; [`Selector::Default`] stands for every
/// provider that has anything.
///
/// # Errors
/// If the agent, profile or session is unknown, nothing is known of the provider, or a document
/// cannot be read.
pub fn run(cx: Context<'_>, agent: &AgentId, want: &Selector) -> Result<Report, Failure> {
    cx.require_agent(agent)?;
    let effective = Arc::new(cx.overview(agent, Scope::All, Detail::Claims)?);
    let keys = Keys::look(cx)?;
    let files = Files {
        own: cx.store_files.places(agent)?,
        main: match &effective.main {
            Some(_) => Some(cx.store_files.places(&AgentId::main())?),
            None => None,
        },
    };
    let models = resolve(cx, agent, true);
    let first = models.resolved.split_once('/');
    let first = first.and_then(|(provider, _)| ProviderId::parse(provider).ok());
    let mut wrong = faults(&effective, cx.clock.local());
    wrong.extend(keys.faults());
    wrong.extend(shadows::unsettled(cx, agent, &files)?);
    let asker = Explainer {
        cx,
        keys: &keys,
        files: &files,
        effective: &effective,
        index: &ProfileIndex::new(&effective),
        shadows: &shadows::of_profiles(&effective),
        first: first.as_ref(),
    };
    let providers = match want {
        Selector::Default => {
            let mut all = asker.everything(&mut wrong)?;
            all.iter_mut().for_each(|one| asker.advise(&models, one));
            all
        }
        want => vec![asker.one(want)?],
    };
    Ok(Report {
        agent: agent.clone(),
        inheritance: match agent.is_main() {
            true => None,
            false => Some(cx.store.inheritance(agent)?),
        },
        default_model: models.resolved,
        providers,
        shadows: shadows::files(cx, agent, &files),
        faults: wrong,
    })
}

/// What the explanations of all providers share.
struct Explainer<'a> {
    cx: Context<'a>,
    keys: &'a Keys<'a>,
    files: &'a Files,
    effective: &'a Arc<Effective>,
    index: &'a ProfileIndex<'a>,
    /// The profiles of main that are hidden, by provider.
    shadows: &'a HashMap<ProviderId, Vec<Shadow>>,
    first: Option<&'a ProviderId>,
}

impl Explainer<'_> {
    /// Explains every provider that has anything, that of the default model first.
    fn everything(&self, wrong: &mut Vec<String>) -> Result<Vec<Explained>, Failure> {
        let settings = self.cx.settings;
        let mut ids: Vec<ProviderId> = Vec::new();
        ids.extend(self.index.providers().cloned());
        let documents = [Some(&self.effective.own), self.effective.main.as_ref()];
        let orders = documents.into_iter().flatten().flat_map(|doc| &doc.order);
        let orders = orders.chain(&settings.order).map(|(name, _)| name);
        let named = settings.profiles.iter().map(|profile| &profile.provider);
        let keyed = settings.providers.iter();
        let keyed = keyed.filter(|provider| provider.api_key.is_some());
        let names = orders.chain(named).chain(keyed.map(|keyed| &keyed.name));
        ids.extend(names.filter_map(|name| ProviderId::parse(name).ok()));
        let listing = self.cx.catalogue.list()?;
        let set = listing.providers.iter().map(|(provider, _)| provider);
        let set = set.filter(|provider| self.keys.of(provider).is_some());
        ids.extend(set.map(|provider| provider.id.clone()));
        wrong.extend(listing.faults.iter().map(ToString::to_string));
        ids.extend(self.first.cloned());
        ids.sort();
        ids.dedup();
        if let Some(place) = ids.iter().position(|id| Some(id) == self.first) {
            ids[..=place].rotate_right(1);
        }
        let directories = load_bindings(self.cx);
        let within = (self.effective, &directories);
        let each = ids.into_iter().map(|id| {
            match choose_within(self.cx, within, id.clone()) {
                Ok(choice) => self.explain(choice, false),
                // One that cannot be chosen for hides none of the others.
                Err(failure) => Ok(self.not_chosen(id, failure)),
            }
        });
        each.collect()
    }

    /// Advises of the provider of a default model that nobody has configured as every command does.
    fn advise(&self, models: &Models, one: &mut Explained) {
        let is_meant = one.rows.is_empty() && models.needs_by_default(&one.provider);
        if let (true, Some(failure)) = (is_meant, &mut one.failure) {
            let advice = getting_started::advise(self.cx, self.effective);
            failure.hint = advice.or(failure.hint.take());
        }
    }

    /// Explains the one that was asked for. That nothing is usable is an answer, not an error.
    fn one(&self, want: &Selector) -> Result<Explained, Failure> {
        match (want, choose(self.cx, &self.effective.agent, want)) {
            (_, Ok(choice)) => self.explain(choice, true),
            (Selector::Provider(id), Err(failure)) if failure.kind == Kind::NeedsLogin => {
                Ok(self.not_chosen(id.clone(), failure))
            }
            (_, Err(failure)) => Err(failure),
        }
    }

    fn explain(&self, mut choice: Resolved, alone: bool) -> Result<Explained, Failure> {
        let cx = self.cx;
        // Chosen with as little as was needed; here everything counts.
        choice.effective = Arc::clone(self.effective);
        choice.is_partial = false;
        let provider = &choice.provider;
        let manifest = cx.provider(provider);
        let name = manifest.as_ref().ok().map(|manifest| manifest.name.clone());
        let look = ChainContext::new(cx, self.keys, (self.files, self.index), &choice);
        let search = look.search()?;
        if let (true, true, Err(unknown)) = (alone, search.rows.is_empty(), manifest) {
            return Err(Failure::from(unknown));
        }
        let mut warnings = choice.passed_over.clone();
        warnings.extend(bills::crossed(&search.rows, search.used));
        Ok(Explained {
            provider: provider.clone(),
            name,
            of_default_model: Some(provider) == self.first,
            order: order_sources(&choice.effective, cx.settings, provider),
            preferred: choice.preferred.clone(),
            used: search.used,
            failure: search.failure,
            rows: search.rows,
            shadows: self.shadows.get(provider).cloned().unwrap_or_default(),
            warnings,
        })
    }

    fn not_chosen(&self, provider: ProviderId, failure: Failure) -> Explained {
        let manifest = self.cx.provider(&provider).ok();
        Explained {
            name: manifest.map(|manifest| manifest.name),
            of_default_model: Some(&provider) == self.first,
            order: order_sources(self.effective, self.cx.settings, &provider),
            provider,
            preferred: None,
            rows: Vec::new(),
            used: None,
            failure: Some(failure),
            shadows: Vec::new(),
            warnings: Vec::new(),
        }
    }
}
