//! `agents add`, `list` and `delete`: the registry of agents, and where their credentials lie.
//!
//! A new agent reads through to the main agent's profiles; nothing is copied, because a copied
//! grant is a grant that one of the two will lose. A deleted agent's files are moved away under a
//! dated name, never destroyed.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::config::edit::Edit;
use crate::config::file::ConfigError;
use crate::config::workspace;
use crate::model::hint::Command;
use crate::model::id::{AgentId, printable};
use crate::model::inheritance::Inheritance;
use crate::model::path::resolve;
use crate::model::profiles::AuthProfiles;

use super::config_touch::touch;
use super::{persona, trash};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::state_files::AGENTS;

/// An agent that was added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// Its normalised id.
    pub id: AgentId,
    /// Its name as typed.
    pub name: String,
    /// Its workspace.
    pub workspace: PathBuf,
    /// The directory for its credentials.
    pub agent_dir: PathBuf,
    /// The configuration file.
    pub config_path: PathBuf,
}

/// Adds an agent to the configuration and makes its directories.
///
/// # Errors
/// [`Kind::Usage`] for a name that is reserved or taken, [`Kind::Config`] and [`Kind::Storage`] if
/// the configuration or a directory cannot be written.
pub fn add(
    cx: Context<'_>,
    name: &str,
    workspace: Option<&Path>,
    non_interactive: bool,
) -> Result<Added, Failure> {
    let id = AgentId::normalise(name);
    let usage = |message: String| Failure::new(Kind::Usage, message);
    if !name.contains(|c: char| c.is_ascii_alphanumeric()) {
        let name = printable(name, 80);
        let message = format!("Agent name \"{name}\" has no letter a-z and no digit");
        return Err(usage(message).hint(Command::new("agents add work")));
    }
    if id.is_main() {
        let failure = usage("\"main\" is reserved. Choose another name.".to_owned());
        return Err(failure.hint(Command::new("agents add work")));
    }
    if cx.settings.knows_agent(&id) {
        let failure = usage(format!("Agent \"{id}\" already exists."));
        return Err(failure.hint(Command::list_agents()));
    }
    let usual = workspace::default_workspace(cx.settings, &id, &cx.dirs.home, &cx.dirs.cwd);
    if non_interactive && workspace.is_none() {
        let failure = usage("Non-interactive mode requires --workspace.".to_owned());
        let add = Command::new("agents add").arg(&id);
        let add = add.option("--workspace", &usual.display());
        return Err(failure.hint(add.arg("--non-interactive")));
    }
    let workspace = match workspace {
        Some(path) => resolve(path, &cx.dirs.home, &cx.dirs.cwd),
        None => usual,
    };
    let agent_dir = cx.store_files.directory(&id);
    let is_same = |other: &AgentId| cx.store_files.directory(other) == agent_dir;
    if let Some(other) = others(cx, &id).into_iter().find(is_same) {
        return Err(Failure::from(ConfigError::SharedDirectory {
            first: other,
            second: id,
            directory: agent_dir,
        }));
    }
    let sessions = cx
        .dirs
        .state
        .join(AGENTS)
        .join(id.as_str())
        .join("sessions");
    for directory in [&workspace, &sessions] {
        cx.files.create_dirs(directory).map_err(Failure::from)?;
    }
    let applied = cx.edit_config(&[
        Edit::AddAgent {
            id: id.clone(),
            name: name.trim().to_owned(),
            workspace: workspace.display().to_string(),
            agent_dir: agent_dir.display().to_string(),
        },
        touch(cx),
    ])?;
    Ok(Added {
        id,
        name: name.trim().to_owned(),
        workspace,
        agent_dir,
        config_path: applied.path,
    })
}

/// Returns main and every other configured agent except `id`.
fn others(cx: Context<'_>, id: &AgentId) -> Vec<AgentId> {
    let all = std::iter::once(AgentId::main()).chain(cx.settings.agent_ids());
    all.filter(|other| other != id).collect()
}

