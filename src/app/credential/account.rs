//! The account that a stored credential belongs to: from the members stored beside it, else from
//! its claims.

use std::borrow::Cow;

use serde::Serialize;

use serde_json::Value;

use crate::app::context::Context;
use crate::model::credential::{Credential, OAuth};
use crate::model::id::{ProfileId, printable};
use crate::model::profiles::VisibleProfile;
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::settings::Settings;
use crate::oauth::claims;

/// Longest text of a claim that is shown, in characters.
const SHOWN: usize = 120;

/// The member in which later releases store the ID token.
const ID_TOKEN: &str = "idToken";
const PLAN: &str = "chatgptPlanType";

/// The account, as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Account {
    /// The e-mail.
    pub email: Option<String>,
    /// The provider's id of the account.
    pub id: Option<String>,
    /// The plan.
    pub plan: Option<String>,
}

impl Account {
    /// Reads the account of a stored credential; claims count only where nothing is stored beside
    /// it.
    pub(in crate::app) fn of(
        settings: &Settings,
        manifest: Option<&Provider>,
        seen: &VisibleProfile<'_>,
    ) -> Self {
        let oauth = seen.credential.as_oauth();
        let told = match (manifest, oauth) {
            (Some(manifest), Some(oauth)) => {
                let id_token = member(oauth, ID_TOKEN).map(Secret::new);
                claims::of_stored(&manifest.account, oauth.access.as_ref(), id_token.as_ref())
            }
            _ => claims::AccountClaims::default(),
        };
        let configured = settings.profile(seen.id).and_then(|p| p.email.clone());
        let stored = seen.credential.email().map(str::to_owned);
        let id = oauth.and_then(|oauth| oauth.identity.account_id.clone());
        let plan = oauth.and_then(|oauth| member(oauth, PLAN));
        let shown = |text: Option<String>| {
            let text = text.map(|text| printable(&text, SHOWN));
            text.filter(|text| !text.is_empty())
        };
        Self {
            email: shown(configured.or(stored).or(told.identity.email)),
            id: shown(id.or(told.identity.account_id)).or_else(|| of_key(seen.credential)),
            plan: shown(plan.or(told.plan)),
        }
    }
}

fn member(oauth: &OAuth, name: &str) -> Option<String> {
    serde_json::from_str(oauth.extra.get(name)?).ok()
}

/// Returns the account id stored with an API key (Cloudflare's gateway).
fn of_key(credential: &Credential) -> Option<String> {
    let Credential::ApiKey(key) = credential else {
        return None;
    };
    let metadata: Value = serde_json::from_str(key.extra.get("metadata")?).ok()?;
    let id = metadata.get("accountId")?.as_str()?;
    Some(printable(id, SHOWN)).filter(|id| !id.is_empty())
}

/// Returns the name of a profile, with that of its account if it is known.
pub(in crate::app) fn label<'a>(id: &'a ProfileId, whose: Option<&str>) -> Cow<'a, str> {
    match whose {
        Some(whose) => format!("{id} ({whose})").into(),
        None => id.shown(),
    }
}

/// Returns the e-mail of a profile: the configuration's, else the document's.
pub(in crate::app) fn email_of(
    cx: Context<'_>,
    id: &ProfileId,
    credential: &Credential,
) -> Option<String> {
    let configured = cx.settings.profile(id).and_then(|p| p.email.clone());
    configured
        .or_else(|| credential.email().map(str::to_owned))
        .map(|email| printable(&email, 120))
        .filter(|email| !email.is_empty())
}
