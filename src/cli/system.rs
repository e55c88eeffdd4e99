//! The composition root: the only place that names the concrete types behind the ports.

mod audience;
pub(super) mod database;
#[cfg(feature = "gateway")]
pub(super) mod engine;
mod job;
mod locations;
#[cfg(feature = "gateway")]
mod of_database;
mod vault;

use std::path::PathBuf;
use std::sync::Arc;

use crate::app::context::{Context, Dirs};
use crate::app::credential::answered::Answered;
use crate::app::database::source::Asked;
use crate::app::doctor::Lab;
use crate::app::failure::{Failure, Kind};
use crate::app::gateway::lease::Lease;
use crate::app::hooks::deliver;
use crate::app::hooks::queue::Alerts;
use crate::config::declared::DeclaredFile;
use crate::config::file::ConfigFile;
use crate::model::id::AgentId;
use crate::model::seal::DataKey;
use crate::model::settings::Settings;
use crate::model::state_files::{DECLARED, DOTENV, PROVIDERS};
use crate::model::time::{LocalTime, Timestamp};
use crate::ports::dialog::Dialog;
use crate::ports::exec::Exec;
use crate::ports::files::Files;
use crate::ports::host::{Clock, Env, Interrupt};
#[cfg(feature = "gateway")]
use crate::ports::host::{Random, Supervisor};
use crate::ports::vault::Vault;
use crate::providers::catalogue::Catalogue;
use crate::store::file::FileStore;
use crate::store::history;
use crate::store::io::Limit;
use crate::sys::browser::SystemBrowser;
use crate::sys::callback::SystemCallback;
use crate::sys::clock::SystemClock;
use crate::sys::disk::SystemDisk;
use crate::sys::env::{LayeredEnv, SystemEnv, names};
use crate::sys::exec::SystemExec;
use crate::sys::files::{self, SystemFiles};
use crate::sys::http::SystemHttp;
use crate::sys::interrupt::SystemInterrupt;
use crate::sys::login_shell::SystemShell;
use crate::sys::port_holder::SystemListeners;
use crate::sys::program::SystemPrograms;
use crate::sys::random::OsRandom;
#[cfg(feature = "gateway")]
use crate::sys::supervisor::SystemSupervisor;
use crate::vault::open::FileVault;

pub(super) use crate::sys::env::names::COMPLETE;

use audience::{Audience, dialog};
use database::{Backend, Machine, Opened, Wanted};
pub(super) use locations::require_store;
use locations::{check_name, choose_agent, configured, lease, places, user_directory};
use vault::vault;

use super::global::Global;
use super::hint::Renderer;
use super::printer::Printer;

/// The real ports of this process, and what was read once at the start.
pub struct System {
    clock: Arc<SystemClock>,
    env: Arc<dyn Env>,
    interrupt: Arc<dyn Interrupt>,
    http: SystemHttp,
    browser: SystemBrowser,
    dialog: Arc<dyn Dialog>,
    files: Arc<dyn Files>,
    backend: Backend,
    vault: Arc<FileVault>,
    config: ConfigFile,
    settings: Settings,
    /// Why the configuration could not be read.
    pub(super) fault: Option<Failure>,
    catalogue: Catalogue,
    dirs: Dirs,
    alerts: Alerts,
    answered: Answered,
    lease: Option<Lease>,
    /// The agent that is meant.
    pub(super) agent: AgentId,
    /// The options that every command takes, as they were given.
    pub(super) global: Global,
    /// Renders advice as it was asked for.
    pub(super) hints: Renderer,
    /// What writes the answers of this process.
    pub(super) printer: Arc<Printer>,
}

impl System {
    /// Finds the places, reads the configuration, and opens nothing else: no network, no lock.
    ///
    /// With `events` what happens is told as JSON lines on stdout.
    ///
    /// # Errors
    /// If there is no home directory, the configuration cannot be read, or a database is named
    /// that has no key.
    pub fn new(global: &Global, printer: &Arc<Printer>, events: bool) -> Result<Self, Failure> {
        let mut system = Self::despite_faults(global, printer, events)?;
        system.fault.take().map_or(Ok(system), Err)
    }

