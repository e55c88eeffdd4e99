//! What is said of an import, whatever it is of.

use crate::app::secrets::moving::import::Action;

/// How an import is carried out, and told of.
#[derive(Clone, Copy)]
pub(super) struct Manner {
    pub(super) force: bool,
    pub(super) dry_run: bool,
    pub(super) json: bool,
}

impl Manner {
    pub(super) fn verb(self) -> &'static str {
        match self.dry_run {
            true => "Would import",
            false => "Imported",
        }
    }
}

/// Whether something is stored by it.
pub(super) fn is_stored(action: &Action) -> bool {
    matches!(action, Action::Added | Action::Replaced)
}

/// What became of a credential.
pub(super) fn said(action: &Action) -> String {
    match action {
        Action::Added => "new".to_owned(),
        Action::Replaced => "replaced".to_owned(),
        Action::Unchanged => "already here".to_owned(),
        Action::Kept(why) => format!("kept, because {why} (--force replaces it)"),
        Action::Refused(why) => format!("not imported: {why}"),
    }
}
