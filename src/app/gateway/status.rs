//! `auth status`: whether a gateway has a usable login of a provider.

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::{Options, provider};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProviderId};
use crate::model::named::ProviderName;
use crate::ports::http::Method;

/// What a gateway says of a provider.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The gateway that was asked.
    pub gateway: String,
    /// The provider.
    pub provider: ProviderId,
    /// Its name, for people.
    #[serde(skip)]
    pub name: String,
    /// Whether there is a usable login.
    pub authenticated: bool,
    /// By which name agents use it.
    pub provider_name: Option<ProviderId>,
    /// What is wrong with the one that was there, in the gateway's own words, if it says so.
    pub error: Option<String>,
    /// Why that is so, if it says more.
    pub detail: Option<String>,
    /// Whether the gateway gets a new token by itself.
    pub refreshable: bool,
}

impl Report {
    /// Whether it is about the provider that is meant where none is named.
    pub fn is_of_default(&self) -> bool {
        self.provider.as_str() == provider::CHATGPT
    }

    /// The failure that a login is that was there and gives no token any more.
    pub fn failure(&self) -> Option<Failure> {
        let error = self.error.as_ref()?;
        let message = match &self.detail {
            Some(detail) => format!("{error} ({detail})"),
            None => error.clone(),
        };
        let named = |command: Command| match self.is_of_default() {
            true => command,
            false => command.name(&self.provider),
        };
        let hint = match self.refreshable {
            true => Hint::from(named(Command::new("auth status")))
                .then(" again soon: the gateway refreshes it when it is used"),
            false => Hint::from(named(Command::new("auth logout"))).then(format!(
                ", then connect again in the web UI at {}",
                self.gateway
            )),
        };
        Some(Failure::new(Kind::NeedsLogin, message).hint(hint))
    }
}

#[derive(Deserialize)]
struct Status {
    authenticated: bool,
    provider_name: Option<String>,
    error: Option<String>,
    // Not every gateway has these.
    detail: Option<String>,
    #[serde(default)]
    refreshable: bool,
}

/// Asks the gateway.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown provider, and if there is no answer of a gateway.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    name: Option<&ProviderName>,
    options: &Options,
) -> Result<Report, Failure> {
    let found = provider::find(cx, agent, name)?;
    let client = Client::new(cx, options)?;
    let status: Status = client.ask(Method::Get, &provider::path(&found.id, "status"))?;
    let named = status.provider_name.as_deref();
    let named = named.and_then(|name| ProviderId::parse(name).ok());
    let told = |text: Option<String>| {
        let text = text.filter(|_| !status.authenticated);
        let text = text.map(|text| client.clean(&text));
        text.filter(|text| !text.is_empty())
    };
    Ok(Report {
        gateway: client.address.to_string(),
        authenticated: status.authenticated,
        provider_name: named,
        error: told(status.error),
        detail: told(status.detail),
        refreshable: status.refreshable,
        provider: found.id,
        name: found.name,
    })
}
