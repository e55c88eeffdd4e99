//! Acceptance of a token endpoint for an imported grant, by a person.
//!
//! Nothing is sent here. What is accepted is the binding of the grant from then on, so the refresh
//! that follows, and one after a failure, need no other word; a successor inherits it.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::credential::OAuth;
use crate::model::grant::GrantRecord;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::Provider;

use super::backoff::WAIT_FOR_OTHERS;
use super::binding;
use super::lock_grant::lock_grant;
use super::target::Route;

/// Binds the grant of a login to the token endpoint that its refresh goes to, if that is `accepted`
/// and nobody wrote down another one.
///
/// # Errors
/// [`Kind::Usage`] if the refresh would go elsewhere, and [`Kind::Config`] if another endpoint is
/// known to have issued the grant; nothing was written then.
pub(in crate::app) fn accept_endpoint(
    cx: Context<'_>,
    (owner, profile): (&AgentId, &ProfileId),
    provider: &Provider,
    login: &OAuth,
    accepted: &str,
) -> Result<(), Failure> {
    let route = Route::of(cx, provider, login)?;
    let (Some(route @ Route::Endpoint(_)), Some(grant)) = (route, login.grant()) else {
        let message = "has no refresh token that goes to a token endpoint";
        let failure = Failure::about(profile, Kind::Usage, message);
        return Err(failure.hint(Command::refresh(profile)));
    };
    let now = route.binding();
    if now.token_endpoint != accepted {
        let message = format!(
            "would be refreshed at {}, and not at {accepted}",
            now.token_endpoint
        );
        let failure = Failure::about(profile, Kind::Usage, message);
        return Err(failure.hint(Command::refresh(profile)));
    }
    let deadline = cx.clock.monotonic() + WAIT_FOR_OTHERS;
    // Whoever holds it may be about to write how a refresh went.
    let Some(_held) = lock_grant(cx, profile, &grant, deadline)? else {
        return Ok(());
    };
    let record = cx.store.grant_record(&grant)?;
    let issued_by = binding::known(
        cx,
        (owner, profile),
        &provider.id,
        Some(&grant),
        record.as_ref(),
    )?;
    if let binding::IssuedBy::Known(_) = issued_by {
        return binding::check((profile, provider), &now, &issued_by).map_err(|failure| {
            let message = format!("could not be refreshed: {failure}");
            let failure = Failure::about(profile, failure.kind, message);
            failure.hint(Command::login(&provider.id, Some(profile)))
        });
    }
    let record = record.unwrap_or_else(|| GrantRecord::new(grant, &provider.id, profile));
    // Spent, with a response that is still to be stored: its successor will be bound.
    if record.successor().is_some() {
        return Ok(());
    }
    let record = GrantRecord {
        binding: Some(now),
        ..record
    };
    Ok(cx.store.record_login(&record)?)
}
