//! What every report shows of a stored credential.

use serde::Serialize;

use crate::model::credential::{Credential, Kind};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// A stored credential without its secrets, as its document describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredCredential {
    /// The kind of credential.
    #[serde(rename = "type")]
    pub kind: Kind,
    /// Its provider as written.
    pub provider: String,
    /// The e-mail, if known.
    pub email: Option<String>,
    /// The account id, if known.
    pub account_id: Option<String>,
    /// When its token expires, if that is known.
    #[serde(rename = "expiresAt")]
    pub expires: Option<Timestamp>,
    /// A fingerprint of its secret, which reveals nothing of it; `None` if it holds none.
    pub fingerprint: Option<String>,
    /// Whether a secret of it is sealed.
    #[serde(rename = "sealed", skip_serializing_if = "std::ops::Not::not")]
    pub is_sealed: bool,
    /// Where its secret lies, if it is only referred to; for people.
    #[serde(skip)]
    pub reference: Option<String>,
}

impl StoredCredential {
    pub(in crate::app) fn of(credential: &Credential) -> Self {
        let oauth = credential.as_oauth();
        Self {
            kind: credential.kind(),
            provider: credential.raw_provider().to_owned(),
            email: credential.email().map(str::to_owned),
            account_id: oauth.and_then(|oauth| oauth.identity.account_id.clone()),
            expires: credential.expires(),
            reference: (credential.shown_secret())
                .filter(|secret| secret.as_reference().is_some())
                .map(Secret::masked),
            fingerprint: credential.shown_secret().and_then(Secret::fingerprint),
            is_sealed: credential.is_sealed(),
        }
    }
}
