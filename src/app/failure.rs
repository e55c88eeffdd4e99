//! The one error shape that reaches the edge.
//!
//! Every failure says what failed and why, whether a credential was touched, and the command that
//! mends it. Lower rooms have small errors of their own; this is the place that turns them
//! into kinds (`vault_failure.rs` beside it those of the vault), and `cli/exit_code.rs` the only one that turns kinds into exit codes.

use std::error::Error;
use std::fmt;
use std::sync::Arc;

use strum::AsRefStr;

use crate::config::file::ConfigError;
use crate::model::hint::{Command, Hint, shell_word};
use crate::model::id::{IdError, ProfileId};
use crate::model::profiles::{AuthProfiles, Content, Effective};
use crate::ports::declarations::DeclareError;
use crate::ports::dialog::DialogError;
use crate::ports::files::FileError;
use crate::ports::host::Signal;
use crate::ports::lock::LockError;
use crate::ports::store::{MediumError, StoreError};
use crate::providers::catalogue::CatalogueError;

/// What kind of failure it is: what a script can act on. Its name in JSON never changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum Kind {
    /// The command was not understood, or asks for what cannot be.
    Usage,
    /// No such profile, provider or agent.
    NotFound,
    /// The configuration or a manifest is wrong.
    Config,
    /// There is no usable credential: a person must log in.
    NeedsLogin,
    /// The secrets are sealed, and a person must open them.
    Locked,
    /// It may work later, unchanged: network, rate limit, a server in trouble.
    Temporary,
    /// The disk or the store failed.
    Storage,
    /// Another process held a lock for too long.
    Busy,
    /// A request was sent and its answer never came: the refresh token may be spent.
    UnknownOutcome,
    /// A person or the system asked to stop.
    Cancelled(Signal),
    /// There is no such program to run.
    NoProgram,
    /// The program is there, and the system does not run it.
    NotRun,
}

/// What happened to the stored credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreEffect {
    /// Nothing.
    Nothing,
    /// Something was changed; the message says what.
    Changed,
    /// Nothing on disk, but the refresh token may be spent at the provider.
    MaybeSpent,
    /// Another program was asked to change something, and did not say whether it did.
    Unclear,
    /// The refresh token is spent, and its successor lies in a file for the next command to store.
    Saved,
}

/// A failure as a person is told of it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What kind it is.
    pub kind: Kind,
    /// The profile that it is about, whose name is the subject of the message.
    pub subject: Option<ProfileId>,
    /// What failed, and why, in the provider's or system's own words.
    pub message: String,
    /// The provider's own error code, cleaned, if it gave one.
    pub code: Option<Box<str>>,
    /// Whether a credential was touched.
    pub touched: StoreEffect,
    /// The command, or the step, that mends it.
    pub hint: Option<Hint>,
    /// The error of a lower room that it comes from.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(profile) => write!(f, "{profile} {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        let source: &(dyn Error + 'static) = self.source.as_deref()?;
        Some(source)
    }
}

