//! OpenClaw as far as its locks go: a process of its own that takes them, reads and writes as the
//! two releases do. Early: a directory, stale after 30 s, refreshes under it, writes in place. Late:
//! a file with pid and time, a refresh lock before it, writes beside and renames.

use std::collections::hash_map::RandomState;
use std::fs::{self, OpenOptions};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::{Duration, SystemTime};

use openclaw::model::secret::Secret;
use openclaw::ports::http::{Http as _, Method, Request};
use openclaw::sys::env::SystemEnv;
use openclaw::sys::http::SystemHttp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::issued::note_issuers;

/// The variable that makes a process of this test binary the stand-in.
pub(crate) const PART: &str = "OPENCLAW_TEST_STAND_IN";

const STORE_STALE: Duration = Duration::from_secs(30);
const REFRESH_STALE: Duration = Duration::from_secs(180);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Release {
    Early,
    Late,
}

/// What a stand-in does.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) release: Release,
    pub(crate) state: PathBuf,
    pub(crate) document: PathBuf,
    /// The login that it refreshes.
    pub(crate) profile: String,
    pub(crate) acts: Vec<Act>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Act {
    /// Stores a token under a name that ends in each of the numbers below this one.
    Paste(String, usize),
    /// Adds one to a member of its own, so many times.
    Count(usize),
    /// Refreshes the login if it is expired, by this token endpoint.
    Refresh(String),
    /// Refreshes it so many times, and lets it expire after each.
    KeepRefreshing(String, usize),
    /// Holds the lock for so many milliseconds.
    Hold(u64),
    /// Tells which refresh token it found under the lock.
    Look,
}

impl Part {
    /// Starts it.
    pub(crate) fn start(&self) -> Child {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command
            .args(["compat::openclaw_locks::stand_in", "--exact", "--nocapture"])
            .env(PART, serde_json::to_string(self).unwrap())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Plays it, in the process that was started; what it prints begins with `saw`.
    pub(crate) fn play(&self) {
        for act in &self.acts {
            match act {
                Act::Paste(name, count) => (0..*count).for_each(|n| {
                    self.update(|doc| {
                        let id = format!("anthropic:{name}-{n}");
                        doc["profiles"][id] =
                            json!({"type": "token", "provider": "anthropic", "token": "t"});
                    });
                }),
                Act::Count(times) => (0..*times).for_each(|_| {
                    self.update(|doc| {
                        let count = doc["standIn"].as_u64().unwrap_or_default();
                        doc["standIn"] = (count + 1).into();
                    });
                }),
                Act::Refresh(url) => self.refresh(url),
                Act::KeepRefreshing(url, times) => (0..*times).for_each(|_| {
                    self.refresh(url);
                    self.update(|doc| self.login(doc)["expires"] = 1.into());
                }),
                Act::Hold(millis) => {
                    let _lock = self.lock_store();
                    std::thread::sleep(Duration::from_millis(*millis));
                }
                Act::Look => self.update(|doc| {
                    let refresh = self.login(doc)["refresh"].as_str().unwrap().to_owned();
                    #[expect(clippy::print_stdout, reason = "the test reads it")]
                    {
                        println!("saw {refresh}");
                    }
                }),
            }
        }
    }

    fn update(&self, change: impl FnOnce(&mut Value)) {
        let _lock = self.lock_store();
        let mut doc = self.read();
        change(&mut doc);
        self.write(&doc);
    }

    fn refresh(&self, url: &str) {
        let _refreshing = (self.release == Release::Late).then(|| {
            let directory = self.state.join("locks/oauth-refresh");
            fs::create_dir_all(&directory).unwrap();
            let hash = Sha256::digest(format!("openai-codex\0{}", self.profile));
            let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
            Lock::file(
                directory.join(format!("sha256-{hex}.lock")),
                REFRESH_STALE,
                20,
            )
        });
        let _lock = self.lock_store();
        let mut doc = self.read();
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis();
        if u128::from(self.login(&mut doc)["expires"].as_u64().unwrap()) > now {
            return;
        }
        let refresh = self.login(&mut doc)["refresh"].as_str().unwrap().to_owned();
        let body =
            format!("grant_type=refresh_token&refresh_token={refresh}&client_id=test-client");
        let form = "application/x-www-form-urlencoded".to_owned();
        let answer = SystemHttp::new(SystemEnv)
            .send(&Request {
                method: Method::Post,
                url: url.to_owned(),
                headers: vec![("content-type".to_owned(), form)],
                body: Secret::new(body.into_bytes()),
            })
            .unwrap();
        assert_eq!(answer.status, 200);
        let grant: Value = serde_json::from_slice(answer.body.expose()).unwrap();
        self.login(&mut doc)["access"] = grant["access_token"].clone();
        self.login(&mut doc)["refresh"] = grant["refresh_token"].clone();
        self.login(&mut doc)["expires"] = (u64::try_from(now).unwrap() + 3_600_000).into();
        // It refreshes where the provider that is built in would.
        note_issuers(&self.state, &doc.to_string());
        self.write(&doc);
    }

    fn read(&self) -> Value {
        serde_json::from_slice(&fs::read(&self.document).unwrap()).unwrap()
    }

    fn write(&self, doc: &Value) {
        let text = serde_json::to_string_pretty(doc).unwrap();
        match self.release {
            Release::Early => fs::write(&self.document, text).unwrap(),
            Release::Late => {
                let temp = self.document.with_extension("stand-in.tmp");
                fs::write(&temp, text).unwrap();
                fs::rename(temp, &self.document).unwrap();
            }
        }
    }

    fn login<'a>(&self, doc: &'a mut Value) -> &'a mut Value {
        &mut doc["profiles"][&self.profile]
    }

    fn lock_store(&self) -> Lock {
        let mut path = fs::canonicalize(&self.document).unwrap().into_os_string();
        path.push(".lock");
        match self.release {
            Release::Early => Lock::directory(path.into()),
            Release::Late => Lock::file(path.into(), STORE_STALE, 11),
        }
    }
}

