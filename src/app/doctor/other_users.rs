//! Files and directories by which another user of the machine could decide what this program does.

use std::path::PathBuf;

use super::report::Verdict;
use crate::app::context::Context;
use crate::model::id::AgentId;
use crate::model::state_files::{self, METADATA, PROVIDERS};

/// Finds files and directories that another user owns or may write to. What is wrong with a
/// directory is told once.
pub(in crate::app) fn find(cx: Context<'_>, agents: &[AgentId]) -> Vec<(PathBuf, Verdict)> {
    let mut found = Vec::new();
    for path in deciding(cx, agents) {
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

/// Lists what decides what this program does, and the directories that name it, wherever the
/// environment and the configuration have put them.
fn deciding(cx: Context<'_>, agents: &[AgentId]) -> Vec<PathBuf> {
    let state = &cx.dirs.state;
    let mut paths = vec![state.clone()];
    paths.extend(state_files::ALL.map(|name| state.join(name)));
    paths.extend(cx.config.sources());
    for directory in [PROVIDERS, METADATA].map(|name| state.join(name)) {
        let names = cx.files.list(&directory).unwrap_or_default();
        paths.extend(names.iter().map(|name| directory.join(name)));
    }
    paths.extend(cx.store_files.directories());
    for agent in agents {
        paths.push(cx.store_files.directory(agent));
        paths.extend(cx.store_files.document(agent));
    }
    paths
}
