//! An attempt outside its process: everything of it that must be known when its code comes, for a
//! login that is begun by one process and ended by another.

use oauth2::PkceCodeChallenge;

use super::{Attempt, BeginError};
use crate::model::secret::Secret;
use crate::oauth::pkce::{code_challenge, code_verifier};
use crate::oauth::random::random_value;
use crate::ports::host::Random;

/// What an attempt knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersistedAuthorization {
    /// The redirect URI exactly as sent.
    pub redirect_uri: String,
    /// `state`.
    pub state: Secret<String>,
    /// The PKCE verifier: who has it and the code has the login.
    pub verifier: Secret<String>,
    /// The nonce that the ID token must repeat, if one was sent.
    pub nonce: Option<Secret<String>>,
    /// The issuer that the answer may name (RFC 9207).
    pub issuer: Option<String>,
    /// Whether the answer must name it.
    pub sends_iss: bool,
}

impl Attempt {
    /// What must be known to go on with this attempt elsewhere.
    pub fn kept(&self) -> PersistedAuthorization {
        PersistedAuthorization {
            redirect_uri: self.redirect_uri.clone(),
            state: self.state.clone(),
            verifier: self.code_verifier.clone(),
            nonce: self.nonce.clone(),
            issuer: self.issuer.clone(),
            sends_iss: self.sends_iss,
        }
    }

    /// An attempt that was begun elsewhere. Its URL is not known any more.
    pub fn resume(kept: PersistedAuthorization) -> Self {
        Self {
            url: String::new(),
            redirect_uri: kept.redirect_uri,
            state: kept.state,
            code_verifier: kept.verifier,
            nonce: kept.nonce,
            issuer: kept.issuer,
            sends_iss: kept.sends_iss,
        }
    }

    /// The two secrets alone, for an authorization request that is not that of RFC 6749.
    pub(in crate::oauth) fn without_url(
        redirect_uri: &str,
        random: &dyn Random,
    ) -> Result<Self, BeginError> {
        let verifier = code_verifier(random)?;
        Ok(Self::resume(PersistedAuthorization {
            redirect_uri: redirect_uri.to_owned(),
            state: random_value(random)?,
            verifier,
            nonce: None,
            issuer: None,
            sends_iss: false,
        }))
    }

    pub(in crate::oauth) fn code_challenge(&self) -> PkceCodeChallenge {
        code_challenge(&self.code_verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::authorization::tests::begin;

    #[test]
    fn an_attempt_goes_on_where_it_was_left() {
        let attempt = begin(Some("https://login.example"));
        let kept = attempt.kept();
        assert!(!format!("{kept:?}").contains(kept.verifier.expose()));
        let resumed = Attempt::resume(kept.clone());
        assert_eq!(resumed.kept(), kept);
        let pair = |name: &str, value: &str| (name.to_owned(), Secret::from(value));
        let good = [pair("code", "ac"), pair("state", kept.state.expose())];
        assert_eq!(resumed.finish(&good), attempt.finish(&good));
        assert!(resumed.finish(&good).is_ok());
        assert!(
            resumed
                .finish(&[pair("code", "ac"), pair("state", "x")])
                .is_err()
        );
    }
}
