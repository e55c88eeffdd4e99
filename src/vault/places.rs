//! The keys that slots are wrapped under: reading them where they lie, and putting new ones there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::seal::{DataKey, KEY};
use crate::model::secret::Secret;
use crate::model::vault::{VaultFault, VaultId};
use crate::ports::dialog::Dialog;
use crate::ports::files::{FileError, Files, Replaced};
use crate::ports::host::{Clock, Env, Random};
use crate::ports::key_cache::KeyCache;
use crate::ports::keyring::{Keyring, KeyringFault, KeyringItem};
use crate::ports::vault::VaultError;

use super::slots::{Place, credential_name, keyring_item};

/// The variable in which systemd says where the credentials of a service lie.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The ports of a vault.
pub struct VaultPorts {
    /// Where `secrets.enc` and key files lie.
    pub files: Arc<dyn Files>,
    /// When a secret was stored.
    pub clock: Arc<dyn Clock>,
    /// Keys, salts and nonces.
    pub random: Arc<dyn Random>,
    /// The variables of this process alone: none of a file in the state directory says where keys lie.
    pub env: Arc<dyn Env>,
    /// Who knows the passphrase.
    pub dialog: Arc<dyn Dialog>,
    /// The keyring of the system.
    pub keyring: Arc<dyn Keyring>,
    /// Keeps the key after a passphrase.
    pub cache: Arc<dyn KeyCache>,
}

/// The directories of a vault.
#[derive(Clone, Debug)]
pub struct VaultDirs {
    /// The state directory, where `secrets.enc` lies.
    pub state: PathBuf,
    /// Where key files usually lie: outside of it.
    pub keys: PathBuf,
    /// The home directory, which `~/` in the path of a key file stands for.
    pub home: PathBuf,
    /// The working directory, for paths that people name.
    pub cwd: PathBuf,
}

/// Fresh random bytes.
pub(super) fn random<const N: usize>(random: &dyn Random) -> Result<[u8; N], VaultFault> {
    let mut bytes = [0; N];
    let filled = random.fill(&mut bytes);
    filled.map_err(|error| VaultFault::Failed(error.to_string()))?;
    Ok(bytes)
}

/// A fresh key.
pub(super) fn new_key(source: &dyn Random) -> Result<DataKey, VaultFault> {
    let bytes = Secret::new(random::<KEY>(source)?.to_vec());
    DataKey::new(bytes).ok_or_else(|| VaultFault::Failed("no key was made".to_owned()))
}

/// Reads a key file: nobody else may have been able to write it, or to read it if it is this user's.
pub(super) fn read_key_file(files: &dyn Files, path: &Path) -> Result<DataKey, String> {
    key_in(files.read_key(path))
}

/// Reads a credential, which is as open as systemd made it.
pub(super) fn read_credential(files: &dyn Files, path: &Path) -> Result<DataKey, String> {
    key_in(files.read_settings(path))
}

fn key_in(read: Result<Option<Vec<u8>>, FileError>) -> Result<DataKey, String> {
    match read {
        Ok(None) => Err("it is not there".to_owned()),
        Ok(Some(bytes)) => DataKey::from_text(&Secret::new(bytes))
            .ok_or_else(|| "it holds no key of 32 bytes".to_owned()),
        Err(error) => Err(format!("{error} ({})", error.remedy())),
    }
}

/// The path of a key file as a slot has it.
pub(super) fn expand(path: &str, dirs: &VaultDirs) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => dirs.home.join(rest),
        None => dirs.state.join(path),
    }
}

/// The same the other way round: below the home directory it may be renamed with it.
fn shorten(path: &Path, dirs: &VaultDirs) -> String {
    match path.strip_prefix(&dirs.home) {
        Ok(rest) => format!("~/{}", rest.display()),
        Err(_) => path.display().to_string(),
    }
}

/// Where systemd put the credential of that name.
pub(super) fn credential_path(env: &dyn Env, name: &str) -> Result<PathBuf, String> {
    let is_name = !name.is_empty() && !name.contains('/') && !name.starts_with('.');
    match env.plain(CREDENTIALS) {
        _ if !is_name => Err("that is no name of a credential".to_owned()),
        None => Err("this process was given no credentials by systemd".to_owned()),
        Some(directory) => Ok(Path::new(&directory).join(name)),
    }
}

