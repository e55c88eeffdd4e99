//! `agents set-identity`: the identity of an agent, in `agents.list[].identity`.
//!
//! Which agent is meant, and where its words come from, is OpenClaw's to say: an agent that is
//! named, else the one whose workspace it is; what is given, and for the rest `IDENTITY.md`.

use std::path::{Path, PathBuf};

use crate::config::edit::Edit;
use crate::config::workspace;
use crate::model::hint::Command;
use crate::model::id::AgentId;
use crate::model::pairs;
use crate::model::path::resolve;
use crate::model::persona::{self, Persona};
use crate::model::text::printable_prose;

use super::config_touch::touch;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

/// The members of an identity, in the order in which they are written.
pub const MEMBERS: [&str; 4] = ["name", "emoji", "theme", "avatar"];

/// Parameters of [`set`].
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The agent, if it is named.
    pub agent: Option<AgentId>,
    /// Its workspace as typed.
    pub workspace: Option<PathBuf>,
    /// The file to read as typed.
    pub file: Option<PathBuf>,
    /// Read the file even if other values are given.
    pub from_file: bool,
    /// Values by the names of [`MEMBERS`]; they win over those of the file.
    pub given: Vec<(&'static str, String)>,
}

/// The identity of an agent after the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The agent.
    pub agent: AgentId,
    /// All members, in the order of the configuration.
    pub identity: Vec<(String, String)>,
    /// The workspace that was read.
    pub workspace: Option<PathBuf>,
    /// The file that was named.
    pub file: Option<PathBuf>,
    /// The configuration file.
    pub config_path: PathBuf,
}

/// Reads the identity in the `IDENTITY.md` of a workspace; empty if the file is missing or cannot
/// be read.
pub(in crate::app) fn of_workspace(cx: Context<'_>, workspace: &Path) -> Option<Persona> {
    let bytes = cx.files.read(&workspace.join(persona::FILE)).ok()??;
    Persona::parse(&String::from_utf8_lossy(&bytes))
}

/// Reads the identity in a file that was named.
fn of_file(cx: Context<'_>, path: &Path) -> Option<Persona> {
    let bytes = cx.files.read_input(path).ok()??;
    Persona::parse(&String::from_utf8_lossy(&bytes))
}

/// Stores the identity in the configuration.
///
/// # Errors
/// [`Kind::NotFound`] if no agent is meant or nothing is said, [`Kind::Usage`] if several agents
/// could be meant, and what the configuration says.
pub fn set(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let absolute = |path: &PathBuf| resolve(path, &cx.dirs.home, &cx.dirs.cwd);
    let file = request.file.as_ref().map(absolute);
    let reads = request.from_file || file.is_some() || request.given.is_empty();
    let workspace = match (&file, &request.workspace) {
        (Some(file), _) => file.parent().map(Path::to_owned),
        (None, Some(workspace)) => Some(absolute(workspace)),
        (None, None) if reads || request.agent.is_none() => Some(cx.dirs.cwd.clone()),
        (None, None) => None,
    };
    let agent = match (&request.agent, &workspace) {
        (Some(agent), _) => {
            cx.require_agent(agent)?;
            agent.clone()
        }
        (None, workspace) => whose(cx, workspace.as_deref().unwrap_or(&cx.dirs.cwd))?,
    };
    let incoming = incoming(cx, request, reads, file.as_deref(), workspace.as_deref())?;
    let applied = cx.edit_config(&[
        Edit::SetIdentity {
            id: agent.clone(),
            members: incoming.clone(),
        },
        touch(cx),
    ])?;
    let old = cx.settings.agent(&agent);
    let mut identity = old.map_or_else(Vec::new, |agent| agent.identity.clone());
    for (name, value) in incoming {
        *pairs::entry(&mut identity, |other| other == name, name) = value;
    }
    Ok(Outcome {
        agent,
        identity,
        workspace,
        file,
        config_path: applied.path,
    })
}

/// Returns the one agent that has this workspace.
fn whose(cx: Context<'_>, directory: &Path) -> Result<AgentId, Failure> {
    let (settings, dirs) = (cx.settings, cx.dirs);
    let mut agents: Vec<AgentId> = settings.agent_ids().collect();
    if agents.is_empty() {
        agents.push(settings.default_agent());
    }
    agents.retain(|id| workspace::of(settings, id, &dirs.home, &dirs.cwd) == directory);
    let hint = Command::new("agents set-identity --agent main --name NAME");
    match agents.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let message = format!("{} is not the workspace of an agent", directory.display());
            Err(Failure::new(Kind::NotFound, message).hint(hint))
        }
        several => {
            let names: Vec<&str> = several.iter().map(AgentId::as_str).collect();
            let message = format!(
                "{} is the workspace of several agents: {}",
                directory.display(),
                names.join(", ")
            );
            Err(Failure::new(Kind::Usage, message).hint(hint))
        }
    }
}

/// Merges the given values over those of the file.
fn incoming(
    cx: Context<'_>,
    request: &Request,
    reads: bool,
    file: Option<&Path>,
    workspace: Option<&Path>,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let in_workspace = || workspace.map(|workspace| workspace.join(persona::FILE));
    let path = file.map(Path::to_owned).or_else(in_workspace);
    let read = |path: &Path| match (file, workspace) {
        (None, Some(workspace)) => of_workspace(cx, workspace),
        _ => of_file(cx, path),
    };
    let persona = match path.filter(|_| reads) {
        None => None,
        Some(path) => Some(read(&path).ok_or_else(|| {
            let message = format!("{} contains no identity", path.display());
            let hint = "add a line such as \"- **Name:** Rusty\", or pass --name";
            Failure::new(Kind::NotFound, message).hint(hint)
        })?),
    };
    let members = MEMBERS.into_iter().filter_map(|name| {
        let given = request.given.iter().find(|(other, _)| *other == name);
        let given = given.map(|(_, value)| value.as_str());
        let value = given.or_else(|| persona.as_ref()?.get(name))?;
        Some((name, printable_prose(value, usize::MAX)))
    });
    Ok(members.collect())
}
