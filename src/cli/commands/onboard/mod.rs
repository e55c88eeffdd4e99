//! `onboard`, and what it shares with `models auth add`.

mod flags;

use std::time::Duration;

use clap::Args;
use clap::builder::{StringValueParser, TypedValueParser};
use serde_json::{Value, json};

use crate::app::credential::provider_name::Purpose;
use crate::app::failure::{Failure, Kind};
use crate::app::onboard::{self, Outcome, Request, TokenFlags};
use crate::app::status;
use crate::cli::global::Global;
use crate::cli::output::{Answer, Output};
use crate::cli::raw_mode::screen_of_stdout;
use crate::cli::system::System;
use crate::cli::value_parsers::{days, seconds};
use crate::cli::view;
use crate::config::workspace;
use crate::model::hint::{Command, Hint};
use crate::model::id::ProfileId;
use crate::model::named::ProviderName;
use crate::model::secret::Secret;
use flags::{KeyFlags, given, names, secret, warn_of_arguments};

/// How long a login waits, unless told otherwise.
const TIMEOUT: Duration = Duration::from_secs(600);

/// Set up a first login: choose a provider, a method and an agent
///
/// Prompts on a terminal; with --non-interactive, takes everything from options, the environment
/// and standard input. Sets up credentials only, no gateway, channels or skills.
#[derive(Debug, Args)]
#[command(after_help = help())]
pub struct Onboard {
    /// Do not prompt; requires --accept-risk
    #[arg(long)]
    non_interactive: bool,
    /// Accept that agents can act with everything they have access to
    #[arg(long)]
    accept_risk: bool,
    /// Provider and method, see below
    #[arg(long, value_name = "CHOICE")]
    auth_choice: Option<String>,
    /// Read the key or token from standard input
    #[arg(long)]
    secret_stdin: bool,
    /// Provider of the token, with --auth-choice token
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    token_provider: Option<ProviderName>,
    /// Token (- for standard input)
    #[arg(long, value_name = "TOKEN|-", value_parser = StringValueParser::new().map(secret))]
    token: Option<Secret<String>>,
    /// Profile to save the token as [default: PROVIDER:default]
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse_new)]
    token_profile_id: Option<ProfileId>,
    /// Lifetime of the token, such as 365d or 12h (default unit: days)
    #[arg(long, value_name = "DURATION", value_parser = days)]
    token_expires_in: Option<Duration>,
    /// Print the login URL instead of opening a browser
    #[arg(long)]
    no_browser: bool,
    /// Give up a login after this time
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = seconds)]
    timeout: Duration,
    /// Output a summary as JSON
    #[arg(long, requires = "non_interactive")]
    json: bool,
    #[command(flatten)]
    keys: KeyFlags,
}

fn help() -> String {
    format!(
        "Examples:
  openclaw onboard
  openclaw onboard --auth-choice openai-codex
  openclaw onboard --non-interactive --accept-risk --auth-choice zai-api-key
  printf %s \"$KEY\" | openclaw onboard --non-interactive --accept-risk --openai-api-key -
  openclaw onboard --non-interactive --accept-risk --auth-choice groq --secret-stdin < key

{}",
        names()
    )
}

