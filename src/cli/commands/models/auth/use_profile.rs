//! `models auth use`.

use std::io;
use std::path::{Path, PathBuf};

use clap::{ArgGroup, Args};

use crate::app::failure::Failure;
use crate::app::usecase::use_profile::{self, Request};
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::view;
use crate::model::id::{ProfileId, ProviderId};

/// Make one profile the one that is used
///
/// For an agent: the profile is tried first, and the others of its provider stay behind it.
///
/// With --here or --dir, in a directory and all that lies below it, whatever the agent: there the
/// profile is used and no other of its provider, also where it gives no token. The nearest directory
/// counts. What is bound is kept in the state directory, never in the directory itself, so that
/// nothing that was cloned or unpacked can choose whose account is used.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["profile", "clear", "list"]))]
#[command(group = ArgGroup::new("where").args(["here", "dir"]))]
#[command(after_help = "Examples:
  openclaw models auth use openai-codex:work
  openclaw models auth use openai-codex:work --here
  openclaw models auth use --clear --here
  openclaw models auth use --list")]
pub struct Use {
    /// The profile
    #[arg(value_name = "PROFILE")]
    profile: Option<String>,
    /// In the working directory
    #[arg(long)]
    here: bool,
    /// In this directory
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Undo it: remove the agent's order, or what the directory is bound to
    #[arg(long)]
    clear: bool,
    /// Undo it for this provider only
    #[arg(long, value_name = "ID", requires = "clear")]
    provider: Option<String>,
    /// Show what is in use where
    #[arg(long, conflicts_with = "where")]
    list: bool,
    /// Print the list as one JSON document
    #[arg(long, requires = "list")]
    json: bool,
}

impl Use {
    /// Makes it the one.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let request = Request {
            agent: system.agent().clone(),
            agent_named: system.agent_named(),
        };
        let directory = match self.here {
            true => Some(Path::new(".")),
            false => self.dir.as_deref(),
        };
        let (lines, changed) = match (&self.profile, directory) {
            _ if self.list => return self.list(&request, system, printer),
            (Some(profile), None) => for_agent(&request, profile, system)?,
            (Some(profile), Some(directory)) => bind(&request, profile, directory, system)?,
            (None, directory) => self.undo(&request, directory, system)?,
        };
        let show = || lines.iter().try_for_each(|line| printer.line_out(line));
        let written: io::Result<()> = show();
        written.map_err(|error| Failure::unwritten(&error, changed))?;
        Ok(0)
    }

    fn list(&self, request: &Request, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let listing = use_profile::list(system.context(), request)?;
        if self.json {
            printer.line_out(&view::in_use::json(&request.agent, &listing))?;
        } else {
            printer.out(&view::in_use::text(&request.agent, &listing))?;
        }
        Ok(0)
    }

    fn undo(&self, request: &Request, directory: Option<&Path>, system: &System) -> Lines {
        let provider = self
            .provider
            .as_deref()
            .map(ProviderId::parse)
            .transpose()?;
        let cx = system.context();
        let agent = &request.agent;
        let lines = match directory {
            None => use_profile::clear_agent(cx, request, provider.as_ref())?
                .map(|provider| format!("Agent {agent} has no order of {provider} any more."))
                .into_iter()
                .collect::<Vec<_>>(),
            Some(directory) => use_profile::clear_directory(cx, directory, provider.as_ref())?
                .iter()
                .map(|bound| {
                    let directory = bound.directory.display();
                    format!("{directory} is not bound to {} any more.", bound.profile)
                })
                .collect(),
        };
        Ok(match lines.is_empty() {
            true => (vec!["There was nothing to undo.".to_owned()], false),
            false => (lines, directory.is_none()),
        })
    }
}

/// What to say, and whether a store of credentials was changed.
type Lines = Result<(Vec<String>, bool), Failure>;

fn for_agent(request: &Request, profile: &str, system: &System) -> Lines {
    let profile = ProfileId::parse(profile)?;
    let first = use_profile::for_agent(system.context(), request, &profile)?;
    let (agent, provider) = (&request.agent, &first.provider);
    let mut lines = vec![format!("Agent {agent} uses {profile} for {provider}.")];
    if let [_, rest @ ..] = first.order.as_slice()
        && !rest.is_empty()
    {
        lines.push(format!("After it come: {}", rest.join(", ")));
    }
    Ok((lines, first.changed))
}

fn bind(request: &Request, profile: &str, directory: &Path, system: &System) -> Lines {
    let profile = ProfileId::parse(profile)?;
    let (bound, before) =
        use_profile::in_directory(system.context(), request, &profile, directory)?;
    let (directory, provider) = (bound.directory.display(), &bound.provider);
    let mut lines = vec![format!(
        "In {directory} and below it, {profile} is used for {provider}, and no other account."
    )];
    if let Some(before) = before.filter(|before| *before != profile) {
        lines.push(format!("It was bound to {before} before."));
    }
    Ok((lines, false))
}
