//! `models auth paste-token`, `setup-token` and `paste-api-key`.

use std::io;
use std::time::Duration;

use clap::Args;

use crate::app::failure::Failure;
use crate::app::paste::{self, Form};
use crate::cli::printer::Printer;
use crate::cli::system::System;
use crate::cli::value_parsers::days;
use crate::model::credential::Kind;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// Store a token that was made elsewhere
///
/// On a terminal the token is asked for and not shown; from a pipe all of standard input is taken.
/// It is never an argument, where every user of the machine could read it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth paste-token --provider anthropic
  printf %s \"$TOKEN\" | openclaw models auth paste-token --provider anthropic --expires-in 365d")]
pub struct PasteToken {
    /// Whose token it is
    #[arg(long, value_name = "ID")]
    provider: String,
    /// The profile to store it under [default: PROVIDER:manual]
    #[arg(long, value_name = "PROFILE")]
    profile_id: Option<String>,
    /// How long it lives from now: a number and ms, s, m, h or d; days without a unit
    #[arg(long, value_name = "DURATION", value_parser = days)]
    expires_in: Option<Duration>,
}

impl PasteToken {
    /// Stores it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let request = paste::Request {
            agent: system.agent().clone(),
            provider: ProviderId::parse(&self.provider)?,
            profile: self
                .profile_id
                .as_deref()
                .map(ProfileId::parse)
                .transpose()?,
            form: Form::Token {
                expires_in: self.expires_in,
            },
            given: None,
            metadata: Vec::new(),
        };
        show(printer, &paste::run(system.context(), &request)?)
    }
}

/// Store a token made with `claude setup-token`
///
/// Its prefix and length are checked before it is stored.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth setup-token
  printf %s \"$TOKEN\" | openclaw models auth setup-token --yes")]
pub struct SetupToken {
    /// Whose token it is
    #[arg(long, value_name = "ID", default_value = "anthropic")]
    provider: String,
    /// Do not ask whether the token was made
    #[arg(long)]
    yes: bool,
}

impl SetupToken {
    /// Stores it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let request = paste::Request {
            agent: system.agent().clone(),
            provider: ProviderId::parse(&self.provider)?,
            profile: None,
            form: Form::SetupToken { yes: self.yes },
            given: None,
            metadata: Vec::new(),
        };
        show(printer, &paste::run(system.context(), &request)?)
    }
}

/// Store an API key
///
/// On a terminal the key is asked for and not shown; from a pipe all of standard input is taken. It
/// is never an argument, where every user of the machine could read it. A line that sets it in a
/// shell script (`export OPENAI_API_KEY="…";`) is understood.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth paste-api-key --provider openai
  printf %s \"$KEY\" | openclaw models auth paste-api-key --provider openai --profile-id openai:work")]
pub struct PasteApiKey {
    /// Whose key it is
    #[arg(long, value_name = "ID")]
    provider: String,
    /// The profile to store it under [default: PROVIDER:manual]
    #[arg(long, value_name = "PROFILE")]
    profile_id: Option<String>,
}

impl PasteApiKey {
    /// Stores it.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System, printer: &Printer) -> Result<u8, Failure> {
        let request = paste::Request {
            agent: system.agent().clone(),
            provider: ProviderId::parse(&self.provider)?,
            profile: self
                .profile_id
                .as_deref()
                .map(ProfileId::parse)
                .transpose()?,
            form: Form::Key,
            given: None,
            metadata: Vec::new(),
        };
        show(printer, &paste::run(system.context(), &request)?)
    }
}

fn show(printer: &Printer, stored: &paste::Outcome) -> Result<u8, Failure> {
    let written = write(printer, stored);
    written.map_err(|error| Failure::unwritten(&error, true))?;
    Ok(0)
}

fn write(printer: &Printer, stored: &paste::Outcome) -> io::Result<()> {
    let paste::Outcome {
        profile,
        provider,
        kind,
        fingerprint,
        length,
        ..
    } = stored;
    let title = match kind {
        Kind::ApiKey => "Key",
        Kind::Token | Kind::OAuth => "Token",
    };
    let kind = kind.as_str();
    printer.line_out(&format!("Auth profile: {profile} ({provider}/{kind})"))?;
    printer.line_out(&format!("{title}: {fingerprint}, {length} characters"))?;
    let ends = stored
        .expires
        .map_or_else(|| "no end is known".to_owned(), Timestamp::iso8601);
    printer.line_out(&format!("Ends: {ends}"))?;
    if stored.replaced {
        printer.line_out("What was there before is replaced.")?;
    }
    Ok(())
}
