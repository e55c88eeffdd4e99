//! Where an agent's workspace and credentials lie.

use std::path::{Path, PathBuf};

use crate::model::id::AgentId;
use crate::model::path::resolve;
use crate::model::settings::Settings;
use crate::model::state_files::AGENTS;

use super::error::ConfigError;

/// The workspace of an agent: its own, else the default one.
pub fn of(settings: &Settings, id: &AgentId, home: &Path, cwd: &Path) -> PathBuf {
    let own = settings
        .agent(id)
        .and_then(|agent| agent.workspace.as_deref());
    match own {
        Some(own) => resolve(own, home, cwd),
        None => default_workspace(settings, id, home, cwd),
    }
}

/// The workspace of an agent that names none: for the default agent what `agents.defaults` says,
/// else `~/.openclaw/workspace`, for the others `~/.openclaw/workspace-<id>`. As in the reference
/// release this does not follow the state directory: a workspace is the user's, not state.
pub fn default_workspace(settings: &Settings, id: &AgentId, home: &Path, cwd: &Path) -> PathBuf {
    let base = home.join(".openclaw");
    if *id != settings.default_agent() {
        return base.join(format!("workspace-{id}"));
    }
    match &settings.default_workspace {
        Some(workspace) => resolve(workspace, home, cwd),
        None => base.join("workspace"),
    }
}

/// The directory of every configured agent's credentials.
///
/// # Errors
/// Fails if two agents share one: a write of the one would be a write of the other.
pub fn agent_dirs(
    settings: &Settings,
    home: &Path,
    cwd: &Path,
    state: &Path,
) -> Result<Vec<(AgentId, PathBuf)>, ConfigError> {
    let mut found: Vec<(AgentId, PathBuf)> = Vec::new();
    for agent in &settings.agents {
        let id = AgentId::normalise(&agent.id);
        // Of two members of one id the first counts.
        if found.iter().any(|(other, _)| *other == id) {
            continue;
        }
        let path = match &agent.agent_dir {
            Some(directory) => resolve(directory, home, cwd),
            None => state.join(AGENTS).join(id.as_str()).join("agent"),
        };
        if let Some((other, _)) = found.iter().find(|(_, other)| *other == path) {
            return Err(ConfigError::SharedDirectory {
                first: other.clone(),
                second: id,
                directory: path,
            });
        }
        found.push((id, path));
    }
    Ok(found)
}
