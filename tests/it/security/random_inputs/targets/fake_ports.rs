//! Every port that a use case needs, with nothing real behind any of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use openclaw::app::context::{Context, Dirs};
use openclaw::app::credential::answered::Answered;
use openclaw::app::hooks::queue::Alerts;
use openclaw::cli::hint::Renderer;
use openclaw::config::declared::DeclaredFile;
use openclaw::config::file::ConfigFile;
use openclaw::model::provider::Loopback;
use openclaw::model::secret::Secret;
use openclaw::model::settings::Settings;
use openclaw::model::time::Timestamp;
use openclaw::ports::browser::{Browser, BrowserError, OpenedPage};
use openclaw::ports::callback::{BindError, Callback, Listening};
use openclaw::ports::dialog::{Dialog, DialogError, Notice, Question};
use openclaw::ports::files::Files as _;
use openclaw::ports::host::{
    Clock, Env, Interrupt, LoginShell, Random, RandomError, ShellError, Signal, Variables,
};
use openclaw::ports::http::{Http, HttpError, HttpErrorKind, Request, Response};
use openclaw::ports::listeners::Listeners;
use openclaw::ports::program::{
    AskedProgram, Exit, HookCommand, ProgramAnswer, ProgramError, Programs, Running,
};
use openclaw::ports::vault::NoVault;
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

/// The variables of a machine that is at hand.
#[derive(Default)]
struct Set(BTreeMap<&'static str, &'static str>);

impl Env for Set {
    fn var(&self, name: &str) -> Option<Secret<String>> {
        self.0.get(name).map(|value| Secret::from(*value))
    }

    fn is_remote(&self) -> bool {
        false
    }
}

/// A machine without shell, browser, signals, ports.
struct Nothing;

impl LoginShell for Nothing {
    fn variables(&self, _: Duration, _: &dyn Fn() -> bool) -> Result<Variables, ShellError> {
        Ok(Vec::new())
    }
}

impl Browser for Nothing {
    fn open(&self, _: &str) -> Result<Box<dyn OpenedPage>, BrowserError> {
        Err(BrowserError::NotOpened("there is none here".to_owned()))
    }
}

impl Interrupt for Nothing {
    fn defer(&self) {}

    fn pending(&self) -> Option<Signal> {
        None
    }
}

impl Callback for Nothing {
    fn bind(&self, _: &Loopback) -> Result<Box<dyn Listening>, BindError> {
        Err(BindError(Vec::new()))
    }
}

impl Listeners for Nothing {
    fn are_ours(&self, _: u16) -> bool {
        false
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

    fn start(&self, path: &Path, _: &[String]) -> Result<Box<dyn Running>, ProgramError> {
        self.check_permissions(path)?;
        unreachable!("every program is refused")
    }

    fn run(&self, hook: &HookCommand<'_>) -> Result<Exit, ProgramError> {
        self.check_permissions(hook.path)?;
        unreachable!("every program is refused")
    }

    fn ask(&self, asked: &AskedProgram<'_>) -> Result<ProgramAnswer, ProgramError> {
        self.check_permissions(asked.path)?;
        unreachable!("every program is refused")
    }
}

/// What a token endpoint answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Answers {
    /// It gives whatever it is asked for, each time something new.
    #[default]
    Tokens,
    /// It refuses every grant and every client.
    Refusal,
    /// It is in trouble.
    Trouble,
    /// It cannot be reached.
    Nothing,
    /// It takes the request, and its answer is lost.
    Lost,
}

/// A token endpoint.
#[derive(Default)]
struct TokenEndpoint(Mutex<(Answers, u64)>);

impl Http for TokenEndpoint {
    fn send(&self, _: &Request) -> Result<Response, HttpError> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let n = state.1;
        state.1 += 1;
        let failed = |kind| {
            let detail = "as was asked for".to_owned();
            Err(HttpError { kind, detail })
        };
        let (status, body) = match state.0 {
            Answers::Tokens => (
                200,
                format!(
                    r#"{{"access_token":"at-new-{n}","refresh_token":"rt-new-{n}","expires_in":3600}}"#
                ),
            ),
            Answers::Refusal => (400, r#"{"error":"invalid_grant"}"#.to_owned()),
            Answers::Trouble => (503, String::new()),
            Answers::Nothing => return failed(HttpErrorKind::Connect),
            Answers::Lost => return failed(HttpErrorKind::NoAnswer),
        };
        Ok(Response {
            status,
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

    fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<Secret<String>, DialogError> {
        Ok(Secret::from(self.pasted.as_str()))
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
    answered: Answered,
    person: Person,
    random: Counting,
    http: TokenEndpoint,
    env: Arc<Set>,
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

    /// The clock that a use case sees.
    pub(crate) fn clock(&self) -> Arc<FakeClock> {
        Arc::clone(&self.clock)
    }

    /// The same, with a person who pastes this.
    pub(crate) fn with_paste(pasted: &str) -> Self {
        Self::at(NOW, pasted, &[])
    }

    /// The same at another time, with these variables.
    pub(crate) fn at(now: Timestamp, pasted: &str, env: &[(&'static str, &'static str)]) -> Self {
        let files = MemoryFiles::new();
        files.set_now(now);
        let shared = Arc::new(files.clone());
        let clock = Arc::new(FakeClock::new(now));
        let env = Arc::new(Set(env.iter().copied().collect()));
        let state = PathBuf::from(STATE);
        let places = StorePaths::below(&state);
        let store = FileStore::new(shared.clone(), clock.clone(), places);
        let config = state.join("openclaw.json");
        let declared = DeclaredFile::new(shared.clone(), state.join("config.yaml"));
        Self {
            store,
            config: ConfigFile::new(shared.clone(), env.clone(), config, &state),
            settings: Settings::default(),
            catalogue: Catalogue::new(shared, state.join("providers"))
                .declaring(Arc::new(declared)),
            alerts: Alerts::default(),
            answered: Answered::default(),
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
            http: TokenEndpoint::default(),
            env,
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

    /// Reads `openclaw.json`, as a command does when it begins.
    pub(crate) fn configure(&mut self) {
        match self.config.load() {
            Ok(loaded) => self.settings = loaded.settings,
            Err(error) => panic!("{error}"),
        }
    }

    /// What the token endpoint answers from now on.
    pub(crate) fn answer(&self, answers: Answers) {
        self.http.0.lock().unwrap_or_else(PoisonError::into_inner).0 = answers;
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
            env: &*self.env,
            shell: &Nothing,
            interrupt: &Nothing,
            browser: &Nothing,
            http: &self.http,
            listeners: &Nothing,
            programs: &Nothing,
            callback: &Nothing,
            dialog: &self.person,
            files: &self.files,
            store: &self.store,
            store_files: &self.store,
            attempts: None,
            access_keys: &self.store,
            vault: &NoVault,
            vault_keys: &NoVault,
            bundles: &NoVault,
            lease: None,
            secrets: &NoVault,
            config: &self.config,
            settings: &self.settings,
            catalogue: &self.catalogue,
            dirs: &self.dirs,
            alerts: &self.alerts,
            answered: &self.answered,
        }
    }
}

/// Panics if a text could steer a terminal.
pub(crate) fn assert_printable(text: &str) {
    let odd = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(odd, None, "{text:?}");
}