/// One agent of `agents list`; its members are those of the reference release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its id.
    pub id: AgentId,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its display name: from the `IDENTITY.md` of its workspace, else from the configuration.
    pub identity_name: Option<String>,
    /// Its emoji, from the same source.
    pub identity_emoji: Option<String>,
    /// The source of both: `identity` for the file, or `config`.
    pub identity_source: Option<&'static str>,
    /// Its workspace.
    pub workspace: PathBuf,
    /// The directory of its credentials.
    pub agent_dir: PathBuf,
    /// Its model, or the default one if that is configured.
    pub model: Option<String>,
    /// How many bindings route to it.
    pub bindings: usize,
    /// Whether it is used when no agent is named.
    pub is_default: bool,
    /// That it gets everything, if no binding says otherwise.
    pub routes: Option<[&'static str; 1]>,
}

/// Lists the agents in the order of the configuration; `main` alone if it lists none.
pub fn list(cx: Context<'_>) -> Vec<Row> {
    let settings = cx.settings;
    let mut ids: Vec<AgentId> = settings.agent_ids().collect();
    if ids.is_empty() {
        ids.push(AgentId::main());
    }
    let default = settings.default_agent();
    let row = |id: AgentId| {
        let own = settings.agent(&id);
        let workspace = workspace::of(settings, &id, &cx.dirs.home, &cx.dirs.cwd);
        let persona = persona::of_workspace(cx, &workspace);
        let said = |name: &str| {
            let by_file = persona.as_ref().and_then(|persona| persona.get(name));
            let member = || own?.identity.iter().find(|(other, _)| other == name);
            let by_config = || member().map(|(_, value)| value.trim());
            by_file.or_else(by_config).map(str::to_owned)
        };
        let (identity_name, identity_emoji) = (said("name"), said("emoji"));
        let all = settings.bindings.iter();
        let (bindings, is_default) = (all.filter(|other| **other == id).count(), id == default);
        let is_said = identity_name.is_some() || identity_emoji.is_some();
        Row {
            identity_source: match persona {
                Some(_) => Some("identity"),
                None => is_said.then_some("config"),
            },
            name: own.and_then(|agent| agent.name.clone()),
            identity_name,
            identity_emoji,
            workspace,
            agent_dir: cx.store_files.directory(&id),
            model: settings.model_of(&id).primary,
            bindings,
            is_default,
            routes: (is_default && bindings == 0).then_some(["default (no explicit rules)"]),
            id,
        }
    };
    ids.into_iter().map(row).collect()
}

/// An agent that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deleted {
    /// Its id.
    pub id: AgentId,
    /// Its workspace, which is the user's own and stays.
    pub workspace: PathBuf,
    /// The directory that held its credentials.
    pub agent_dir: PathBuf,
    /// The directory that held its sessions.
    pub sessions_dir: PathBuf,
    /// The number of bindings that were removed with it.
    pub removed_bindings: usize,
    /// The number of members of `tools.agentToAgent.allow` that were removed with it.
    pub removed_allow: usize,
    /// Each directory that was moved, and its new place.
    pub moved: Vec<(PathBuf, PathBuf)>,
}

