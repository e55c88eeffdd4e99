//! Binding of a grant: it goes back to where it came from, or nowhere (RFC 9700 section 4.4). A
//! manifest, metadata or a variable that changed since must not send it elsewhere.
//!
//! Of an imported grant nobody wrote down where it came from. What other programs store under the
//! id of a built-in provider comes from that provider, so a manifest that replaces it gets such a
//! grant only once a person accepted its endpoint (`accept_endpoint.rs`).

use crate::model::grant::{Binding, GrantDigest, GrantRecord};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::{Provider, Registration};
use crate::oauth::address;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::ports::store::StoreError;
use crate::providers::catalogue;

/// Where a grant may go, and how that is known.
#[derive(Clone, Debug)]
pub(in crate::app) enum IssuedBy {
    /// To what issued it, or was accepted for it: this was written down.
    Known(Binding),
    /// To the server of its provider, which is built in: nothing was written down.
    BuiltIn(Box<Registration>),
    /// To where its manifest says: nothing tells more, and the first refresh binds it.
    Unknown,
}

impl IssuedBy {
    /// Returns where a grant without a known issuer may go.
    fn of_imported(provider: &ProviderId) -> Self {
        let built_in = catalogue::built_in(provider).and_then(|own| own.registration);
        match built_in {
            Some(own) if own.token.is_some() || own.issuer.is_some() => {
                Self::BuiltIn(Box::new(own))
            }
            _ => Self::Unknown,
        }
    }

    /// Returns the address that issued the grant, or counts as that; `None` if none is known.
    pub(in crate::app) fn address(&self) -> Option<&str> {
        match self {
            Self::Known(then) => Some(&then.token_endpoint),
            Self::BuiltIn(own) => own.token.as_deref().or(own.issuer.as_deref()),
            Self::Unknown => None,
        }
    }

    /// Whether a grant may go to this token endpoint.
    pub(in crate::app) fn allows(&self, endpoint: &str) -> bool {
        match self {
            Self::Known(then) => then.token_endpoint == endpoint,
            Self::BuiltIn(own) => match &own.token {
                Some(token) => token == endpoint,
                None => may_name(own, endpoint),
            },
            Self::Unknown => true,
        }
    }
}

/// Returns where a grant came from: by the journal, else by the copy in the history of its profile,
/// because the journal lies in a directory that people empty to get rid of a lock. A record without
/// a binding tells nothing of it: a failed refresh leaves such a one.
///
/// # Errors
/// If the history cannot be looked for.
pub(in crate::app) fn known(
    cx: Context<'_>,
    (owner, profile): (&AgentId, &ProfileId),
    provider: &ProviderId,
    grant: Option<&GrantDigest>,
    record: Option<&GrantRecord>,
) -> Result<IssuedBy, StoreError> {
    if let Some(recorded) = record.and_then(|record| record.binding.clone()) {
        return Ok(IssuedBy::Known(recorded));
    }
    let Some(grant) = grant else {
        return Ok(IssuedBy::Unknown);
    };
    let mut kept = cx.store.history(owner, Some(profile))?.histories;
    let mut copies = kept.iter_mut().filter_map(|it| it.bindings.remove(grant));
    let copy = copies.next().map(IssuedBy::Known);
    Ok(copy.unwrap_or_else(|| IssuedBy::of_imported(provider)))
}

/// Fails if the endpoint or client differs from the one that issued the grant. One that is built in
/// counts as the issuer of an imported grant; else that goes to where the manifest says.
///
/// # Errors
/// [`Kind::Config`]; with a hint if the endpoint may be accepted.
pub(in crate::app) fn check(
    (profile, provider): (&ProfileId, &Provider),
    now: &Binding,
    issued_by: &IssuedBy,
) -> Result<(), Failure> {
    let then = match issued_by {
        IssuedBy::Known(then) if !then.is_same(now) => then,
        // The document itself names the program that gave a login.
        IssuedBy::BuiltIn(_) if !now.is_to_program() && !issued_by.allows(&now.token_endpoint) => {
            return Err(not_accepted((profile, provider), now, issued_by));
        }
        _ => return Ok(()),
    };
    let described = |binding: &Binding, link: &str| {
        let endpoint = &binding.token_endpoint;
        match (binding.is_to_program(), binding.shown_client()) {
            (true, _) => endpoint.clone(),
            (false, Some(client)) => format!("{endpoint} {link} client {client}"),
            (false, None) => format!("{endpoint} {link} a client whose id is a secret"),
        }
    };
    let message = format!(
        "it was issued by {}, but {} now names {}; a refresh token is only sent to its issuer",
        described(then, "to"),
        source(provider, |registration| registration.token.is_none()),
        described(now, "and"),
    );
    Err(Failure::new(Kind::Config, message))
}

/// The failure of an imported grant that another endpoint than the built-in one would get.
fn not_accepted(
    (profile, provider): (&ProfileId, &Provider),
    now: &Binding,
    issued_by: &IssuedBy,
) -> Failure {
    let endpoint = &now.token_endpoint;
    let message = format!(
        "nothing tells who issued it, so it counts as issued by {}, but {} now names {endpoint}; a refresh token is only sent to its issuer",
        issued_by.address().unwrap_or_default(),
        source(provider, |registration| registration.token.is_none()),
    );
    let hint = Hint::from("if that server issued it, run: ");
    Failure::new(Kind::Config, message).hint(hint.run(Command::accept_endpoint(profile, endpoint)))
}

