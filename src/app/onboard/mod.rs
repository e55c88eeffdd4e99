//! `onboard` and `models auth add`: chooses provider, method and agent, by questions or by flags,
//! and runs the use case that stores the credential.
//!
//! Nothing here stores anything itself. A key is taken from its flag, else from the environment,
//! else one that is stored already will do: the order of the reference release.

pub mod choices;
mod guide;
mod login_method;
mod request;

pub use login_method::StoredCredential;
pub use request::{Given, Request, TokenFlags};

use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProviderId};
use crate::model::profiles::VisibleProfile;
use crate::ports::store::Scope;

use super::context::Context;
use super::credential::env_keys::Keys;
use super::credential::model_ref;
use super::deposit;
use super::failure::{Failure, Kind};
use choices::{Meaning, SKIP, TOKEN};
use login_method::LoginMethod;

/// The outcome of onboarding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The agent.
    pub agent: AgentId,
    /// The value of `--auth-choice`.
    pub choice: String,
    /// The credential; `None` for `skip`.
    pub credential: Option<StoredCredential>,
}

/// Chooses a provider and a method, and stores the credential.
///
/// # Errors
/// [`Kind::Usage`] if the choice is unknown, is not clear, or wants what was not given or a person
/// who is not there; [`Kind::Cancelled`]; what the use case of the method says.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    cx.require_agent(&request.agent)?;
    let chosen = choose(cx, request)?;
    let ask_agent = request.interactive && !request.agent_named && chosen.is_some();
    let agent = match ask_agent {
        true => guide::agent(cx, &request.agent)?,
        false => request.agent.clone(),
    };
    let Some(meaning) = chosen else {
        return Ok(Outcome {
            agent,
            choice: SKIP.to_owned(),
            credential: None,
        });
    };
    warn_unused(cx, request, &meaning);
    let way = LoginMethod {
        cx,
        request,
        agent: &agent,
        meaning: &meaning,
        provider: provider(request, &meaning)?,
    };
    let kept = way.go()?;
    settle_model(cx, &agent, &kept.provider)?;
    Ok(Outcome {
        agent,
        choice: meaning.name,
        credential: Some(kept),
    })
}

/// Makes a model of the provider the default one where nobody has configured a model and there is
/// nothing for the built-in default: the login would be of no use, and status would ask for another.
fn settle_model(cx: Context<'_>, agent: &AgentId, provider: &ProviderId) -> Result<(), Failure> {
    let models = model_ref::resolve(cx, agent, true);
    let default = models.resolved.split_once('/');
    let default = default.and_then(|(provider, _)| ProviderId::parse(provider).ok());
    // The login is stored by now, and what cannot be read is told by the status that follows.
    let is_usable = default.is_some_and(|default| has_credential(cx, agent, &default));
    if models.is_configured || is_usable {
        return Ok(());
    }
    let manifest = cx.provider(provider).ok();
    let model = manifest.and_then(|manifest| manifest.default_model);
    deposit::set_default_model(cx, model.as_ref())
}

/// Whether there is a profile or a key of a provider; true if nobody can tell.
fn has_credential(cx: Context<'_>, agent: &AgentId, provider: &ProviderId) -> bool {
    let is_its = |seen: &VisibleProfile<'_>| seen.credential.is_for(provider);
    let stored = cx.effective(agent, Scope::Provider(provider));
    let stored = stored.map(|stored| stored.profiles().iter().any(is_its));
    let has_key = |manifest| Keys::look(cx).map(|keys| keys.of(&manifest).is_some());
    let manifest = cx.provider(provider).ok();
    stored.unwrap_or(true) || manifest.is_some_and(|manifest| has_key(manifest).unwrap_or(true))
}

/// Determines the choice: by its name, by the only flag that is given, or by a question. `None`
/// stores nothing.
fn choose(cx: Context<'_>, request: &Request) -> Result<Option<Meaning>, Failure> {
    if let Some(name) = &request.choice {
        return choices::meaning(cx, name, request.interactive);
    }
    let flags: Vec<&str> = request.keys.iter().map(|(flag, _)| *flag).collect();
    match flags.as_slice() {
        [] if request.token.token.is_some() => choices::meaning(cx, TOKEN, request.interactive),
        [] if request.interactive => guide::credential(cx).map(Some),
        [] => {
            let text = "no --auth-choice and no key provided; nothing was stored";
            cx.warn(text);
            Ok(None)
        }
        [flag] => choices::of_flag(flag),
        several @ [first, ..] => {
            let flags: Vec<String> = several.iter().map(|flag| format!("--{flag}")).collect();
            let message = format!(
                "{} are ambiguous; choose one with --auth-choice",
                flags.join(" and ")
            );
            let choice = choices::of_flag(first)?.map_or(SKIP.to_owned(), |one| one.name);
            let command = choices::not_interactive()
                .option("--auth-choice", &choice)
                .option(&format!("--{first}"), "-");
            Err(Failure::new(Kind::Usage, message)
                .hint(Hint::from("printf %s \"$KEY\" | ").run(command)))
        }
    }
}

fn provider(request: &Request, meaning: &Meaning) -> Result<ProviderId, Failure> {
    let named = &request.token.provider;
    let missing = || {
        let message = format!(
            "Missing --token-provider for --auth-choice {}.",
            meaning.name
        );
        let command = choices::not_interactive()
            .option("--auth-choice", &meaning.name)
            .option("--token-provider", "anthropic")
            .option("--token", "-");
        Failure::new(Kind::Usage, message).hint(Hint::from("printf %s \"$TOKEN\" | ").run(command))
    };
    meaning
        .provider
        .clone()
        .or_else(|| named.clone())
        .ok_or_else(missing)
}

/// Warns of keys that the choice does not use.
fn warn_unused(cx: Context<'_>, request: &Request, meaning: &Meaning) {
    let own = meaning.row.and_then(|row| row.flag);
    let unused = request.keys.iter().map(|(flag, _)| *flag);
    for flag in unused.filter(|flag| Some(*flag) != own) {
        let text = format!("--{flag} does not apply to --auth-choice {}", meaning.name);
        cx.warn(text);
    }
}