/// A lock of OpenClaw's.
struct Lock {
    path: PathBuf,
    /// Ends the heartbeat.
    _beats: Option<Sender<()>>,
}

impl Lock {
    /// `proper-lockfile` 4.1.2 as the early releases call it.
    fn directory(path: PathBuf) -> Self {
        let mut tries = 0;
        loop {
            match fs::create_dir(&path) {
                Ok(()) => break,
                Err(_) if is_old(&path, STORE_STALE) => {
                    let _ = fs::remove_dir(&path);
                    continue;
                }
                Err(_) => {}
            }
            assert!(tries < 10, "lock busy");
            pause(tries);
            tries += 1;
        }
        touch(&path);
        let (stop, stopped) = channel();
        let beaten = path.clone();
        std::thread::spawn(move || {
            let beat = Duration::from_secs(15);
            while stopped.recv_timeout(beat) == Err(RecvTimeoutError::Timeout) {
                touch(&beaten);
            }
        });
        Self {
            path,
            _beats: Some(stop),
        }
    }

    /// The sidecar file of the later releases.
    fn file(path: PathBuf, stale: Duration, attempts: u32) -> Self {
        for attempt in 0.. {
            let made = OpenOptions::new().write(true).create_new(true).open(&path);
            match made {
                Ok(mut file) => {
                    let created =
                        chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
                    let pid = std::process::id();
                    let note = format!("{{\n  \"pid\": {pid},\n  \"createdAt\": \"{created}\"\n}}");
                    file.write_all(note.as_bytes()).unwrap();
                    break;
                }
                Err(error) => assert_eq!(error.kind(), ErrorKind::AlreadyExists),
            }
            if is_stale(&path, stale) && fs::remove_file(&path).is_ok() {
                continue;
            }
            assert!(attempt + 1 < attempts, "lock busy");
            pause(attempt);
        }
        Self { path, _beats: None }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let gone = match self._beats {
            Some(_) => fs::remove_dir(&self.path),
            None => fs::remove_file(&self.path),
        };
        gone.unwrap();
    }
}

/// Between once and twice 100 ms, doubled with every try, 10 s at most.
fn pause(tries: u32) {
    let chance = RandomState::new().build_hasher().finish() % 1_000;
    let millis = 100_u64 * (1 << tries.min(20)) * (1_000 + chance) / 1_000;
    std::thread::sleep(Duration::from_millis(millis.min(10_000)));
}

fn touch(path: &Path) {
    let file = fs::File::open(path).unwrap();
    file.set_modified(SystemTime::now()).unwrap();
}

/// Whether OpenClaw would take this lock at once.
pub(crate) fn may_be_taken(path: &Path, stale: Duration) -> bool {
    match path.is_dir() {
        true => is_old(path, stale),
        false => !path.exists() || is_stale(path, stale),
    }
}

fn is_old(path: &Path, stale: Duration) -> bool {
    let modified = fs::metadata(path).and_then(|data| data.modified());
    modified.is_ok_and(|time| time.elapsed().is_ok_and(|age| age > stale))
}

fn is_stale(path: &Path, stale: Duration) -> bool {
    let Ok(bytes) = fs::read(path) else {
        return false;
    };
    let note: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let is_dead = note["pid"]
        .as_u64()
        .is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
    let created = note["createdAt"].as_str();
    let created = created.and_then(|text| chrono::DateTime::parse_from_rfc3339(text).ok());
    let is_old_by_note = created.is_some_and(|time| {
        (chrono::Utc::now() - time.to_utc())
            .to_std()
            .is_ok_and(|age| age > stale)
    });
    is_dead || is_old_by_note || is_old(path, stale)
}