/// Whether the metadata of a server may name this address.
pub(in crate::app) fn may_name(registration: &Registration, address: &str) -> bool {
    let own = registration.issuer.as_deref().and_then(address::origin);
    address::fault(address, &registration.hosts, own.as_ref()).is_none()
}

/// Fails if the revocation endpoint differs from the one `known` at the login, or, if none was known,
/// does not have the origin of the token endpoint that issued the grant. An imported grant of a
/// built-in provider goes to what is built in.
///
/// # Errors
/// [`Kind::Config`], without a hint.
pub(in crate::app) fn check_revocation(
    profile: &ProfileId,
    provider: &Provider,
    endpoint: &str,
    (known, issued_by): (Option<&str>, &IssuedBy),
) -> Result<(), Failure> {
    let (is_it, then) = match (known, issued_by.address()) {
        (Some(known), _) => (known == endpoint, known),
        (None, Some(then)) => (is_of_server(endpoint, issued_by, then), then),
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

/// Whether a revocation endpoint is of the server that issued the grant at the address `then`.
fn is_of_server(endpoint: &str, issued_by: &IssuedBy, then: &str) -> bool {
    match issued_by {
        IssuedBy::BuiltIn(own) if own.revoke.is_some() => own.revoke.as_deref() == Some(endpoint),
        IssuedBy::BuiltIn(own) if own.token.is_none() => may_name(own, endpoint),
        _ => is_beside(endpoint, then),
    }
}

/// Whether two URLs have the same scheme, host and port.
fn is_beside(one: &str, other: &str) -> bool {
    address::origin(one).is_some_and(|one| address::origin(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider() -> Provider {
        Provider::of_program(ProviderId::parse("acme").unwrap())
    }

    fn binding(token_endpoint: &str, client_id: &str) -> Binding {
        Binding {
            token_endpoint: token_endpoint.to_owned(),
            client_id: client_id.to_owned(),
        }
    }

    fn profile() -> ProfileId {
        ProfileId::parse("acme:default").unwrap()
    }

    fn imported(id: &str) -> IssuedBy {
        IssuedBy::of_imported(&ProviderId::parse(id).unwrap())
    }

    #[test]
    fn rfc9700_4_4_a_refresh_goes_back_to_its_endpoint_and_client() {
        let then = binding("https://a.example/token", "client-1");
        let whose = (&profile(), &provider());
        let to = |now: &Binding| check(whose, now, &IssuedBy::Known(then.clone()));
        assert!(to(&then).is_ok());
        for other in [
            binding("https://a.example/token/", "client-1"),
            binding("https://b.example/token", "client-1"),
            binding("https://a.example/token", "client-2"),
        ] {
            assert_eq!(to(&other).unwrap_err().kind, Kind::Config, "{other:?}");
            assert!(check(whose, &other, &IssuedBy::Unknown).is_ok());
        }
    }

    #[test]
    fn rfc9700_4_4_an_imported_login_goes_to_what_is_built_in() {
        let whose = (&profile(), &provider());
        let to = |id: &str, endpoint: &str| {
            let checked = check(whose, &binding(endpoint, "any"), &imported(id));
            checked.map_err(|failure| (failure.kind, failure.hint.is_some()))
        };
        let refused = Err((Kind::Config, true));
        let codex = "https://auth.openai.com/oauth/token";
        assert_eq!(to("openai-codex", codex), Ok(()));
        for other in [
            "https://auth.openai.com/oauth/token/",
            "https://auth.openai.com:8443/oauth/token",
            "https://evil.example/oauth/token",
        ] {
            assert_eq!(to("openai-codex", other), refused, "{other}");
        }
        // Of the one built-in provider whose metadata names it.
        assert_eq!(to("xai", "https://accounts.x.ai/token"), Ok(()));
        assert_eq!(to("xai", "https://x.ai.evil.example/token"), refused);
        // No endpoint is built in.
        assert_eq!(to("acme", "https://acme.example/token"), Ok(()));
        assert_eq!(to("groq", "https://acme.example/token"), Ok(()));
        // Its document names the program.
        let program = Binding::to_program("/usr/bin/acme");
        assert!(check(whose, &program, &imported("openai-codex")).is_ok());
    }

    #[test]
    fn rfc9700_4_4_a_revocation_goes_to_the_server_of_the_grant() {
        let then = IssuedBy::Known(binding("https://a.example/token", "client-1"));
        let to = |known: Option<&str>, then: &IssuedBy, endpoint: &str| {
            check_revocation(&profile(), &provider(), endpoint, (known, then)).is_ok()
        };
        assert!(to(None, &then, "https://a.example/revoke"));
        for other in [
            "https://b.example/revoke",
            "http://a.example/revoke",
            "https://a.example:8443/revoke",
            "data:,",
        ] {
            assert!(!to(None, &then, other), "{other}");
        }
        let known = Some("https://other.example/revoke");
        assert!(to(known, &then, "https://other.example/revoke"));
        assert!(!to(known, &then, "https://a.example/revoke"));
        assert!(to(None, &IssuedBy::Unknown, "https://b.example/revoke"));
        let (codex, xai) = (imported("openai-codex"), imported("xai"));
        assert!(to(None, &codex, "https://auth.openai.com/oauth/revoke"));
        assert!(!to(None, &codex, "https://auth.openai.com/other"));
        assert!(to(None, &xai, "https://accounts.x.ai/revoke"));
        assert!(!to(None, &xai, "https://b.example/revoke"));
    }
}