impl Onboard {
    /// Chooses, stores, and shows what there is.
    pub fn run(&self, system: &System) -> Answer {
        if self.non_interactive && !self.accept_risk {
            let message = "--non-interactive requires --accept-risk: agents can act with everything they have access to";
            return Err(Failure::new(Kind::Usage, message)
                .hint(Command::new("onboard --non-interactive --accept-risk")));
        }
        let cx = system.context();
        let named = |name| cx.provider_id(&system.agent, name, Purpose::Token);
        let request = Request {
            interactive: !self.non_interactive,
            choice: self.auth_choice.clone(),
            keys: self.keys.keys.clone(),
            beside: self.keys.beside.clone(),
            from_input: self.secret_stdin,
            token: TokenFlags {
                provider: self.token_provider.as_ref().map(named).transpose()?,
                token: self.token.as_ref().map(given),
                profile: self.token_profile_id.clone(),
                expires_in: self.token_expires_in,
            },
            no_browser: self.no_browser,
            timeout: self.timeout,
            ..by_questions(system, "default")
        };
        let keys = request.keys.iter().map(|(flag, given)| (*flag, given));
        let token = request.token.token.iter().map(|given| ("token", given));
        warn_of_arguments(system.context(), keys.chain(token));
        let outcome = guide(system, &request)?;
        match self.json {
            true => Ok(Output::json(&summary(system, &outcome)).changed(stored(&outcome))),
            false => show(system, &outcome),
        }
    }
}

/// A request that leaves everything to be asked.
pub(super) fn by_questions(system: &System, name: &'static str) -> Request {
    Request {
        agent: system.agent.clone(),
        agent_named: system.agent_named(),
        interactive: true,
        choice: None,
        keys: Vec::new(),
        beside: Vec::new(),
        from_input: false,
        token: TokenFlags::default(),
        name,
        no_browser: false,
        timeout: TIMEOUT,
    }
}

/// Runs the use case, if whoever is to be asked is there.
pub(super) fn guide(system: &System, request: &Request) -> Result<Outcome, Failure> {
    let cx = system.context();
    if request.interactive && !cx.dialog.can_ask() {
        let message = "this command prompts for input, and there is no terminal";
        return Err(Failure::new(Kind::Usage, message)
            .hint(Hint::from("printf %s \"$KEY\" | ").run(Command::new(
            "onboard --non-interactive --accept-risk --auth-choice openai-api-key --secret-stdin",
        ))));
    }
    onboard::run(cx, request)
}

/// Shows the status of the agent, and what to do next.
pub(super) fn show(system: &System, outcome: &Outcome) -> Answer {
    // Read anew: what was stored may have changed the configuration.
    let global = Global {
        agent: Some(outcome.agent.to_string()),
        ..system.global.clone()
    };
    let now = System::new(&global, &system.printer, false)?;
    let request = status::Request {
        agent: outcome.agent.clone(),
        agent_named: true,
    };
    let report = status::run(now.context(), &request)?;
    let next = match &outcome.credential {
        Some(kept) => Command::new("models auth token").option("--provider", &kept.provider),
        None => Command::new("onboard"),
    };
    let columns = screen_of_stdout().map(|(columns, _)| columns.into());
    let hints = match outcome.agent == system.agent {
        true => &system.hints,
        false => &now.hints,
    };
    let text = view::status_text::render(&report, columns, hints);
    let next = hints.command(&next);
    Ok(Output::text(format!("{text}\nNext: {next}\n")).changed(stored(outcome)))
}

/// Whether a credential was stored.
fn stored(outcome: &Outcome) -> bool {
    outcome.credential.as_ref().is_some_and(|kept| kept.stored)
}

/// The members of the reference release; what is not set up here says so. Ours stand apart.
fn summary(system: &System, outcome: &Outcome) -> Value {
    let cx = system.context();
    let dirs = cx.dirs;
    let workspace = workspace::of(cx.settings, &outcome.agent, &dirs.home, &dirs.cwd);
    let kept = outcome.credential.as_ref();
    json!({
        "mode": "local",
        "workspace": workspace.display().to_string(),
        "authChoice": outcome.choice,
        "gateway": null,
        "installDaemon": false,
        "skipSkills": true,
        "skipHealth": true,
        "openclaw": {
            "agentId": outcome.agent.to_string(),
            "provider": kept.map(|kept| kept.provider.to_string()),
            "method": kept.map(|kept| kept.method.clone()),
            "profileId": kept.map(|kept| kept.profile.as_str()),
            "stored": stored(outcome),
            "replaced": kept.is_some_and(|kept| kept.replaced),
        },
    })
}
