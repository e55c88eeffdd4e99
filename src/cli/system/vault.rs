//! The vault of a state directory.

use std::sync::Arc;

use super::locations::user_directory;
use crate::app::context::Dirs;
use crate::ports::dialog::Dialog;
use crate::ports::files::Files;
use crate::ports::host::Clock;
use crate::sys::env::SystemEnv;
use crate::sys::kernel_keyring::KernelKeyring;
use crate::sys::keyring::SystemKeyring;
use crate::sys::random::OsRandom;
use crate::vault::open::{FileVault, VaultDirs, VaultPorts};

/// The vault of the state directory. Reads nothing yet.
pub(super) fn vault(
    (files, dialog): (Arc<dyn Files>, Arc<dyn Dialog>),
    clock: Arc<dyn Clock>,
    dirs: &Dirs,
) -> Arc<FileVault> {
    let keys = user_directory(dirs, "XDG_CONFIG_HOME", ".config").join("openclaw/keys");
    let ports = VaultPorts {
        files,
        clock,
        random: Arc::new(OsRandom),
        env: Arc::new(SystemEnv),
        dialog,
        keyring: Arc::new(SystemKeyring::new(&SystemEnv)),
        cache: Arc::new(KernelKeyring),
    };
    let dirs = VaultDirs {
        state: dirs.state.clone(),
        keys,
        home: dirs.home.clone(),
        cwd: dirs.cwd.clone(),
    };
    Arc::new(FileVault::new(ports, dirs))
}
