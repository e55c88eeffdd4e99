//! What only a store in a database has, and only commands about the database ask: its tables, its
//! key, and how it fares.

use std::time::Duration;

use strum::AsRefStr;

use crate::model::audit::AuditEntry;
use crate::model::seal::DataKey;
use crate::model::tenant::TenantId;

use super::store::StoreError;

/// How far the clocks may be apart before it is told.
pub const NOTABLE_OFFSET: Duration = Duration::from_secs(2);
/// How far at most: the ends of tokens are compared with the clock of this machine.
pub const LARGEST_OFFSET: Duration = Duration::from_secs(5 * 60);

/// How the tables of a database stand to this program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tables {
    /// There are none.
    Missing,
    /// They lack migrations that this program has: so many.
    Behind(usize),
    /// They are what this program knows, or a later form that it may still use.
    Ready,
    /// A later release made them, and allows this one no more.
    Ahead,
}

/// What was found out about a database.
#[derive(Clone, Debug)]
pub struct DatabaseCheck {
    /// The version of the server, in its own words.
    pub server: String,
    /// The tables.
    pub tables: Tables,
    /// Whether the key opens what is in it; `None` while there is nothing yet.
    pub is_key_right: Option<bool>,
    /// How far the clock of this machine is from the server's, ahead or behind.
    pub clock_offset: Duration,
    /// Whether a notification arrives: not where connections go through a pool by transaction.
    pub is_notified: Option<bool>,
    /// Whether a commit waits for a standby, so that a failover loses none.
    pub is_synchronous: bool,
    /// Whether a standby follows the server now.
    pub is_followed: bool,
    /// Whether the connection is encrypted, or does not leave this machine.
    pub is_encrypted: bool,
    /// Whose rows are meant.
    pub tenant: TenantId,
    /// Whether there is that tenant, and this user of the database may see it.
    pub has_tenant: bool,
    /// This user, if it does not own the tables.
    pub role: Option<String>,
    /// What is wrong with the roles of tenants, as far as they can be seen, each with what to do about it.
    pub role_faults: Vec<(String, String)>,
}

/// Whether a database can be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The tables.
    pub tables: Tables,
    /// Whether the key opens what is in it; `None` while there is nothing yet.
    pub is_key_right: Option<bool>,
    /// Whether there is the tenant whose rows are meant.
    pub has_tenant: bool,
}

/// A tenant of a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its name, as it is written there.
    pub id: String,
    /// The role of the database that may touch its rows, beside the owner of the tables.
    pub role: Option<String>,
    /// So many credentials are its.
    pub credentials: u64,
}

/// What is sealed in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRows {
    /// So many credentials.
    pub credentials: u64,
    /// What the key is called that seals them, in hexadecimal; nothing of the key itself.
    pub key_id: String,
}

/// What a change of the key did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rekeyed {
    /// So many rows are sealed under the new key now.
    pub rows: u64,
    /// Those that did not open, and are as they were.
    pub left: Vec<DamagedRow>,
}

/// What a row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, AsRefStr)]
#[strum(serialize_all = "snake_case")]
pub enum RowKind {
    /// A credential.
    Credential,
    /// What a profile held before.
    History,
    /// What the document of an agent has beside its credentials.
    Rest,
    /// Orders, and what was learnt by using profiles.
    Usage,
    /// A key to the gateways.
    AccessKey,
    /// A login with a browser that waits.
    LoginAttempt,
    /// A session of the page of the gateways, or a link to it.
    PagePass,
}

/// A row that does not open: damaged, moved from another place, or sealed under another key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRow {
    /// What it holds.
    pub kind: RowKind,
    /// Its agent, as it is named there; empty for what belongs to none, and for a [`RowKind::PagePass`]
    /// which of the two it is.
    pub agent: String,
    /// What it is called there: a profile, or the id of a key.
    pub name: String,
    /// The provider that stands beside it in the clear.
    pub provider: Option<String>,
    /// Which kind of credential it is, as that stands beside it.
    pub what: Option<String>,
}

/// What opening every row found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// So many rows were tried.
    pub rows: u64,
    /// Those that do not open.
    pub damaged: Vec<DamagedRow>,
}

/// A store in a database.
pub trait Database: Send + Sync {
    /// Where it is, without what is secret of its address.
    fn shown(&self) -> String;

    /// Where the rows are that are meant: the same, and whose they are unless they are those of `main`.
    fn place(&self) -> String;

    /// What tells it, and the tenant in it, from every other one, also if it is found under another
    /// address. The first who asks says which it is.
    ///
    /// # Errors
    /// If it cannot be reached, or is sealed under another key.
    fn id(&self) -> Result<String, StoreError>;

    /// Looks at it. Changes nothing.
    ///
    /// # Errors
    /// If it cannot be reached.
    fn check(&self) -> Result<DatabaseCheck, StoreError>;

    /// The part of it that decides whether it can be worked on: asked every few seconds.
    ///
    /// # Errors
    /// If it cannot be reached.
    fn standing(&self) -> Result<Standing, StoreError>;

    /// Makes the tables, or brings them up to date; the names of the migrations that were applied.
    ///
    /// # Errors
    /// If one fails: those before it stay. If a later release made the tables.
    fn migrate(&self) -> Result<Vec<String>, StoreError>;

    /// The tenants that this user of the database may see.
    ///
    /// # Errors
    /// If it cannot be reached, or its tables are not those of this program.
    fn tenants(&self) -> Result<Vec<Tenant>, StoreError>;

    /// Adds a tenant, whose rows a role of the database may touch from then on; false if all that was
    /// so already.
    ///
    /// # Errors
    /// As [`Database::tenants`]; if this user does not own the tables, or there is no such role, or it is
    /// one that cannot connect, or that sees or can come to see the rows of others. Nothing is changed then.
    fn add_tenant(&self, tenant: &TenantId, role: Option<&str>) -> Result<bool, StoreError>;

    /// Seals everything of every tenant anew under another key, all at once: from then on the old one
    /// opens nothing.
    ///
    /// # Errors
    /// If this user does not own the tables, a refresh or the end of a login is under way, or the database
    /// fails; nothing is changed then.
    fn rekey(&self, new: &DataKey) -> Result<Rekeyed, StoreError>;

    /// Counts what is sealed. Opens nothing.
    ///
    /// # Errors
    /// If the database cannot be reached, or is sealed under another key.
    fn sealed(&self) -> Result<SealedRows, StoreError>;

    /// Opens every row of the tenant, some at a time. Changes nothing.
    ///
    /// # Errors
    /// If the database cannot be reached, or is sealed under another key.
    fn damaged(&self) -> Result<Scan, StoreError>;

    /// Adds what was done with which keys, at this machine; drops some of what is older than 90 days. Called
    /// again under the same name, because its end is not known, it adds nothing that is there.
    ///
    /// # Errors
    /// If that cannot be stored.
    fn append_audit(&self, name: &str, entries: &[AuditEntry]) -> Result<(), StoreError>;

    /// Whether this is the key of the database.
    ///
    /// # Errors
    /// If it cannot be reached.
    fn is_sealed_under(&self, key: &DataKey) -> Result<bool, StoreError>;

    /// A number that grows with every change of a document or of the keys to the gateway, as far as this
    /// process was told of it.
    ///
    /// # Errors
    /// If the database cannot be asked.
    fn revision(&self) -> Result<u64, StoreError>;
}
