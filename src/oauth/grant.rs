//! What a token endpoint, or a program that speaks for one, gave.

use crate::model::credential::{Identity, OAuth};
use crate::model::hint::{Command, Hint};
use crate::model::id::ProviderId;
use crate::model::json::Extra;
use crate::model::provider::RefreshSettings;
use crate::model::secret::Secret;
use crate::model::time::{Timestamp, short_duration};

/// A clock that is wrong by no more than this, in milliseconds, concerns nobody.
const TOLERATED_SKEW: i64 = 300_000;

/// A grant, as a token endpoint or a plugin gave it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The access token.
    pub access: Secret<String>,
    /// The refresh token; after a refresh `None` means that the old one goes on (RFC 6749 section
    /// 6), which is for the caller to merge.
    pub refresh: Option<Secret<String>>,
    /// The ID token, if one came.
    pub id_token: Option<Secret<String>>,
    /// When the access token ends, in milliseconds since the Unix epoch, less the margin that the
    /// manifest bakes in; `None` if neither the answer nor the token says.
    pub expires: Option<Timestamp>,
    /// The server's clock less ours, in milliseconds, by its `Date` header.
    pub clock_skew: Option<i64>,
    /// More members for the stored credential.
    pub extra: Extra,
    /// The nonce that the ID token must repeat, if the authorization request held one.
    pub nonce: Option<Secret<String>>,
    /// The whole answer, for claims that stand in it.
    pub response: Secret<Vec<u8>>,
}

impl Grant {
    /// Warns, in a sentence, if this machine's clock and the server's differ by more than five
    /// minutes.
    ///
    /// Ends are stored by this machine's clock, so they are right for as long as it runs on as it
    /// is. Set right, it makes them wrong by as much.
    pub fn skew_warning(&self) -> Option<Hint> {
        let skew = self.clock_skew?;
        let size = skew.saturating_abs();
        let by = (size > TOLERATED_SKEW).then(|| short_duration(size))?;
        let way = if skew > 0 { "behind" } else { "ahead of" };
        let warning = Hint::from(format!(
            "the system clock is {by} {way} the provider's, which makes stored expiry times wrong. Set it, then run `"
        ));
        Some(
            warning
                .run(Command::new("models auth refresh --force"))
                .then("`"),
        )
    }

    /// Converts the answer to a refresh to what is laid over the old login. `now` is the moment at
    /// which its request was begun.
    ///
    /// A refresh token brings the next access token, so one whose end nobody told lives for as long
    /// as the manifest says, and is not refreshed by each command.
    pub fn into_renewal(
        mut self,
        provider: &ProviderId,
        settings: &RefreshSettings,
        now: Timestamp,
    ) -> OAuth {
        self.expires = self.expires.or(Some(now.after(settings.default_life)));
        self.into_credential(provider, Identity::default())
    }

    /// Converts the grant to what is stored.
    pub fn into_credential(self, provider: &ProviderId, identity: Identity) -> OAuth {
        OAuth {
            provider: provider.as_str().to_owned(),
            access: Some(self.access),
            refresh: self.refresh,
            expires: self.expires,
            identity,
            extra: self.extra,
        }
    }
}
