//! Whose credential is meant: the provider, and the profile that is preferred, with the reason.
//!
//! One place decides, so that what hands a token out and what explains it cannot disagree. The
//! nearer wish wins: `--profile`, then `--model <model>@<profile>`, then what a person pinned a
//! session to, then what the directory is bound to, then what OpenClaw pinned the session to, then
//! the order. What a person chose is *locked*: where it gives no token, none is given, because
//! another account would be another person's, or another bill.

mod places;

use std::path::PathBuf;

use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::model::profiles::Effective;
use crate::model::selection::{self, Decision};
use crate::ports::store::Scope;

use super::Ports;
use super::failure::{Failure, Kind};
use super::status::{own_name, provider_named};
use places::{Pinned, bound, fits, pinned, provider_of, session};

/// How a model and a profile are named.
const EXAMPLE: &str = "openclaw models auth token --model anthropic/claude-opus-4-6@anthropic:work";

/// Whose credential is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// Of the only provider there is, else of the default model's.
    Default,
    /// Of the profile that selection takes for this provider.
    Provider(ProviderId),
    /// Of this profile.
    Profile(ProfileId),
    /// Of the provider of this model: a reference or an alias, and behind its first `@` the
    /// profile, if one is named.
    Model(String),
    /// The same as another wish, by what OpenClaw keeps of this session.
    Session {
        /// The key of the session.
        key: String,
        /// What is asked for besides.
        want: Box<Want>,
    },
}

/// The profile that is tried before all others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preferred {
    /// The profile.
    pub profile: ProfileId,
    /// Who wants it so.
    pub because: Because,
    /// No other profile is tried, and a cooldown does not count.
    pub locked: bool,
}

/// Why a profile is preferred.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// It was named.
    Profile,
    /// It was named with the model.
    Model,
    /// The session is pinned to it.
    Session(String),
    /// This directory is bound to it: the working directory, or one above.
    Directory(PathBuf),
}

impl Preferred {
    /// A failure of the only profile that may be used, with why no other was tried.
    pub fn explain(&self, mut failure: Failure) -> Failure {
        let who = match &self.because {
            Because::Profile | Because::Model => return failure,
            Because::Session(key) => format!("session {} is pinned", printable(key, 120)),
            Because::Directory(directory) => {
                let directory = directory.display().to_string();
                format!("{} is bound", printable(&directory, 400))
            }
        };
        failure.message = format!(
            "{} ({who} to {}, so no other account is tried)",
            failure.message, self.profile
        );
        failure
    }
}

/// What was chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The provider.
    pub provider: ProviderId,
    /// The own name of the model, if one was named: a cooldown may be of another one.
    pub model: Option<String>,
    /// The profile that is preferred, if any is.
    pub preferred: Option<Preferred>,
    /// Wishes that do not count, and why, each a sentence.
    pub passed_over: Vec<String>,
    /// What the agent sees, as far as it concerns the provider.
    pub effective: Effective,
}

impl Choice {
    /// Every candidate in order, the preferred one first if the order has it.
    pub fn decide(&self, ports: Ports<'_>) -> Decision {
        let preferred = self.preferred.as_ref().map(|preferred| &preferred.profile);
        let now = ports.clock.now();
        selection::decide_for(
            &self.effective,
            ports.settings,
            &self.provider,
            (preferred, self.model.as_deref()),
            now,
        )
    }

    /// The profile beside which no other is tried.
    pub fn locked(&self) -> Option<&Preferred> {
        self.preferred.as_ref().filter(|preferred| preferred.locked)
    }
}

/// Chooses for an agent.
///
/// # Errors
/// [`Kind::NotFound`] for a profile or a session that does not exist, [`Kind::Usage`] for a model
/// and a profile of different providers, [`Kind::NeedsLogin`] if what the directory is bound to is
/// not there, and what the store and the files say.
pub fn choose(ports: Ports<'_>, agent: &AgentId, want: &Want) -> Result<Choice, Failure> {
    let (key, want) = match want {
        Want::Session { key, want } => (Some(key), want.as_ref()),
        other => (None, other),
    };
    if let Want::Profile(id) = want {
        return of_profile(ports, agent, id);
    }
    let mut named = named(ports, agent, want)?;
    let session = key.map(|key| session(ports, agent, key)).transpose()?;
    if let (None, Some((_, session))) = (&named.provider, &session) {
        named.provider = provider_of(ports, agent, session)?;
    }
    within(ports, agent, named, session)
}

