//! `models auth login`.

use std::time::Duration;

use clap::Args;

use crate::app::failure::Failure;
use crate::app::login;
use crate::cli::commands::seconds;
use crate::cli::events::ErrorEvent;
use crate::cli::exit;
use crate::cli::printer::Printer;
use crate::cli::wire::System;
use crate::model::id::{ProfileId, ProviderId};

/// Log in to a provider, in a browser or by its own method
///
/// The browser's callback and a pasted redirect URL are waited for at the same time; the first
/// valid one wins. The old login stays until the new one is stored.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth login --provider openai-codex
  openclaw models auth login --provider openai-codex --no-browser
  openclaw models auth login --provider openai-codex --profile-id openai-codex:work
  openclaw models auth login --provider openai-codex --json < /dev/null")]
pub struct Login {
    /// Where to log in
    #[arg(long, value_name = "ID", default_value = "openai-codex")]
    provider: String,
    /// How; the provider's first method by default
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// The profile to store the login under; by default one named after the account
    #[arg(long, value_name = "PROFILE")]
    profile_id: Option<String>,
    /// Only print the URL
    #[arg(long)]
    no_browser: bool,
    /// Over SSH: do not have the terminal put the URL in the clipboard
    #[arg(long)]
    no_clipboard: bool,
    /// Give up after this long
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = seconds)]
    timeout: Duration,
    /// Make the provider's default model the default one
    #[arg(long)]
    set_default: bool,
    /// Report what happens as one JSON event a line
    #[arg(long)]
    json: bool,
}

impl Login {
    /// Whether events are asked for.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Logs in.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let outcome = self.login(system);
        if self.json
            && let Err(failure) = &outcome
        {
            let failure = system.global().aim(failure.clone());
            let event = ErrorEvent {
                kind: exit::name(failure.kind),
                code: failure.code.as_deref(),
                message: &failure.message,
                hint: failure.hint.as_deref(),
            };
            event.print(printer)?;
        }
        outcome.map(|_| 0)
    }

    fn login(&self, system: &System) -> Result<login::Outcome, Failure> {
        let profile = self
            .profile_id
            .as_deref()
            .map(ProfileId::parse)
            .transpose()?;
        let request = login::Request {
            agent: system.agent().clone(),
            provider: ProviderId::parse(&self.provider)?,
            method: self.method.clone(),
            profile,
            no_browser: self.no_browser,
            clipboard: !self.no_clipboard,
            timeout: self.timeout,
            set_default: self.set_default,
            yes: false,
        };
        login::run(system.ports(), &request)
    }
}
