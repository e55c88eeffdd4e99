//! Any bytes in the place of `secrets.enc`, and as the member `sealed` of a profile.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use openclaw::model::credential::{Credential, Token};
use openclaw::model::id::{AgentId, ProfileId};
use openclaw::model::json::Extra;
use openclaw::model::seal::KEY;
use openclaw::model::secret::Secret;
use openclaw::model::vault::{SealedPart, SecretName, TokenStore, VaultFault};
use openclaw::ports::dialog::{Dialog, DialogError, Notice, Question};
use openclaw::ports::files::Files as _;
use openclaw::ports::lock::{SHORT, Wait};
use openclaw::ports::secrets::NamedSecrets as _;
use openclaw::ports::store::{Documents as _, Scope};
use openclaw::ports::vault::Vault as _;
use openclaw::ports::vault_keys::{NewSlot, VaultKeys as _};
use openclaw::store::file::FileStore;
use openclaw::store::paths::StorePaths;
use openclaw::testing::clock::FakeClock;
use openclaw::testing::env::FixedEnv;
use openclaw::testing::files::MemoryFiles;
use openclaw::testing::fixed_vault::FixedVault;
use openclaw::testing::key_cache::MemoryKeyCache;
use openclaw::testing::keyring::MemoryKeyring;
use openclaw::vault::open::{Cost, FileVault, VaultDirs, VaultPorts};
use serde_json::Value;

use super::fake_ports::{Counting, FakePorts, NOW, STATE, assert_printable};
use super::raw;

/// The key file of every vault of the corpus holds this byte.
const KEY_BYTE: u8 = 7;
const KEY_FILE: &str = "/keys/vault.key";
const PASSPHRASE: &str = "correct horse";
const DOCUMENT: &str = "agents/main/agent/auth-profiles.json";

/// What guessing a passphrase may cost here, in KiB times passes times lanes.
const MOST: u64 = 1_024;

/// A person who knows the passphrase, or nobody.
struct Person {
    is_there: bool,
}

impl Dialog for Person {
    fn notice(&self, _: &Notice) {}

    fn ask(&self, _: &Question, _: &dyn Fn() -> bool) -> Result<Secret<String>, DialogError> {
        match self.is_there {
            true => Ok(Secret::from(PASSPHRASE)),
            false => Err(DialogError::NobodyThere),
        }
    }

    fn can_ask(&self) -> bool {
        self.is_there
    }
}

/// A process that has opened nothing.
fn process(files: &MemoryFiles, is_there: bool, key_file: &str) -> FileVault {
    let ports = VaultPorts {
        files: Arc::new(files.clone()),
        clock: Arc::new(FakeClock::new(NOW)),
        random: Arc::new(Counting::default()),
        env: Arc::new(FixedEnv::of(&[("OPENCLAW_SECRETS_KEY_FILE", key_file)])),
        dialog: Arc::new(Person { is_there }),
        keyring: Arc::new(MemoryKeyring::default()),
        cache: Arc::new(MemoryKeyCache::default()),
    };
    let dirs = VaultDirs {
        state: PathBuf::from(STATE),
        keys: PathBuf::from("/keys"),
        home: PathBuf::from("/"),
        cwd: PathBuf::from("/"),
    };
    let cheap = Cost { m: 64, t: 1, p: 1 };
    FileVault::new(ports, dirs).stretching(cheap)
}

/// Files among which only the key is.
fn files() -> MemoryFiles {
    let files = MemoryFiles::new();
    files.put(Path::new(KEY_FILE), "");
    let put = files.replace(Path::new(KEY_FILE), &[KEY_BYTE; KEY]);
    put.expect("a file in memory");
    files
}

/// Nothing panics, nothing is written, and what does not open is said in words that a terminal shows.
pub(crate) fn check(bytes: &[u8]) {
    let closed = opened(bytes, "", false);
    assert!(!closed, "it opened without a key");
    let _ = opens(bytes);
}

/// Whether it opens by the key file, by the passphrase, and as the secret of a profile.
pub(crate) fn opens(bytes: &[u8]) -> [bool; 3] {
    [
        opened(bytes, KEY_FILE, false),
        opened(bytes, "", is_cheap(bytes)),
        member(&String::from_utf8_lossy(bytes)),
    ]
}

