//! Binding of a grant: it goes back to where it came from, or nowhere (RFC 9700 section 4.4). A
//! manifest, metadata or a variable that changed since must not send it elsewhere.

use crate::model::grant::{Binding, GrantRecord};
use crate::model::id::ProfileId;
use crate::model::provider::{Provider, Registration};
use crate::oauth::address;

use crate::app::failure::{Failure, Kind};

/// Fails if the endpoint or client differs from the one that issued the grant. A grant without a
/// known issuer goes to where the manifest says.
///
/// # Errors
/// [`Kind::Config`], without a hint.
pub(in crate::app) fn check(
    provider: &Provider,
    now: &Binding,
    record: Option<&GrantRecord>,
) -> Result<(), Failure> {
    let Some(then) = record.and_then(|record| record.binding.as_ref()) else {
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

/// Fails if the revocation endpoint differs from the one known at the login, or, if none was known,
/// does not have the origin of the token endpoint.
///
/// # Errors
/// [`Kind::Config`], without a hint.
pub(in crate::app) fn check_revocation(
    profile: &ProfileId,
    provider: &Provider,
    endpoint: &str,
    record: &GrantRecord,
) -> Result<(), Failure> {
    let known = record.revocation_endpoint.as_deref();
    let issued_by = record
        .binding
        .as_ref()
        .map(|then| then.token_endpoint.as_str());
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
    use crate::model::grant::GrantDigest;
    use crate::model::id::ProviderId;
    use crate::model::secret::Secret;

    fn record(binding: Option<&Binding>, revocation_endpoint: Option<&str>) -> GrantRecord {
        let provider = ProviderId::parse("acme").unwrap();
        GrantRecord {
            grant: GrantDigest::of(&provider, &Secret::from("rt")),
            profile: ProfileId::parse("acme:default").unwrap(),
            binding: binding.cloned(),
            subject: None,
            revocation_endpoint: revocation_endpoint.map(str::to_owned),
            proven_at: None,
            attempt: None,
            provider,
        }
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
        let record = record(Some(&then), None);
        let provider = &Provider::of_program(record.provider.clone());
        let to = |now: &Binding| check(provider, now, Some(&record));
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
        let to = |record: &GrantRecord, endpoint: &str| {
            let provider = Provider::of_program(record.provider.clone());
            check_revocation(&record.profile, &provider, endpoint, record).is_ok()
        };
        let unknown = record(Some(&then), None);
        assert!(to(&unknown, "https://a.example/revoke"));
        for other in [
            "https://b.example/revoke",
            "http://a.example/revoke",
            "https://a.example:8443/revoke",
            "data:,",
        ] {
            assert!(!to(&unknown, other), "{other}");
        }
        let known = record(Some(&then), Some("https://other.example/revoke"));
        assert!(to(&known, "https://other.example/revoke"));
        assert!(!to(&known, "https://a.example/revoke"));
        assert!(to(&record(None, None), "https://b.example/revoke"));
    }
}
