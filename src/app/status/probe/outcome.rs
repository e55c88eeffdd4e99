//! Results of the probes.

use serde::Serialize;
use strum::AsRefStr;

use super::options::Options;
use super::verdict::Status;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::time::Timestamp;

/// The results of a run.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Probes {
    /// When it started.
    pub started_at: Timestamp,
    /// When it finished.
    pub finished_at: Timestamp,
    /// How long it took, in milliseconds.
    pub duration_ms: i64,
    /// The number of credentials that were tried.
    pub total_targets: usize,
    /// The options.
    pub options: Options,
    /// The results: first those without a request, then the others.
    pub results: Vec<Outcome>,
    /// Whether a token was refreshed, so that the report is out of date.
    #[serde(skip)]
    pub refreshed: bool,
}

/// The result for one credential. No type in it can hold a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// Its provider.
    pub provider: ProviderId,
    /// The configured model of that provider, as `provider/model`.
    pub model: Option<String>,
    /// Its profile, if it is stored.
    #[serde(rename = "profileId")]
    pub profile: Option<ProfileId>,
    /// The name to show: name and e-mail of a profile, else the source.
    pub label: String,
    /// `profile`, `env` or `models.json`.
    pub source: &'static str,
    /// `oauth`, `token` or `api_key`.
    pub mode: &'static str,
    /// The status.
    pub status: Status,
    /// Why it was not tried.
    #[serde(rename = "reasonCode")]
    pub reason: Option<Reason>,
    /// What went wrong, in the provider's own words if it gave any.
    pub error: Option<String>,
    /// The same for people, where the words of the reference release say little.
    #[serde(skip)]
    pub detail: Option<String>,
    /// How long the response took, in milliseconds; `None` if nothing was sent.
    pub latency_ms: Option<i64>,
}

/// Why a credential was not tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, AsRefStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Reason {
    /// An order of the provider leaves it out.
    ExcludedByAuthOrder,
    /// It holds no secret to send.
    MissingCredential,
    /// It has expired.
    Expired,
    /// Its expiry is not known, and nothing refreshes it.
    InvalidExpires,
    /// It holds a reference to a secret kept elsewhere.
    UnresolvedRef,
    /// The configuration gives it another provider or mode.
    IneligibleProfile,
    /// There is nothing to ask the provider for.
    NoModel,
}

impl Outcome {
    /// Sets a result that is known without a request.
    pub(super) fn known(mut self, reason: Reason, words: &str) -> Self {
        self.status = match reason {
            Reason::NoModel => Status::NoModel,
            _ => Status::Unknown,
        };
        self.reason = Some(reason);
        self.error = Some(words.to_owned());
        self
    }

    /// Sets the result of a credential without a secret to send.
    pub(super) fn lifeless(self, reason: Reason) -> Self {
        self.known(reason, "Auth profile credentials are missing or expired.")
    }

    /// Sets the result of a credential whose reference leads to nothing.
    pub(super) fn unresolved(self, why: String) -> Self {
        let mut this = self.lifeless(Reason::UnresolvedRef);
        let words = this.error.take().unwrap_or_default();
        this.error = Some(format!("{words}\n↳ Auth reason [unresolved_ref]: {why}"));
        this.detail = Some(why);
        this
    }

    pub(super) fn missing(&self) -> Self {
        self.clone().lifeless(Reason::MissingCredential)
    }
}
