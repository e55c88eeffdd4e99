//! The options that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::printer::Color;

/// Options that every command takes.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Agent to use [default: the one of OPENCLAW_AGENT_DIR, or the default agent]
    #[arg(long, global = true, value_name = "ID")]
    pub agent: Option<String>,
    /// State directory [default: $OPENCLAW_STATE_DIR or ~/.openclaw]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// When to use color
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t)]
    pub color: Color,
    /// Increase log verbosity (-v, -vv, -vvv); secrets are never logged
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
}
