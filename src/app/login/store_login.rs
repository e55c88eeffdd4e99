//! Storage of a login: names the profile after its account, stores it, and records it in the
//! journal.

use crate::app::failure::StoreEffect;
use crate::app::paste;
use crate::config::edit::Edit;
use crate::config::edit::Role;
use crate::model::credential::{Credential, Kind as CredentialKind, OAuth};
use crate::model::grant::{Binding, GrantDigest, GrantRecord};
use crate::model::hint::Command;
use crate::model::id::ProfileId;
use crate::model::json::Verbatim;
use crate::model::provider::{Client, Provider};
use crate::oauth::claims;
use crate::oauth::grant::Grant;
use crate::oauth::plugin::ORIGIN;
use crate::ports::dialog::Notice;
use crate::ports::store::Change;

use super::request::{Outcome, Request};
use crate::app::context::Context;
use crate::app::credential::profile_id::{ProfileSlot, place};
use crate::app::failure::{Failure, Kind};
use crate::app::issuer::verify_login::{self, Proof};

/// Names the profile, shows who logged in, and stores the credential.
pub(in crate::app) fn keep(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    client: &Client,
    grant: Grant,
) -> Result<Outcome, Failure> {
    let origin = Origin {
        binding: client.binding(),
        revocation_endpoint: client.revoke.clone(),
        proof: verify_login::prove(cx, provider, client, &grant)?,
    };
    keep_from(cx, request, provider, origin, grant)
}

/// The origin of a grant, and the proof of its account.
pub(in crate::app) struct Origin {
    pub(in crate::app) binding: Binding,
    pub(in crate::app) revocation_endpoint: Option<String>,
    pub(in crate::app) proof: Proof,
}

/// Stores a grant of any origin.
pub(in crate::app) fn keep_from(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    mut origin: Origin,
    grant: Grant,
) -> Result<Outcome, Failure> {
    let userinfo = origin.proof.userinfo.take();
    let found = claims::of_grant(&provider.account, &grant, userinfo);
    if provider.account.required && found.identity.account_id.is_none() {
        let message = format!(
            "{} did not say which account logged in, so nothing was stored",
            provider.name
        );
        return Err(
            Failure::new(Kind::NeedsLogin, message).hint(Command::login(&provider.id, None))
        );
    }
    cx.tell_skew(grant.skew_warning());
    let mut oauth = grant.into_credential(&provider.id, found.identity.clone());
    let account = &provider.account;
    let client_id = &origin.binding.client_id;
    let client_id = account.client_id_as.as_ref().map(|name| (name, client_id));
    let kept = found.keep.iter().map(|(name, value)| (name, value));
    for (name, value) in kept.chain(client_id) {
        let value = serde_json::Value::from(value.as_str()).to_string();
        oauth.extra.set(name, Verbatim::new(value));
    }
    let document = cx.names(&request.agent)?;
    let place = place(
        &document,
        &provider.id,
        &found.identity,
        request.profile.as_ref(),
    )?;
    if let Some(taken) = &place.taken {
        cx.warn(format!(
            "{taken} belongs to another account and stays as it is; this login is stored as {}",
            place.id
        ));
    }
    cx.dialog.notice(&Notice::Identity {
        email: found.identity.email.clone(),
        account_id: found.identity.account_id.clone(),
        plan: found.plan,
        profile: place.id.clone(),
        replaces: place.replaces,
    });
    store(cx, request, provider, &place, &oauth)?;
    remember(cx, provider, origin, &place.id, &oauth);
    let account = (found.identity.email.clone()).or(found.identity.account_id);
    let kind = (CredentialKind::OAuth, found.identity.email);
    let outcome = Outcome {
        account: account.unwrap_or_else(|| place.id.to_string()),
        profile: place.id,
        provider: provider.id.clone(),
        expires: oauth.expires,
        replaced: place.replaces,
    };
    finished(cx, request, provider, kind, outcome)
}

fn store(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    place_now: &ProfileSlot,
    oauth: &OAuth,
) -> Result<(), Failure> {
    let mut lost = None;
    let written = cx.store.update(&request.agent, &mut |document| {
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
    cx.tell_faults(&written);
    match lost {
        None => Ok(()),
        Some(id) => {
            let message = format!("{id} was taken by another login a moment ago");
            Err(Failure::new(Kind::Busy, message).hint(Command::login(&provider.id, None)))
        }
    }
}

/// Records the origin of the grant in the journal. The login stands even if that fails.
fn remember(
    cx: Context<'_>,
    provider: &Provider,
    origin: Origin,
    profile: &ProfileId,
    oauth: &OAuth,
) {
    let Some(refresh_token) = oauth.refresh_token() else {
        cx.warn(format!(
            "{} gave no refresh token: this login ends with its access token",
            provider.name
        ));
        return;
    };
    let recorded = cx.store.record_login(&GrantRecord {
        grant: GrantDigest::of(&provider.id, refresh_token),
        provider: provider.id.clone(),
        profile: profile.clone(),
        binding: Some(origin.binding),
        subject: origin.proof.subject,
        revocation_endpoint: origin.revocation_endpoint,
        proven_at: Some(cx.clock.now()),
        attempt: None,
    });
    if let Err(error) = recorded {
        let text = format!("the login is stored, its journal entry is not: {error}");
        cx.warn(text);
    }
}

/// Completes a login that is stored: makes it selectable and tells the user.
pub(super) fn finished(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    (mode, email): (CredentialKind, Option<String>),
    outcome: Outcome,
) -> Result<Outcome, Failure> {
    let id = &provider.id;
    paste::make_selectable(cx, &outcome.profile, id, mode.as_str(), email)?;
    set_default(cx, request, provider)?;
    cx.dialog.notice(&Notice::Saved {
        profile: outcome.profile.clone(),
        provider: id.clone(),
        expires: outcome.expires,
    });
    Ok(outcome)
}

fn set_default(cx: Context<'_>, request: &Request, provider: &Provider) -> Result<(), Failure> {
    let Some(model) = provider
        .default_model
        .as_ref()
        .filter(|_| request.set_default)
    else {
        return Ok(());
    };
    let applied = cx.edit_config(&[Edit::SetPrimary {
        role: Role::Model,
        reference: model.clone(),
    }]);
    applied.map_err(|error| Failure::from(error).touched(StoreEffect::Changed))?;
    let text = format!("Default model set to {model}");
    cx.info(text);
    Ok(())
}
