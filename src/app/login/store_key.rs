//! Storage of an API key that a browser login created, under the name that OpenClaw gives it.

use serde_json::json;

use crate::model::credential::{ApiKey, Credential};
use crate::model::hint::{Command, Hint};
use crate::model::id::ProfileId;
use crate::model::json::{Extra, Verbatim};
use crate::model::provider::Provider;
use crate::oauth::key_exchange::Key;
use crate::ports::dialog::Notice;

use super::request::Request;
use crate::app::context::Context;
use crate::app::deposit::StoredProfile;
use crate::app::failure::Failure;

/// Stores it as `<provider>:default`, or under the requested name. Nothing tells whether two keys
/// belong to one account, so the old one is replaced; its history keeps it.
pub(in crate::app) fn keep(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    made: Key,
) -> Result<StoredProfile, Failure> {
    let profile = match &request.profile {
        Some(profile) => profile.clone(),
        None => ProfileId::of(&provider.id, "default")?,
    };
    let replaced = cx.is_taken(&request.agent, &profile);
    cx.dialog.notice(&Notice::Identity {
        email: None,
        account_id: made.user.clone(),
        plan: None,
        profile: profile.clone(),
        replaces: false,
    });
    let mut extra = Extra::default();
    let metadata = json!({ "authFlow": "oauth-pkce" });
    extra.set("metadata", Verbatim::new(metadata.to_string()));
    let new = Credential::ApiKey(ApiKey {
        provider: provider.id.to_string(),
        key: Some(made.key),
        email: None,
        extra,
    });
    let stored = StoredProfile {
        profile,
        provider: provider.id.clone(),
        kind: new.kind(),
        account: made.user,
        expires: None,
        replaced,
    };
    stored.store(cx, &request.agent, &new, &|_| true)?;
    if replaced {
        cx.info(
            Hint::from(format!(
                "{} was replaced; to see its previous versions, run `",
                stored.profile
            ))
            .run(Command::history(None))
            .then("`"),
        );
    }
    stored.finish(cx, None, request.default_model(provider))?;
    Ok(stored)
}