/// What the words of a wish say by themselves.
#[derive(Default)]
struct Named {
    provider: Option<ProviderId>,
    model: Option<String>,
    preferred: Option<Preferred>,
}

fn named(ports: Ports<'_>, agent: &AgentId, want: &Want) -> Result<Named, Failure> {
    let mut named = Named::default();
    match want {
        Want::Provider(provider) => named.provider = Some(provider.clone()),
        Want::Model(text) => {
            let (model, profile) = match text.split_once('@') {
                Some((model, profile)) => (model.trim(), profile.trim()),
                None => (text.trim(), ""),
            };
            if model.is_empty() {
                let message = format!("{} names no model", printable(text, 80));
                return Err(Failure::new(Kind::Usage, message).hint(EXAMPLE));
            }
            named.provider = Some(provider_named(ports.settings, agent, model)?);
            named.model = Some(own_name(ports.settings, agent, model));
            if !profile.is_empty() {
                named.preferred = Some(Preferred {
                    profile: ProfileId::parse(profile)?,
                    because: Because::Model,
                    locked: true,
                });
            }
        }
        Want::Default | Want::Profile(_) | Want::Session { .. } => {}
    }
    Ok(named)
}

/// A profile that was named is used, whatever the order says.
fn of_profile(ports: Ports<'_>, agent: &AgentId, id: &ProfileId) -> Result<Choice, Failure> {
    let effective = ports.effective(agent, Scope::Profile(id))?;
    let seen = effective.get(id);
    let seen = seen.ok_or_else(|| Failure::not_seen(&effective, id))?;
    let provider = seen
        .credential
        .provider()
        .ok_or_else(|| Failure::names_no_provider(id))?;
    Ok(Choice {
        provider,
        model: None,
        preferred: Some(Preferred {
            profile: id.clone(),
            because: Because::Profile,
            locked: true,
        }),
        passed_over: Vec::new(),
        effective,
    })
}

fn within(
    ports: Ports<'_>,
    agent: &AgentId,
    named: Named,
    session: Option<Pinned<'_>>,
) -> Result<Choice, Failure> {
    let scope = named.provider.as_ref().map_or(Scope::All, Scope::Provider);
    let effective = ports.effective(agent, scope)?;
    let provider = match named.provider {
        Some(provider) => provider,
        None => default_provider(ports, &effective)?,
    };
    let mut choice = Choice {
        provider,
        model: named.model,
        preferred: named.preferred,
        passed_over: Vec::new(),
        effective,
    };
    if let Some(preferred) = &choice.preferred {
        fits(ports, &choice, &preferred.profile)?;
        return Ok(choice);
    }
    let (by_person, by_openclaw) = match session {
        Some(pin) if pin.1.by_person => (Some(pin), None),
        other => (None, other),
    };
    choice.preferred = match by_person {
        Some(pin) => pinned(ports, &mut choice, pin)?,
        None => None,
    };
    if choice.preferred.is_none() {
        choice.preferred = bound(ports, &choice)?;
    }
    if let (None, Some(pin)) = (&choice.preferred, by_openclaw) {
        choice.preferred = pinned(ports, &mut choice, pin)?;
    }
    Ok(choice)
}

/// The provider that is meant when nothing names one.
fn default_provider(ports: Ports<'_>, effective: &Effective) -> Result<ProviderId, Failure> {
    let profiles = effective.profiles();
    let providers = profiles
        .iter()
        .filter_map(|seen| seen.credential.provider());
    let mut providers: Vec<ProviderId> = providers.collect();
    providers.sort();
    providers.dedup();
    let model = ports.settings.model_of(&effective.agent).primary;
    match (providers.as_slice(), model) {
        ([only], _) => Ok(only.clone()),
        (_, Some(model)) => Ok(provider_named(ports.settings, &effective.agent, &model)?),
        ([], None) => Err(
            Failure::new(Kind::NeedsLogin, "no credential is stored yet")
                .hint("openclaw models auth login --provider openai-codex"),
        ),
        (several, None) => {
            let names: Vec<_> = several.iter().map(ProviderId::as_str).collect();
            let message = format!("several providers are stored: {}", names.join(", "));
            let hint = format!("openclaw models auth token --provider {}", names[0]);
            Err(Failure::new(Kind::Usage, message).hint(hint))
        }
    }
}
