//! Whether a bundle comes from this machine.

use super::content::Content;
use super::marker::is_handed_over;
use super::strip::is_anywhere;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;

/// Whether this machine handed something over in a bundle, by the journal or the documents.
///
/// # Errors
/// If they cannot be read.
pub(super) fn is_from_here(cx: Context<'_>, content: &Content) -> Result<bool, Failure> {
    for grant in grants(content) {
        if is_handed_over(cx, &grant, &content.head.id)? {
            return Ok(true);
        }
    }
    is_anywhere(cx, &content.head.id)
}

/// The grants in a bundle.
fn grants(content: &Content) -> Vec<GrantDigest> {
    let profiles = content
        .agents
        .iter()
        .flat_map(|one| one.document.profiles());
    let logins = profiles.filter_map(|(_, credential)| Credential::as_oauth(credential));
    logins.filter_map(OAuth::grant).collect()
}
