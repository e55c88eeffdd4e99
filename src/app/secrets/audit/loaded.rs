//! The files of an audit, as they were read.

use serde_json::Value;

use super::places::{Place, Role};
use super::report::Report;
use crate::app::context::Context;
use crate::config::file::parse_tree;
use crate::model::secret::Secret;

/// A file that was read.
pub(super) struct Loaded {
    pub(super) place: Place,
    pub(super) bytes: Secret<Vec<u8>>,
    /// What it holds, if it is JSON.
    pub(super) tree: Option<Value>,
}

impl Loaded {
    /// Reads them all; what cannot be read is told in the report.
    pub(super) fn all(cx: Context<'_>, places: Vec<Place>, report: &mut Report) -> Vec<Self> {
        let mut loaded = Vec::new();
        for place in places {
            let bytes = match cx.files.read(&place.path) {
                Ok(Some(bytes)) => Secret::new(bytes),
                Ok(None) => continue,
                Err(error) => {
                    report.unread.push(error.to_string());
                    continue;
                }
            };
            report.scanned.push(place.path.clone());
            let is_json = !matches!(place.role, Role::Answer | Role::Variables | Role::Text);
            let tree = is_json.then(|| parse_tree(bytes.expose(), &place.path).ok());
            loaded.push(Self {
                tree: tree.flatten(),
                place,
                bytes,
            });
        }
        loaded
    }
}