impl Failure {
    /// A failure that touched nothing and has no hint yet.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            subject: None,
            message: message.into(),
            code: None,
            touched: StoreEffect::Nothing,
            hint: None,
            source: None,
        }
    }

    /// The same about a profile, whose name the message leaves out.
    pub fn about(profile: &ProfileId, kind: Kind, message: impl Into<String>) -> Self {
        Self {
            subject: Some(profile.clone()),
            ..Self::new(kind, message)
        }
    }

    /// With the error of a lower room that it comes from.
    #[must_use]
    pub fn caused_by(mut self, error: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(error));
        self
    }

    /// With the command that mends it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With the provider's own error code.
    #[must_use]
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.into());
        self
    }

    /// With what became of the credentials.
    #[must_use]
    pub fn touched(mut self, touched: StoreEffect) -> Self {
        self.touched = touched;
        self
    }

    /// Whether a provider refused a client in its own words: nobody need log in, but somebody must
    /// correct that.
    pub fn is_refusal(&self) -> bool {
        self.kind == Kind::Config && self.code.is_some()
    }

    /// The answer of a command could not be written: what was asked for has not arrived, and a
    /// credential may have been `changed` all the same.
    pub fn unwritten(error: &std::io::Error, changed: bool) -> Self {
        let failure = Self::new(Kind::Storage, format!("standard output: {error}"));
        match changed {
            true => failure.touched(StoreEffect::Changed),
            false => failure,
        }
    }

    /// A command that was told to stop.
    pub fn cancelled(signal: Signal) -> Self {
        Self::new(Kind::Cancelled(signal), "cancelled")
    }

    /// There is no such profile for this agent.
    pub fn no_such_profile(id: &ProfileId) -> Self {
        Self::new(Kind::NotFound, format!("no such profile: {id}")).hint(Command::list())
    }

    /// The entry of a profile says of no provider that it is its.
    pub fn names_no_provider(id: &ProfileId) -> Self {
        Self::about(id, Kind::Config, "does not name a valid provider")
    }

    /// The agent sees no profile of that name, or an entry that is no credential.
    pub fn not_seen(effective: &Effective, id: &ProfileId) -> Self {
        let documents = [Some(&effective.own), effective.main.as_ref()];
        let mut entries = documents
            .into_iter()
            .flatten()
            .flat_map(AuthProfiles::entries);
        let fault = entries.find_map(|entry| match &entry.content {
            Content::Invalid { fault } if entry.key.trim() == id.as_str() => Some(fault),
            _ => None,
        });
        match fault {
            None => Self::no_such_profile(id),
            Some(fault) => Self::about(id, Kind::Config, format!("cannot be used: {fault}"))
                .hint("correct its entry in auth-profiles.json, or store a new credential under that name"),
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let message = error.to_string();
        match error {
            StoreError::Unavailable(error) if error.is_done => {
                Self::from(error).touched(StoreEffect::Changed)
            }
            StoreError::Unavailable(error) => Self::from(error),
            StoreError::HalfWritten(error) => Self {
                message,
                touched: StoreEffect::Changed,
                ..Self::from(error)
            },
            StoreError::Corrupt { at, .. } => Self::new(Kind::Storage, message).hint(format!(
                "repair {at} or move it away; until then it is left unchanged"
            )),
            StoreError::Inheritance { agent, .. } => {
                Self::new(Kind::Config, message).hint(Command::isolate(&agent))
            }
            StoreError::Busy { .. } | StoreError::Conflict { .. } => Self::new(Kind::Busy, message)
                .hint("wait for the other process, then run the command again"),
            StoreError::Interrupted(signal) => Self::cancelled(signal),
            StoreError::NotStored { source, saved } => Self {
                message,
                touched: match saved {
                    Some(_) => StoreEffect::Saved,
                    None => StoreEffect::MaybeSpent,
                },
                ..Self::from(*source)
            },
            StoreError::LaterGeneration { .. } => Self::new(Kind::Storage, message)
                .hint("choose another state directory with --state-dir"),
            StoreError::Sealed(fault) => Self::from(fault),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        Self::from(StoreError::from(error))
    }
}

impl From<MediumError> for Failure {
    fn from(error: MediumError) -> Self {
        let kind = match error.is_refused {
            true => Kind::Config,
            false => Kind::Storage,
        };
        let failure = Self::new(kind, error.to_string()).hint(error.remedy.as_str());
        failure.caused_by(error)
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        let kind = match error.is_refused() {
            true => Kind::Config,
            false => Kind::Storage,
        };
        let failure = Self::new(kind, error.to_string()).hint(error.remedy());
        failure.caused_by(error)
    }
}

impl From<std::io::Error> for Failure {
    /// The answer of a command that changed nothing could not be written.
    fn from(error: std::io::Error) -> Self {
        Self::unwritten(&error, false)
    }
}

impl From<IdError> for Failure {
    fn from(error: IdError) -> Self {
        Self::new(Kind::Usage, error.to_string())
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let message = error.to_string();
        let hint = match error {
            ConfigError::File(error) => return Self::from(error),
            ConfigError::Lock(error) => return Self::from(error),
            ConfigError::Syntax { path, .. } | ConfigError::Shape { path, .. } => {
                format!("correct {}, then run the command again", path.display())
            }
            ConfigError::Included { included, .. } => {
                format!("make the change in {included} yourself")
            }
            ConfigError::SharedDirectory { .. } => {
                "give each agent of agents.list in openclaw.json its own agentDir".to_owned()
            }
        };
        Self::new(Kind::Config, message).hint(hint)
    }
}

impl From<CatalogueError> for Failure {
    fn from(error: CatalogueError) -> Self {
        let message = error.to_string();
        let correct = |file: &str| format!("correct {file}, then run the command again");
        match error {
            CatalogueError::Unknown { id, near } => {
                let hint = match near.names().first() {
                    Some(near) => Command::login(near, None).into(),
                    None => Hint::from(format!(
                        "define it in providers/{id}.toml in the state directory, or install openclaw-auth-{id}"
                    )),
                };
                Self::new(Kind::NotFound, message).hint(hint)
            }
            CatalogueError::Manifest(fault) => {
                Self::new(Kind::Config, message).hint(correct(&fault.file))
            }
            CatalogueError::File(file) => Self::from(file),
            CatalogueError::Declared(DeclareError::File(file)) => Self::from(file),
            CatalogueError::Declared(DeclareError::Wrong(findings)) => {
                let file = findings.first().map(|finding| finding.place.file.clone());
                let file = file.unwrap_or_default().display().to_string();
                Self::new(Kind::Config, message).hint(correct(&file))
            }
            CatalogueError::Shadows { path } => {
                Self::new(Kind::Config, message).hint(correct(&path.display().to_string()))
            }
            CatalogueError::WrongName { path, found } => {
                let right = path.with_file_name(format!("{found}.toml"));
                let words = [&path, &right].map(|path| shell_word(&path.display().to_string()));
                Self::new(Kind::Config, message).hint(format!("mv {}", words.join(" ")))
            }
        }
    }
}

impl From<DialogError> for Failure {
    fn from(error: DialogError) -> Self {
        match error {
            DialogError::Cancelled => Self::cancelled(Signal::INTERRUPT),
            DialogError::NobodyThere | DialogError::Withdrawn | DialogError::Failed(_) => {
                Self::new(Kind::Usage, error.to_string())
            }
        }
    }
}