/// Reads the key in the keyring of the system.
pub(super) fn read_keyring(
    keyring: &dyn Keyring,
    (service, account): (&str, &str),
) -> Result<Result<DataKey, String>, KeyringFault> {
    let item = KeyringItem {
        service: service.to_owned(),
        account: account.to_owned(),
    };
    Ok(match keyring.get(&item)? {
        None => Err("it has no such item".to_owned()),
        Some(text) => {
            DataKey::from_text(&text).ok_or_else(|| "its item holds no key of 32 bytes".to_owned())
        }
    })
}

impl VaultPorts {
    /// Takes the key in a key file, or makes one that is durable and was read back. It is never made
    /// in the state directory, nor over what is there.
    pub(super) fn key_file(
        &self,
        dirs: &VaultDirs,
        named: Option<&Path>,
        vault: &VaultId,
    ) -> Result<(Place, DataKey), VaultError> {
        let usual = || dirs.keys.join(format!("{vault}.key"));
        let path = named.map_or_else(usual, |path| dirs.cwd.join(path));
        let files = &*self.files;
        if files.stat(&path)?.is_none() {
            self.refuse_beside_store(dirs, &path)?;
            let key = new_key(&*self.random)?;
            files.create_dirs(path.parent().unwrap_or(&path))?;
            let written = files.replace_over(&path, None, key.to_text().expose())?;
            if written != Replaced::Done {
                let text = format!("{} was just made by another process", path.display());
                return Err(VaultError::Refused(text));
            }
        }
        self.refuse_beside_store(dirs, &path)?;
        let key = read_key_file(files, &path).map_err(|why| {
            VaultError::Refused(format!(
                "{} cannot be used as a key file: {why}",
                path.display()
            ))
        })?;
        let path = shorten(&path, dirs);
        Ok((Place::KeyFile { path }, key))
    }

    fn refuse_beside_store(&self, dirs: &VaultDirs, path: &Path) -> Result<(), VaultError> {
        let real = |path: &Path| {
            let above = path.ancestors();
            let mut found = above.filter_map(|path| self.files.resolve(path).ok());
            found.next().unwrap_or_else(|| path.to_owned())
        };
        match real(path).starts_with(real(&dirs.state)) {
            false => Ok(()),
            true => Err(VaultError::Refused(format!(
                "{} is in the state directory: a key beside what it opens protects nothing",
                path.display()
            ))),
        }
    }

    /// Takes the key of this vault in the keyring of the system, or puts a new one there. One that is
    /// there may open copies of `secrets.enc`, so it is never replaced.
    pub(super) fn keyring_key(&self, vault: &VaultId) -> Result<(Place, DataKey), VaultError> {
        let item = keyring_item(vault);
        let (service, account) = (item.service.clone(), item.account.clone());
        if let Ok(Ok(key)) = read_keyring(&*self.keyring, (&service, &account)) {
            return Ok((Place::Keyring { service, account }, key));
        }
        let key = new_key(&*self.random)?;
        let text = Secret::new(key.to_text().expose().trim_ascii_end().to_vec());
        let put = self.keyring.put(&item, "OpenClaw secrets", &text);
        put.map_err(|fault| match fault {
            KeyringFault::Locked => VaultFault::KeyringLocked,
            other => VaultFault::Failed(other.to_string()),
        })?;
        Ok((Place::Keyring { service, account }, key))
    }

    /// Takes the credential that systemd has for this vault.
    pub(super) fn credential(&self, vault: &VaultId) -> Result<(Place, DataKey), VaultError> {
        let name = credential_name(vault);
        let read = credential_path(&*self.env, &name)
            .and_then(|path| read_credential(&*self.files, &path));
        let key = read.map_err(|why| {
            VaultError::Refused(format!(
                "the systemd credential {name} cannot be used: {why}"
            ))
        })?;
        Ok((Place::Credential { name }, key))
    }
}
