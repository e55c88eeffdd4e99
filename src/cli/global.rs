//! The options that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::printer::Color;
use crate::model::path::is_instance;

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Agent to use [default: the one of OPENCLAW_AGENT_DIR, or the default agent]
    #[arg(long, global = true, value_name = "ID", value_parser = agent)]
    pub agent: Option<String>,
    /// State directory [default: $OPENCLAW_STATE_DIR or ~/.openclaw]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Use the state directory ~/.openclaw-NAME, as OpenClaw does; in front of the command
    #[arg(long = "profile", id = "instance", value_name = "NAME", value_parser = instance)]
    #[arg(conflicts_with = "dev")]
    pub instance: Option<String>,
    /// Same as --profile dev
    #[arg(long)]
    pub dev: bool,
    /// When to use color
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
    /// Increase log verbosity (-v, -vv, -vvv); secrets are never logged
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Whether the command has `--json`: its sentences have times for programs.
    #[arg(skip)]
    pub json: bool,
}

impl Global {
    /// The instance whose state directory is used, if one is named.
    pub fn instance(&self) -> Option<&str> {
        match self.dev {
            true => Some("dev"),
            false => self.instance.as_deref(),
        }
    }
}

/// A name of which nothing is left would stand for main.
fn agent(name: &str) -> Result<String, &'static str> {
    match name.contains(char::is_alphanumeric) {
        true => Ok(name.to_owned()),
        false => Err("a name has at least one letter or digit"),
    }
}

fn instance(name: &str) -> Result<String, &'static str> {
    match is_instance(name) {
        true => Ok(name.to_owned()),
        false => Err(
            "a name is at most 64 letters, digits, `-` and `_`, and begins with one of the first two",
        ),
    }
}
