//! What the checks found.

use std::path::PathBuf;

use crate::model::hint::Hint;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// As it should be.
    Ok,
    /// Something to know, or to tidy up.
    Warning,
    /// Credentials are not safe here.
    Failed,
}

impl Status {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// What a check found, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it ended.
    pub status: Status,
    /// What was found.
    pub found: Hint,
    /// What to do, if anything.
    pub advice: Option<Hint>,
}

impl Verdict {
    pub(super) fn ok(found: impl Into<Hint>) -> Self {
        Self {
            status: Status::Ok,
            found: found.into(),
            advice: None,
        }
    }

    pub(super) fn warning(found: impl Into<Hint>, advice: impl Into<Hint>) -> Self {
        Self {
            status: Status::Warning,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }

    pub(super) fn failed(found: impl Into<Hint>, advice: impl Into<Hint>) -> Self {
        Self {
            status: Status::Failed,
            found: found.into(),
            advice: Some(advice.into()),
        }
    }
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Its name, which never changes.
    pub name: &'static str,
    /// Which directory was looked at.
    pub place: PathBuf,
    /// What was found.
    pub verdict: Verdict,
}

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub struct Report {
    /// The state directory.
    pub state: PathBuf,
    /// The checks, in order.
    pub checks: Vec<Check>,
}

impl Report {
    /// How many checks ended so.
    pub fn count(&self, status: Status) -> usize {
        let all = self.checks.iter();
        all.filter(|check| check.verdict.status == status).count()
    }
}
