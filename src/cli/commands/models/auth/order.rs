//! `models auth order`.

use clap::{Args, Subcommand};

use crate::app::credential::provider_name::Purpose;
use crate::app::failure::Failure;
use crate::app::usecase::order;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::named::{ProfileName, ProviderName};

/// Show or change the order in which profiles are tried
///
/// The order is set per agent and overrides `auth.order` in openclaw.json. Profiles that are not
/// listed are not used.
#[derive(Debug, Args)]
pub struct Order {
    #[command(subcommand)]
    command: OrderCommand,
}

#[derive(Debug, Subcommand)]
enum OrderCommand {
    Get(Get),
    Set(Set),
    Clear(Clear),
}

/// Show the order of an agent
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth order get --provider anthropic --json")]
struct Get {
    #[command(flatten)]
    of: Of,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

/// Set the order of an agent
///
/// Inherited profiles can be listed; their credentials stay where they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth order set --provider anthropic anthropic:work anthropic:default")]
struct Set {
    #[command(flatten)]
    of: Of,
    /// Profiles, in the order to try them
    #[arg(value_name = "PROFILE", required = true, value_parser = ProfileName::parse)]
    profiles: Vec<ProfileName>,
}

/// Remove the order of an agent
///
/// The order of the main agent applies then, or `auth.order` in openclaw.json, or all profiles.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth order clear --provider anthropic")]
struct Clear {
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Of {
    /// Provider of the profiles
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: ProviderName,
}

impl Order {
    /// Shows, sets or clears it.
    pub fn run(&self, system: &System) -> Answer {
        let (cx, agent) = (system.context(), &system.agent);
        let (done, outcome) = match &self.command {
            OrderCommand::Get(get) => {
                let outcome = order::get(cx, agent, &get.of.provider(system)?)?;
                if get.json {
                    return Ok(Output::json(&view::order::document(&outcome)));
                }
                ("", outcome)
            }
            OrderCommand::Set(set) => {
                let provider = set.of.provider(system)?;
                let outcome = order::set(cx, agent, &provider, &set.profiles(system, &provider)?)?;
                ("", outcome)
            }
            OrderCommand::Clear(clear) => {
                let outcome = order::clear(cx, agent, &clear.of.provider(system)?)?;
                let done = match outcome.changed {
                    true => "Order removed.\n",
                    false => "No order was set; nothing changed.\n",
                };
                (done, outcome)
            }
        };
        let text = format!("{done}{}", view::order::text(&outcome));
        Ok(Output::text(text).changed(outcome.changed))
    }
}

impl Of {
    fn provider(&self, system: &System) -> Result<ProviderId, Failure> {
        let cx = system.context();
        cx.known_provider(&system.agent, &self.provider, Purpose::Any)
    }
}

impl Set {
    fn profiles(&self, system: &System, provider: &ProviderId) -> Result<Vec<ProfileId>, Failure> {
        let (cx, agent) = (system.context(), &system.agent);
        let names = self.profiles.iter();
        names
            .map(|name| cx.profile_id_of(agent, name, Some(provider)))
            .collect()
    }
}
