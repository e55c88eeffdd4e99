//! `models auth paste-token`, `setup-token` and `paste-api-key`.

use std::time::Duration;

use clap::Args;

use crate::app::credential::provider_name::Purpose;
use crate::app::paste::{self, Form};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::value_parsers::days;
use crate::model::credential::Kind;
use crate::model::id::ProfileId;
use crate::model::named::ProviderName;

/// Store an existing token
///
/// On a terminal, prompts for the token without showing it; otherwise reads it from standard input.
/// It is never taken as an argument, where other users of the machine could see it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth paste-token --provider anthropic
  printf %s \"$TOKEN\" | openclaw models auth paste-token --provider anthropic --expires-in 365d")]
pub struct PasteToken {
    /// Provider of the token
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: ProviderName,
    /// Profile to save it as [default: PROVIDER:manual]
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse_new)]
    profile_id: Option<ProfileId>,
    /// Lifetime of the token, such as 365d or 12h (default unit: days)
    #[arg(long, value_name = "DURATION", value_parser = days)]
    expires_in: Option<Duration>,
    /// Accept a provider that no manifest or configuration describes
    #[arg(long)]
    provider_new: bool,
}

impl PasteToken {
    /// Stores it.
    pub fn run(&self, system: &System) -> Answer {
        let form = Form::Token {
            expires_in: self.expires_in,
        };
        let provider = (&self.provider, self.provider_new);
        store(system, provider, self.profile_id.as_ref(), form)
    }
}

/// Store a token made with `claude setup-token`
///
/// The prefix and length of the token are checked first.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth setup-token
  printf %s \"$TOKEN\" | openclaw models auth setup-token --yes")]
pub struct SetupToken {
    /// Provider of the token
    #[arg(long, value_name = "ID", default_value = "anthropic", value_parser = ProviderName::parse)]
    provider: ProviderName,
    /// Skip the confirmation prompt
    #[arg(long)]
    yes: bool,
}

impl SetupToken {
    /// Stores it.
    pub fn run(&self, system: &System) -> Answer {
        let form = Form::SetupToken { yes: self.yes };
        store(system, (&self.provider, false), None, form)
    }
}

/// Store an API key
///
/// On a terminal, prompts for the key without showing it; otherwise reads it from standard input.
/// It is never taken as an argument, where other users of the machine could see it. A shell
/// assignment such as `export OPENAI_API_KEY="…"` is accepted, too.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth paste-api-key --provider openai
  printf %s \"$KEY\" | openclaw models auth paste-api-key --provider openai --profile-id openai:work")]
pub struct PasteApiKey {
    /// Provider of the key
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: ProviderName,
    /// Profile to save it as [default: PROVIDER:manual]
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse_new)]
    profile_id: Option<ProfileId>,
    /// Accept a provider that no manifest or configuration describes
    #[arg(long)]
    provider_new: bool,
}

impl PasteApiKey {
    /// Stores it.
    pub fn run(&self, system: &System) -> Answer {
        let provider = (&self.provider, self.provider_new);
        store(system, provider, self.profile_id.as_ref(), Form::Key)
    }
}

fn store(
    system: &System,
    (name, is_new_provider): (&ProviderName, bool),
    profile: Option<&ProfileId>,
    form: Form,
) -> Answer {
    let cx = system.context();
    let purpose = match form {
        Form::Key => Purpose::Key,
        Form::Token { .. } | Form::SetupToken { .. } => Purpose::Token,
    };
    let provider = match is_new_provider {
        true => name.typed().clone(),
        false => cx.provider_id(&system.agent, name, purpose)?,
    };
    let named = profile.map(|typed| cx.destination(&system.agent, &provider, typed));
    let pasted = paste::run(
        cx,
        &paste::Request {
            agent: system.agent.clone(),
            profile: named.transpose()?,
            provider,
            is_new_provider,
            form,
            given: None,
            metadata: Vec::new(),
        },
    )?;
    let stored = pasted.stored;
    let title = match stored.kind {
        Kind::ApiKey => "Key",
        Kind::Token | Kind::OAuth => "Token",
    };
    let ends = stored.expires.map(|end| system.local().spoken(end));
    let mut text = format!(
        "Agent: {}\nAuth profile: {} ({}/{})\n{title}: {}, {} characters\nExpires: {}\n",
        system.agent,
        stored.profile,
        stored.provider,
        stored.kind.as_str(),
        pasted.fingerprint,
        pasted.length,
        ends.as_deref().unwrap_or("unknown"),
    );
    if stored.replaced {
        text.push_str("Replaced the previous credential.\n");
    }
    Ok(Output::text(text).changed(true))
}
