//! Which database, under which key, and where this machine keeps what it must not lose.

use std::path::PathBuf;
use std::sync::Arc;

use crate::model::seal::DataKey;
use crate::model::secret::Secret;
use crate::model::tenant::TenantId;
use crate::ports::dialog::Dialog;
use crate::ports::files::Files;
use crate::ports::host::{Clock, Interrupt, Random};
use crate::store::io::Limit;

/// TLS as this program speaks it everywhere, or why it cannot.
pub type Tls = Arc<dyn Fn() -> Result<rustls::ClientConfig, String> + Send + Sync>;

/// Which database, and under which key.
pub struct Settings {
    /// Its address: a URL, or `key=value` pairs as libpq takes them. May hold a password.
    pub url: Secret<String>,
    /// Whose rows are meant.
    pub tenant: TenantId,
    /// The key that rows are sealed under.
    pub key: DataKey,
    /// The directory in which this machine keeps its id, and answers that are in no row yet. No other
    /// tenant has the same.
    pub directory: PathBuf,
    /// Another disk's directory, for an answer that cannot be saved there.
    pub spare: Option<PathBuf>,
    /// How many generations of each profile are kept.
    pub limit: Limit,
}

/// What the store needs of this machine.
#[derive(Clone)]
pub struct Ports {
    /// The file system.
    pub files: Arc<dyn Files>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// What ends a wait.
    pub interrupt: Arc<dyn Interrupt>,
    /// Who is told of a long wait.
    pub dialog: Arc<dyn Dialog>,
    /// TLS.
    pub tls: Tls,
}
