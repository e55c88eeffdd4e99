//! The options that name a database.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::app::database::source::Asked;

/// Options that name a database.
#[derive(Debug, Args)]
pub(in crate::cli::commands) struct DatabaseArgs {
    /// File that holds the address of a PostgreSQL database, postgres://USER:PASSWORD@HOST/NAME
    /// [default: $GOCLAW_POSTGRES_DSN, or the file that $GOCLAW_POSTGRES_DSN_FILE or
    /// $OPENCLAW_DATABASE_URL_FILE names]
    #[arg(long, value_name = "FILE")]
    database_url_file: Option<PathBuf>,
    /// Directory for what this machine must not lose: its id among those that share the database, and
    /// answers that are in no row yet [default: postgres in the state directory]
    #[arg(long, value_name = "DIR")]
    rescue_dir: Option<PathBuf>,
}

impl DatabaseArgs {
    /// The file of the address, if it is named here.
    pub(in crate::cli::commands) fn url_file(&self) -> Option<&Path> {
        self.database_url_file.as_deref()
    }

    /// For the composition root.
    pub(in crate::cli::commands) fn asked(&self) -> Asked {
        Asked {
            url_file: self.database_url_file.clone(),
            rescue_dir: self.rescue_dir.clone(),
            is_gateway: true,
        }
    }
}
