//! Storage of a login: names the profile after its account, stores it, and records it in the
//! journal.

use crate::model::credential::{Credential, Identity, OAuth};
use crate::model::grant::{Binding, GrantDigest, GrantRecord};
use crate::model::id::ProfileId;
use crate::model::json::Verbatim;
use crate::model::provider::{Client, Provider};
use crate::oauth::claims::{self, AccountClaims};
use crate::oauth::grant::Grant;
use crate::ports::dialog::Notice;

use super::login_file::SavedLogin;
use super::request::Login;
use crate::app::context::Context;
use crate::app::credential::profile_id::{Owner, place};
use crate::app::deposit::StoredProfile;
use crate::app::failure::Failure;
use crate::app::issuer::verify_login::{self, Proof};

/// Names the profile, shows who logged in, and stores the credential. A login of which nothing tells
/// whose it is may have to be known to the person; `None` if it is not.
pub(super) fn keep(
    login: Login<'_>,
    client: &Client,
    grant: Grant,
    saved: &mut SavedLogin,
) -> Result<Option<StoredProfile>, Failure> {
    let origin = Origin {
        binding: client.binding(),
        revocation_endpoint: client.revoke.clone(),
        proof: verify_login::prove(login.cx, login.provider, client, &grant)?,
    };
    let identified = identify(login, origin, grant)?;
    if !identified.is_known() && !saved.is_own(login, None)? {
        return Ok(None);
    }
    identified.store(login).map(Some)
}

/// The origin of a grant, and the proof of its account.
pub(super) struct Origin {
    pub(super) binding: Binding,
    pub(super) revocation_endpoint: Option<String>,
    pub(super) proof: Proof,
}

/// Stores a grant of any origin.
pub(super) fn keep_from(
    login: Login<'_>,
    origin: Origin,
    grant: Grant,
) -> Result<StoredProfile, Failure> {
    identify(login, origin, grant)?.store(login)
}

/// A login whose account was looked for, and its profile.
struct Identified {
    origin: Origin,
    found: AccountClaims,
    oauth: OAuth,
    profile: ProfileId,
}

/// Looks for the account of a grant, names the profile, and shows who logged in.
fn identify(login: Login<'_>, mut origin: Origin, grant: Grant) -> Result<Identified, Failure> {
    let Login { cx, provider, .. } = login;
    let userinfo = origin.proof.userinfo.take();
    let found = claims::of_grant(&provider.account, &grant, userinfo);
    if provider.account.required && found.identity.account_id.is_none() {
        // The code is spent: a login with a doubt is worth more than none.
        cx.warn(format!(
            "{} did not report which account logged in; requests that name the account may fail",
            provider.name
        ));
    }
    cx.tell_skew(grant.skew_warning());
    let oauth = credential(provider, &origin.binding, &found, grant);
    let profile = choose_profile(login, &found)?;
    Ok(Identified {
        origin,
        found,
        oauth,
        profile,
    })
}

impl Identified {
    /// Whether anything tells whose login it is.
    fn is_known(&self) -> bool {
        self.found.identity != Identity::default() || self.found.subject.is_some()
    }

    fn store(self, login: Login<'_>) -> Result<StoredProfile, Failure> {
        let (cx, provider) = (login.cx, login.provider);
        let (oauth, identity) = (self.oauth, self.found.identity);
        let refresh_token = oauth.refresh_token();
        let grant = refresh_token.map(|token| GrantDigest::of(&provider.id, token));
        let account = oauth.identity.email.clone();
        let account = account.or_else(|| oauth.identity.account_id.clone());
        let account = account.or(self.found.subject);
        let stored = login.store(
            self.profile,
            account,
            &Credential::OAuth(oauth),
            Some(&self.origin.binding),
        )?;
        remember(cx, provider, self.origin, &stored.profile, grant);
        login.finish(stored, identity.email.as_deref())
    }
}

/// Makes the credential, with the members that the manifest keeps for other programs.
fn credential(
    provider: &Provider,
    binding: &Binding,
    found: &AccountClaims,
    grant: Grant,
) -> OAuth {
    let mut oauth = grant.into_credential(&provider.id, found.identity.clone());
    let client_id = provider.account.client_id_as.as_ref();
    let client_id = client_id.and_then(|name| Some((name, binding.shown_client()?)));
    let kept = (found.keep.iter()).map(|(name, value)| (name, value.as_str()));
    for (name, value) in kept.chain(client_id) {
        let value = serde_json::Value::from(value).to_string();
        oauth.extra.set(name, Verbatim::new(value));
    }
    oauth
}

/// Names the profile, and shows who logged in.
fn choose_profile(login: Login<'_>, found: &AccountClaims) -> Result<ProfileId, Failure> {
    let Login {
        cx,
        request,
        provider,
        ..
    } = login;
    let document = cx.names(&request.agent)?;
    let wanted = request.profile.as_ref();
    let owner = Owner {
        identity: &found.identity,
        subject: found.subject.as_deref(),
        named: wanted,
    };
    let slot = place(&document, &provider.id, owner, wanted);
    if let Some(taken) = &slot.taken {
        cx.warn(format!(
            "{taken} belongs to another account and is unchanged; saving this login as {}",
            slot.id
        ));
    }
    cx.dialog.notice(&Notice::Identity {
        email: found.identity.email.clone(),
        account_id: found.identity.account_id.clone(),
        plan: found.plan.clone(),
        profile: slot.id.clone(),
        replaces: slot.replaces,
    });
    Ok(slot.id)
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
