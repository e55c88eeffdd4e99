//! Whose bill a request runs up.
//!
//! People lost money because a key was used where they thought a subscription was: so a manifest
//! says who pays, and nothing that nobody can know is claimed.

use serde::{Deserialize, Serialize};
use strum::AsRefStr;

use crate::model::kind::Kind;

/// The party that pays for a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, AsRefStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Bill {
    /// The plan of the account: one more request costs nothing more.
    Subscription,
    /// Each request is paid for.
    Metered,
    /// Nobody can say from the credential alone.
    #[default]
    Unknown,
}

/// The party that pays at a provider, by the kind of credential.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Billing {
    /// Payment of a login's requests.
    pub oauth: Bill,
    /// Payment of a token made elsewhere.
    pub token: Bill,
    /// Payment of an API key.
    pub api_key: Bill,
    /// Payment of a sign-in of the provider's own software.
    pub ambient: Bill,
}

impl Default for Billing {
    /// Keys are made to be billed by; of all else a manifest has to say it.
    fn default() -> Self {
        Self {
            oauth: Bill::Unknown,
            token: Bill::Unknown,
            api_key: Bill::Metered,
            ambient: Bill::Unknown,
        }
    }
}

impl Billing {
    /// Returns who pays where a credential of this kind is used.
    pub fn of(&self, kind: Kind) -> Bill {
        match kind {
            Kind::OAuth => self.oauth,
            Kind::Token => self.token,
            Kind::ApiKey => self.api_key,
        }
    }
}
