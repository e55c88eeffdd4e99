//! Resolution of a selector: the provider, and the preferred profile with the reason.
//!
//! One place decides, so that what hands a token out and what explains it cannot disagree. The
//! nearer wish wins: `--profile`, then `--model <model>@<profile>`, then what a person pinned a
//! session to, then what the directory is bound to, then what OpenClaw pinned the session to, then
//! the order. What a person chose is *locked*: where it gives no token, none is given, because
//! another account would be another person's, or another bill.

use std::sync::Arc;

use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::model::named::{ProfileName, ProviderName};
use crate::model::profiles::Effective;
use crate::model::reference;
use crate::ports::store::{Detail, Scope};

use super::getting_started;
use super::model_ref::{own_name, provider_named};
use super::pins::{
    Pinned, apply_session_pin, find_binding, load_bindings, load_session, provider_of_session,
    require_profile_of,
};
use super::provider_name::Purpose;
use super::selector::{Pin, PinReason, Resolved, Selector};
use super::strays;
use crate::app::context::{Context, look_up_provider};
use crate::app::failure::{Failure, Kind};
use crate::config::directories::Directories;

/// An example of a model with a profile.
const EXAMPLE: &str = "models auth token --model anthropic/claude-opus-4-6@anthropic:work";

/// Resolves a selector for an agent.
///
/// # Errors
/// [`Kind::NotFound`] for a profile or a session that does not exist, [`Kind::Usage`] for a model
/// and a profile of different providers, [`Kind::NeedsLogin`] if what the directory is bound to is
/// not there, and what the store and the files say.
pub fn choose(cx: Context<'_>, agent: &AgentId, want: &Selector) -> Result<Resolved, Failure> {
    cx.require_agent(agent)?;
    let (key, want) = match want {
        Selector::Session { key, want } => (Some(key), want.as_ref()),
        other => (None, other),
    };
    if let Selector::Profile(name) = want {
        return resolve_profile(cx, agent, name);
    }
    let mut named = parse_selector(cx, agent, want)?;
    let session = key.map(|key| load_session(cx, agent, key)).transpose()?;
    if let (None, Some((_, session))) = (&named.provider, &session) {
        named.provider = provider_of_session(cx, agent, session)?;
    }
    resolve_named(cx, agent, named, session)
}

/// The parts of a selector.
#[derive(Default)]
struct Named {
    provider: Option<ProviderId>,
    model: Option<String>,
    preferred: Option<Pin>,
}

fn parse_selector(cx: Context<'_>, agent: &AgentId, want: &Selector) -> Result<Named, Failure> {
    let mut named = Named::default();
    match want {
        Selector::Provider(provider) => named.provider = Some(provider.clone()),
        Selector::Model(text) => {
            let (model, profile) = reference::split_profile(text);
            if model.is_empty() {
                let message = format!("{} does not name a model", printable(text, 80));
                return Err(Failure::new(Kind::Usage, message).hint(Command::new(EXAMPLE)));
            }
            let provider = ProviderName::from(provider_named(cx, agent, model)?);
            let provider = cx.provider_id(agent, &provider, Purpose::Any)?;
            named.model = Some(own_name(cx, agent, model));
            if let Some(profile) = profile {
                let profile = ProfileName::parse(profile)?;
                named.preferred = Some(Pin {
                    profile: cx.profile_id_of(agent, &profile, Some(&provider))?,
                    because: PinReason::Model,
                    locked: true,
                });
            }
            named.provider = Some(provider);
        }
        Selector::Default | Selector::Profile(_) | Selector::Session { .. } => {}
    }
    Ok(named)
}

