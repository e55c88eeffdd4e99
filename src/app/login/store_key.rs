//! Storage of an API key that a browser login created, under the name that OpenClaw gives it.

use serde_json::json;

use crate::model::credential::{ApiKey, Credential};
use crate::model::hint::{Command, Hint};
use crate::model::json::{Extra, Verbatim};
use crate::oauth::key_exchange::Key;
use crate::ports::dialog::Notice;

use super::login_file::SavedLogin;
use super::request::Login;
use crate::app::deposit::StoredProfile;
use crate::app::failure::Failure;

/// Stores it as `<provider>:default`, or under the requested name. Nothing tells whether two keys
/// belong to one account, so the old one is replaced; its history keeps it. The person may
/// have to know it for their own where another is replaced or its account is unknown; `None` if not.
pub(super) fn keep(
    login: Login<'_>,
    made: Key,
    saved: &mut SavedLogin,
) -> Result<Option<StoredProfile>, Failure> {
    let Login { cx, provider, .. } = login;
    let profile = login.profile_or(None)?;
    cx.dialog.notice(&Notice::Identity {
        email: None,
        account_id: made.user.clone(),
        plan: None,
        profile: profile.clone(),
        replaces: false,
    });
    let replaced = cx.is_taken(&login.request.agent, &profile);
    let replaced = Some(&profile).filter(|_| replaced);
    let is_doubtful = replaced.is_some() || made.user.is_none();
    if is_doubtful && !saved.is_own(login, replaced)? {
        return Ok(None);
    }
    let mut extra = Extra::default();
    let metadata = json!({ "authFlow": "oauth-pkce" });
    extra.set("metadata", Verbatim::new(metadata.to_string()));
    let new = Credential::ApiKey(ApiKey {
        provider: provider.id.to_string(),
        key: Some(made.key),
        email: None,
        extra,
    });
    let stored = login.store(profile, made.user, &new, None)?;
    if stored.replaced {
        cx.info(
            Hint::from(format!(
                "{} was replaced; to see its previous versions, run `",
                stored.profile
            ))
            .run(Command::history(None))
            .then("`"),
        );
    }
    login.finish(stored, None).map(Some)
}
