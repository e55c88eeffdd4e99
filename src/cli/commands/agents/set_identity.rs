//! `agents set-identity`.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use crate::app::agents::persona;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view::members;

/// Set the name, theme, emoji and avatar of an agent
///
/// Updates openclaw.json. The agent is given by --agent, or found by the workspace of --workspace,
/// --identity-file or the working directory. Without any value, or with --from-identity, missing
/// values are read from IDENTITY.md.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw agents set-identity --agent main --name Rusty
  openclaw agents set-identity --workspace ~/.openclaw/workspace --from-identity")]
pub struct SetIdentity {
    /// Workspace of the agent, containing IDENTITY.md
    #[arg(long, value_name = "DIR")]
    workspace: Option<PathBuf>,
    /// Read this file instead of IDENTITY.md
    #[arg(long, value_name = "FILE")]
    identity_file: Option<PathBuf>,
    /// Read IDENTITY.md even if values are given
    #[arg(long)]
    from_identity: bool,
    /// Name
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Theme
    #[arg(long, value_name = "TEXT")]
    theme: Option<String>,
    /// Emoji
    #[arg(long, value_name = "EMOJI")]
    emoji: Option<String>,
    /// Avatar: a path in the workspace, an http(s) URL or a data URI
    #[arg(long, value_name = "PICTURE")]
    avatar: Option<String>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl SetIdentity {
    /// Writes it down.
    pub fn run(&self, system: &System) -> Answer {
        let flags = [
            ("name", &self.name),
            ("emoji", &self.emoji),
            ("theme", &self.theme),
            ("avatar", &self.avatar),
        ];
        let given = flags.into_iter().filter_map(|(name, value)| {
            let value = value.as_deref()?.trim();
            (!value.is_empty()).then(|| (name, value.to_owned()))
        });
        let request = persona::Request {
            agent: system.agent_named().then(|| system.agent.clone()),
            workspace: self.workspace.clone(),
            file: self.identity_file.clone(),
            from_file: self.from_identity,
            given: given.collect(),
        };
        let outcome = persona::set(system.context(), &request)?;
        if self.json {
            return Ok(Output::json(&json!({
                "agentId": outcome.agent.as_str(),
                "identity": members(&outcome.identity),
                "workspace": outcome.workspace,
                "identityFile": outcome.file,
            })));
        }
        let path = outcome.config_path.display();
        let mut text = format!("Updated {path}\nAgent: {}\n", outcome.agent);
        for (member, label) in [
            ("name", "Name"),
            ("theme", "Theme"),
            ("emoji", "Emoji"),
            ("avatar", "Avatar"),
        ] {
            if let Some((_, value)) = outcome.identity.iter().find(|(name, _)| name == member) {
                text.push_str(&format!("{label}: {value}\n"));
            }
        }
        if let Some(workspace) = &outcome.workspace {
            text.push_str(&format!("Workspace: {}\n", workspace.display()));
        }
        Ok(Output::text(text))
    }
}