/// Resolves a named profile, which is used whatever the order says.
fn resolve_profile(
    cx: Context<'_>,
    agent: &AgentId,
    name: &ProfileName,
) -> Result<Resolved, Failure> {
    let typed = name.typed();
    let mut id = ProfileId::parse_shown(typed.as_str()).unwrap_or_else(|| typed.clone());
    let mut effective = cx.effective(agent, Scope::Profile(&id))?;
    if effective.get(&id).is_none() {
        // Less than an id, which is looked for only then: most callers name one.
        id = cx.profile_id(agent, name)?;
        effective = cx.effective(agent, Scope::Profile(&id))?;
    }
    Ok(Resolved {
        provider: look_up_provider(&effective, &id)?,
        model: None,
        preferred: Some(Pin {
            profile: id,
            because: PinReason::Profile,
            locked: true,
        }),
        passed_over: Vec::new(),
        effective: Arc::new(effective),
        is_partial: true,
    })
}

/// Resolves a provider as `token --provider` would, within documents and what directories are bound to
/// that are loaded already, because it is done for many.
///
/// # Errors
/// As [`choose`].
pub(in crate::app) fn choose_within(
    cx: Context<'_>,
    (effective, directories): (&Arc<Effective>, &Result<Directories, Failure>),
    provider: ProviderId,
) -> Result<Resolved, Failure> {
    let mut resolved = Resolved {
        provider,
        model: None,
        preferred: None,
        passed_over: Vec::new(),
        effective: Arc::clone(effective),
        is_partial: false,
    };
    let directories = directories.as_ref().map_err(Failure::clone)?;
    resolved.preferred = find_binding(cx, &resolved, directories)?;
    Ok(resolved)
}

fn resolve_named(
    cx: Context<'_>,
    agent: &AgentId,
    named: Named,
    session: Option<Pinned<'_>>,
) -> Result<Resolved, Failure> {
    let is_partial = named.provider.is_some();
    let scope = named.provider.as_ref().map_or(Scope::All, Scope::Provider);
    let effective = Arc::new(cx.overview(agent, scope, Detail::Masked)?);
    let provider = match named.provider {
        Some(provider) => provider,
        None => default_provider(cx, &effective)?,
    };
    let mut choice = Resolved {
        provider,
        model: named.model,
        preferred: named.preferred,
        passed_over: Vec::new(),
        effective,
        is_partial,
    };
    if let Some(preferred) = &choice.preferred {
        require_profile_of(cx, &choice, &preferred.profile)?;
        return Ok(choice);
    }
    let (by_person, by_openclaw) = match session {
        Some(pin) if pin.1.by_person => (Some(pin), None),
        other => (None, other),
    };
    choice.preferred = match by_person {
        Some(pin) => apply_session_pin(cx, &mut choice, pin)?,
        None => None,
    };
    if choice.preferred.is_none() {
        choice.preferred = find_binding(cx, &choice, &load_bindings(cx)?)?;
    }
    if let (None, Some(pin)) = (&choice.preferred, by_openclaw) {
        choice.preferred = apply_session_pin(cx, &mut choice, pin)?;
    }
    Ok(choice)
}

/// Returns the failure of who names no provider and has no credential.
fn nothing_stored(cx: Context<'_>, effective: &Effective) -> Failure {
    let strays = strays::found_for(cx, effective);
    let message = "no credentials stored yet";
    let message = strays.first().map_or_else(
        || message.to_owned(),
        |stray| format!("{message}; {}", stray.text()),
    );
    Failure {
        hint: getting_started::advise(cx, effective),
        ..Failure::new(Kind::NeedsLogin, message)
    }
}

/// Returns the provider if the selector names none.
fn default_provider(cx: Context<'_>, effective: &Effective) -> Result<ProviderId, Failure> {
    let providers = Vec::from_iter(effective.providers());
    let model = cx.settings.model_of(&effective.agent).primary;
    match (providers.as_slice(), model) {
        ([only], _) => Ok(only.clone()),
        (_, Some(model)) => Ok(provider_named(cx, &effective.agent, &model)?),
        ([], None) => Err(nothing_stored(cx, effective)),
        (several, None) => {
            let names: Vec<_> = several.iter().map(ProviderId::as_str).collect();
            let message = format!(
                "several providers have credentials ({}); choose one",
                names.join(", ")
            );
            let hint = Command::new("models auth token").option("--provider", names[0]);
            Err(Failure::new(Kind::Usage, message).hint(hint))
        }
    }
}
