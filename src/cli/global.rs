//! The options that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::printer::Color;

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
