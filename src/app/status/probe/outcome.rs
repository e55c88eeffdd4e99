//! What came of the probes.

use super::options::Options;
use super::verdict::Status;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// What came of it.
#[derive(Clone, Debug)]
pub struct Probes {
    /// When it began.
    pub started_at: Timestamp,
    /// When it was over.
    pub finished_at: Timestamp,
    /// How long that was, in milliseconds.
    pub duration_ms: i64,
    /// How many credentials were tried.
    pub total_targets: usize,
    /// What was asked for.
    pub options: Options,
    /// What needed no request first, then what was tried.
    pub results: Vec<Outcome>,
    /// Whether a token was renewed, so that what was reported before is not true any more.
    pub refreshed: bool,
}

/// What came of one credential. No type in it can hold a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Its provider.
    pub provider: ProviderId,
    /// The configured model of that provider, as `provider/model`.
    pub model: Option<String>,
    /// Its profile, if it is stored.
    pub profile: Option<ProfileId>,
    /// What it is called: name and e-mail of a profile, else where it comes from.
    pub label: String,
    /// `profile`, `env` or `models.json`.
    pub source: &'static str,
    /// `oauth`, `token` or `api_key`.
    pub mode: &'static str,
    /// The one word.
    pub status: Status,
    /// Why it was not tried.
    pub reason: Option<Reason>,
    /// What went wrong, in the provider's own words where it has said something.
    pub error: Option<String>,
    /// How long the answer took, in milliseconds; `None` if nothing was sent.
    pub latency_ms: Option<i64>,
}

/// Why a credential was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// An order of the provider leaves it out.
    ExcludedByAuthOrder,
    /// It holds nothing that could be sent.
    MissingCredential,
    /// It has ended.
    Expired,
    /// When it ends is not known, and nothing renews it.
    InvalidExpires,
    /// It names a secret that is kept elsewhere.
    UnresolvedRef,
    /// The configuration gives it another provider or mode.
    IneligibleProfile,
    /// There is nothing that could be asked.
    NoModel,
}

impl Reason {
    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ExcludedByAuthOrder => "excluded_by_auth_order",
            Self::MissingCredential => "missing_credential",
            Self::Expired => "expired",
            Self::InvalidExpires => "invalid_expires",
            Self::UnresolvedRef => "unresolved_ref",
            Self::IneligibleProfile => "ineligible_profile",
            Self::NoModel => "no_model",
        }
    }
}

impl Outcome {
    /// This one, known without a request.
    pub(super) fn known(mut self, reason: Reason, words: &str) -> Self {
        self.status = match reason {
            Reason::NoModel => Status::NoModel,
            _ => Status::Unknown,
        };
        self.reason = Some(reason);
        self.error = Some(words.to_owned());
        self
    }

    /// There is nothing to send.
    pub(super) fn lifeless(self, reason: Reason) -> Self {
        self.known(reason, "Auth profile credentials are missing or expired.")
    }

    pub(super) fn missing(&self) -> Self {
        self.clone().lifeless(Reason::MissingCredential)
    }
}
