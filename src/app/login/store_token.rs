//! Storage of a long-lived token: nothing refreshes it, and it does not tell its account.

use crate::model::credential::{Credential, Token};
use crate::model::json::Extra;
use crate::oauth::grant::Grant;

use super::request::Login;
use crate::app::deposit::StoredProfile;
use crate::app::failure::Failure;

/// Announces, before the user makes the effort, that a stored token will be replaced.
pub(super) fn announce(login: Login<'_>, name: Option<&str>) -> Result<(), Failure> {
    let profile = login.profile_or(name)?;
    if !login.request.yes && login.cx.is_taken(&login.request.agent, &profile) {
        let text = format!("{profile} already exists and will be replaced");
        login.cx.info(text);
    }
    Ok(())
}

/// Stores the token.
pub(super) fn keep(
    login: Login<'_>,
    name: Option<&str>,
    grant: Grant,
) -> Result<StoredProfile, Failure> {
    let profile = login.profile_or(name)?;
    login.cx.tell_skew(grant.skew_warning());
    let new = Credential::Token(Token {
        provider: login.provider.id.to_string(),
        token: Some(grant.access),
        expires: grant.expires,
        email: None,
        extra: Extra::default(),
    });
    let stored = login.store(profile, None, &new, None)?;
    login.finish(stored, None)
}
