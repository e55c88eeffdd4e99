//! Logins on their way into a database, of an import that was interrupted.

use std::path::PathBuf;

use super::report::Verdict;
use crate::app::context::Context;
use crate::app::secrets::moving::left_bundle::LeftBundle;
use crate::model::id::AgentId;
use crate::model::state_files::POSTGRES;

pub(super) fn find(cx: Context<'_>, _: &[AgentId]) -> Vec<(PathBuf, Verdict)> {
    // A document that cannot be read is reported by the check of documents.
    let left = LeftBundle::interrupted(cx, &cx.dirs.state.join(POSTGRES)).unwrap_or_default();
    left.into_iter()
        .map(|left| (left.path.clone(), left.verdict(None)))
        .collect()
}
