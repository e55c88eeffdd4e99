//! `models auth login`: choose a method, run it, name the profile, store the credential.
//!
//! No lock is held while a person thinks, and the old login stays until the new one is stored.

mod answer;
mod browser;
mod client_credentials;
mod code;
mod device;
pub mod finish;
mod keep;
mod key;
mod pending;
mod program;
mod race;
mod redirect;
mod remote;
pub mod start;
mod token;

use std::time::Duration;

use crate::config::edit::{Edit, Role};
use crate::model::credential::Kind as CredentialKind;
use crate::model::declared::Severity;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::{Flow, Provider};
use crate::model::time::Timestamp;
use crate::ports::dialog::Notice;

use crate::providers::catalogue::CatalogueError;

use super::Ports;
use super::client::{self, Use};
use super::failure::{Failure, Kind, Touched, login_command};
use super::paste::{self, Form};
use code::CodeFlow;
use keep::{Origin, keep, keep_from};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Where to log in.
    pub provider: ProviderId,
    /// How, by the name of a method; the provider's first by default.
    pub method: Option<String>,
    /// Under which name; by default the login's own.
    pub profile: Option<ProfileId>,
    /// Do not open a browser.
    pub no_browser: bool,
    /// On a remote machine: have the terminal put the URL in the clipboard.
    pub clipboard: bool,
    /// Give up after this long.
    pub timeout: Duration,
    /// Make the provider's default model the default one.
    pub set_default: bool,
    /// Do not say that a stored token will be replaced.
    pub yes: bool,
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Under which profile.
    pub profile: ProfileId,
    /// For which provider.
    pub provider: ProviderId,
    /// Whose login it is, as people know it.
    pub account: String,
    /// When the access token ends, if that is known.
    pub expires: Option<Timestamp>,
    /// Whether an older login of the same identity was replaced.
    pub replaced: bool,
}

/// Logs in.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown provider or method, [`Kind::NeedsLogin`] if the provider or
/// the person refused, [`Kind::Temporary`] for the network and the deadline, [`Kind::Cancelled`],
/// and what the store says. Nothing is stored then.
pub fn run(ports: Ports<'_>, request: &Request) -> Result<Outcome, Failure> {
    let provider = ports.provider(&request.provider)?;
    tell_findings(ports, &provider)?;
    let flow = choose(&provider, request.method.as_deref())?;
    let flow = together(ports, request, &provider).unwrap_or(flow);
    if let Some(policy) = provider.policy.as_ref().filter(|_| flow.is_a_login()) {
        ports.dialog.notice(&Notice::Policy(policy.clone()));
    }
    let chosen = flow;
    match flow {
        Flow::Browser(_) | Flow::KeyExchange(_) => {
            let flow = CodeFlow::of(ports, &provider, flow)?;
            in_a_browser(ports, request, &provider, &flow)
        }
        Flow::Device(flow) => {
            let client = client::resolve(ports, &provider, Use::Login(chosen))?;
            ports.store.rehearse(&request.agent)?;
            device::run(ports, request, &provider, &client, flow)
        }
        Flow::Program(flow) => program::run(ports, request, &provider, flow),
        Flow::Token(_) => paste_instead(ports, request, Form::SetupToken { yes: false }),
        Flow::Key(_) => paste_instead(ports, request, Form::Key),
        Flow::ClientCredentials(flow) => client_credentials::run(ports, request, &provider, flow),
    }
}

/// On a remote machine the ways in are offered together, whichever is the usual one, unless a
/// method was named.
fn together<'a>(ports: Ports<'_>, request: &Request, provider: &'a Provider) -> Option<&'a Flow> {
    let usual = provider.flows.first()?;
    let asked = request.method.is_none() && ports.env.is_remote();
    if !asked || !matches!(usual, Flow::Device(_)) {
        return None;
    }
    let mut flows = provider.flows.iter();
    flows.find(|flow| matches!(flow, Flow::Browser(_)))
}

