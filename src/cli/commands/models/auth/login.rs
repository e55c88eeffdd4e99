//! `models auth login`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use serde_json::{Value, json};

use crate::app::credential::provider_name::Purpose;
use crate::app::failure::Failure;
use crate::app::login::start::{self, Begun};
use crate::app::login::{self, finish};
use crate::cli::events::error_event;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::value_parsers::seconds;
use crate::cli::view::escape::one_line;
use crate::model::id::ProfileId;
use crate::model::named::ProviderName;
use crate::model::time::LocalTime;

/// Log in to a provider
///
/// Opens a browser and waits for its callback; you can also paste the redirect URL. With
/// --device-code, shows a code to enter on any other device. On a remote machine (SSH, a container,
/// no display), or if no callback port is available, a device code is offered as well if the
/// provider supports it. The previous login is kept until the new one is stored.
///
/// Programs that cannot wait can split a login in two with --start and --finish. The pending login
/// is kept in the state directory, readable only by you, until it expires.
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
    /// Provider to log in to
    #[arg(long, value_name = "ID", default_value = "openai-codex", value_parser = ProviderName::parse)]
    provider: ProviderName,
    /// Login method: browser (or oauth), device-code, setup-token, api-key, client-credentials or
    /// program [default: the provider's first]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,
    /// Same as --method device-code
    #[arg(long, conflicts_with = "method")]
    device_code: bool,
    /// Profile to save the login as [default: named after the account]
    #[arg(long, value_name = "PROFILE")]
    profile_id: Option<String>,
    /// Print the URL instead of opening a browser
    #[arg(long)]
    no_browser: bool,
    /// Do not copy the URL to the clipboard (over SSH)
    #[arg(long)]
    no_clipboard: bool,
    /// Give up after this time
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = seconds)]
    timeout: Duration,
    /// Set the default model to the provider's default
    #[arg(long)]
    set_default: bool,
    /// Do not ask whose login it is where the provider does not say
    #[arg(long)]
    yes: bool,
    /// Output one JSON event per line; with --start, a single object
    #[arg(long)]
    json: bool,
    /// Start a login, print its URL and exit; complete it with --finish within --timeout
    #[arg(long, conflicts_with_all = ["no_browser", "no_clipboard"])]
    start: bool,
    /// Complete a login started with --start
    #[arg(long, requires = "code_file", conflicts_with_all = [
        "start", "provider", "method", "device_code", "profile_id", "no_browser", "no_clipboard", "timeout",
        "set_default", "yes",
    ])]
    finish: bool,
    /// File with the URL the browser was redirected to (- for standard input)
    #[arg(long, value_name = "PATH", requires = "finish")]
    code_file: Option<PathBuf>,
    /// Login to complete [default: the one the URL belongs to]
    #[arg(long, value_name = "ID", requires = "finish")]
    attempt: Option<String>,
    /// Accept a bare code, which cannot be verified to belong to this login
    #[arg(long, requires = "finish")]
    accept_bare_code: bool,
}

impl Login {
    /// Whether events are asked for. `--start` answers with one object and nothing beside it.
    pub fn wants_events(&self) -> bool {
        self.json && !self.start
    }

    /// Logs in.
    pub fn run(&self, system: &System) -> Answer {
        let outcome = match (self.start, &self.code_file) {
            (true, _) => self.start(system),
            (false, Some(file)) if self.finish => self.finish(system, file.clone()),
            _ => self.login(system),
        };
        if self.json
            && let Err(failure) = &outcome
        {
            let event = error_event(failure, &system.hints);
            system.printer.line_out(&one_line(&event))?;
        }
        outcome
    }

    fn login(&self, system: &System) -> Answer {
        let stored = login::run(system.context(), &self.request(system)?);
        stored.map(|_| Output::default().changed(true))
    }

    fn start(&self, system: &System) -> Answer {
        let begun = start::run(system.context(), &self.request(system)?)?;
        let finish = system.hints.command(&begun.finish_command());
        // The attempt is there whether or not anybody read of it; its time ends it.
        Ok(Output::line(match self.json {
            true => one_line(&begun_json(&begun, &finish)),
            false => begun_text(&begun, &finish, system.local()),
        }))
    }

    fn finish(&self, system: &System, code_file: PathBuf) -> Answer {
        let wanted = finish::Wanted {
            agent: system.agent_named().then(|| system.agent.clone()),
            attempt: self.attempt.clone(),
            code_file,
            accept_bare_code: self.accept_bare_code,
        };
        let stored = finish::run(system.context(), &wanted);
        stored.map(|_| Output::default().changed(true))
    }

    fn request(&self, system: &System) -> Result<login::Request, Failure> {
        let profile = self
            .profile_id
            .as_deref()
            .map(ProfileId::parse)
            .transpose()?;
        let cx = system.context();
        let provider = cx.known_provider(&system.agent, &self.provider, Purpose::Login)?;
        let profile = profile.map(|typed| cx.destination(&system.agent, &provider, &typed));
        Ok(login::Request {
            agent: system.agent.clone(),
            provider,
            method: match self.device_code {
                true => Some("device-code".to_owned()),
                false => self.method.clone(),
            },
            profile: profile.transpose()?,
            no_browser: self.no_browser,
            clipboard: !self.no_clipboard,
            timeout: self.timeout,
            set_default: self.set_default,
            yes: self.yes,
            attempt: None,
            scopes: None,
            display_name: None,
        })
    }
}

fn begun_json(begun: &Begun, finish: &str) -> Value {
    let mut document = json!(begun);
    document["finish"] = json!(finish);
    document
}

fn begun_text(begun: &Begun, finish: &str, local: LocalTime) -> String {
    format!(
        "Log in to {}. Open this URL in a browser:\n{}\n\
         The login expires {}. Pass the URL that the browser is redirected to:\n  {finish}",
        begun.name,
        begun.url,
        local.spoken(begun.expires)
    )
}
