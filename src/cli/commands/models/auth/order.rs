//! `models auth order`.

use clap::{Args, Subcommand};

use crate::app::failure::Failure;
use crate::app::usecase::order;
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::{ProfileId, ProviderId};

/// Say in which order the profiles of a provider are tried
///
/// The order belongs to one agent and counts before `auth.order` of openclaw.json. A profile that
/// it does not name is not used.
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

/// Show the order that is set for an agent
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth order get --provider anthropic --json")]
struct Get {
    #[command(flatten)]
    of: Of,
    /// Print it as one JSON document
    #[arg(long)]
    json: bool,
}

/// Set the order for an agent
///
/// Inherited profiles may be named; their credentials stay where they are.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth order set --provider anthropic anthropic:work anthropic:default")]
struct Set {
    #[command(flatten)]
    of: Of,
    /// The profiles, the one to try first in front
    #[arg(value_name = "PROFILE", required = true)]
    profiles: Vec<String>,
}

/// Remove the order that is set for an agent
///
/// What counts then is main's order, else `auth.order` of openclaw.json, else every profile.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth order clear --provider anthropic")]
struct Clear {
    #[command(flatten)]
    of: Of,
}

#[derive(Debug, Args)]
struct Of {
    /// Of this provider
    #[arg(long, value_name = "ID")]
    provider: String,
}

impl Of {
    fn request(&self, system: &System) -> Result<order::Request, Failure> {
        Ok(order::Request {
            agent: system.agent().clone(),
            agent_named: system.agent_named(),
            provider: ProviderId::parse(&self.provider)?,
        })
    }
}

impl Order {
    /// Shows, sets or clears it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let cx = system.context();
        let outcome = match &self.command {
            OrderCommand::Get(get) => {
                let outcome = order::get(cx, &get.of.request(system)?)?;
                if get.json {
                    printer.line_out(&view::order::json(&outcome))?;
                    return Ok(0);
                }
                outcome
            }
            OrderCommand::Set(set) => {
                let request = set.of.request(system)?;
                let profiles = set.profiles.iter().map(|name| ProfileId::parse(name));
                let profiles = profiles.collect::<Result<Vec<_>, _>>()?;
                order::set(cx, &request, &profiles)?
            }
            OrderCommand::Clear(clear) => {
                let outcome = order::clear(cx, &clear.of.request(system)?)?;
                let done = match outcome.changed {
                    true => "The order was removed.",
                    false => "No order was set, and nothing was changed.",
                };
                let written = printer.line_out(done);
                written.map_err(|error| Failure::unwritten(&error, outcome.changed))?;
                outcome
            }
        };
        let written = printer.out(&view::order::text(&outcome));
        written.map_err(|error| Failure::unwritten(&error, outcome.changed))?;
        Ok(0)
    }
}
