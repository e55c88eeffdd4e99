//! Credentials of agents that were deleted long ago.

use std::path::PathBuf;

use super::report::Verdict;
use crate::app::agents::trash::{self, USUAL_AGE};
use crate::app::context::Context;
use crate::model::hint::Command;
use crate::model::id::AgentId;

pub(super) fn find(cx: Context<'_>, _: &[AgentId]) -> Vec<(PathBuf, Verdict)> {
    // One that cannot be read is reported by the checks of the disk.
    let old = trash::list(cx, USUAL_AGE).unwrap_or_default();
    let verdict = |path: PathBuf| {
        let text = format!(
            "{} is of an agent that was deleted long ago",
            path.display()
        );
        (path, Verdict::warning(text, Command::new("agents purge")))
    };
    old.into_iter()
        .map(|trashed| verdict(trashed.path))
        .collect()
}
