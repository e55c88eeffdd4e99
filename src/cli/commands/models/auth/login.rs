//! `models auth login`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::app::failure::Failure;
use crate::app::login::start::{self, Begun};
use crate::app::login::{self, finish};
use crate::cli::events::error_event;
use crate::cli::output::Output;
use crate::cli::system::System;
use crate::cli::value_parsers::seconds;
use crate::model::id::{ProfileId, ProviderId};

/// Log in to a provider, in a browser or by its own method
///
/// The browser's callback and a pasted redirect URL are waited for at the same time; the first
/// valid one wins. With --device-code a code is shown that is typed in on any other machine. On a
/// remote machine (SSH, a container, no display), and where no port can be had for the callback,
/// such a code is offered beside them if the provider has any. The old login stays until the new
/// one is stored.
///
/// `--start` and `--finish` split a login in two for programs that do not wait: what must be known
/// in between lies in the state directory, for its owner only, until its time is over.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth login --provider openai-codex
  openclaw models auth login --provider openai-codex --no-browser
  openclaw models auth login --provider openai-codex --device-code
  openclaw models auth login --provider openai-codex --profile-id openai-codex:work
  openclaw models auth login --provider openai-codex --json < /dev/null
  openclaw models auth login --provider openai-codex --start --json
  printf %s \"$URL\" | openclaw models auth login --finish --code-file -")]
pub struct Login {
    /// Where to log in
    #[arg(long, value_name = "ID", default_value = "openai-codex")]
    provider: String,
    /// How; the provider's first method by default
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// The same as --method device-code
    #[arg(long, conflicts_with = "method")]
    device_code: bool,
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
    /// Report what happens as one JSON event a line; with --start, one object
    #[arg(long)]
    json: bool,
    /// Begin a login, tell its URL, and do not wait: --finish ends it, within --timeout
    #[arg(long, conflicts_with_all = ["no_browser", "no_clipboard"])]
    start: bool,
    /// End a login that --start began
    #[arg(long, requires = "code_file", conflicts_with_all = [
        "start", "provider", "method", "device_code", "profile_id", "no_browser", "no_clipboard", "timeout",
        "set_default",
    ])]
    finish: bool,
    /// The file that holds the URL which the browser ended on; - for standard input
    #[arg(long, value_name = "PATH", requires = "finish")]
    code_file: Option<PathBuf>,
    /// Which login to end; by default the one that the URL belongs to
    #[arg(long, value_name = "ID", requires = "finish")]
    attempt: Option<String>,
    /// Take a code alone, although nothing shows that it belongs to the login
    #[arg(long, requires = "finish")]
    accept_bare_code: bool,
}

impl Login {
    /// Whether events are asked for. `--start` answers with one object and nothing beside it.
    pub fn wants_events(&self) -> bool {
        self.json && !self.start
    }

    /// Logs in.
    ///
    /// # Errors
    /// What the use case says.
    pub fn run(&self, system: &System) -> Result<Output, Failure> {
        let outcome = match (self.start, &self.code_file) {
            (true, _) => self.start(system),
            (false, Some(file)) if self.finish => self.finish(system, file.clone()),
            _ => self.login(system),
        };
        if self.json
            && let Err(failure) = &outcome
        {
            let event = error_event(failure, system.hints());
            system.printer().line_out(&event.to_string())?;
        }
        outcome
    }

    fn login(&self, system: &System) -> Result<Output, Failure> {
        login::run(system.context(), &self.request(system)?).map(|_| Output::default())
    }

    fn start(&self, system: &System) -> Result<Output, Failure> {
        let begun = start::run(system.context(), &self.request(system)?)?;
        let finish = system.hints().command(&begun.finish_command());
        // The attempt is there whether or not anybody read of it; its time ends it.
        Ok(Output::line(&match self.json {
            true => begun_json(&begun, &finish).to_string(),
            false => begun_text(&begun, &finish),
        }))
    }

    fn finish(&self, system: &System, code_file: PathBuf) -> Result<Output, Failure> {
        let wanted = finish::Wanted {
            agent: system.agent_named().then(|| system.agent().clone()),
            attempt: self.attempt.clone(),
            code_file,
            accept_bare_code: self.accept_bare_code,
        };
        finish::run(system.context(), &wanted).map(|_| Output::default())
    }

    fn request(&self, system: &System) -> Result<login::Request, Failure> {
        let profile = self.profile_id.as_deref();
        Ok(login::Request {
            agent: system.agent().clone(),
            provider: ProviderId::parse(&self.provider)?,
            method: match self.device_code {
                true => Some("device-code".to_owned()),
                false => self.method.clone(),
            },
            profile: profile.map(ProfileId::parse).transpose()?,
            no_browser: self.no_browser,
            clipboard: !self.no_clipboard,
            timeout: self.timeout,
            set_default: self.set_default,
            yes: false,
        })
    }
}

fn begun_json(begun: &Begun, finish: &str) -> Value {
    json!({
        "attempt": begun.attempt,
        "provider": begun.provider.to_string(),
        "agent": begun.agent.to_string(),
        "url": begun.url,
        "redirectUri": begun.redirect_uri,
        "expiresAt": begun.expires.0,
        "policy": begun.policy,
        "finish": finish,
    })
}

fn begun_text(begun: &Begun, finish: &str) -> String {
    format!(
        "Log in to {}. Open this URL in a browser:\n{}\n\
         Until {}, give the URL that the browser ends on to:\n  {finish}",
        begun.name,
        begun.url,
        begun.expires.iso8601()
    )
}
