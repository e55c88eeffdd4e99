//! `models auth login`: choose a method, run it, name the profile, store the credential.
//!
//! No lock is held while a person thinks, and the old login stays until the new one is stored.

mod attempts;
mod auth_code;
mod browser;
mod client_credentials;
mod device;
mod exposed;
mod file_name;
pub mod finish;
mod first_answer;
mod login_file;
mod login_result;
pub mod noted;
mod pending;
mod pending_code;
mod plugin;
pub mod recover;
mod redirect;
mod relay;
mod relayed;
mod request;
pub(in crate::app) mod reseal;
mod saved_login;
mod saver;
mod sources;
mod ssh_hint;
pub mod start;
mod store_key;
mod store_login;
mod store_token;

use crate::app::secrets::require_declared_store;
use crate::model::credential::Kind as CredentialKind;
use crate::model::declared::Severity;
use crate::model::hint::{Command, Hint};
use crate::model::provider::{Flow, Provider};
use crate::ports::dialog::Notice;

use crate::providers::catalogue::CatalogueError;

use super::context::Context;
use super::failure::{Failure, Kind, StoreEffect};
use super::issuer::registration::{self, Use};
use super::paste::{self, Form};
use auth_code::CodeFlow;
use request::Login;

pub use super::deposit::StoredProfile;
pub use relay::{Attempt, Relay, UserCode};
pub use request::Request;
pub(super) use saved_login::{is_unconfirmed, to_store, waiting};
pub use sources::BARE_CODE;

/// Logs in.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown provider or method, [`Kind::NeedsLogin`] if the provider or
/// the person refused, [`Kind::Temporary`] for the network and the deadline, [`Kind::Cancelled`],
/// and what the store says. Nothing is stored then.
pub fn run(cx: Context<'_>, request: &Request) -> Result<StoredProfile, Failure> {
    let stored = log_in(cx, request, None)?;
    obey_signal(cx, stored)
}

/// Logs in with a browser, so that others can complete it, or with a device code, so that they know of
/// it.
///
/// # Errors
/// As [`run`], and those of the relay.
pub fn run_relayed(
    cx: Context<'_>,
    request: &Request,
    relay: &dyn Relay,
) -> Result<StoredProfile, Failure> {
    let stored = log_in(cx, request, Some(relay))?;
    obey_signal(cx, stored)
}

/// Fails if a signal asked to stop, now that the login is stored.
fn obey_signal(cx: Context<'_>, stored: StoredProfile) -> Result<StoredProfile, Failure> {
    let uninterrupted = cx.uninterrupted();
    uninterrupted.map_err(|failure| failure.touched(StoreEffect::Changed))?;
    Ok(stored)
}

fn log_in(
    cx: Context<'_>,
    request: &Request,
    relay: Option<&dyn Relay>,
) -> Result<StoredProfile, Failure> {
    cx.require_agent(&request.agent)?;
    let provider = cx.provider(&request.provider)?;
    tell_findings(cx, &provider)?;
    let flow = choose(&provider, request.method.as_deref())?;
    let flow = together(cx, request, &provider).unwrap_or(flow);
    if let Some(policy) = provider.policy.as_ref().filter(|_| flow.is_a_login()) {
        cx.dialog.notice(&Notice::Policy(policy.clone()));
    }
    let login = Login {
        cx,
        request,
        provider: &provider,
        relay,
    };
    match flow {
        Flow::Browser(_) => in_a_browser(login, flow),
        Flow::Device(device) => {
            let client = registration::resolve(cx, &provider, Use::Login(flow))?;
            cx.store.check_writable(&request.agent)?;
            device::run(login, &client, device)
        }
        Flow::Program(flow) => plugin::run(login, flow),
        Flow::Token(_) => paste_instead(cx, request, Form::SetupToken { yes: false }),
        Flow::Key(key) if key.optional && request.method.is_none() => Err(needs_none(&provider)),
        Flow::Key(_) => paste_instead(cx, request, Form::Key),
        Flow::ClientCredentials(credentials) => {
            let client = registration::resolve_with_secret(cx, &provider, Use::Login(flow))?;
            client_credentials::run(login, &client, credentials)
        }
    }
}

