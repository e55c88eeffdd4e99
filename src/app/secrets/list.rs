//! `secrets list`.

use std::path::PathBuf;

use super::references::References;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::ports::secrets::SecretEntry;

/// A secret, and who refers to it.
#[derive(Debug)]
pub struct Row {
    /// What is known of it without its value.
    pub entry: SecretEntry,
    /// The files that refer to it.
    pub used_by: Vec<PathBuf>,
}

/// Lists the secrets by name.
///
/// # Errors
/// If the vault does not open: the names are sealed, too.
pub fn run(cx: Context<'_>) -> Result<Vec<Row>, Failure> {
    let entries = cx.secrets.list()?;
    let references = References::read(cx);
    let rows = entries.into_iter().map(|entry| Row {
        used_by: references.to(&entry.name),
        entry,
    });
    Ok(rows.collect())
}
