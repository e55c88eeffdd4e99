//! Rows of the explanation.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::Serialize;

use crate::app::credential::assessment::Assessment;
use crate::app::credential::env_keys::EnvSource;
use crate::app::credential::facts::Facts;
use crate::app::credential::reason_text::Reason;
use crate::model::credential::Kind;
use crate::model::id::ProfileId;
use crate::model::provider::Bill;
use crate::model::time::Timestamp;
use crate::ports::store::Location;

use crate::app::credential::account::Account;

/// A candidate.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its source.
    pub what: CandidateSource,
    /// Its standing.
    pub standing: Standing,
    /// The reason for its standing.
    pub reason: Reason,
    /// Whose bill its use runs up.
    pub bill: Bill,
}

impl Row {
    /// Returns the name to show.
    pub fn label(&self) -> Cow<'_, str> {
        match &self.what {
            CandidateSource::Profile(row) => row.id.shown(),
            CandidateSource::Variable { name, .. } => name.into(),
            CandidateSource::Software { source } => source.into(),
            CandidateSource::ConfigKey { member, .. } => member.into(),
        }
    }
}

/// The standing of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// It is used.
    Used,
    /// It would be used if those before it gave no token.
    Next,
    /// It would be used after all others, because it cools down.
    Last,
    /// It is not used.
    PassedOver,
    /// It can never be used, because another one hides it.
    Shadowed,
}

/// The source of a candidate.
#[derive(Clone, Debug)]
pub enum CandidateSource {
    /// A profile: stored, or only named by an order or the configuration.
    Profile(Box<ProfileRow>),
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
        /// The source that sets it.
        place: EnvSource,
        /// The file that sets it, if one does.
        file: Option<PathBuf>,
        /// The kind of credential that it carries.
        kind: Kind,
    },
    /// A sign-in of the provider's own software.
    Software {
        /// The manifest's name for it.
        source: String,
    },
    /// A key in the configuration.
    ConfigKey {
        /// The path of the member.
        member: String,
        /// The configuration file.
        file: PathBuf,
    },
}

/// A profile of the chain.
#[derive(Clone, Debug)]
pub struct ProfileRow {
    /// Its id.
    pub id: ProfileId,
    /// The stored credential; `None` if nothing is stored.
    pub stored: Option<Stored>,
    /// What would be done for its token; `None` if it gives none.
    pub then: Option<Reason>,
}

/// A stored credential, without its secrets.
#[derive(Clone, Debug)]
pub struct Stored {
    /// The location of its document.
    pub file: Location,
    /// The account.
    pub account: Account,
    /// The end of its cooldown.
    pub unusable_until: Option<Timestamp>,
    /// The facts, with its kind, its owner and its expiry.
    pub facts: Facts,
    /// The assessment of the facts.
    pub assessment: Assessment,
}
