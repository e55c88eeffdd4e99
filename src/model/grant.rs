//! A grant, named without holding it, and what is known about it.

use serde::{Deserialize, Serialize, Serializer};
use sha2::{Digest, Sha256};

use super::bundle::BundleId;
use super::id::{ProfileId, ProviderId};
use super::moved::Moved;
use super::secret::Secret;
use super::time::Timestamp;

pub use super::grant_digest::GrantDigest;

/// Where a grant came from: compared before every refresh, so that a changed manifest never sends
/// an old refresh token to a new address (RFC 9700 section 4.4 asks for such a binding).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Binding {
    /// The token endpoint that issued it; for a program `program:` and its path.
    pub token_endpoint: String,
    /// The client it was issued to; empty for a program. Of one whose id is a stored secret the digest.
    pub client_id: String,
}

/// What stands in front of the digest of a client's id.
const DIGEST: &str = "sha256:";

/// What the endpoint of a [`Binding`] to a program begins with; no URL does.
const PROGRAM: &str = "program:";

impl Binding {
    /// The binding of a grant that an external program gave, by its path.
    pub fn to_program(path: &str) -> Self {
        Self {
            token_endpoint: format!("{PROGRAM}{path}"),
            client_id: String::new(),
        }
    }

    /// The binding of a grant to a client whose id is written down nowhere.
    pub fn to_secret_client(token_endpoint: &str, client_id: &str) -> Self {
        Self {
            token_endpoint: token_endpoint.to_owned(),
            client_id: digest_of(client_id),
        }
    }

    /// The id of the client, if it is known.
    pub fn shown_client(&self) -> Option<&str> {
        Some(self.client_id.as_str()).filter(|id| !id.starts_with(DIGEST))
    }

    /// Reports whether this is the id of the client.
    pub fn is_to_client(&self, client_id: &str) -> bool {
        digest_of(&self.client_id) == digest_of(client_id)
    }

    /// Reports whether both are the same endpoint and client, in whichever form each names it.
    pub fn is_same(&self, other: &Self) -> bool {
        self.token_endpoint == other.token_endpoint && self.is_to_client(&other.client_id)
    }

    /// Reports whether a plugin gave the grant.
    pub fn is_to_program(&self) -> bool {
        self.token_endpoint.starts_with(PROGRAM)
    }
}

/// The digest of a client's id; of a digest itself.
fn digest_of(client_id: &str) -> String {
    match client_id.starts_with(DIGEST) {
        true => client_id.to_owned(),
        false => format!("{DIGEST}{:x}", Sha256::digest(client_id)),
    }
}

/// The provider said no, for good: the grant is spent, revoked, or was never valid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The OAuth error code, or the provider's own: `invalid_grant`, `refresh_token_reused`, …
    pub code: String,
    /// The provider's words, cleaned for a terminal; may be empty.
    pub description: String,
    /// HTTP status of the answer; 0 if a program or a browser brought it.
    pub status: u16,
}

impl Refusal {
    /// Code and description, as far as they are known.
    pub fn words(&self) -> String {
        match (self.code.as_str(), self.description.as_str()) {
            ("", words) | (words, "") => words.to_owned(),
            (code, words) => format!("{code}: {words}"),
        }
    }
}

/// The outcome of a refresh or a revocation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum RefreshOutcome {
    /// The provider gave a successor: unless that is the same, this grant is spent and must not be
    /// sent again. The successor lives in the documents, or was discarded because the login was
    /// removed or replaced meanwhile.
    Stored {
        /// The digest of the successor; equal to the old one where a provider does not rotate.
        successor: GrantDigest,
    },
    /// Refused for good.
    Refused(Refusal),
    /// It was revoked: the server agreed not to honour it any longer.
    Revoked,
    /// It went to another machine, and is never sent from here again.
    HandedOver {
        /// In this bundle.
        bundle: BundleId,
        /// The file that the bundle was written to.
        to: String,
    },
    /// Passing: the request never reached the server, or the server said "later". The grant is as
    /// good as it was.
    Passing {
        /// The cause, cleaned for a terminal.
        reason: String,
        /// Not before this moment again, if the server said so (Retry-After).
        retry_at: Option<Timestamp>,
    },
    /// The provider said yes, and its answer is not understood, or is about another account: the
    /// grant is spent and must not be
    /// sent again. The answer is saved for a release or a manifest that understands it.
    NotUnderstood {
        /// What is missing in it.
        reason: String,
    },
    /// The request was sent and no answer came: the grant may be spent, nobody knows.
    Unknown {
        /// The cause, cleaned for a terminal.
        reason: String,
    },
}