    /// The same for a server: what happens goes to the log, and nobody is asked anything.
    ///
    /// # Errors
    /// As [`Self::new`].
    #[cfg(feature = "gateway")]
    fn for_server(
        global: &Global,
        printer: &Arc<Printer>,
        database: Wanted<'_>,
    ) -> Result<Self, Failure> {
        let mut system = Self::told_to(global, printer, (Audience::Log, database))?;
        system.fault.take().map_or(Ok(system), Err)
    }

    /// The same for a command that must work while the configuration cannot be read, and says so:
    /// what it would have said is taken for not said.
    ///
    /// # Errors
    /// If there is no home directory, or a database is named that has no key: another store would
    /// show other credentials.
    pub fn despite_faults(
        global: &Global,
        printer: &Arc<Printer>,
        events: bool,
    ) -> Result<Self, Failure> {
        let audience = match events {
            true => Audience::Program,
            false => Audience::Person,
        };
        let database = Wanted::Asked(&Asked::default());
        Self::told_to(global, printer, (audience, database))
    }

    fn told_to(
        global: &Global,
        printer: &Arc<Printer>,
        (audience, database): (Audience, Wanted<'_>),
    ) -> Result<Self, Failure> {
        let files: Arc<dyn Files> = Arc::new(SystemFiles);
        let clock = Arc::new(match global.json {
            true => SystemClock::for_programs(),
            false => SystemClock::new(),
        });
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        let places = places(global, &cwd)?;
        files::work_in(&places.state_dir);
        let in_state = |name: &str| places.state_dir.join(name);
        // Where things lie and how the network is reached is for the process's own variables to
        // say; keys and `${VAR}` may come from the file, too.
        let env: Arc<dyn Env> = Arc::new(LayeredEnv::new(Arc::clone(&files), in_state(DOTENV)));
        let path = places.config_path.clone();
        let config = ConfigFile::new(
            Arc::clone(&files),
            Arc::clone(&env),
            path,
            &places.state_dir,
        );
        let dirs = Dirs {
            home: places.home.clone(),
            state: places.state_dir.clone(),
            cwd,
        };
        let (settings, locations, fault) = configured(&config, global, &places, &dirs)?;
        let (agent, _) = choose_agent(global, &settings, &places);
        check_name(global, &agent, &settings, &places)?;
        let interrupt: Arc<dyn Interrupt> = Arc::new(SystemInterrupt::default());
        let hints = Renderer::new(global);
        let dialog = dialog(
            audience,
            printer,
            &interrupt,
            &hints,
            Arc::clone(&clock) as _,
        );
        files::warn(&dialog);
        let vault = vault(
            (Arc::clone(&files), Arc::clone(&dialog)),
            Arc::clone(&clock) as Arc<dyn Clock>,
            &dirs,
        );
        let machine = Machine {
            files: &files,
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            interrupt: &interrupt,
            dialog: &dialog,
            dirs: &dirs,
            spare: locations.spare.clone(),
            limit: generations(&env),
        };
        let lease = lease(global, &agent)?;
        let opened = match database {
            Wanted::Opened(opened) => Some(opened),
            Wanted::Asked(asked) => machine.open(asked)?,
        };
        let clock_of_store = Arc::clone(&clock) as Arc<dyn Clock>;
        let store = FileStore::new(Arc::clone(&files), clock_of_store, locations)
            .keeping(generations(&env))
            .sealing_by(Arc::clone(&vault) as Arc<dyn Vault>)
            .telling(Arc::clone(&interrupt), Arc::clone(&dialog));
        let path = in_state(DECLARED);
        let declared = Arc::new(DeclaredFile::new(Arc::clone(&files), path));
        Ok(Self {
            alerts: Alerts::default(),
            answered: Answered::default(),
            lease,
            catalogue: Catalogue::new(Arc::clone(&files), in_state(PROVIDERS)).declaring(declared),
            http: SystemHttp::new(SystemEnv),
            browser: SystemBrowser::new(&dirs.state),
            global: global.clone(),
            printer: Arc::clone(printer),
            backend: Backend::new(store, opened),
            dialog,
            vault,
            hints,
            clock,
            env,
            interrupt,
            files,
            config,
            settings,
            fault,
            dirs,
            agent,
        })
    }

    /// The ports, for a use case. Every command asks for them, and a copy of this in each was 30 KB.
    #[inline(never)]
    pub fn context(&self) -> Context<'_> {
        Context {
            clock: self.clock.as_ref(),
            random: &OsRandom,
            env: self.env.as_ref(),
            shell: &SystemShell,
            interrupt: self.interrupt.as_ref(),
            browser: &self.browser,
            http: &self.http,
            listeners: &SystemListeners,
            programs: &SystemPrograms,
            callback: &SystemCallback,
            dialog: self.dialog.as_ref(),
            files: self.files.as_ref(),
            store: &*self.backend.store,
            store_files: &*self.backend.store_files,
            access_keys: &*self.backend.access_keys,
            attempts: self.opened().map(|opened| &*opened.attempts),
            vault: &*self.vault,
            vault_keys: &*self.vault,
            secrets: &*self.vault,
            bundles: &*self.vault,
            config: &self.config,
            settings: &self.settings,
            catalogue: &self.catalogue,
            dirs: &self.dirs,
            alerts: &self.alerts,
            answered: &self.answered,
            lease: self.lease.as_ref(),
        }
    }

