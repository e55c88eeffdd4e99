//! Storage of an API key that a browser login created, under the name that OpenClaw gives it.

use serde_json::json;

use crate::model::credential::{ApiKey, Credential, Kind as CredentialKind};
use crate::model::hint::{Command, Hint};
use crate::model::id::ProfileId;
use crate::model::json::{Extra, Verbatim};
use crate::model::provider::Provider;
use crate::oauth::key_exchange::Key;
use crate::ports::dialog::Notice;
use crate::ports::store::Change;

use super::request::{Outcome, Request};
use super::store_login::finished;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::paste;

/// Stores it as `<provider>:default`, or under the requested name. Nothing tells whether two keys
/// belong to one account, so the old one is replaced; its history keeps it.
pub(in crate::app) fn keep(
    cx: Context<'_>,
    request: &Request,
    provider: &Provider,
    made: Key,
) -> Result<Outcome, Failure> {
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
    let mut new = ApiKey {
        provider: provider.id.to_string(),
        key: Some(made.key),
        email: None,
        extra: Extra::default(),
    };
    let metadata = Verbatim::new(json!({ "authFlow": "oauth-pkce" }).to_string());
    let written = cx.store.update(&request.agent, &mut |document| {
        if let Some(Credential::ApiKey(old)) = document.get(&profile) {
            new.extra = paste::beside(&old.extra, "keyRef");
        }
        new.extra.set("metadata", metadata.clone());
        document.put(profile.clone(), Credential::ApiKey(new.clone()));
        Change::Write
    })?;
    cx.tell_faults(&written);
    if replaced {
        cx.info(
            Hint::from(format!("{profile} held something else before; `"))
                .run(Command::history(None))
                .then("` tells what is kept of it"),
        );
    }
    let outcome = Outcome {
        account: made.user.unwrap_or_else(|| profile.to_string()),
        profile,
        provider: provider.id.clone(),
        expires: None,
        replaced,
    };
    finished(
        cx,
        request,
        provider,
        (CredentialKind::ApiKey, None),
        outcome,
    )
}
