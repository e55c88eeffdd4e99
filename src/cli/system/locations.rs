//! Where everything lies, by the options, the variables and the configuration; and which agent is meant.

use std::path::{Path, PathBuf};

use crate::app::context::Dirs;
use crate::app::database::source::URL_FILE;
use crate::app::failure::{Failure, Kind};
use crate::app::gateway::lease::Lease;
use crate::config::file::ConfigFile;
use crate::config::workspace;
use crate::model::hint::Command;
use crate::model::id::{AgentId, printable};
use crate::model::settings::Settings;
use crate::model::state_files::AGENTS;
use crate::ports::host::Env as _;
use crate::store::paths::StorePaths;
use crate::sys::env::SystemEnv;
use crate::sys::paths::Places;

use super::super::global::Global;

/// `--agent`, else the directory that a variable names, else the default agent: the same for
/// reading and for writing in every command. The reference release wrote to one agent what it read
/// from another.
pub(super) fn choose_agent(
    global: &Global,
    settings: &Settings,
    places: &Places,
) -> (AgentId, Option<PathBuf>) {
    match (&global.agent, &places.agent_dir_override) {
        (Some(name), directory) => (AgentId::normalise(name), directory.clone()),
        (None, Some(directory)) => (AgentId::main(), Some(directory.clone())),
        (None, None) => (settings.default_agent(), None),
    }
}

/// Refuses a name that means another agent by being made a name, unless that agent is there: a
/// secret would go where nobody looks for it, into main for a name without a letter.
pub(super) fn check_name(
    global: &Global,
    agent: &AgentId,
    settings: &Settings,
    places: &Places,
) -> Result<(), Failure> {
    let typed = global.agent.as_deref().unwrap_or(agent.as_str()).trim();
    let is_there = || {
        let directory = places.state_dir.join(AGENTS).join(agent.as_str());
        settings.knows_agent(agent) || directory.exists()
    };
    if typed.to_lowercase() == agent.as_str() || (!agent.is_main() && is_there()) {
        return Ok(());
    }
    let typed = printable(typed, 80);
    let message = format!("\"{typed}\" is not the name of an agent; did you mean {agent}?");
    Err(Failure::new(Kind::Usage, message).hint(Command::list_agents()))
}

/// The gateway that tokens come from, if this machine keeps no credentials.
///
/// # Errors
/// As [`Lease::find`], and if a database is named as well.
pub(super) fn lease(global: &Global, agent: &AgentId) -> Result<Option<Lease>, Failure> {
    let named = global.agent.as_ref().map(|_| agent.clone());
    match Lease::find(&SystemEnv)? {
        Some(_) if SystemEnv.plain(URL_FILE).is_some() => Err(Lease::conflicts_with(URL_FILE)),
        lease => Ok(lease.map(|lease| lease.of_agent(named))),
    }
}

/// Fails where this machine keeps no credentials.
///
/// # Errors
/// As [`Lease::keeps_nothing`] and [`Lease::find`].
pub(in crate::cli) fn require_store() -> Result<(), Failure> {
    let lease = Lease::find(&SystemEnv)?;
    lease.map_or(Ok(()), |lease| Err(lease.keeps_nothing()))
}

pub(super) fn places(global: &Global, cwd: &Path) -> Result<Places, Failure> {
    let state_dir = global.state_dir.as_deref();
    let flags = (state_dir, global.instance());
    Places::resolve(&SystemEnv, &|path| path.exists(), flags, cwd)
        .map_err(|error| Failure::new(Kind::Config, error.to_string()))
}

/// What `openclaw.json` says, where everything lies by it, and why it could not be read if nothing
/// was said.
pub(super) fn configured(
    config: &ConfigFile,
    global: &Global,
    places: &Places,
    dirs: &Dirs,
) -> Result<(Settings, StorePaths, Option<Failure>), Failure> {
    let found = config.load().map_err(Failure::from).and_then(|loaded| {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let locations = locations(&loaded.settings, global, places, dirs)?;
        Ok((loaded.settings, locations, None))
    });
    found.or_else(|fault| {
        let settings = Settings::default();
        let locations = locations(&settings, global, places, dirs)?;
        Ok((settings, locations, Some(fault)))
    })
}

fn locations(
    settings: &Settings,
    global: &Global,
    places: &Places,
    dirs: &Dirs,
) -> Result<StorePaths, Failure> {
    let (_, override_dir) = choose_agent(global, settings, places);
    let agent_dirs = workspace::agent_dirs(settings, &dirs.home, &dirs.cwd, &dirs.state)?;
    let main = agent_dirs
        .iter()
        .find(|(id, _)| id.is_main())
        .map(|(_, path)| path.clone());
    let usual = StorePaths::below(&places.state_dir);
    Ok(StorePaths {
        main_dir: override_dir.or(main).unwrap_or(usual.main_dir),
        agent_dirs,
        oauth_dir: places.oauth_dir.clone(),
        written_by: settings.written_by.clone(),
        spare: spare_directory(),
        identity: usual.identity,
        state: usual.state,
    })
}

/// Where the user's runtime files live (XDG Base Directory Specification): mostly memory, so there
/// is room when the disk is full.
fn spare_directory() -> Option<PathBuf> {
    let runtime = PathBuf::from(SystemEnv.plain("XDG_RUNTIME_DIR")?);
    runtime.is_absolute().then(|| runtime.join("openclaw"))
}

/// A directory of this user (XDG Base Directory Specification).
pub(super) fn user_directory(dirs: &Dirs, variable: &str, default: &str) -> PathBuf {
    let named = SystemEnv.plain(variable).map(PathBuf::from);
    let named = named.filter(|path| path.is_absolute());
    named.unwrap_or_else(|| dirs.home.join(default))
}
