//! Revocation of what a refresh brought for a login that was removed meanwhile: nothing holds it, and the
//! provider would accept it for as long as it lives.

use super::{HastyHttp, RevocationPlan};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::hooks::queue::Unwanted;
use crate::app::refresh::rotation;
use crate::model::credential::Credential;
use crate::ports::store::{Detail, Scope};

/// Revokes what the command has no use for. Must be called when its output has been written: a server may
/// take its time.
///
/// What goes wrong is told, and is no failure.
pub(in crate::app) fn revoke_all(cx: Context<'_>) {
    let http = HastyHttp(cx.http);
    for unwanted in cx.alerts.take_unwanted() {
        if is_held(cx, &unwanted) {
            continue;
        }
        match revoke(Context { http: &http, ..cx }, &unwanted) {
            Ok(()) => {
                tracing::info!(profile = %unwanted.profile, "revoked what was refreshed in vain");
            }
            // It cannot be revoked, or must not be.
            Err(failure) if failure.kind == Kind::Config => tracing::debug!("{failure}"),
            Err(failure) => tracing::warn!("what was refreshed in vain may stay valid: {failure}"),
        }
    }
}

/// Whether anything may still want it: a profile that has another login by now, for many servers end all
/// logins of an account with one of them; a copy; a history.
fn is_held(cx: Context<'_>, unwanted: &Unwanted) -> bool {
    let (owner, profile) = (&unwanted.owner, &unwanted.profile);
    let document = cx
        .store
        .look(owner, Scope::Profile(profile), Detail::Masked);
    let is_gone = document.is_ok_and(|document| document.get(profile).is_none());
    let grant = unwanted.login.grant();
    !is_gone || grant.is_none_or(|grant| rotation::holders_and_keepers(cx).contains_key(&grant))
}

fn revoke(cx: Context<'_>, unwanted: &Unwanted) -> Result<(), Failure> {
    let whose = (&unwanted.owner, &unwanted.profile);
    let plan = RevocationPlan::of(cx, whose, Credential::OAuth(unwanted.login.clone()))?;
    plan.check_origin(cx, plan.record(cx)?.as_ref())?;
    plan.send(cx)
}
