//! `agents inherit`.

use clap::{Args, ValueEnum};
use serde_json::json;

use crate::app::agents::inherit;
use crate::app::failure::{Failure, Kind};
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::hint::Command;
use crate::model::id::ProfileId;
use crate::model::inheritance::Inheritance;

/// Show or set which credentials an agent inherits from the main agent
///
/// Nothing is copied: an inherited profile is read and refreshed in the main agent's store.
/// OpenClaw itself ignores this setting and lets every agent inherit everything.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents inherit work
  openclaw agents inherit work --mode isolated
  openclaw agents inherit work --link openai-codex:me@example.com")]
pub struct Inherit {
    /// Agent
    id: String,
    /// Inherit everything, nothing, or only the profiles given with --link
    #[arg(long, value_name = "MODE", value_enum)]
    mode: Option<Mode>,
    /// Profile of the main agent to inherit; can be repeated
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse_new)]
    link: Vec<ProfileId>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Mode {
    Inherit,
    Isolated,
    Linked,
}

impl Inherit {
    /// Sets it, or tells it.
    pub fn run(&self, system: &System) -> Answer {
        let wanted = self.wanted()?;
        let outcome = inherit::run(system.context(), &self.id, wanted.as_ref())?;
        if self.json {
            let links = outcome.inheritance.links().iter();
            return Ok(Output::json(&json!({
                "agentId": outcome.agent.as_str(),
                "mode": outcome.inheritance.as_str(),
                "profiles": links.map(ProfileId::as_str).collect::<Vec<_>>(),
            })));
        }
        let what = view::inherits(&outcome.inheritance);
        let now = match outcome.changed {
            true => "now inherits",
            false => "inherits",
        };
        Ok(Output::line(format!("{} {now} {what}.", outcome.agent)))
    }

    fn wanted(&self) -> Result<Option<Inheritance>, Failure> {
        let mut links = self.link.clone();
        links.sort();
        links.dedup();
        let usage = |message| {
            let hint = Command::new("agents inherit work --link openai-codex:default");
            Err(Failure::new(Kind::Usage, message).hint(hint))
        };
        Ok(Some(match (self.mode, links.is_empty()) {
            (None, true) => return Ok(None),
            (Some(Mode::Inherit), true) => Inheritance::Inherit,
            (Some(Mode::Isolated), true) => Inheritance::Isolated,
            (Some(Mode::Linked), true) => {
                return usage("--mode linked needs at least one --link PROFILE");
            }
            (Some(Mode::Inherit | Mode::Isolated), false) => {
                return usage("--link goes with --mode linked only");
            }
            (None | Some(Mode::Linked), false) => Inheritance::Linked(links),
        }))
    }
}
