//! A provider that a user declares in `config.yaml`: another provider's manifest, with the user's
//! own client and wishes laid over it.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::hint::{Command, Hint};
use super::id::ProviderId;
use super::provider::{ClientAuth, ClientValue, Redirect};
use super::vault::TokenStore;

/// A declaration; what it leaves open is as the manifest has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    /// Its own name.
    pub id: ProviderId,
    /// The provider whose manifest it stands on: `type`.
    pub base: ProviderId,
    /// The location of `type`.
    pub place: SourceLocation,
    /// The flow.
    pub flow: DeclaredFlow,
    /// The scopes it asks for.
    pub scopes: Option<Vec<String>>,
    /// `client_id`.
    pub client_id: Option<ClientValue>,
    /// `client_secret`.
    pub client_secret: Option<ClientValue>,
    /// The client authentication method.
    pub client_auth: Option<ClientAuth>,
    /// Whether a token that is due is renewed when somebody asks for it.
    pub automatic: bool,
    /// A token with no more than this left is due.
    pub margin: Option<Duration>,
    /// Where its secrets are to lie: `token_store`.
    pub store: Option<TokenStore>,
    /// Findings that are no errors.
    pub findings: Vec<Finding>,
}

/// The flows that can be declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeclaredFlow {
    /// `authorization_code`.
    AuthorizationCode {
        /// The redirect URI.
        redirect: Option<Redirect>,
    },
    /// `client_credentials`.
    ClientCredentials,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceLocation {
    /// The file.
    pub file: PathBuf,
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
}

impl fmt::Display for SourceLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

/// How much a [`Finding`] matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It cannot be used so.
    Error,
    /// It can, and somebody should look at it.
    Warning,
    /// Good to know.
    Info,
}

/// Something about a declaration that its author should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// Where.
    pub place: SourceLocation,
    /// What, and what to do; holds no secret.
    pub message: String,
    /// The command that does what is said properly.
    pub instead: Option<Command>,
}

impl Finding {
    /// The finding and the command.
    pub fn advice(&self) -> Hint {
        let finding = Hint::from(self.to_string());
        match &self.instead {
            Some(command) => finding.then(", and store it with: ").run(command.clone()),
            None => finding,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.message)
    }
}