fn in_a_browser(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    flow: &CodeFlow,
) -> Result<Outcome, Failure> {
    // Before a person is sent to the browser for a login that could not be kept.
    ports.store.rehearse(&request.agent)?;
    // Whoever named a method wants that one alone.
    let device = provider.device().filter(|_| request.method.is_none());
    browser::run(ports, request, provider, flow, device)
}

/// What is odd about a declaration, said when it is about to be used by a person.
fn tell_findings(ports: Ports<'_>, provider: &Provider) -> Result<(), Failure> {
    let declared = ports.catalogue.declared(&provider.id);
    let declared = declared.map_err(CatalogueError::from)?;
    for finding in declared.iter().flat_map(|declared| &declared.findings) {
        let text = finding.to_string();
        ports.dialog.notice(&match finding.severity {
            Severity::Info => Notice::Info(text),
            Severity::Error | Severity::Warning => Notice::Warning(text),
        });
    }
    Ok(())
}

fn choose<'a>(provider: &'a Provider, method: Option<&str>) -> Result<&'a Flow, Failure> {
    // As OpenClaw names it for some providers.
    let method = method.map(|method| match method {
        "device" => "device-code",
        method => method,
    });
    let methods: Vec<&str> = provider.flows.iter().map(Flow::method).collect();
    let found = match method {
        None => provider.flows.first(),
        Some(method) => provider.flows.iter().find(|flow| flow.method() == method),
    };
    found.ok_or_else(|| {
        let message = match method {
            Some(method) => format!("{} has no method {method:?}", provider.id),
            None => format!("{} has no way to log in", provider.id),
        };
        let failure = Failure::new(Kind::NotFound, message);
        let elsewhere = provider.ambient.iter().find_map(|other| other.help.clone());
        let known = methods.first().map(|first| {
            let login = login_command(&provider.id, None, false);
            format!("{login} --method {first}")
        });
        match known.or(elsewhere) {
            Some(command) => failure.hint(command),
            None => failure,
        }
    })
}

/// A provider whose method is a paste is served by the command for that.
fn paste_instead(ports: Ports<'_>, request: &Request, form: Form) -> Result<Outcome, Failure> {
    let stored = paste::run(
        ports,
        &paste::Request {
            agent: request.agent.clone(),
            provider: request.provider.clone(),
            profile: request.profile.clone(),
            form,
            given: None,
            metadata: Vec::new(),
        },
    )?;
    Ok(Outcome {
        account: stored.profile.to_string(),
        profile: stored.profile,
        provider: stored.provider,
        expires: stored.expires,
        replaced: stored.replaced,
    })
}

/// The time that the caller gave is over.
fn timed_out(request: &Request, provider: &Provider) -> Failure {
    let message = format!("nobody logged in within {:?}", request.timeout);
    let method = request.method.as_ref();
    let method = method.map_or_else(String::new, |method| format!(" --method {method}"));
    let login = login_command(&provider.id, request.profile.as_ref(), false);
    Failure::new(Kind::Temporary, message).hint(format!("{login}{method} --timeout 15m"))
}

/// What is left to do once a login is stored: it must be chosen, and the person told.
fn finished(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    (mode, email): (CredentialKind, Option<String>),
    outcome: Outcome,
) -> Result<Outcome, Failure> {
    let id = &provider.id;
    paste::make_selectable(ports, &outcome.profile, id, mode.as_str(), email)?;
    set_default(ports, request, provider)?;
    ports.dialog.notice(&Notice::Saved {
        profile: outcome.profile.clone(),
        provider: id.clone(),
        expires: outcome.expires,
    });
    Ok(outcome)
}

fn set_default(ports: Ports<'_>, request: &Request, provider: &Provider) -> Result<(), Failure> {
    let Some(model) = provider
        .default_model
        .as_ref()
        .filter(|_| request.set_default)
    else {
        return Ok(());
    };
    let applied = ports.config.apply(&[Edit::SetPrimary {
        role: Role::Model,
        reference: model.clone(),
    }]);
    applied.map_err(|error| Failure::from(error).touched(Touched::Changed))?;
    let text = format!("Default model set to {model}");
    ports.dialog.notice(&Notice::Info(text));
    Ok(())
}
