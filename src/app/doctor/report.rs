//! The report of `doctor`.

use std::path::PathBuf;

use serde::Serialize;
use strum::AsRefStr;

use crate::model::hint::Hint;

/// The outcome of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, AsRefStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Worth knowing, or to be tidied up.
    Warning,
    /// Credentials are not safe here.
    Failed,
}

/// The verdict of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The outcome.
    pub status: Status,
    /// What was found.
    pub found: Hint,
    /// Advice, if there is anything to do.
    pub advice: Option<Hint>,
}

impl Verdict {
    pub(in crate::app) fn ok(found: impl Into<Hint>) -> Self {
        Self {
            status: Status::Ok,
            found: found.into(),
            advice: None,
        }
    }

    pub(in crate::app) fn warning(found: impl Into<Hint>, advice: impl Into<Hint>) -> Self {
        Self {
            status: Status::Warning,
            advice: Some(advice.into()),
            ..Self::ok(found)
        }
    }

    pub(in crate::app) fn failed(found: impl Into<Hint>, advice: impl Into<Hint>) -> Self {
        Self {
            status: Status::Failed,
            ..Self::warning(found, advice)
        }
    }
}

/// A check that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its stable name.
    pub name: &'static str,
    /// The directory or file that was checked.
    pub place: PathBuf,
    /// The verdict.
    pub verdict: Verdict,
}

/// The checks of a run.
#[derive(Clone, Debug)]
pub struct Report {
    /// The state directory.
    pub state: PathBuf,
    /// The checks, in order.
    pub checks: Vec<Check>,
}

impl Report {
    /// Counts the checks with this outcome.
    pub fn count(&self, status: Status) -> usize {
        let all = self.checks.iter();
        all.filter(|check| check.verdict.status == status).count()
    }
}
