//! A login that a command for many logins leaves for another time.

use crate::app::context::Context;
use crate::app::credential::assessment::has_enough_life;
use crate::app::credential::obstacle::not_tried;
use crate::app::failure::Failure;
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::Provider;

use super::outcome::{RefreshPolicy, RefreshResult, ValidToken};
use super::request::{RefreshRequest, document_facts, fall_back, load_login, valid_token};

/// Returns the token of a login that is not refreshed now, with a warning that says why. Sends
/// nothing and changes nothing.
///
/// # Errors
/// [`Kind::Temporary`](crate::app::failure::Kind::Temporary) with that reason if the token is not
/// valid, and whatever keeps the login from being read.
pub(in crate::app) fn leave_for_later(
    cx: Context<'_>,
    (owner, profile): (&AgentId, &ProfileId),
    provider: &Provider,
    policy: RefreshPolicy,
    reason: &str,
) -> Result<ValidToken, Failure> {
    let request = RefreshRequest {
        cx,
        owner,
        profile,
        provider,
        policy,
    };
    let login = load_login(&request)?;
    let facts = document_facts(&request, &login);
    // Another process may have been here.
    if has_enough_life(&facts, policy, cx.clock.now()) {
        let how = RefreshResult::WasFresh;
        return Ok(valid_token(&request, login, how, None));
    }
    fall_back(&request, &facts, login, &not_tried(&facts, reason))
}
