//! Binding of a grant: it goes back to where it came from, or nowhere (RFC 9700 section 4.4). A
//! manifest, metadata or a variable that changed since must not send it elsewhere.

use crate::model::grant::{Binding, GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::{Provider, Registration};
use crate::oauth::address;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::ports::store::StoreError;

/// Returns where a grant came from: by the journal, else by the copy in the history of its profile,
/// because the journal lies in a directory that people empty to get rid of a lock.
///
/// # Errors
/// If the history cannot be looked for.
pub(in crate::app) fn known(
    cx: Context<'_>,
    (owner, profile): (&AgentId, &ProfileId),
    grant: Option<&GrantDigest>,
    record: Option<&GrantRecord>,
) -> Result<Option<Binding>, StoreError> {
    let recorded = record.and_then(|record| record.binding.clone());
    let (None, Some(grant)) = (&recorded, grant) else {
        return Ok(recorded);
    };
    let mut kept = cx.store.history(owner, Some(profile))?.histories;
    let copies = kept.iter_mut();
    Ok(copies.filter_map(|kept| kept.bindings.remove(grant)).next())
}

/// Fails if the endpoint or client differs from the one that issued the grant. A grant without a
/// known issuer goes to where the manifest says.
///
/// # Errors
/// [`Kind::Config`], without a hint.
pub(in crate::app) fn check(
    provider: &Provider,
    now: &Binding,
    then: Option<&Binding>,
) -> Result<(), Failure> {
    let Some(then) = then else {
        return Ok(());
    };
    if then == now {
        return Ok(());
    }
    let described = |binding: &Binding, link: &str| match binding.is_to_program() {
        true => binding.token_endpoint.clone(),
        false => format!(
            "{} {link} client {}",
            binding.token_endpoint, binding.client_id
        ),
    };
    let message = format!(
        "it was issued by {}, but {} now names {}; a refresh token is only sent to its issuer",
        described(then, "to"),
        source(provider, |registration| registration.token.is_none()),
        described(now, "and"),
    );
    Err(Failure::new(Kind::Config, message))
}

/// Fails if the revocation endpoint differs from the one `known` at the login, or, if none was known,
/// does not have the origin of the token endpoint that issued the grant.
///
/// # Errors
/// [`Kind::Config`], without a hint.
pub(in crate::app) fn check_revocation(
    profile: &ProfileId,
    provider: &Provider,
    endpoint: &str,
    (known, issued_by): (Option<&str>, Option<&Binding>),
) -> Result<(), Failure> {
    let issued_by = issued_by.map(|then| then.token_endpoint.as_str());
    let (is_it, then) = match (known, issued_by) {
        (Some(known), _) => (known == endpoint, known),
        (None, Some(issued_by)) => (is_beside(endpoint, issued_by), issued_by),
        (None, None) => return Ok(()),
    };
    if is_it {
        return Ok(());
    }
    let source = source(provider, |registration| registration.revoke.is_none());
    let message = format!(
        "{profile} was issued by {then}, but {source} now names {endpoint}; a token is only sent to its issuer"
    );
    Err(Failure::new(Kind::Config, message))
}

/// Returns who names the endpoint: the manifest, or the issuer.
fn source(provider: &Provider, is_told: fn(&Registration) -> bool) -> String {
    match &provider.registration {
        Some(registration) if is_told(registration) => {
            format!("the issuer metadata of {}", provider.id)
        }
        _ => format!("the manifest of {}", provider.id),
    }
}

/// Whether two URLs have the same scheme, host and port.
fn is_beside(one: &str, other: &str) -> bool {
    address::origin(one).is_some_and(|one| address::origin(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::ProviderId;

    fn provider() -> Provider {
        Provider::of_program(ProviderId::parse("acme").unwrap())
    }

    fn binding(token_endpoint: &str, client_id: &str) -> Binding {
        Binding {
            token_endpoint: token_endpoint.to_owned(),
            client_id: client_id.to_owned(),
        }
    }

    #[test]
    fn rfc9700_4_4_a_refresh_goes_back_to_its_endpoint_and_client() {
        let then = binding("https://a.example/token", "client-1");
        let provider = &provider();
        let to = |now: &Binding| check(provider, now, Some(&then));
        assert!(to(&then).is_ok());
        for other in [
            binding("https://a.example/token/", "client-1"),
            binding("https://b.example/token", "client-1"),
            binding("https://a.example/token", "client-2"),
        ] {
            assert_eq!(to(&other).unwrap_err().kind, Kind::Config, "{other:?}");
            assert!(check(provider, &other, None).is_ok());
        }
    }

    #[test]
    fn rfc9700_4_4_a_revocation_goes_to_the_server_of_the_grant() {
        let then = binding("https://a.example/token", "client-1");
        let profile = ProfileId::parse("acme:default").unwrap();
        let to = |known: Option<&str>, then: Option<&Binding>, endpoint: &str| {
            check_revocation(&profile, &provider(), endpoint, (known, then)).is_ok()
        };
        let then = Some(&then);
        assert!(to(None, then, "https://a.example/revoke"));
        for other in [
            "https://b.example/revoke",
            "http://a.example/revoke",
            "https://a.example:8443/revoke",
            "data:,",
        ] {
            assert!(!to(None, then, other), "{other}");
        }
        let known = Some("https://other.example/revoke");
        assert!(to(known, then, "https://other.example/revoke"));
        assert!(!to(known, then, "https://a.example/revoke"));
        assert!(to(None, None, "https://b.example/revoke"));
    }
}
