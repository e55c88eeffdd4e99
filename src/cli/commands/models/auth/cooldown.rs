//! `models auth cooldown`.

use clap::{Args, Subcommand};

use crate::app::credential::provider_name::Purpose;
use crate::app::failure::Failure;
use crate::app::usecase::cooldown::{self, Which};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::named::{ProfileName, ProviderName};

/// Show or clear cooldowns of profiles after failures
#[derive(Debug, Args)]
#[command(arg_required_else_help = true, subcommand_required = true)]
pub struct Cooldown {
    #[command(subcommand)]
    command: CooldownCommand,
}

#[derive(Debug, Subcommand)]
enum CooldownCommand {
    /// List profiles that are cooling down, why, until when, and which one is next
    List(List),
    /// Clear cooldowns and failure counts
    Clear(Clear),
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth cooldown list
  openclaw models auth cooldown list --agent work --json")]
struct List {
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth cooldown clear anthropic:work
  openclaw models auth cooldown clear --provider anthropic
  openclaw models auth cooldown clear --all")]
#[group(required = true, multiple = false)]
struct Clear {
    /// Profile to clear
    #[arg(value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: Option<ProfileName>,
    /// Clear every profile of this provider
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    /// Clear every profile
    #[arg(long)]
    all: bool,
}

impl Cooldown {
    /// Shows or clears.
    pub fn run(&self, system: &System) -> Answer {
        let agent = &system.agent;
        Ok(match &self.command {
            CooldownCommand::List(list) => {
                let rows = cooldown::list(system.context(), agent)?;
                if list.json {
                    return Ok(Output::json(&view::cooldown::document(agent, &rows)));
                }
                let local = system.local();
                Output::text(view::cooldown::text(agent, &rows, local, &system.hints))
            }
            CooldownCommand::Clear(clear) => {
                let cleared = cooldown::clear(system.context(), agent, &clear.which(system)?)?;
                let text = view::cooldown::cleared(agent, &cleared);
                Output::text(text).changed(!cleared.is_empty())
            }
        })
    }
}

impl Clear {
    fn which(&self, system: &System) -> Result<Which, Failure> {
        let (cx, agent) = (system.context(), &system.agent);
        Ok(match (&self.profile, &self.provider) {
            (Some(name), _) => Which::Profile(cx.profile_id(agent, name)?),
            (None, Some(name)) => Which::Provider(cx.provider_id(agent, name, Purpose::Any)?),
            (None, None) => Which::All,
        })
    }
}
