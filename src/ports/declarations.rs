//! What a user declares in `config.yaml`: providers beside the manifests, and hooks.
//!
//! An implementation owes: nothing is read before it is asked; what is wrong with one declaration
//! concerns no other, unless the file as a whole cannot be understood.

use super::files::FileError;
use crate::model::alert::Hooks;
use crate::model::declared::{Declared, Finding};
use crate::model::id::ProviderId;

/// Where providers and hooks are declared.
pub trait Declarations: Send + Sync {
    /// The declaration of one provider, if there is one.
    ///
    /// # Errors
    /// If the file cannot be read or understood, or this declaration cannot be used.
    fn get(&self, id: &ProviderId) -> Result<Option<Declared>, DeclareError>;

    /// Every provider that is declared, whether or not it can be used.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    fn ids(&self) -> Result<Vec<ProviderId>, DeclareError>;

    /// The hooks that can be run, and what is wrong with the others.
    ///
    /// # Errors
    /// If the file cannot be read or understood.
    fn hooks(&self) -> Result<(Hooks, Vec<Finding>), DeclareError>;

    /// Everything there is to say about the whole file.
    ///
    /// # Errors
    /// If the file cannot be read.
    fn findings(&self) -> Result<Vec<Finding>, FileError>;
}

/// Why a declaration cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum DeclareError {
    /// The file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What is wrong with it; at least one.
    #[error("{}", lines(.0))]
    Wrong(Vec<Finding>),
}

fn lines(findings: &[Finding]) -> String {
    let lines: Vec<String> = findings.iter().map(Finding::to_string).collect();
    lines.join("\n")
}