/// What the journal knows about one grant. It holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct GrantRecord {
    /// The grant.
    pub grant: GrantDigest,
    /// Whose it is.
    pub provider: ProviderId,
    /// The profile it was last seen in.
    pub profile: ProfileId,
    /// Where it came from, if it was issued to us.
    #[serde(flatten, serialize_with = "write_binding")]
    pub binding: Option<Binding>,
    /// Whose it is by the ID token that came with it, its `sub`; a refresh must not change that
    /// (OpenID Connect Core section 12.2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The revocation endpoint of its server, as it was known at the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revocation_endpoint: Option<String>,
    /// When a token endpoint last issued or rotated this grant to us: the proof that it lives.
    pub proven_at: Option<Timestamp>,
    /// The last refresh that was begun with it.
    pub attempt: Option<Attempt>,
    /// So often it was handed over to another machine, as far as this one knows: of two bundles with
    /// one grant the higher number is the later, whatever the clocks say.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub moves: u32,
}

/// One attempt to refresh.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// When it was begun, before the request was sent.
    pub begun_at: Timestamp,
    /// When it ended; `None` with `outcome` `None` means that the process died on the way, so the
    /// outcome is unknown and the refresh token may be spent.
    pub settled_at: Option<Timestamp>,
    /// The outcome.
    pub outcome: Option<RefreshOutcome>,
    /// How many attempts in a row failed in passing, this one included.
    #[serde(default)]
    pub failures: u32,
}

/// How a grant stands by the journal: what its last refresh or revocation came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GrantStanding {
    /// Nothing speaks against it.
    Good,
    /// It was revoked at its provider.
    Revoked {
        /// When.
        at: Timestamp,
    },
    /// It was used for a refresh, and another grant took its place.
    Spent {
        /// When that refresh began.
        since: Timestamp,
        /// The grant that took its place.
        successor: GrantDigest,
    },
    /// The provider refused it for good.
    Refused {
        /// In its own words.
        refusal: Refusal,
        /// When.
        at: Option<Timestamp>,
    },
    /// A refresh was granted, and its answer is not understood: the grant is spent.
    NotUnderstood {
        /// When that refresh began.
        since: Timestamp,
        /// What is missing in the answer.
        reason: String,
    },
    /// It went to another machine.
    HandedOver(Moved),
    /// A refresh was sent, and no answer is known: the grant may be spent.
    InDoubt {
        /// When that refresh began.
        since: Timestamp,
    },
    /// The last refresh failed in a way that passes.
    BackingOff {
        /// What went wrong.
        reason: String,
        /// When that refresh began. A clock that was set back before this moment tells nothing.
        since: Timestamp,
        /// The earliest moment for another try, if there is one.
        retry_at: Option<Timestamp>,
    },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives the member")]
fn is_zero(moves: &u32) -> bool {
    *moves == 0
}

/// Writes both members of a binding, or null for each.
#[expect(clippy::ref_option, reason = "serde gives the member")]
fn write_binding<S: Serializer>(binding: &Option<Binding>, to: S) -> Result<S::Ok, S::Error> {
    let binding = binding.as_ref();
    to.collect_map([
        ("tokenEndpoint", binding.map(|known| &known.token_endpoint)),
        ("clientId", binding.map(|known| &known.client_id)),
    ])
}

impl GrantRecord {
    /// A record of a grant of which nothing else is known.
    pub fn new(grant: GrantDigest, provider: &ProviderId, profile: &ProfileId) -> Self {
        Self {
            grant,
            provider: provider.clone(),
            profile: profile.clone(),
            binding: None,
            subject: None,
            revocation_endpoint: None,
            proven_at: None,
            attempt: None,
            moves: 0,
        }
    }

