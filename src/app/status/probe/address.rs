//! Permission of a probe: whether a credential may go to its address.
//!
//! The invariant: a credential goes to its own provider or nowhere. What a manifest, a file of the
//! user's or the configuration says now must not hand one that was stored for somebody else to the
//! host of a probe (RFC 9700 section 4.4 for grants; a key has no binding, so its host is judged).

use crate::app::context::Context;
use crate::app::refresh::binding::{self, IssuedBy};
use crate::model::credential::{Credential, Kind};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::{Probe, ProbeRoute, Provider};
use crate::oauth::address;
use crate::ports::store::StoreError;
use crate::providers::catalogue;

/// Returns the route of a probe for that kind of credential.
pub(super) fn way(probe: &Probe, kind: Kind) -> Option<&ProbeRoute> {
    match kind {
        Kind::ApiKey => probe.key.as_ref(),
        Kind::Token | Kind::OAuth => probe.token.as_ref(),
    }
}

/// Returns why a credential of that kind is not sent to `way`, one sentence; `None` if it may be.
///
/// # Errors
/// If the journal cannot be read.
pub(super) fn fault(
    cx: Context<'_>,
    provider: &Provider,
    way: &ProbeRoute,
    kind: Kind,
    stored: Option<(&AgentId, &ProfileId, &Credential)>,
) -> Result<Option<String>, StoreError> {
    let id = &provider.id;
    let Some(host) = address::host(&way.url) else {
        return Ok(Some(format!("The probe of {id} has no host.")));
    };
    if let Some(base) = configured(cx, id)
        && address::host(base).as_ref() != Some(&host)
    {
        return Ok(Some(format!(
            "models.providers sends {id} to another host than the probe ({host}): not sent."
        )));
    }
    let own = catalogue::built_in(id).and_then(|own| own.probe);
    let own = own.as_ref().and_then(|own| self::way(own, kind));
    if let Some(own) = own
        && address::origin(&own.url) != address::origin(&way.url)
    {
        return Ok(Some(format!(
            "Your file sends the probe of {id} to {host}, but the credential of a built-in provider \
             is only sent to its own host: define {host} as a separate provider."
        )));
    }
    let grant = stored.and_then(|(.., credential)| credential.as_oauth()?.grant());
    let (Some(grant), Some((owner, profile, _))) = (grant, stored) else {
        return Ok(None);
    };
    let record = cx.store.grant_record(&grant)?;
    let issued_by = binding::known(cx, (owner, profile), id, Some(&grant), record.as_ref())?;
    Ok(foreign(provider, &issued_by))
}

/// Returns `models.providers.<id>.baseUrl`.
fn configured<'a>(cx: Context<'a>, id: &ProviderId) -> Option<&'a str> {
    let mut all = cx.settings.providers.iter();
    let found = all.find(|other| id.is_named(&other.name))?;
    found.base_url.as_deref()
}

/// Whether another server issued the grant than the one that the manifest names now.
fn foreign(provider: &Provider, issued_by: &IssuedBy) -> Option<String> {
    if let IssuedBy::Known(then) = issued_by
        && then.is_to_program()
    {
        return None;
    }
    let registration = provider.registration.as_ref()?;
    let then = issued_by.address()?;
    let is_same = match (&registration.token, &registration.issuer) {
        (Some(token), _) => issued_by.allows(token),
        (None, Some(_)) => binding::may_name(registration, then),
        (None, None) => true,
    };
    (!is_same).then(|| {
        format!(
            "This login was issued by {then}, but the manifest of {} now names another server: not sent.",
            provider.id
        )
    })
}
