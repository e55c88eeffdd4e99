//! Where the passphrase of the secrets comes from.

use clap::Args;

use crate::app::failure::Failure;
use crate::app::secrets;
use crate::cli::system::System;

/// The options of every command that opens the secrets.
#[derive(Debug, Args)]
pub(super) struct KeyArgs {
    /// Read the passphrase from this file descriptor instead of asking for it
    #[arg(long, value_name = "N")]
    pub(super) passphrase_fd: Option<u32>,
}

impl KeyArgs {
    /// Says where the key comes from, before it is needed.
    pub(super) fn apply(&self, system: &System) -> Result<(), Failure> {
        secrets::use_key(system.context(), self.passphrase_fd, None)
    }
}
