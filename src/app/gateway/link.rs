//! `gateway link`: asks a gateway for a link that signs a browser in to its page.

use serde::Deserialize;
use url::Url;

use super::Options;
use super::client::Client;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::secret::Secret;
use crate::ports::http::Method;

/// A link that can be used once.
#[derive(Clone, Debug)]
pub struct Link {
    /// It. Whoever has it is signed in as its maker.
    pub url: Secret<String>,
    /// For how long it can be used, in seconds.
    pub expires_in: u64,
}

#[derive(Deserialize)]
struct Answer {
    url: String,
    expires_in: u64,
}

/// Asks the gateway, once.
///
/// # Errors
/// If there is no answer of a gateway, or it does not accept the token.
pub fn run(cx: Context<'_>, options: &Options) -> Result<Link, Failure> {
    let client = Client::new(cx, options)?;
    let answer: Answer = client.ask(Method::Post, "/v1/links")?;
    // Written anew as a URL, it holds nothing that could steer a terminal.
    let url = Url::parse(&answer.url).ok();
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let url = url.ok_or_else(|| {
        let message = format!("the gateway at {} returned no link", client.address);
        Failure::new(Kind::Temporary, message).hint(Command::new("gateway run"))
    })?;
    Ok(Link {
        url: Secret::new(url.into()),
        expires_in: answer.expires_in,
    })
}
