//! `auth logout`: lets a gateway forget its logins of a provider.

use serde::{Deserialize, Serialize};

use super::client::Client;
use super::{Options, provider};
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::id::{AgentId, ProviderId};
use crate::model::named::ProviderName;
use crate::ports::http::Method;

/// What the gateway did.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// The gateway that was asked.
    pub gateway: String,
    /// The provider.
    pub provider: ProviderId,
    /// What it answered: that it is logged out.
    pub status: LoggedOut,
    /// Whether the login was revoked at the provider; `None` if the gateway does not say.
    pub revoked: Option<bool>,
}

/// The one answer there is, also where nothing was stored.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub enum LoggedOut {
    /// It is logged out.
    #[serde(rename = "logged out")]
    LoggedOut,
}

#[derive(Deserialize)]
struct Answer {
    status: LoggedOut,
    revoked: Option<bool>,
}

/// Asks the gateway, once.
///
/// # Errors
/// [`Kind::NotFound`](crate::app::failure::Kind::NotFound) for an unknown provider, and if there is
/// no answer of a gateway. Whether the login is there still is then told by the failure.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    name: Option<&ProviderName>,
    options: &Options,
) -> Result<Outcome, Failure> {
    let found = provider::find(cx, agent, name)?;
    let client = Client::new(cx, options)?;
    let answer: Answer = client.ask(Method::Post, &provider::path(&found.id, "logout"))?;
    Ok(Outcome {
        gateway: client.address.to_string(),
        provider: found.id,
        status: answer.status,
        revoked: answer.revoked,
    })
}
