//! The facts about a stored credential: from its document, the journal, its manifest and the
//! configuration.

use std::time::Duration;

use serde::Serialize;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::refresh::binding::{self, IssuedBy};
use crate::model::credential::{Kind, SecretFault};
use crate::model::expiry::{End, Freshness, freshness};
use crate::model::grant::{GrantDigest, GrantRecord, GrantStanding, Refusal};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::moved::Moved;
use crate::model::time::{LocalTime, Timestamp};
use crate::ports::store::StoreError;

/// The facts that an assessment of a credential is made of.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The profile it lies in.
    pub profile: ProfileId,
    /// Its provider, if it names a valid one.
    pub provider: Option<ProviderId>,
    /// The agent in whose document it lies.
    pub owner: AgentId,
    /// The kind of credential.
    pub kind: Kind,
    /// Whether it is a token from the client credentials grant, which the client can request again.
    pub of_client: bool,
    /// Whether there is a secret to hand out.
    pub secret_present: bool,
    /// Why what stands in the place of the secret is none.
    pub secret_fault: Option<SecretFault>,
    /// Whether a reference that this program does not follow stands in place of the secret.
    pub is_reference: bool,
    /// The reference that is followed when the secret is handed out, as it is shown.
    pub reference: Option<String>,
    /// Whether its secrets are sealed.
    pub is_sealed: bool,
    /// Whether there is a refresh token.
    pub refresh_present: bool,
    /// Where its refresh token went, if that is on another machine.
    pub moved: Option<Moved>,
    /// When its access token expires, as stored.
    pub expires: Option<Timestamp>,
    /// What refreshes it.
    pub renewal: Renewal,
    /// The digest of the grant, if anything can refresh it: its key in the journal and among the
    /// locks.
    pub grant: Option<GrantDigest>,
    /// The remaining lifetime at which a refresh is due.
    pub margin: Duration,
    /// A grant that was not refreshed for longer than this is refreshed to keep it alive.
    pub idle: Duration,
    /// Whether a refresh could be sent, as far as can be told without a request.
    pub path: RefreshPath,
    /// Whether its provider has a login, rather than a secret to paste.
    pub logs_in: bool,
    /// The journal's record of the grant.
    pub record: Option<Box<GrantRecord>>,
    /// The standing of the grant by that record.
    pub standing: GrantStanding,
    /// What took the place of a spent grant, if any document holds it.
    pub successor: Option<Box<Successor>>,
    /// When the grant expires if it is not used, for providers that say so.
    pub rests_until: Option<Timestamp>,
    /// How what is said of it tells times.
    pub local: LocalTime,
}

impl Facts {
    /// When the access token expires, whatever unit it is stored in; `None` if nobody knows.
    pub fn expires_at(&self) -> Option<Timestamp> {
        End::known_of(self.expires)
    }

    /// How fresh the access token is; with `margin` left it counts as due.
    pub fn freshness(&self, margin: Duration, now: Timestamp) -> Freshness {
        if !self.secret_present {
            return Freshness::Expired { since: None };
        }
        let end = self.expires.map(|stored| End::read_at(stored, now));
        let is_known = end.is_some_and(|end| end.known().is_some());
        match self.kind {
            Kind::ApiKey => Freshness::NoExpiry,
            // Nothing brings a better one: asked again, the server would say no more of a client's
            // token, and without a refresh token it cannot be asked.
            Kind::Token | Kind::OAuth if !is_known && !self.refresh_present => Freshness::NoExpiry,
            _ => freshness(self.expires, now, margin),
        }
    }

    /// When a token endpoint last issued or rotated the grant to us.
    pub fn proven_at(&self) -> Option<Timestamp> {
        self.record.as_ref()?.proven_at
    }

    /// Who issued the grant, as far as that is known.
    ///
    /// # Errors
    /// As [`binding::known`].
    pub(in crate::app) fn issued_by(&self, cx: Context<'_>) -> Result<IssuedBy, StoreError> {
        let Some(provider) = &self.provider else {
            return Ok(IssuedBy::Unknown);
        };
        let whose = (&self.owner, &self.profile);
        let (grant, record) = (self.grant.as_ref(), self.record.as_deref());
        binding::known(cx, whose, provider, grant, record)
    }

    /// The margin at which a token is due: the provider's, and no more than half of the life that
    /// was told for this one, for else each command would refresh it. That of a client spends no
    /// refresh token, and is due when its buffer says.
    pub fn due_margin(&self) -> Duration {
        let told = (self.proven_at()).zip(self.expires_at());
        let told = told.filter(|_| !self.of_client);
        let half = told.and_then(|(since, end)| u64::try_from(since.until(end) / 2).ok());
        half.map_or(self.margin, |half| {
            self.margin.min(Duration::from_millis(half))
        })
    }

    /// The number of temporary failures of a refresh in a row.
    pub fn failures(&self) -> u32 {
        let attempt = self
            .record
            .as_ref()
            .and_then(|record| record.attempt.as_ref());
        attempt.map_or(0, |attempt| attempt.failures)
    }

    /// The start and the cause of the last refresh of this very grant, if it failed in passing.
    pub fn last_failure(&self) -> Option<(Timestamp, &str)> {
        match &self.standing {
            GrantStanding::BackingOff { reason, since, .. } => Some((*since, reason)),
            _ => None,
        }
    }

    /// The last refusal of this very grant, and its time.
    pub fn refusal(&self) -> Option<(&Refusal, Option<Timestamp>)> {
        match &self.standing {
            GrantStanding::Refused { refusal, at } => Some((refusal, *at)),
            _ => None,
        }
    }

    /// The start of a refresh of this very grant whose outcome is not known.
    pub fn unknown_since(&self) -> Option<Timestamp> {
        match self.standing {
            GrantStanding::InDoubt { since } => Some(since),
            _ => None,
        }
    }

    /// The time at which this very grant was spent.
    pub fn spent_since(&self) -> Option<Timestamp> {
        match self.standing {
            GrantStanding::Spent { since, .. } => Some(since),
            _ => None,
        }
    }

    /// The time at which this very grant was revoked.
    pub fn revoked_at(&self) -> Option<Timestamp> {
        match self.standing {
            GrantStanding::Revoked { at } => Some(at),
            _ => None,
        }
    }
}

/// The newest of the line of successors of a spent grant.
#[derive(Clone, Debug)]
pub struct Successor {
    /// The agent in whose document it lies.
    pub agent: AgentId,
    /// The profile there.
    pub profile: ProfileId,
    /// Whether only its history holds it, because another program wrote an older document.
    pub is_kept: bool,
    /// What will be known of the stale copy once it holds the same.
    pub facts: Facts,
}

/// What refreshes a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Renewal {
    /// Nothing.
    Never,
    /// Any command that needs it, when it is due.
    Automatic,
    /// Only `models auth refresh`: the configuration says so.
    #[serde(rename = "command")]
    ByCommand,
}

/// Whether a refresh could be sent, as far as can be told without a request.
#[derive(Clone, Debug)]
pub enum RefreshPath {
    /// It could.
    Open,
    /// The provider has no token endpoint.
    Missing,
    /// Something must be corrected first.
    Blocked(Box<Failure>),
    /// Its provider is not known, or its manifest cannot be read.
    NoManifest(Box<Failure>),
}