fn opened(bytes: &[u8], key_file: &str, is_there: bool) -> bool {
    let files = match key_file {
        "" => MemoryFiles::new(),
        _ => files(),
    };
    let path = Path::new(STATE).join("secrets.enc");
    files.put(&path, "");
    files.replace(&path, bytes).expect("a file in memory");
    let vault = process(&files, is_there, key_file);
    let name = SecretName::parse("A").expect("a name");
    let said = |fault: &VaultFault| assert_printable(&fault.to_string());
    match vault.status() {
        Ok(status) => {
            let slots = status.map(|status| status.slots).unwrap_or_default();
            assert!(slots.len() <= 16, "{} slots are looked at", slots.len());
            slots.iter().for_each(|slot| assert_printable(&slot.words));
        }
        Err(fault) => said(&fault),
    }
    let is_open = vault.unlock().inspect_err(said).is_ok();
    match vault.get(&name) {
        Ok(_) => assert!(is_open, "it was read without a key"),
        Err(fault) => said(&fault),
    }
    if let Err(fault) = vault.list() {
        said(&fault);
    }
    let now = files.read(&path).expect("a file in memory");
    assert_eq!(now.as_deref(), Some(bytes), "opening wrote");
    // What does not open is written by nobody; what does keeps what was in it.
    let slot = NewSlot::KeyFile(None);
    let wait = Wait::uninterrupted(SHORT);
    let added = SecretName::parse("ADDED").expect("a name");
    let before = vault.get(&name).ok();
    match vault.set(&added, &Secret::from("value"), &slot, &wait) {
        Ok(_) => {
            assert!(is_open, "it was written without a key");
            let again = process(&files, is_there, key_file);
            assert_eq!(again.get(&name).ok(), before);
        }
        Err(error) => {
            assert_printable(&error.to_string());
            let now = files.read(&path).expect("a file in memory");
            assert_eq!(now.as_deref(), Some(bytes), "{error:?}");
        }
    }
    is_open
}

/// Whether a person may be asked: what the file may ask for within its limits takes minutes.
fn is_cheap(bytes: &[u8]) -> bool {
    let document: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let slots = document["slots"].as_array();
    slots.into_iter().flatten().all(|slot| {
        let of = |name: &str| slot[name].as_u64().unwrap_or_default();
        let (memory, passes, lanes) = (of("m"), of("t"), of("p"));
        let is_refused = memory > 1 << 20 || passes > 16 || lanes > 16;
        is_refused || memory * passes * lanes <= MOST
    })
}

/// As a sealed secret: it opens to what it was, or stays as it is through every write.
fn member(text: &str) -> bool {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    let member = match is_json {
        true => text.to_owned(),
        false => Value::from(text).to_string(),
    };
    let document = format!(
        r#"{{"version":1,"profiles":{{"openai:default":{{"type":"api_key","provider":"openai","key":"","sealed":{member}}}}}}}"#
    );
    let mut fakes = FakePorts::new();
    let vault = FixedVault::new(KEY_BYTE, TokenStore::EncryptedFile, SealedPart::All);
    let places = StorePaths::below(Path::new(STATE));
    fakes.store =
        FileStore::new(Arc::new(fakes.files.clone()), fakes.clock(), places).sealing_by(vault);
    fakes.put(DOCUMENT, document.as_bytes());
    let before = secret(&fakes);
    let added = ProfileId::parse("groq:added").expect("an id");
    let token = Credential::Token(Token {
        provider: "groq".into(),
        token: Some(Secret::from("tok-MARKER")),
        expires: None,
        email: None,
        extra: Extra::default(),
    });
    let written = fakes.store.update(&AgentId::main(), &mut |document| {
        assert!(document.put(added.clone(), token.clone()));
        true
    });
    let now = fakes.bytes(DOCUMENT).unwrap_or_default();
    if let Err(error) = written {
        assert_printable(&error.to_string());
        assert_eq!(now, document.as_bytes(), "a failed write changed it");
        return false;
    }
    let now = String::from_utf8(now).expect("what is written is text");
    assert!(!now.contains("MARKER"), "it was stored in the clear: {now}");
    assert_eq!(secret(&fakes), before);
    let of = |text: &str| {
        let profiles = raw::within(&raw::members(text)?, "profiles");
        let profile = raw::within(&profiles, "openai:default");
        Some(profile.get("sealed")?.get().to_owned())
    };
    let is_open = before.as_ref().is_some_and(Secret::is_held);
    assert!(of(&now).is_some(), "what is sealed is gone: {now}");
    if !is_open {
        assert_eq!(of(&now), of(&document), "what does not open was changed");
    }
    is_open
}

/// The secret of the profile, as the store gives it.
fn secret(fakes: &FakePorts) -> Option<Secret<String>> {
    let id = ProfileId::parse("openai:default").expect("an id");
    let document = fakes.store.load(&AgentId::main(), Scope::All).ok()?;
    document.get(&id)?.shown_secret().cloned()
}
