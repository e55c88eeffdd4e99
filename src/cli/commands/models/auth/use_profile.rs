//! `models auth use`.

use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use crate::app::credential::provider_name::Purpose;
use crate::app::usecase::use_profile;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::ProfileId;
use crate::model::named::{ProfileName, ProviderName};

/// Select the profile to use for an agent or a directory
///
/// For an agent, the profile is tried first, before the other profiles of its provider.
///
/// With --here or --dir, the profile is bound to a directory and everything below it, for all
/// agents: only that profile of its provider is used there, even if it is unusable. The nearest
/// bound directory applies. Bindings are kept in the state directory, so a cloned repository cannot
/// choose your account.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["profile", "clear", "list"]))]
#[command(group = ArgGroup::new("where").args(["here", "dir"]))]
#[command(after_help = "Examples:
  openclaw models auth use openai-codex:work
  openclaw models auth use openai-codex:work --here
  openclaw models auth use --clear --here
  openclaw models auth use --list")]
pub struct Use {
    /// Profile to use
    #[arg(value_name = "PROFILE", value_parser = ProfileName::parse)]
    profile: Option<ProfileName>,
    /// Bind to the current directory
    #[arg(long)]
    here: bool,
    /// Bind to this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Remove the agent's order, or the binding of the directory
    #[arg(long)]
    clear: bool,
    /// With --clear: only for this provider
    #[arg(long, value_name = "ID", requires = "clear", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    /// List orders and bound directories
    #[arg(long, conflicts_with = "where")]
    list: bool,
    /// Output the list as JSON
    #[arg(long, requires = "list")]
    json: bool,
}

impl Use {
    /// Makes it the one.
    pub fn run(&self, system: &System) -> Answer {
        let agent = &system.agent;
        let directory = match self.here {
            true => Some(Path::new(".")),
            false => self.dir.as_deref(),
        };
        let cx = system.context();
        let profile = self.profile.as_ref();
        let profile = profile.map(|name| cx.profile_id(agent, name)).transpose()?;
        match (&profile, directory) {
            _ if self.list => {
                let listing = use_profile::list(system.context(), agent)?;
                Ok(match self.json {
                    true => Output::json(&view::in_use::document(agent, &listing)),
                    false => Output::text(view::in_use::text(agent, &listing)),
                })
            }
            (Some(profile), None) => for_agent(profile, system),
            (Some(profile), Some(directory)) => bind(profile, directory, system),
            (None, directory) => self.undo(directory, system),
        }
    }

    fn undo(&self, directory: Option<&Path>, system: &System) -> Answer {
        let cx = system.context();
        let agent = &system.agent;
        let named = |name| cx.provider_id(agent, name, Purpose::Any);
        let provider = self.provider.as_ref().map(named).transpose()?;
        let provider = provider.as_ref();
        let lines: Vec<String> = match directory {
            None => use_profile::clear_agent(cx, agent, provider)?
                .map(|provider| format!("Removed the order of {provider} for agent {agent}.\n"))
                .into_iter()
                .collect(),
            Some(directory) => use_profile::clear_directory(cx, directory, provider)?
                .iter()
                .map(|bound| {
                    let directory = bound.directory.display();
                    format!("{directory} is no longer bound to {}.\n", bound.profile)
                })
                .collect(),
        };
        if !lines.is_empty() {
            return Ok(Output::text(lines.concat()).changed(directory.is_none()));
        }
        // What is bound to a provider that is gone can be cleared; else its name is a mistake.
        if let Some(name) = &self.provider {
            cx.known_provider(agent, name, Purpose::Any)?;
        }
        Ok(Output::line("Nothing to clear."))
    }
}

fn for_agent(profile: &ProfileId, system: &System) -> Answer {
    let agent = &system.agent;
    let first = use_profile::for_agent(system.context(), agent, profile)?;
    let provider = &first.provider;
    let mut text = format!("Agent {agent} now uses {profile} for {provider}.\n");
    if let [_, rest @ ..] = first.order.as_slice()
        && !rest.is_empty()
    {
        text.push_str(&format!("Tried next: {}\n", view::order::listed(rest)));
    }
    Ok(Output::text(text).changed(first.changed))
}

fn bind(profile: &ProfileId, directory: &Path, system: &System) -> Answer {
    let (bound, before) =
        use_profile::in_directory(system.context(), &system.agent, profile, directory)?;
    let (directory, provider) = (bound.directory.display(), &bound.provider);
    let mut text = format!("In {directory} and below, only {profile} is used for {provider}.\n");
    if let Some(before) = before.filter(|before| before != profile) {
        text.push_str(&format!("Previously bound to {before}.\n"));
    }
    Ok(Output::text(text))
}
