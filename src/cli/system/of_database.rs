//! What only commands about a database ask of a system.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::System;
use super::audience::Audience;
use super::database::{Opened, Wanted};
use crate::app::database::source::{self, Asked, Surroundings};
use crate::app::failure::{Failure, Kind};
use crate::cli::global::Global;
use crate::cli::printer::Printer;
use crate::model::seal::DataKey;
use crate::ports::database::Database;

impl System {
    /// The same as [`System::new`] for a command about a database, which `asked` may name.
    ///
    /// # Errors
    /// As [`System::new`].
    pub(in crate::cli) fn of_database(
        global: &Global,
        printer: &Arc<Printer>,
        asked: &Asked,
    ) -> Result<Self, Failure> {
        let database = Wanted::Asked(asked);
        let mut system = Self::told_to(global, printer, (Audience::Person, database))?;
        system.fault.take().map_or(Ok(system), Err)
    }

    /// The database, for a command about it.
    ///
    /// # Errors
    /// If none is named.
    pub(in crate::cli) fn required_database(&self) -> Result<&dyn Database, Failure> {
        Ok(&*self.required()?.database)
    }

    /// Its key.
    ///
    /// # Errors
    /// If no database is named.
    pub(in crate::cli) fn database_key(&self) -> Result<DataKey, Failure> {
        Ok(self.required()?.key.clone())
    }

    /// Where this machine keeps what it must not lose.
    ///
    /// # Errors
    /// If no database is named.
    pub(in crate::cli) fn rescue_directory(&self) -> Result<PathBuf, Failure> {
        Ok(self.required()?.directory.clone())
    }

    fn required(&self) -> Result<&Opened, Failure> {
        self.opened().ok_or_else(|| {
            let hint = "name the file of its address: --database-url-file FILE, or \
                        GOCLAW_POSTGRES_DSN_FILE";
            Failure::new(Kind::Usage, "no database is named").hint(hint)
        })
    }

    /// Another key, in a file that an option names.
    ///
    /// # Errors
    /// As [`source::read_key`].
    pub(in crate::cli) fn key_in(&self, path: &Path) -> Result<DataKey, Failure> {
        source::read_key(self.near(), path)
    }

    fn near(&self) -> Surroundings<'_> {
        Surroundings {
            env: &*self.env,
            files: &*self.files,
            dirs: &self.dirs,
        }
    }
}