    /// The ports, with the store on files.
    pub(in crate::cli) fn context_of_files(&self) -> Context<'_> {
        Context {
            store: &*self.backend.files,
            store_files: &*self.backend.files,
            access_keys: &*self.backend.files,
            attempts: None,
            ..self.context()
        }
    }

    /// The key of a database, if the variables of this process name one.
    ///
    /// # Errors
    /// If it is none, or its file cannot be read.
    pub(in crate::cli) fn named_key(&self) -> Result<Option<DataKey>, Failure> {
        database::named_key(&*self.files, &self.dirs)
    }

    /// The database in use, if the store is in one.
    pub(in crate::cli) fn opened(&self) -> Option<&Opened> {
        self.backend.opened.as_ref()
    }

    /// The ports that `doctor` tests.
    ///
    /// # Errors
    /// If the path of this program cannot be determined.
    pub fn lab(&self) -> Result<Lab, Failure> {
        let program = program()?;
        Ok(Lab {
            files: Arc::clone(&self.files),
            disk: Arc::new(SystemDisk::new(program)),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            pid: std::process::id(),
        })
    }

    /// Where the configuration of this user lies.
    pub(super) fn config_home(&self) -> PathBuf {
        user_directory(&self.dirs, "XDG_CONFIG_HOME", ".config")
    }

    /// Where the data of this user lies.
    pub(super) fn data_home(&self) -> PathBuf {
        user_directory(&self.dirs, "XDG_DATA_HOME", ".local/share")
    }

    /// Whether it was named on the command line.
    pub fn agent_named(&self) -> bool {
        self.global.agent.is_some()
    }

    /// Runs the hooks of what happened. The command is over: its answer is written, nothing locked.
    pub fn tell_alerts(&self) {
        deliver::deliver(self.context(), &|agent, hint| {
            self.hints_of(agent).text(hint)
        });
    }

    /// Renders advice about the credentials of `agent`.
    pub fn hints_of(&self, agent: &AgentId) -> Renderer {
        let is_default = *agent == self.settings.default_agent();
        let is_named = !is_default || self.agent_named();
        self.hints.of_agent(is_named.then_some(agent))
    }

    /// Now, for what is told to a person.
    pub fn local(&self) -> LocalTime {
        self.clock.local()
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A variable of this process that holds no secret.
pub(super) fn variable(name: &str) -> Option<String> {
    SystemEnv.plain(name)
}

/// The absolute path of this program.
pub(super) fn program() -> Result<PathBuf, Failure> {
    std::env::current_exe().map_err(|error| {
        let message = format!("cannot determine the path of this program: {error}");
        Failure::new(Kind::Storage, message)
    })
}

/// The port that replaces this process by another program.
pub fn exec() -> impl Exec {
    SystemExec
}

/// Randomness alone.
#[cfg(feature = "gateway")]
pub fn random() -> impl Random {
    OsRandom
}

/// What waits to hear that a service is ready.
#[cfg(feature = "gateway")]
pub fn supervisor() -> impl Supervisor {
    SystemSupervisor
}

/// The file system alone.
pub fn files() -> impl Files {
    SystemFiles
}

/// Asks when it must be known: the usual token reads no `.env`.
fn generations(env: &Arc<dyn Env>) -> Limit {
    let env = Arc::clone(env);
    Arc::new(move || history::limit(env.plain(names::AUTH_HISTORY).as_deref()))
}
