//! Every port that a use case needs, with nothing real behind any of them.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openclaw::app::context::{Context, Dirs};
use openclaw::app::hooks::queue::Alerts;
use openclaw::cli::hint::Renderer;
use openclaw::config::file::ConfigFile;
use openclaw::model::secret::Secret;
use openclaw::model::settings::Settings;
use openclaw::model::time::Timestamp;
use openclaw::ports::callback::{BindError, Callback, Endpoint, Listening};
use openclaw::ports::dialog::{Answer, Dialog, DialogError, Notice, Question};
use openclaw::ports::files::Files as _;
use openclaw::ports::host::{
    Browser, BrowserError, Clock, Env, Interrupt, LoginShell, Random, RandomError, ShellError,
    Signal, Variables,
};
use openclaw::ports::http::{Http, HttpError, Request, Response};
use openclaw::ports::program::{Exit, HookCommand, ProgramError, Programs, Running};
use openclaw::providers::catalogue::Catalogue;
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::testing::clock::FakeClock;
use openclaw::testing::files::MemoryFiles;

/// When everything happens: 2026-11-21.
pub(crate) const NOW: Timestamp = Timestamp(1_795_230_521_000);

/// The state directory.
pub(crate) const STATE: &str = "/state";

/// Bytes that count up; nothing here needs more.
#[derive(Default)]
pub(crate) struct Counting(Mutex<u8>);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        let mut next = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        buffer.fill_with(|| {
            *next = next.wrapping_add(1);
            *next
        });
        Ok(())
    }
}

/// A machine without variables, shell, browser, signals, ports.
struct Nothing;

impl Env for Nothing {
    fn var(&self, _: &str) -> Option<Secret<String>> {
        None
    }

    fn is_remote(&self) -> bool {
        false
    }
}

impl LoginShell for Nothing {
    fn variables(&self, _: Duration, _: &dyn Fn() -> bool) -> Result<Variables, ShellError> {
        Ok(Vec::new())
    }
}

impl Browser for Nothing {
    fn open(&self, _: &str) -> Result<(), BrowserError> {
        Ok(())
    }
}

impl Interrupt for Nothing {
    fn defer(&self) {}

    fn pending(&self) -> Option<Signal> {
        None
    }
}

impl Callback for Nothing {
    fn bind(&self, _: &Endpoint) -> Result<Box<dyn Listening>, BindError> {
        Err(BindError(Vec::new()))
    }
}

impl Programs for Nothing {
    fn on_path(&self, _: &str) -> Vec<PathBuf> {
        Vec::new()
    }

    fn with_prefix(&self, _: &str) -> Vec<PathBuf> {
        Vec::new()
    }

    fn check_permissions(&self, path: &Path) -> Result<(), ProgramError> {
        let reason = "there are none here".to_owned();
        let path = path.to_owned();
        Err(ProgramError::NotStarted { path, reason })
    }

    fn start(&self, path: &Path) -> Result<Box<dyn Running>, ProgramError> {
        self.check_permissions(path)?;
        unreachable!("every program is refused")
    }

    fn run(&self, hook: &HookCommand<'_>) -> Result<Exit, ProgramError> {
        self.check_permissions(hook.path)?;
        unreachable!("every program is refused")
    }
}

/// A token endpoint that gives whatever it is asked for, each time something new.
#[derive(Default)]
struct Generous(AtomicU64);

impl Http for Generous {
    fn send(&self, _: &Request) -> Result<Response, HttpError> {
        let n = self.0.fetch_add(1, Ordering::Relaxed);
        let body = format!(
            r#"{{"access_token":"at-new-{n}","refresh_token":"rt-new-{n}","expires_in":3600}}"#
        );
        Ok(Response {
            status: 200,
            headers: Vec::new(),
            body: Secret::new(body.into_bytes()),
        })
    }
}

/// A person who pastes one text, whatever the question, and is told things.
#[derive(Default)]
struct Person {
    pasted: String,
    told: Mutex<Vec<String>>,
}

