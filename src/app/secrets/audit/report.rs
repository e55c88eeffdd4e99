//! What an audit found. Nothing in it is a secret, or a part of one.

use std::path::PathBuf;

use serde::Serialize;
use strum::AsRefStr;

use crate::model::hint::Hint;
use crate::model::vault::TokenStore;

/// What kind of finding it is; the first five are those of OpenClaw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, AsRefStr)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Code {
    /// A secret in the clear.
    PlaintextFound,
    /// A reference to nothing.
    RefUnresolved,
    /// A reference that is never used, because a login comes first.
    RefShadowed,
    /// The value of a stored secret in the clear.
    StorePlaintextResidue,
    /// A secret in the clear in a file of an early release.
    LegacyResidue,
    /// Another user can read or change it, or it has a second name.
    Mode,
    /// It lies in a git working tree that does not ignore it.
    Tracked,
    /// A key lies beside what it opens, or where it may be committed.
    KeyBesideStore,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// To be mended.
    Warn,
    /// Something does not work, or protects nothing.
    Error,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What kind it is.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The file that it is in.
    pub file: PathBuf,
    /// The member of the file, its names joined by dots; empty for the file as a whole.
    pub json_path: String,
    /// What was found.
    pub message: String,
    /// The provider that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// The profile that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile_id: Option<String>,
    /// What mends it.
    #[serde(skip)]
    pub advice: Hint,
}

impl Finding {
    pub(super) fn new(
        code: Code,
        file: impl Into<PathBuf>,
        message: impl Into<String>,
        advice: impl Into<Hint>,
    ) -> Self {
        let severity = match code {
            Code::RefUnresolved | Code::KeyBesideStore => Severity::Error,
            _ => Severity::Warn,
        };
        Self {
            code,
            severity,
            file: file.into(),
            json_path: String::new(),
            message: message.into(),
            provider: None,
            profile_id: None,
            advice: advice.into(),
        }
    }

    pub(super) fn at(mut self, json_path: impl Into<String>) -> Self {
        self.json_path = json_path.into();
        self
    }
}

/// The outcome in one word, as OpenClaw names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, AsRefStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Status {
    /// Nothing was found.
    Clean,
    /// Something was found.
    Findings,
    /// A reference leads to nothing, whatever else was found.
    Unresolved,
}

/// The references that were looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resolution {
    /// How many were.
    pub checked: usize,
    /// How many name a program that was not looked at.
    pub skipped_exec: usize,
    /// How many name a stored secret while the names are locked.
    pub locked: usize,
}

/// What an audit found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Where the secrets of profiles lie.
    pub store: TokenStore,
    /// The files that were read.
    pub scanned: Vec<PathBuf>,
    /// The references that were looked at.
    pub resolution: Resolution,
    /// How many values of stored secrets were looked for, and how many were too short for that.
    pub values: (usize, usize),
    /// Why the values were not looked for.
    pub values_left_out: Option<String>,
    /// Files that could not be read: why.
    pub unread: Vec<String>,
    /// What was found, by file.
    pub findings: Vec<Finding>,
}

impl Report {
    /// The outcome.
    pub fn status(&self) -> Status {
        match self.count(Code::RefUnresolved) {
            0 if self.findings.is_empty() => Status::Clean,
            0 => Status::Findings,
            _ => Status::Unresolved,
        }
    }

    /// How many findings there are of a kind.
    pub fn count(&self, code: Code) -> usize {
        self.findings.iter().filter(|it| it.code == code).count()
    }
}
