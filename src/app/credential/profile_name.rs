//! Which profile a person means: its id, or an e-mail address, the part behind the colon, or the
//! beginning of one of these, if that is enough to tell it from the others.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::named::{ProfileName, ProviderName};
use crate::model::near::near;
use crate::model::profiles::{AuthProfiles, Effective};
use crate::ports::store::Scope;

use super::provider_name::Purpose;

/// A profile that can be meant.
struct Candidate {
    id: ProfileId,
    email: Option<String>,
    provider: Option<ProviderId>,
    /// False if only the history holds it.
    is_stored: bool,
}

impl Candidate {
    /// The part behind the colon.
    fn local(&self) -> &str {
        let id = self.id.as_str();
        id.split_once(':').map_or(id, |(_, local)| local)
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        [self.id.as_str(), self.local()]
            .into_iter()
            .chain(self.email.as_deref())
    }

    fn is_called(&self, name: &str) -> bool {
        self.texts().any(|text| text.to_lowercase() == name)
    }

    /// Whether one part is as typed and the other almost so.
    fn looks_like(&self, typed: &ProfileId) -> bool {
        let is_near = |typed: &str, own: &str| !near(typed, [own], 0.85).is_empty();
        match (
            typed.as_str().split_once(':'),
            self.id.as_str().split_once(':'),
        ) {
            (Some((provider, local)), Some((own, own_local))) => {
                (provider == own && is_near(local, own_local))
                    || (local == own_local && is_near(provider, own))
            }
            _ => self.texts().any(|own| is_near(typed.as_str(), own)),
        }
    }

    fn begins_with(&self, name: &str) -> bool {
        self.texts()
            .any(|text| text.to_lowercase().starts_with(name))
    }
}

impl Context<'_> {
    /// Returns the profile that a person named: one that is stored, or that was.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if nothing is called so, [`Kind::Usage`] if several are, and what the
    /// store says.
    pub fn profile_id(&self, agent: &AgentId, name: &ProfileName) -> Result<ProfileId, Failure> {
        self.profile_id_of(agent, name, None)
    }

    /// Like [`Context::profile_id`], of one provider.
    ///
    /// # Errors
    /// As [`Context::profile_id`].
    pub fn profile_id_of(
        &self,
        agent: &AgentId,
        name: &ProfileName,
        provider: Option<&ProviderId>,
    ) -> Result<ProfileId, Failure> {
        let typed = name.typed();
        self.require_agent(agent)?;
        // As it is shown, in which no two are alike, or as it is stored.
        let escaped = ProfileId::parse_shown(typed.as_str());
        for id in [escaped.as_ref(), Some(typed)].into_iter().flatten() {
            if self.is_known(agent, id)? {
                return Ok(id.clone());
            }
        }
        let mut candidates = self.candidates(agent)?;
        let of_provider =
            |one: &Candidate| provider.is_none_or(|it| one.provider.as_ref() == Some(it));
        candidates.retain(of_provider);
        let typed = self.with_own_provider(agent, typed);
        let text = typed.as_str().to_lowercase();
        let called: Vec<_> = candidates
            .iter()
            .filter(|one| one.is_called(&text))
            .collect();
        let mut meant = match called.is_empty() {
            false => called,
            true => candidates
                .iter()
                .filter(|one| one.begins_with(&text))
                .collect(),
        };
        if meant.iter().any(|one| one.is_stored) {
            meant.retain(|one| one.is_stored);
        }
        match meant.as_slice() {
            [only] => Ok(only.id.clone()),
            [] => Err(not_found(name.typed(), &candidates)),
            several => Err(ambiguous(name.typed(), several)),
        }
    }

    /// Whether a document or the history has a profile of this very id.
    fn is_known(&self, agent: &AgentId, id: &ProfileId) -> Result<bool, Failure> {
        if has_entry(&self.effective(agent, Scope::Profile(id))?, id) {
            return Ok(true);
        }
        for owner in owners(agent) {
            let kept = self.store.history(&owner, Some(id))?;
            if !kept.histories.is_empty() || !kept.faults.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Returns the profile under which a person wants a credential of a provider stored: the one that
    /// is there, if `typed` is its id without the provider, else `typed` itself.
    ///
    /// # Errors
    /// What the store says.
    pub fn destination(
        &self,
        agent: &AgentId,
        provider: &ProviderId,
        typed: &ProfileId,
    ) -> Result<ProfileId, Failure> {
        self.require_agent(agent)?;
        let full = match typed.as_str().contains(':') {
            true => self.with_own_provider(agent, typed),
            false => ProfileId::of(provider, typed.as_str())?,
        };
        let is_stored = |id: &ProfileId| -> Result<bool, Failure> {
            Ok(has_entry(&self.effective(agent, Scope::Profile(id))?, id))
        };
        Ok(match !is_stored(typed)? && is_stored(&full)? {
            true => full,
            false => typed.clone(),
        })
    }

    /// Whatever is stored, and what only the history holds.
    fn candidates(&self, agent: &AgentId) -> Result<Vec<Candidate>, Failure> {
        let effective = self.effective(agent, Scope::All)?;
        let mut all: Vec<Candidate> = effective
            .profiles()
            .iter()
            .map(|seen| Candidate {
                id: seen.id.clone(),
                email: seen.credential.email().map(str::to_owned),
                provider: seen.credential.provider(),
                is_stored: true,
            })
            .collect();
        for owner in owners(agent) {
            for history in self.store.history(&owner, None)?.histories {
                let newest = history.generations.first();
                if all.iter().all(|one| one.id != history.profile) {
                    all.push(Candidate {
                        email: newest.and_then(|one| one.credential.email().map(str::to_owned)),
                        provider: newest.and_then(|one| one.credential.provider()),
                        id: history.profile,
                        is_stored: false,
                    });
                }
            }
        }
        Ok(all)
    }

    /// `codex:work` with the provider's own id in front.
    fn with_own_provider(&self, agent: &AgentId, typed: &ProfileId) -> ProfileId {
        let own = || {
            let (provider, local) = typed.as_str().split_once(':')?;
            let name = ProviderName::parse(provider).ok()?;
            let provider = self.provider_id(agent, &name, Purpose::Any).ok()?;
            ProfileId::of(&provider, local).ok()
        };
        own().unwrap_or_else(|| typed.clone())
    }
}

/// Whose history may hold what an agent sees.
fn owners(agent: &AgentId) -> Vec<AgentId> {
    let main = (!agent.is_main()).then(AgentId::main);
    std::iter::once(agent.clone()).chain(main).collect()
}

fn has_entry(effective: &Effective, id: &ProfileId) -> bool {
    let documents = [Some(&effective.own), effective.main.as_ref()];
    let mut entries = documents
        .into_iter()
        .flatten()
        .flat_map(AuthProfiles::entries);
    entries.any(|entry| entry.key.trim() == id.as_str())
}

fn not_found(typed: &ProfileId, candidates: &[Candidate]) -> Failure {
    let mut failure = Failure::no_such_profile(typed);
    if let Some(meant) = candidates.iter().find(|one| one.looks_like(typed)) {
        failure
            .message
            .push_str(&format!("; did you mean {}?", meant.id));
    }
    failure
}

fn ambiguous(typed: &ProfileId, several: &[&Candidate]) -> Failure {
    let names: Vec<String> = several.iter().map(|one| one.id.to_string()).collect();
    let message = format!("{typed} can be {}; name one of them", names.join(", "));
    Failure::new(Kind::Usage, message).hint(Command::list())
}
