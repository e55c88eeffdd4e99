//! `models auth login --start`: the first half of a login in two steps, for a bot or a wizard that
//! does not stay running.
//!
//! It makes the attempt and writes it down; nobody listens. The second half is
//! [`finish`](super::finish).

use serde::Serialize;

use crate::model::hint::Command;
use crate::model::id::{AgentId, ProviderId};
use crate::model::provider::{Flow, Redirect};
use crate::model::time::Timestamp;

use super::super::failure::Failure;
use super::attempts;
use super::auth_code::CodeFlow;
use super::pending::Pending;
use super::request::Request;
use super::{choose, tell_findings};
use crate::app::context::Context;

/// A login that was started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Begun {
    /// The name of the attempt.
    pub attempt: String,
    /// The provider.
    pub provider: ProviderId,
    /// Its display name.
    #[serde(skip)]
    pub name: String,
    /// The agent to store it for.
    pub agent: AgentId,
    /// The page to open; it holds no secret that would let its reader complete the login.
    pub url: String,
    /// The redirect URI.
    pub redirect_uri: String,
    /// When the attempt expires.
    #[serde(rename = "expiresAt")]
    pub expires: Timestamp,
    /// The policy note of the manifest.
    pub policy: Option<String>,
}

impl Begun {
    /// Returns the command that completes it, with the redirect URL on its standard input.
    pub fn finish_command(&self) -> Command {
        finish_command(&self.attempt)
    }
}

/// The port that is sent where any free one may be: nobody listens, so one is as good as another,
/// but for 0, which is none.
const ANY_PORT: u16 = 58_355;

fn any_port(redirect: &Redirect) -> Option<u16> {
    match redirect {
        Redirect::Loopback(here) if here.ports.first() == Some(&0) => Some(ANY_PORT),
        _ => None,
    }
}

/// Starts a login and writes it to a file.
///
/// # Errors
/// [`Kind::NotFound`](super::Kind::NotFound) for an unknown provider or method,
/// [`Kind::Usage`](super::Kind::Usage) for one that no code comes back from, and what the store
/// says.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Begun, Failure> {
    cx.require_agent(&request.agent)?;
    let provider = cx.provider(&request.provider)?;
    tell_findings(cx, &provider)?;
    let by_code = |flow: &&Flow| matches!(flow, Flow::Browser(_));
    let usual = provider.flows.iter().find(by_code);
    let flow = match usual.filter(|_| request.method.is_none()) {
        Some(flow) => flow,
        None => choose(&provider, request.method.as_deref())?,
    };
    let code = CodeFlow::of(cx, &provider, flow)?;
    cx.store.check_writable(&request.agent)?;
    let redirect_uri = code.flow.redirect.uri(any_port(&code.flow.redirect));
    let authorization = code.begin(cx, &redirect_uri)?;
    attempts::sweep(cx, &attempts::all(cx)?);
    let (method, binding) = (flow.method(), code.client.binding());
    let pending = Pending::new(cx, request, method, binding, authorization.pending)?;
    pending.write(cx)?;
    Ok(Begun {
        attempt: pending.id,
        provider: provider.id,
        name: provider.name,
        agent: pending.agent,
        url: authorization.url,
        redirect_uri,
        expires: pending.expires,
        policy: provider.policy,
    })
}

/// Returns the command that starts a login.
pub(super) fn start_command(provider: &ProviderId) -> Command {
    Command::login(provider, None).arg("--start").arg("--json")
}

/// Returns the command that completes the login of that name.
pub(super) fn finish_command(attempt: &str) -> Command {
    Command::new("models auth login --finish")
        .option("--attempt", attempt)
        .option("--code-file", "-")
}
