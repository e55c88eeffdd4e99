//! Storage of a login: names the profile after its account, stores it, and records it in the
//! journal.

use crate::model::credential::{Credential, Kind as CredentialKind};
use crate::model::grant::{Binding, GrantDigest, GrantRecord};
use crate::model::hint::Command;
use crate::model::id::ProfileId;
use crate::model::json::Verbatim;
use crate::model::profiles::AuthProfiles;
use crate::model::provider::{Client, Provider};
use crate::oauth::claims;
use crate::oauth::grant::Grant;
use crate::ports::dialog::Notice;

use super::request::Request;
use crate::app::context::Context;
use crate::app::credential::profile_id::place;
use crate::app::deposit::StoredProfile;
use crate::app::failure::{Failure, Kind};
use crate::app::issuer::verify_login::{self, Proof};

/// Names the profile, shows who logged in, and stores the credential.
pub(in crate::app) fn keep(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    client: &Client,
    grant: Grant,
) -> Result<StoredProfile, Failure> {
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
) -> Result<StoredProfile, Failure> {
    let userinfo = origin.proof.userinfo.take();
    let found = claims::of_grant(&provider.account, &grant, userinfo);
    if provider.account.required && found.identity.account_id.is_none() {
        let message = format!(
            "{} did not report which account logged in; nothing was saved",
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
    let slot = place(
        &document,
        &provider.id,
        &found.identity,
        request.profile.as_ref(),
    )?;
    if let Some(taken) = &slot.taken {
        cx.warn(format!(
            "{taken} belongs to another account and is unchanged; saving this login as {}",
            slot.id
        ));
    }
    cx.dialog.notice(&Notice::Identity {
        email: found.identity.email.clone(),
        account_id: found.identity.account_id.clone(),
        plan: found.plan,
        profile: slot.id.clone(),
        replaces: slot.replaces,
    });
    let stored = StoredProfile {
        profile: slot.id,
        provider: provider.id.clone(),
        kind: CredentialKind::OAuth,
        account: (found.identity.email.clone()).or_else(|| found.identity.account_id.clone()),
        expires: oauth.expires,
        replaced: slot.replaces,
    };
    let refresh_token = oauth.refresh_token();
    let grant = refresh_token.map(|token| GrantDigest::of(&provider.id, token));
    let (id, identity) = (&stored.profile, oauth.identity.clone());
    let is_free = |document: &AuthProfiles| {
        let still = place(document, &provider.id, &identity, Some(id));
        still.is_ok_and(|still| still.id == *id)
    };
    stored.store(cx, &request.agent, &Credential::OAuth(oauth), &is_free)?;
    remember(cx, provider, origin, id, grant);
    let default_model = request.default_model(provider);
    stored.finish(cx, found.identity.email.as_deref(), default_model)?;
    Ok(stored)
}

/// Records the origin of the grant in the journal. The login stands even if that fails.
fn remember(
    cx: Context<'_>,
    provider: &Provider,
    origin: Origin,
    profile: &ProfileId,
    grant: Option<GrantDigest>,
) {
    let Some(grant) = grant else {
        cx.warn(format!(
            "{} issued no refresh token; log in again when the access token expires",
            provider.name
        ));
        return;
    };
    let recorded = cx.store.record_login(&GrantRecord {
        binding: Some(origin.binding),
        subject: origin.proof.subject,
        revocation_endpoint: origin.revocation_endpoint,
        proven_at: Some(cx.clock.now()),
        ..GrantRecord::new(grant, &provider.id, profile)
    });
    if let Err(error) = recorded {
        let text = format!("the login is stored, but its journal entry is not: {error}");
        cx.warn(text);
    }
}
