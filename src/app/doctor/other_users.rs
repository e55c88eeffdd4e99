//! Files and directories by which another user of the machine could decide what this program does.

use std::path::PathBuf;

use super::report::Verdict;
use crate::app::context::Context;
use crate::model::id::AgentId;

/// What decides what this program does, and the directories that name it, below the state directory.
const DECIDING: [&str; 11] = [
    "",
    "openclaw.json",
    "config.yaml",
    ".env",
    "directories.json",
    "agents",
    "credentials",
    "locks",
    "pending",
    "providers",
    "rescue",
];

/// Finds files and directories that another user owns or may write to. What is wrong with a
/// directory is told once.
pub(super) fn find(cx: Context<'_>, agents: &[AgentId]) -> Vec<(PathBuf, Verdict)> {
    let state = &cx.dirs.state;
    let named = DECIDING.iter().map(|name| match *name {
        "" => state.clone(),
        name => state.join(name),
    });
    let providers = state.join("providers");
    let manifests = cx.files.list(&providers).unwrap_or_default();
    let manifests = manifests.iter().map(|name| providers.join(name));
    let documents = agents.iter().map(|agent| cx.store_files.document(agent));
    let mut found = Vec::new();
    for path in named.chain(manifests).chain(documents) {
        let Err(error) = cx.files.check_settings(&path) else {
            continue;
        };
        if let Some(untrusted) = error.untrusted() {
            let verdict = Verdict::warning(untrusted.to_string(), error.remedy());
            if found.iter().all(|(_, other)| *other != verdict) {
                found.push((path, verdict));
            }
        }
    }
    found
}
