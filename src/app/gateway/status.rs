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
    /// Why there is none, in the gateway's own words, if it says so.
    pub error: Option<String>,
}

impl Report {
    /// Whether it is about the provider that is meant where none is named.
    pub fn is_of_default(&self) -> bool {
        self.provider.as_str() == provider::DEFAULT
    }

    /// The failure that a login is that was there and gives no token any more.
    pub fn failure(&self) -> Option<Failure> {
        let error = self.error.as_ref()?;
        let command = Command::new("auth logout");
        let command = match self.is_of_default() {
            true => command,
            false => command.name(&self.provider),
        };
        let then = format!(", then connect again in the web UI at {}", self.gateway);
        let hint = Hint::from(command).then(then);
        Some(Failure::new(Kind::NeedsLogin, error.as_str()).hint(hint))
    }
}

#[derive(Deserialize)]
struct Status {
    authenticated: bool,
    provider_name: Option<String>,
    error: Option<String>,
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
    let error = status.error.filter(|_| !status.authenticated);
    let error = error.map(|error| client.clean(&error));
    Ok(Report {
        gateway: client.address.to_string(),
        authenticated: status.authenticated,
        provider_name: named,
        error: error.filter(|error| !error.is_empty()),
        provider: found.id,
        name: found.name,
    })
}
