//! The options that name a database.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::app::database::source::Asked;
use crate::model::tenant::TenantId;

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

/// Options that name a database, and whose logins in it are meant.
#[derive(Debug, Args)]
pub(in crate::cli::commands) struct TenantArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Whose logins in the database are meant [default: $OPENCLAW_TENANT, or main]
    #[arg(long, value_name = "NAME", value_parser = TenantId::parse)]
    tenant: Option<TenantId>,
}

impl DatabaseArgs {
    /// For the composition root: the database with everything of all tenants.
    pub(in crate::cli::commands) fn asked(&self) -> Asked {
        Asked {
            url_file: self.database_url_file.clone(),
            rescue_dir: self.rescue_dir.clone(),
            tenant: None,
            is_for_all: true,
            is_gateway: true,
        }
    }
}

impl TenantArgs {
    /// The file of the address, if it is named here.
    pub(in crate::cli::commands) fn url_file(&self) -> Option<&Path> {
        self.database.database_url_file.as_deref()
    }

    /// For the composition root.
    pub(in crate::cli::commands) fn asked(&self) -> Asked {
        Asked {
            tenant: self.tenant.clone(),
            is_for_all: false,
            ..self.database.asked()
        }
    }
}