impl Dialog for Person {
    fn notice(&self, notice: &Notice) {
        if let Notice::Warning(text) | Notice::Info(text) = notice {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            told.push(Renderer::default().text(text));
        }
    }

    fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<Answer, DialogError> {
        Ok(Answer::Text(Secret::from(self.pasted.as_str())))
    }

    fn can_ask(&self) -> bool {
        false
    }
}

/// A state directory in memory and everything around it.
pub(crate) struct FakePorts {
    pub(crate) files: MemoryFiles,
    pub(crate) store: FileStore,
    clock: Arc<FakeClock>,
    config: ConfigFile,
    settings: Settings,
    catalogue: Catalogue,
    dirs: Dirs,
    alerts: Alerts,
    person: Person,
    random: Counting,
    http: Generous,
}

impl FakePorts {
    /// An empty state directory.
    pub(crate) fn new() -> Self {
        Self::with_paste("")
    }

    /// Lets time pass.
    pub(crate) fn advance(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// The same, with a person who pastes this.
    pub(crate) fn with_paste(pasted: &str) -> Self {
        let files = MemoryFiles::new();
        files.set_now(NOW);
        let shared = Arc::new(files.clone());
        let clock = Arc::new(FakeClock::new(NOW));
        let state = PathBuf::from(STATE);
        let places = StorePaths {
            main_dir: state.join("agents/main/agent"),
            agent_dirs: Vec::new(),
            oauth_dir: state.join("credentials"),
            written_by: None,
            spare: None,
            state: state.clone(),
        };
        let store = FileStore::new(shared.clone(), clock.clone(), places);
        let config = state.join("openclaw.json");
        Self {
            store,
            config: ConfigFile::new(shared.clone(), Arc::new(Nothing), config),
            settings: Settings::default(),
            catalogue: Catalogue::new(shared, state.join("providers")),
            alerts: Alerts::default(),
            dirs: Dirs {
                home: "/home".into(),
                cwd: "/".into(),
                state,
            },
            person: Person {
                pasted: pasted.to_owned(),
                ..Person::default()
            },
            random: Counting::default(),
            http: Generous::default(),
            clock,
            files,
        }
    }

    /// Puts a file of the state directory.
    pub(crate) fn put(&self, path: &str, bytes: &[u8]) {
        let path = Path::new(STATE).join(path);
        self.files.put(&path, "");
        if self.files.replace(&path, bytes).is_err() {
            panic!("{} could not be put", path.display());
        }
    }

    /// The bytes of a file of the state directory.
    pub(crate) fn bytes(&self, path: &str) -> Option<Vec<u8>> {
        let path = Path::new(STATE).join(path);
        self.files.read(&path).ok().flatten()
    }

    /// Every file there is with its bytes.
    pub(crate) fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut directories = vec![PathBuf::from(STATE)];
        while let Some(directory) = directories.pop() {
            for name in self.files.list(&directory).unwrap_or_default() {
                let path = directory.join(name);
                match self.files.read(&path) {
                    Ok(Some(bytes)) => found.push((path, bytes)),
                    _ => directories.push(path),
                }
            }
        }
        found
    }

    /// What the person was told.
    pub(crate) fn told(&self) -> Vec<String> {
        let told = self.person.told.lock();
        told.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The time that a use case sees.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The context, for a use case.
    pub(crate) fn ports(&self) -> Context<'_> {
        Context {
            clock: &*self.clock,
            random: &self.random,
            env: &Nothing,
            shell: &Nothing,
            interrupt: &Nothing,
            browser: &Nothing,
            http: &self.http,
            programs: &Nothing,
            callback: &Nothing,
            dialog: &self.person,
            files: &self.files,
            store: &self.store,
            store_files: &self.store,
            config: &self.config,
            settings: &self.settings,
            catalogue: &self.catalogue,
            dirs: &self.dirs,
            alerts: &self.alerts,
        }
    }
}

/// Panics if a text could steer a terminal.
pub(crate) fn assert_printable(text: &str) {
    let odd = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(odd, None, "{text:?}");
}
