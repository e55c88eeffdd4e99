//! The vault with fakes of everything that it stands on.

mod opening;
mod writing;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

use super::open::{Cost, FileVault, VaultDirs, VaultPorts};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::SecretName;
use crate::ports::dialog::{Dialog, DialogError, Notice, Question};
use crate::ports::host::{Random, RandomError};
use crate::ports::lock::{SHORT, Wait};
use crate::ports::secrets::NamedSecrets as _;
use crate::ports::vault::VaultError;
use crate::ports::vault_keys::NewSlot;
use crate::testing::clock::FakeClock;
use crate::testing::env::FixedEnv;
use crate::testing::files::MemoryFiles;
use crate::testing::key_cache::MemoryKeyCache;
use crate::testing::keyring::MemoryKeyring;

const FILE: &str = "/home/me/.openclaw/secrets.enc";
const WAIT: Wait<'static> = Wait::uninterrupted(SHORT);

/// What everything stands on; each process has a vault of its own over it.
#[derive(Default)]
struct World {
    files: MemoryFiles,
    keyring: MemoryKeyring,
    cache: MemoryKeyCache,
    person: Arc<Person>,
    random: Arc<Counting>,
    variables: Vec<(&'static str, &'static str)>,
}

impl World {
    /// A process that has opened nothing.
    fn process(&self) -> FileVault {
        let ports = VaultPorts {
            files: Arc::new(self.files.clone()),
            clock: Arc::new(FakeClock::new(Timestamp(1_000))),
            random: Arc::clone(&self.random) as Arc<dyn Random>,
            env: Arc::new(FixedEnv::of(&self.variables)),
            dialog: Arc::clone(&self.person) as Arc<dyn Dialog>,
            keyring: Arc::new(self.keyring.clone()),
            cache: Arc::new(self.cache.clone()),
        };
        let dirs = VaultDirs {
            state: PathBuf::from("/home/me/.openclaw"),
            keys: PathBuf::from("/home/me/.config/openclaw/keys"),
            home: PathBuf::from("/home/me"),
            cwd: PathBuf::from("/home/me/work"),
        };
        FileVault::new(ports, dirs).stretching(Cost { m: 64, t: 1, p: 1 })
    }

    /// Stores a secret, in a vault whose first slot is this one.
    fn set(&self, name: &str, value: &str, slot: &NewSlot) -> Result<bool, VaultError> {
        let name = SecretName::parse(name).unwrap();
        (self.process()).set(&name, &Secret::from(value), slot, &WAIT)
    }

    /// The value of a secret, as a new process sees it.
    fn get(&self, name: &str) -> Option<String> {
        let name = SecretName::parse(name).unwrap();
        let value = self.process().get(&name).unwrap();
        value.map(|value| value.expose().clone())
    }

    fn text(&self, path: &str) -> String {
        self.files.text(Path::new(path)).unwrap()
    }

    /// Replaces a part of `secrets.enc`.
    fn damage(&self, from: &str, to: &str) {
        let text = self.text(FILE);
        assert!(text.contains(from), "{text}");
        self.files.put(Path::new(FILE), &text.replacen(from, to, 1));
    }
}

/// Bytes that never repeat.
#[derive(Default)]
struct Counting(AtomicU64);

impl Random for Counting {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
        for chunk in buffer.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            let next = next.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
        Ok(())
    }
}

/// A person who has these answers, and nobody once they are used up.
#[derive(Default)]
struct Person {
    answers: Mutex<Vec<&'static str>>,
    asked: Mutex<usize>,
    told: Mutex<Vec<String>>,
}

impl Person {
    fn will_say(&self, answers: &[&'static str]) {
        *self.answers.lock() = answers.iter().rev().copied().collect();
    }

    /// How often they were asked since the last time.
    fn asked(&self) -> usize {
        std::mem::take(&mut self.asked.lock())
    }
}

impl Dialog for Person {
    fn notice(&self, notice: &Notice) {
        if let Notice::Warning(text) = notice {
            self.told.lock().push(format!("{text:?}"));
        }
    }

    fn ask(
        &self,
        question: &Question,
        _: &dyn Fn() -> bool,
    ) -> Result<Secret<String>, DialogError> {
        assert!(matches!(question, Question::Passphrase(_)));
        let answer = self.answers.lock().pop();
        let answer = answer.ok_or(DialogError::NobodyThere)?;
        *self.asked.lock() += 1;
        match answer {
            "^C" => Err(DialogError::Cancelled),
            answer => Ok(Secret::from(answer)),
        }
    }

    fn can_ask(&self) -> bool {
        true
    }
}

fn passphrase() -> NewSlot {
    NewSlot::Passphrase(Secret::from("correct horse"))
}

const KEY_FILE: NewSlot = NewSlot::KeyFile(None);
