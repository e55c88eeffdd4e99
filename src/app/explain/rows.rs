//! What is told of each candidate.

use std::path::PathBuf;

use crate::app::credential::assessment::Assessment;
use crate::app::credential::env_keys::EnvSource;
use crate::app::credential::facts::Facts;
use crate::app::credential::reason_text::Reason;
use crate::model::credential::Kind;
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::Bill;
use crate::model::time::Timestamp;
use crate::ports::store::Location;

use crate::app::credential::account::Account;

/// One candidate.
#[derive(Clone, Debug)]
pub struct Row {
    /// What it is.
    pub what: CandidateSource,
    /// What becomes of it.
    pub standing: Standing,
    /// Why.
    pub reason: Reason,
    /// Whose bill its use runs up.
    pub bill: Bill,
}

impl Row {
    /// What it is called.
    pub fn label(&self) -> String {
        match &self.what {
            CandidateSource::Profile(row) => row.id.to_string(),
            CandidateSource::Variable { name, .. } => name.clone(),
            CandidateSource::Software { source } => source.clone(),
            CandidateSource::ConfigKey { member, .. } => member.clone(),
        }
    }
}

/// What becomes of a candidate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is used.
    Used,
    /// It would be used if those before it gave no token.
    Next,
    /// The same, after all others: it cools down.
    Last,
    /// It is not used.
    PassedOver,
    /// It can never count, because of something else.
    Shadowed,
}

impl Standing {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Next => "next",
            Self::Last => "last",
            Self::PassedOver => "passed-over",
            Self::Shadowed => "shadowed",
        }
    }
}

/// What a candidate is.
#[derive(Clone, Debug)]
pub enum CandidateSource {
    /// A profile, stored or only named.
    Profile(Box<ProfileRow>),
    /// A variable.
    Variable {
        /// Its name.
        name: String,
        /// Where it is set.
        place: EnvSource,
        /// The file that sets it, if one does.
        file: Option<PathBuf>,
        /// What it carries.
        kind: Kind,
    },
    /// A sign-in of the provider's own software.
    Software {
        /// What it is called.
        source: String,
    },
    /// A key in the configuration.
    ConfigKey {
        /// Where it stands.
        member: String,
        /// The configuration.
        file: PathBuf,
    },
}

/// What is told of a profile.
#[derive(Clone, Debug)]
pub struct ProfileRow {
    /// Its name.
    pub id: ProfileId,
    /// What is stored under it; `None` if nothing is.
    pub stored: Option<Stored>,
    /// What would be done for its token, if it gives one.
    pub then: Option<Reason>,
}

/// What is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// What it is.
    pub kind: Kind,
    /// The agent in whose document it lies.
    pub owner: AgentId,
    /// The file it lies in.
    pub file: Location,
    /// Whose it is.
    pub account: Account,
    /// When its token ends, if that is known.
    pub expires: Option<Timestamp>,
    /// Passed over until then, after failures.
    pub unusable_until: Option<Timestamp>,
    /// What is known of it.
    pub facts: Facts,
    /// What that comes to.
    pub assessment: Assessment,
}
