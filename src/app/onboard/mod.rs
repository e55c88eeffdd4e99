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

use super::context::Context;
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
    Ok(Outcome {
        agent,
        choice: meaning.name,
        credential: Some(kept),
    })
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
