//! The command line as a whole: global options and the tree of commands.

use std::path::PathBuf;

use clap::{ArgAction, Args, CommandFactory, Parser};

use super::commands::Command;
use super::printer::Color;
use crate::app::failure::{Failure, shell_word};

/// Logs in to AI providers, keeps the credentials, and hands them to people, scripts and programs.
#[derive(Debug, Parser)]
#[command(
    name = "openclaw",
    version,
    propagate_version = true,
    max_term_width = 100
)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = "Examples:
  openclaw models auth login --provider openai-codex
  printf %s \"$TOKEN\" | openclaw models auth paste-token --provider anthropic
  curl -H \"$(openclaw models auth token --provider openai-codex --header)\" …
  openclaw models status --check")]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// The tree of commands with every one described, which parsing leaves out.
    pub fn described() -> clap::Command {
        let mut command = Self::command();
        command.build();
        command
    }

    /// The tree of commands for a command line on which the options of every command come first.
    pub(super) fn brief() -> clap::Command {
        Self::command().mut_args(|argument| argument.global(false))
    }
}

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub struct Global {
    /// The agent whose credentials are meant [default: OPENCLAW_AGENT_DIR, else the default agent]
    #[arg(long, global = true, value_name = "ID")]
    pub agent: Option<String>,
    /// Where everything lies [default: OPENCLAW_STATE_DIR, else ~/.openclaw]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// When to use colour
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
    /// Say what is done, on stderr; repeat for more. Never shows a secret
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}

impl Global {
    /// A text whose commands mean what this one meant: without its `--agent` and `--state-dir`, the
    /// advice would mend somebody else's login.
    pub fn aimed(&self, text: &str) -> String {
        let mut options = String::new();
        if let Some(directory) = &self.state_dir {
            let directory = shell_word(&directory.display().to_string());
            options.push_str(&format!("--state-dir {directory} "));
        }
        let text = text.replace("openclaw agents ", &format!("openclaw {options}agents "));
        if let Some(agent) = &self.agent {
            options.push_str(&format!("--agent {} ", shell_word(agent)));
        }
        let text = text.replace("openclaw models ", &format!("openclaw {options}models "));
        text.replace("openclaw onboard", &format!("openclaw {options}onboard"))
    }

    /// A failure whose advice is aimed so.
    pub fn aim(&self, mut failure: Failure) -> Failure {
        failure.hint = failure.hint.map(|hint| self.aimed(&hint));
        failure
    }
}
