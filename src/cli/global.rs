//! The options that every command takes.

use std::path::PathBuf;

use clap::{ArgAction, Args};

use super::printer::Color;
use crate::app::failure::{Failure, shell_word};

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
