//! The use cases of a server that runs for months: what was read once at the start of a command is
//! read again here when it changed.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::RwLock;

use super::database::Wanted;
use super::{System, random, supervisor};
use crate::app::context::Context;
use crate::app::credential::answered::Answered;
use crate::app::database::source::Asked;
use crate::app::failure::Failure;
use crate::app::hooks::deliver;
use crate::app::hooks::queue::Alerts;
use crate::cli::global::Global;
use crate::cli::hint::Renderer;
use crate::cli::printer::Printer;
use crate::gateway::engine::Engine;
use crate::gateway::{AttemptsInMemory, PassesInMemory, Ports};
use crate::model::hint::Hint;
use crate::model::id::AgentId;
use crate::model::state_files::{DECLARED, DOTENV, PROVIDERS, SECRETS};
use crate::ports::database::Database;
use crate::ports::files::Files;
use crate::ports::host::Interrupt;
use crate::ports::login_attempts::LoginAttempts;
use crate::ports::page_passes::PagePasses;

/// The ports of this process, made anew when the configuration changed.
pub(in crate::cli) struct SystemEngine {
    global: Global,
    /// The database that was asked for.
    asked: Asked,
    printer: Arc<Printer>,
    /// The one that signals reach; each system that is made anew has one that they do not.
    interrupt: Arc<dyn Interrupt>,
    current: RwLock<Current>,
    /// The last one that the database told: one that cannot be asked has no news, and tokens that were
    /// handed out before are good.
    revision: AtomicU64,
}

/// A system, and a mark of the files that it was made of.
struct Current {
    system: Arc<System>,
    mark: u64,
}

impl SystemEngine {
    /// Reads the configuration.
    ///
    /// # Errors
    /// As [`System::new`].
    pub(in crate::cli) fn new(
        global: &Global,
        printer: &Arc<Printer>,
        asked: Asked,
    ) -> Result<Self, Failure> {
        let system = System::for_server(global, printer, Wanted::Asked(&asked))?;
        Ok(Self {
            asked,
            revision: AtomicU64::default(),
            global: global.clone(),
            printer: Arc::clone(printer),
            interrupt: Arc::clone(&system.interrupt),
            current: RwLock::new(Current {
                mark: mark(&system, &settings_files(&system)),
                system: Arc::new(system),
            }),
        })
    }

    /// The system as it is now.
    pub(in crate::cli) fn system(&self) -> Arc<System> {
        Arc::clone(&self.current.read().system)
    }

    /// What a gateway needs beside its use cases.
    pub(in crate::cli) fn ports(self: &Arc<Self>) -> Ports {
        Ports {
            engine: Arc::clone(self) as Arc<dyn Engine>,
            clock: Arc::clone(&self.system().clock) as _,
            interrupt: Arc::clone(&self.interrupt),
            random: Arc::new(random()),
            attempts: self.attempts(),
            passes: self.passes(),
            supervisor: Arc::new(supervisor()),
        }
    }

    /// Where logins under way are noted: in the database, or nowhere but here.
    fn attempts(&self) -> Arc<dyn LoginAttempts> {
        match self.system().opened() {
            Some(opened) => Arc::clone(&opened.attempts),
            None => Arc::new(AttemptsInMemory::default()),
        }
    }

    /// Where sessions of the page are kept: the same.
    fn passes(&self) -> Arc<dyn PagePasses> {
        let system = self.system();
        match system.opened() {
            Some(opened) => Arc::clone(&opened.passes),
            None => Arc::new(PassesInMemory::new(Arc::clone(&system.clock) as _)),
        }
    }

    /// Makes the system anew if its files changed. One that cannot be read leaves the old one in
    /// force: half of a file that somebody is writing must not end a service.
    /// Returns the mark of the files.
    fn renew(&self) -> u64 {
        let system = self.system();
        let mark = mark(&system, &settings_files(&system));
        if self.current.read().mark == mark {
            return mark;
        }
        let database = match system.opened() {
            Some(opened) => Wanted::Opened(opened.clone()),
            None => Wanted::Asked(&self.asked),
        };
        match System::for_server(&self.global, &self.printer, database) {
            Ok(system) => {
                let system = Arc::new(system);
                *self.current.write() = Current { system, mark };
            }
            Err(failure) => {
                tracing::warn!(target: "openclaw", "{failure}; the configuration read before stays in force");
                self.current.write().mark = mark;
            }
        }
        mark
    }
}

impl Engine for SystemEngine {
    fn with(&self, work: &mut dyn FnMut(Context<'_>, &AgentId)) {
        let system = self.system();
        let (alerts, answered) = (Alerts::default(), Answered::default());
        let cx = Context {
            interrupt: &*self.interrupt,
            alerts: &alerts,
            answered: &answered,
            ..system.context()
        };
        work(cx, &system.agent);
        let render = |agent: &AgentId, hint: &Hint| Renderer::text(&system.hints_of(agent), hint);
        deliver::deliver(cx, &render);
    }

    fn text(&self, hint: &Hint) -> String {
        self.system().hints.text(hint)
    }

    fn database(&self) -> Option<Arc<dyn Database>> {
        let system = self.system();
        let opened = system.opened()?;
        Some(Arc::clone(&opened.database))
    }

    fn revision(&self) -> u64 {
        let settings = self.renew();
        let system = self.system();
        let mut hasher = DefaultHasher::new();
        settings.hash(&mut hasher);
        if let Some(opened) = system.opened() {
            if let Ok(revision) = opened.database.revision() {
                self.revision.store(revision, Ordering::SeqCst);
            }
            self.revision.load(Ordering::SeqCst).hash(&mut hasher);
            return hasher.finish();
        }
        let cx = system.context();
        // A store that cannot be listed is judged when it can be again, or after a while.
        let agents = cx.store.agents().unwrap_or_default();
        let documents = agents.iter().flat_map(|agent| {
            let document = cx.store_files.document(agent);
            let state = cx.store_files.split_state(agent).ok().flatten();
            document.into_iter().chain(state)
        });
        let files: Vec<PathBuf> = documents.collect();
        mark(&system, &files).hash(&mut hasher);
        hasher.finish()
    }
}

/// The files that a system is made of. A directory stands for what is in it.
fn settings_files(system: &System) -> Vec<PathBuf> {
    let state = &system.dirs.state;
    let providers = state.join(PROVIDERS);
    let listed = system.files.list(&providers).unwrap_or_default();
    let mut files: Vec<PathBuf> = listed.iter().map(|name| providers.join(name)).collect();
    files.push(system.config.path().to_owned());
    files.extend([DOTENV, DECLARED, SECRETS].map(|name| state.join(name)));
    files
}

/// A number that differs if one of the files does.
fn mark(system: &System, files: &[PathBuf]) -> u64 {
    let mut hasher = DefaultHasher::new();
    for file in files {
        (file, stat(&*system.files, file)).hash(&mut hasher);
    }
    hasher.finish()
}

/// What tells of a file whether it is another one, without reading it.
fn stat(files: &dyn Files, path: &Path) -> Option<(i64, u64, (u64, u64))> {
    let stat = files.stat(path).ok().flatten()?;
    Some((stat.modified.0, stat.size, stat.identity))
}