/// Takes an agent out of the configuration and moves its files to a dated place in
/// `<state>/trash`.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Usage`] for `main` or if nobody can confirm, [`Kind::Config`], and
/// [`Kind::Storage`] if the files could not be moved: they are where they were then, and the agent is
/// still configured.
pub fn delete(cx: Context<'_>, typed: &str, force: bool) -> Result<Deleted, Failure> {
    let id = AgentId::normalise(typed);
    if id.is_main() {
        return Err(Failure::new(Kind::Usage, "\"main\" cannot be deleted."));
    }
    must_exist(cx, &id, typed)?;
    let agent_dir = cx.store_files.directory(&id);
    let home = cx.dirs.state.join(AGENTS).join(id.as_str());
    for directory in [&agent_dir, &home] {
        keeps_no_other(cx, &id, directory)?;
    }
    if !agent_dir.starts_with(&home) {
        trash::check_is_agents(cx, &id, &agent_dir)?;
    }
    if !force {
        confirm(cx, &id)?;
    }
    let workspace = workspace::of(cx.settings, &id, &cx.dirs.home, &cx.dirs.cwd);
    let inside = agent_dir.starts_with(&home);
    let elsewhere = (!inside).then_some(&agent_dir);
    let mut moved = Vec::new();
    for directory in [Some(&home), elsewhere].into_iter().flatten() {
        if let Some(to) = trash::put(cx, &id, directory)? {
            moved.push((directory.clone(), to));
        }
    }
    if cx.is_in_database() {
        forget(cx, &id)?;
    }
    // Last: only the configuration tells where the files of an agent lie, so that a command that
    // was killed before can be repeated.
    let applied = match cx.edit_config(&[Edit::RemoveAgent { id: id.clone() }, touch(cx)]) {
        Ok(applied) => applied,
        Err(error) => return Err(put_back(cx, &id, moved, error.into())),
    };
    Ok(Deleted {
        workspace,
        agent_dir,
        sessions_dir: home.join("sessions"),
        removed_bindings: applied.counts.removed_bindings,
        removed_allow: applied.counts.removed_allow,
        moved,
        id,
    })
}

/// Removes all that a database holds of an agent, so that another one of the same name sees nothing of
/// it. There is no trash.
fn forget(cx: Context<'_>, id: &AgentId) -> Result<(), Failure> {
    cx.change(id, |document| {
        std::mem::take(document) != AuthProfiles::default()
    })?;
    cx.store.clear_history(id, None)?;
    Ok(cx.store.set_inheritance(id, &Inheritance::default())?)
}

/// Fails for an agent that is not configured, with the name as typed.
pub(in crate::app) fn must_exist(
    cx: Context<'_>,
    id: &AgentId,
    typed: &str,
) -> Result<(), Failure> {
    if cx.settings.knows_agent(id) {
        return Ok(());
    }
    let message = format!("Agent \"{}\" not found.", printable(typed, 80));
    Err(Failure::new(Kind::NotFound, message).hint(Command::list_agents()))
}

/// Fails if a directory that goes to the trash holds the credentials of another agent.
fn keeps_no_other(cx: Context<'_>, id: &AgentId, directory: &Path) -> Result<(), Failure> {
    let inside = |other: &AgentId| cx.store_files.directory(other).starts_with(directory);
    let Some(other) = others(cx, id).into_iter().find(inside) else {
        return Ok(());
    };
    let message = format!(
        "Agent \"{id}\" cannot be deleted: {} also contains the credentials of {other}",
        directory.display()
    );
    let hint = format!("give {id} its own agentDir in openclaw.json, or remove it from there");
    Err(Failure::new(Kind::Config, message).hint(hint))
}

/// Moves the files of an agent back whose configuration could not be changed.
fn put_back(
    cx: Context<'_>,
    id: &AgentId,
    moved: Vec<(PathBuf, PathBuf)>,
    mut failure: Failure,
) -> Failure {
    for (from, to) in moved {
        if let Err(error) = cx.files.move_dir(&to, &from) {
            failure.message.push_str(&format!(
                "; the files of {id} are in {} ({error})",
                to.display()
            ));
            failure = failure.touched(StoreEffect::Changed);
        }
    }
    failure
}

fn confirm(cx: Context<'_>, id: &AgentId) -> Result<(), Failure> {
    let command = Command::new("agents delete").arg(id).arg("--force");
    let unasked = "Non-interactive session. Re-run with --force.".to_owned();
    let refused = format!("Agent {id} was not deleted");
    let what = match cx.is_in_database() {
        true => {
            "Its credentials are removed from the database, and its sessions are moved to trash."
        }
        false => "Its credentials and sessions are moved to trash.",
    };
    let prompt = format!("Delete agent {id}? {what}");
    cx.require_yes(&prompt, (unasked, refused), command)
}