/// Makes the failure for a provider whose servers mostly take requests without a key.
fn needs_none(provider: &Provider) -> Failure {
    let name = &provider.name;
    let message =
        format!("{name} needs no login: a server of your own takes requests without a key");
    let paste = Command::store(&provider.id, None, CredentialKind::ApiKey);
    let hint = Hint::from("if yours asks for a key: ").run(paste);
    Failure::new(Kind::Usage, message).hint(hint)
}

/// Returns the browser flow if it is offered beside the device code of the default method: on a
/// remote machine, unless a method was named.
fn together<'a>(cx: Context<'_>, request: &Request, provider: &'a Provider) -> Option<&'a Flow> {
    let usual = provider.flows.first()?;
    let asked = request.method.is_none() && cx.env.is_remote();
    if !asked || !matches!(usual, Flow::Device(_)) {
        return None;
    }
    let mut flows = provider.flows.iter();
    flows.find(|flow| matches!(flow, Flow::Browser(flow) if flow.key_exchange.is_none()))
}

fn in_a_browser(login: Login<'_>, flow: &Flow) -> Result<StoredProfile, Failure> {
    let mut flow = CodeFlow::of(login.cx, login.provider, flow)?;
    if let Some(scopes) = &login.request.scopes {
        flow.flow.scopes.clone_from(scopes);
    }
    // Before a person is sent to the browser for a login that could not be kept.
    login.cx.store.check_writable(&login.request.agent)?;
    // Whoever named a method wants that one alone.
    let device = login.provider.device();
    let device = device.filter(|_| login.request.method.is_none());
    browser::run(login, &flow, device)
}

/// Warns of oddities of a declaration that is about to be used; fails if what it brings must not be
/// stored as things are.
fn tell_findings(cx: Context<'_>, provider: &Provider) -> Result<(), Failure> {
    let declared = cx.catalogue.declared(&provider.id);
    let declared = declared.map_err(CatalogueError::from)?;
    for finding in declared.iter().flat_map(|declared| &declared.findings) {
        let text = finding.advice();
        cx.dialog.notice(&match finding.severity {
            Severity::Info => Notice::Info(text),
            Severity::Error | Severity::Warning => Notice::Warning(text),
        });
    }
    require_declared_store(cx, &provider.id)
}

fn choose<'a>(provider: &'a Provider, method: Option<&str>) -> Result<&'a Flow, Failure> {
    // As OpenClaw names it for some providers, and as people do.
    let method = method.map(|method| match method {
        "device" => "device-code",
        "browser" => "oauth",
        method => method,
    });
    let methods: Vec<&str> = provider.flows.iter().map(Flow::method).collect();
    let found = match method {
        None => provider.flows.first(),
        Some(method) => provider.flows.iter().find(|flow| flow.method() == method),
    };
    found.ok_or_else(|| {
        let message = match method {
            Some(method) => format!(
                "{} has no method {method:?}; it has: {}",
                provider.id,
                methods.join(", ")
            ),
            None => format!("{} has no way to log in", provider.id),
        };
        let failure = Failure::new(Kind::NotFound, message);
        let elsewhere = provider.ambient.iter().find_map(|other| other.help.clone());
        let known = methods.first().map(|first| {
            let login = Command::login(&provider.id, None);
            Hint::from(login.option("--method", first))
        });
        match known.or(elsewhere.map(Hint::from)) {
            Some(command) => failure.hint(command),
            None => failure,
        }
    })
}

/// Asks for a token or key and stores it, for a method that is a paste.
fn paste_instead(cx: Context<'_>, request: &Request, form: Form) -> Result<StoredProfile, Failure> {
    let pasted = paste::run(
        cx,
        &paste::Request {
            agent: request.agent.clone(),
            provider: request.provider.clone(),
            is_new_provider: false,
            profile: request.profile.clone(),
            form,
            given: None,
            metadata: Vec::new(),
        },
    )?;
    Ok(pasted.stored)
}

/// Whether a provider's logins are as this program describes them, and no manifest of the user's.
pub fn is_built_in(provider: &crate::model::provider::Provider) -> bool {
    let own = crate::providers::catalogue::built_in(&provider.id);
    own.is_some_and(|own| own.flows == provider.flows)
}