    /// The record of a grant whose refresh begins now, by what was known of it before. Failures in a row
    /// are counted on.
    #[must_use]
    pub fn begun(
        before: Option<Self>,
        grant: GrantDigest,
        (provider, profile): (&ProviderId, &ProfileId),
        begun_at: Timestamp,
    ) -> Self {
        let record = before.unwrap_or_else(|| Self::new(grant.clone(), provider, profile));
        let failures = record.attempt.map_or(0, |attempt| attempt.failures);
        Self {
            grant,
            provider: provider.clone(),
            profile: profile.clone(),
            attempt: Some(Attempt {
                begun_at,
                settled_at: None,
                outcome: None,
                failures,
            }),
            ..record
        }
    }

    /// Notes how its attempt ended; nothing if none was begun.
    pub fn close(&mut self, outcome: RefreshOutcome, now: Timestamp) {
        if let Some(attempt) = &mut self.attempt {
            attempt.failures = match outcome {
                RefreshOutcome::Passing { .. } => attempt.failures.saturating_add(1),
                _ => 0,
            };
            attempt.settled_at = Some(now);
            attempt.outcome = Some(outcome);
        }
    }

    /// The record of what a refresh of this grant gave: another grant, or the same where a provider does
    /// not rotate. It lives, and no refresh of it was begun.
    #[must_use]
    pub fn renewed(&self, successor: GrantDigest, binding: Binding, now: Timestamp) -> Self {
        Self {
            grant: successor,
            binding: Some(binding),
            proven_at: Some(now),
            attempt: None,
            ..self.clone()
        }
    }

    /// The grant that a refresh of this one gave: itself, unless a refresh token came with it.
    pub fn next(&self, refresh_token: Option<&Secret<String>>) -> GrantDigest {
        match refresh_token {
            Some(token) => GrantDigest::of(&self.provider, token),
            None => self.grant.clone(),
        }
    }

    /// Whether its last refresh was granted by an answer that is not understood.
    pub fn is_not_understood(&self) -> bool {
        matches!(self.standing(), GrantStanding::NotUnderstood { .. })
    }

    /// Whether it went to another machine.
    pub fn is_handed_over(&self) -> bool {
        matches!(self.standing(), GrantStanding::HandedOver(_))
    }

    /// Judges the grant by its last attempt.
    pub fn standing(&self) -> GrantStanding {
        let Some(attempt) = &self.attempt else {
            return GrantStanding::Good;
        };
        let since = attempt.begun_at;
        match &attempt.outcome {
            None | Some(RefreshOutcome::Unknown { .. }) => GrantStanding::InDoubt { since },
            Some(RefreshOutcome::NotUnderstood { reason }) => GrantStanding::NotUnderstood {
                since,
                reason: reason.clone(),
            },
            Some(RefreshOutcome::Revoked) => GrantStanding::Revoked {
                at: attempt.settled_at.unwrap_or(since),
            },
            Some(RefreshOutcome::HandedOver { bundle, to }) => GrantStanding::HandedOver(Moved {
                bundle: bundle.clone(),
                at: attempt.settled_at.unwrap_or(since),
                to: to.clone(),
                grant: self.grant.clone(),
                database: None,
            }),
            Some(RefreshOutcome::Stored { successor }) if *successor == self.grant => {
                GrantStanding::Good
            }
            Some(RefreshOutcome::Stored { successor }) => GrantStanding::Spent {
                since,
                successor: successor.clone(),
            },
            Some(RefreshOutcome::Refused(refusal)) => GrantStanding::Refused {
                refusal: refusal.clone(),
                at: attempt.settled_at,
            },
            Some(RefreshOutcome::Passing { reason, retry_at }) => GrantStanding::BackingOff {
                reason: reason.clone(),
                since,
                retry_at: *retry_at,
            },
        }
    }

    /// The grant that took the place of this one, if it is spent.
    pub fn successor(&self) -> Option<GrantDigest> {
        match self.standing() {
            GrantStanding::Spent { successor, .. } => Some(successor),
            _ => None,
        }
    }
}
