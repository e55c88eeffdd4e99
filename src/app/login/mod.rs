//! `models auth login`: choose a method, run it, name the profile, store the credential.
//!
//! No lock is held while a person thinks, and the old login stays until the new one is stored.

mod browser;
mod program;

use std::time::Duration;

use crate::config::edit::Edit;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{Binding, GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::json::Verbatim;
use crate::model::profiles::AuthProfiles;
use crate::model::provider::{Client, Flow, Provider};
use crate::model::time::Timestamp;
use crate::oauth::claims;
use crate::oauth::grant::Grant;
use crate::oauth::program::ORIGIN;
use crate::ports::dialog::Notice;
use crate::ports::store::{Change, Scope, StoreError};

use super::Ports;
use super::client::{self, Use};
use super::failure::{Failure, Kind, Touched, login_command};
use super::naming::{Place, place};
use super::paste::{self, Form};
use super::proof::{self, Proof};

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
    /// Give up after this long.
    pub timeout: Duration,
    /// Make the provider's default model the default one.
    pub set_default: bool,
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
    let flow = choose(&provider, request.method.as_deref())?;
    if let Some(policy) = provider.policy.as_ref().filter(|_| flow.is_a_login()) {
        ports.dialog.notice(&Notice::Policy(policy.clone()));
    }
    match flow {
        Flow::Browser(browser) => {
            let client = client::resolve(ports, &provider, Use::Login(flow))?;
            // Before a person is sent to the browser for a login that could not be kept.
            ports.store.rehearse(&request.agent)?;
            browser::run(ports, request, &provider, &client, browser)
        }
        Flow::Program(flow) => program::run(ports, request, &provider, flow),
        Flow::Token(_) => paste_instead(ports, request, Form::SetupToken { yes: false }),
        Flow::Key(_) => paste_instead(ports, request, Form::Key),
        Flow::KeyExchange(_) | Flow::Device(_) | Flow::ClientCredentials(_) => {
            let message = format!("{} cannot be used yet", flow.method());
            Err(Failure::new(Kind::Usage, message))
        }
    }
}

fn choose<'a>(provider: &'a Provider, method: Option<&str>) -> Result<&'a Flow, Failure> {
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

/// Names the profile, shows who logged in, and stores the credential.
fn keep(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    client: &Client,
    grant: Grant,
) -> Result<Outcome, Failure> {
    let origin = Origin {
        binding: Binding {
            token_endpoint: client.token.clone(),
            client_id: client.id.clone(),
        },
        revocation_endpoint: client.revoke.clone(),
        proof: proof::prove(ports, provider, client, &grant)?,
    };
    keep_from(ports, request, provider, origin, grant)
}

/// Where a grant came from, and what proves whose it is.
struct Origin {
    binding: Binding,
    revocation_endpoint: Option<String>,
    proof: Proof,
}

/// The same for a grant of any origin.
fn keep_from(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    mut origin: Origin,
    grant: Grant,
) -> Result<Outcome, Failure> {
    let userinfo = origin.proof.userinfo.take();
    let found = claims::identity(&provider.account, &grant, userinfo);
    if provider.account.required && found.identity.account_id.is_none() {
        let message = format!(
            "{} did not say which account logged in, so nothing was stored",
            provider.name
        );
        return Err(Failure::new(Kind::NeedsLogin, message).hint(login_command(
            &provider.id,
            None,
            false,
        )));
    }
    ports.tell_skew(grant.skew_warning());
    let mut oauth = grant.into_credential(&provider.id, found.identity.clone());
    for (name, value) in &found.keep {
        let value = serde_json::Value::from(value.as_str()).to_string();
        oauth.extra.set(name, Verbatim::new(value));
    }
    let document = match ports.store.load(&request.agent, Scope::All) {
        // What is no document is set aside by the update; it has no names to respect.
        Err(StoreError::Unreadable { .. }) => AuthProfiles::default(),
        other => other?,
    };
    let place = place(
        &document,
        &provider.id,
        &found.identity,
        request.profile.as_ref(),
    )?;
    if let Some(taken) = &place.taken {
        ports.dialog.notice(&Notice::Warning(format!(
            "{taken} belongs to another account and stays as it is; this login is stored as {}",
            place.id
        )));
    }
    ports.dialog.notice(&Notice::Identity {
        email: found.identity.email.clone(),
        account_id: found.identity.account_id.clone(),
        plan: found.plan,
        profile: place.id.clone(),
        replaces: place.replaces,
    });
    store(ports, request, provider, &place, &oauth)?;
    remember(ports, provider, origin, &place.id, &oauth);
    paste::make_selectable(
        ports,
        &place.id,
        &provider.id,
        "oauth",
        found.identity.email.clone(),
    )?;
    set_default(ports, request, provider)?;
    ports.dialog.notice(&Notice::Saved {
        profile: place.id.clone(),
        provider: provider.id.clone(),
        expires: oauth.expires,
    });
    let account = found.identity.email.or(found.identity.account_id);
    Ok(Outcome {
        account: account.unwrap_or_else(|| place.id.to_string()),
        profile: place.id,
        provider: provider.id.clone(),
        expires: oauth.expires,
        replaced: place.replaces,
    })
}

