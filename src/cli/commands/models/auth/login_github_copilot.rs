//! `models auth login-github-copilot`.

use std::time::Duration;

use clap::Args;

use crate::app::login;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::model::id::{ProfileId, ProviderId};

/// Longer than any code of GitHub lives: its own end is what counts.
const TIMEOUT: Duration = Duration::from_secs(60 * 60);

/// Log in to GitHub Copilot with a device code
///
/// Same as `login --provider github-copilot --method device-code`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth login-github-copilot
  openclaw models auth login-github-copilot --profile-id github-copilot:work --yes")]
pub struct LoginGithubCopilot {
    /// Profile to save the token as [default: github-copilot:github]
    #[arg(long, value_name = "PROFILE", value_parser = ProfileId::parse_new)]
    profile_id: Option<ProfileId>,
    /// Replace an existing token without a notice
    #[arg(long)]
    yes: bool,
}

impl LoginGithubCopilot {
    /// Logs in.
    pub fn run(&self, system: &System) -> Answer {
        let (cx, provider) = (system.context(), ProviderId::parse("github-copilot")?);
        let named = self.profile_id.as_ref();
        let named = named.map(|typed| cx.destination(&system.agent, &provider, typed));
        let request = login::Request {
            agent: system.agent.clone(),
            provider,
            method: Some("device-code".to_owned()),
            profile: named.transpose()?,
            no_browser: true,
            clipboard: false,
            timeout: TIMEOUT,
            set_default: false,
            yes: self.yes,
            attempt: None,
            scopes: None,
            display_name: None,
        };
        login::run(cx, &request).map(|_| Output::default())
    }
}