fn store(
    ports: Ports<'_>,
    request: &Request,
    provider: &Provider,
    place_now: &Place,
    oauth: &OAuth,
) -> Result<(), Failure> {
    let mut lost = None;
    let written = ports.store.update(&request.agent, &mut |document| {
        // Looked at again under the lock: another login may have taken the name meanwhile.
        let still = place(document, &provider.id, &oauth.identity, Some(&place_now.id));
        if still.as_ref().is_ok_and(|still| still.id == place_now.id) {
            let mut new = oauth.clone();
            // The same identity: what is known of it and not told anew stays.
            if let Some(Credential::OAuth(old)) = document.get(&place_now.id) {
                let told = std::mem::replace(&mut new.extra, old.extra.clone());
                // Where the old grant came from says nothing about the new one.
                new.extra.0.retain(|(name, _)| name != ORIGIN);
                for (name, value) in told.0 {
                    new.extra.set(&name, value);
                }
                new.identity.email = new.identity.email.or_else(|| old.identity.email.clone());
            }
            document.put(place_now.id.clone(), Credential::OAuth(new));
            Change::Write
        } else {
            lost = Some(place_now.id.clone());
            Change::Keep
        }
    })?;
    ports.tell_faults(&written);
    match lost {
        None => Ok(()),
        Some(id) => {
            let message = format!("{id} was taken by another login a moment ago");
            Err(Failure::new(Kind::Busy, message).hint(login_command(&provider.id, None, false)))
        }
    }
}

/// Tells the journal where the grant came from. If that fails the login stands all the same.
fn remember(
    ports: Ports<'_>,
    provider: &Provider,
    origin: Origin,
    profile: &ProfileId,
    oauth: &OAuth,
) {
    let Some(refresh_token) = oauth.refresh_token() else {
        ports.dialog.notice(&Notice::Warning(format!(
            "{} gave no refresh token: this login ends with its access token",
            provider.name
        )));
        return;
    };
    let recorded = ports.store.record_login(&GrantRecord {
        grant: GrantDigest::of(&provider.id, refresh_token),
        provider: provider.id.clone(),
        profile: profile.clone(),
        binding: Some(origin.binding),
        subject: origin.proof.subject,
        revocation_endpoint: origin.revocation_endpoint,
        proven_at: Some(ports.clock.now()),
        attempt: None,
    });
    if let Err(error) = recorded {
        let text = format!("the login is stored, its journal entry is not: {error}");
        ports.dialog.notice(&Notice::Warning(text));
    }
}

fn set_default(ports: Ports<'_>, request: &Request, provider: &Provider) -> Result<(), Failure> {
    let Some(model) = provider
        .default_model
        .as_ref()
        .filter(|_| request.set_default)
    else {
        return Ok(());
    };
    let applied = ports.config.apply(&[Edit::SetPrimaryModel(model.clone())]);
    applied.map_err(|error| Failure::from(error).touched(Touched::Changed))?;
    let text = format!("Default model set to {model}");
    ports.dialog.notice(&Notice::Info(text));
    Ok(())
}
