//! A database that was opened once: which one it is, its key, and this machine's place beside it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::model::hint::shell_word;
use crate::model::seal::DataKey;
use crate::model::tenant::TenantId;
use crate::model::text::hexadecimal;
use crate::model::vault::{SealedPart, TokenStore, VaultFault, VaultId};
use crate::ports::database::{LARGEST_OFFSET, NOTABLE_OFFSET, Tables};
use crate::ports::files::Sharing;
use crate::ports::lock::{SHORT, Wait, lock_within};
use crate::ports::store::StoreError;
use crate::ports::vault::{Sealer, Vault, VaultPolicy};
use crate::store::rescue::RescueFiles;

use super::fault::{Fault, told, unavailable};
use super::link::{Param, text};
use super::pool::Pool;
use super::schema;
use super::seal::{RowSealer, row};
use super::settings::{Ports, Settings};

/// What the key of a database is tried on.
pub(super) const CHECK: &str = "openclaw";

const NODE: &str = "node-id";

/// A database that this machine may use.
pub(super) struct Deployment {
    pub(super) rows: RowSealer,
    /// This machine, for every process of it.
    pub(super) node: String,
    pub(super) rescue: RescueFiles,
}

/// The key of the database as the vault of this machine's files.
struct KeyVault(Arc<Sealer>);

impl Vault for KeyVault {
    fn policy(&self) -> Result<Option<VaultPolicy>, VaultFault> {
        Ok(Some(VaultPolicy {
            vault: self.0.vault.clone(),
            store: TokenStore::EncryptedFile,
            part: SealedPart::All,
        }))
    }

    fn opened(&self) -> Option<Arc<Sealer>> {
        Some(Arc::clone(&self.0))
    }

    fn unlock(&self) -> Result<Arc<Sealer>, VaultFault> {
        self.unlock_unasked()
    }

    fn unlock_unasked(&self) -> Result<Arc<Sealer>, VaultFault> {
        Ok(Arc::clone(&self.0))
    }
}

/// Opens a database: its tables have to be those of this program, and its key this one.
pub(super) fn open(
    pool: &Pool,
    settings: &Settings,
    ports: &Ports,
) -> Result<Deployment, StoreError> {
    let at = pool.shown();
    let looked = pool.read(schema::look).map_err(|fault| told(fault, at))?;
    check_tables(looked.tables, at)?;
    check_clock(looked.clock, ports)?;
    if !looked.has_tenant {
        let tenant = &settings.tenant;
        let cause = format!("the database at {at} has no tenant {tenant} that its user may see");
        let role = looked
            .role
            .map(|role| format!(" --role {}", shell_word(&role)));
        let role = role.unwrap_or_default();
        let remedy =
            format!("As the owner of its tables, run `gateway tenant add {tenant}{role}` once.");
        return Err(unavailable(cause, &remedy));
    }
    let known = known(looked.deployment, &settings.key, ports);
    let sealer = known
        .and_then(|known| known.map_or_else(|| identify(pool, settings, ports), Ok))
        .map_err(|fault| told(fault, at))?;
    let id = sealer.vault.as_str();
    let directory = settings.directory.join(id);
    let node = node(ports, &directory)?;
    let rows = RowSealer::new(Arc::clone(&sealer), settings.tenant.clone());
    let rescue = RescueFiles::new(
        (Arc::clone(&ports.files), Arc::clone(&ports.clock)),
        (Arc::clone(&ports.interrupt), Arc::clone(&ports.dialog)),
        Arc::new(KeyVault(Arc::clone(&sealer))),
        (&directory, settings.spare.clone()),
        &settings.tenant.own(&format!("postgres:{id}")),
    );
    Ok(Deployment { rows, node, rescue })
}

pub(super) fn check_tables(tables: Tables, at: &str) -> Result<(), StoreError> {
    let cause = match tables {
        Tables::Ready => return Ok(()),
        Tables::Missing => format!("the database at {at} has no tables of openclaw yet"),
        Tables::Behind(1) => format!("the tables at {at} lack a migration"),
        Tables::Behind(n) => format!("the tables at {at} lack {n} migrations"),
        Tables::Ahead => {
            let cause = format!("the tables at {at} were made by a later release");
            return Err(unavailable(cause, "Use that release."));
        }
    };
    Err(unavailable(cause, "Run `gateway migrate` once."))
}

/// Refuses a clock that is far from the server's: by it tokens would count as living that are not.
fn check_clock(server: i64, ports: &Ports) -> Result<(), StoreError> {
    let offset = Duration::from_millis(ports.clock.now().0.abs_diff(server));
    let seconds = offset.as_secs();
    if offset > LARGEST_OFFSET {
        let cause = format!("the clock of this machine is {seconds} s from that of the database");
        return Err(unavailable(cause, "Set the clocks, then try again."));
    }
    if offset > NOTABLE_OFFSET {
        tracing::warn!("the clock of this machine is {seconds} s from that of the database");
    }
    Ok(())
}

/// Says which database it is, and under which key it is sealed, unless somebody else just has.
fn identify(pool: &Pool, settings: &Settings, ports: &Ports) -> Result<Arc<Sealer>, Fault> {
    let mut random = [0; VaultId::RANDOM];
    let filled = ports.random.fill(&mut random);
    filled.map_err(|error| unavailable(error.to_string(), "Try again."))?;
    let sealer = sealer(VaultId::new(&random), &settings.key, ports);
    let check = sealer.seal(row("deployment", "", "key_check"), CHECK.as_bytes())?;
    let id = sealer.sealer().vault.to_string();
    pool.transaction(|tx| {
        // One row, whoever comes first.
        tx.batch("LOCK TABLE openclaw.deployment IN EXCLUSIVE MODE")?;
        let new = "INSERT INTO openclaw.deployment (id, key_id, key_check) \
            SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT 1 FROM openclaw.deployment)";
        tx.change(
            new,
            &[text(&*id), Param::Bytes(sealer.id()), Param::Bytes(&check)],
        )
    })?;
    let looked = pool.read(schema::look)?;
    let found = known(looked.deployment, &settings.key, ports)?;
    found.ok_or_else(|| Fault::Gone("its first row cannot be read".to_owned()))
}

/// Whether the key is that of a database; `None` while it has none.
pub(super) fn is_key_right(
    deployment: Option<schema::Identity>,
    key: &DataKey,
    ports: &Ports,
) -> Result<Option<bool>, Fault> {
    match known(deployment, key, ports) {
        Ok(found) => Ok(found.map(|_| true)),
        Err(Fault::OtherKey) => Ok(Some(false)),
        Err(fault) => Err(fault),
    }
}

/// What seals the rows of a database; `None` while it has none.
fn known(
    deployment: Option<schema::Identity>,
    key: &DataKey,
    ports: &Ports,
) -> Result<Option<Arc<Sealer>>, Fault> {
    let Some(schema::Identity { id, key_check }) = deployment else {
        return Ok(None);
    };
    let id = VaultId::try_from(id).map_err(|why| unavailable(why.to_owned(), "Restore it."))?;
    let rows = sealer(id, key, ports);
    let place = row("deployment", "", "key_check");
    match rows.open(place, &key_check) {
        Ok(text) if text.expose() == CHECK => Ok(Some(Arc::clone(rows.sealer()))),
        _ => Err(Fault::OtherKey),
    }
}

fn sealer(id: VaultId, key: &DataKey, ports: &Ports) -> RowSealer {
    let random = Arc::clone(&ports.random);
    let sealer = Arc::new(Sealer::new(id, key.clone(), random));
    // The row of the deployment is nobody's.
    RowSealer::new(sealer, TenantId::main())
}

/// The name of this machine, which every process of it has from the same file.
fn node(ports: &Ports, directory: &Path) -> Result<String, StoreError> {
    let files = &*ports.files;
    let path = directory.join(NODE);
    let read = || -> Result<Option<String>, StoreError> {
        let bytes = files.read_settings(&path)?;
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        let text = text.map(|text| text.trim().to_owned());
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        // A copy of the directory is another machine: both may be alive.
        let file = files.stat(&path)?.map_or(0, |stat| stat.identity.1);
        Ok(Some(format!("{text}-{file:x}")))
    };
    if let Some(node) = read()? {
        return Ok(node);
    }
    files.create_dirs(directory)?;
    let lock = directory.join("node-id.lock");
    let wait = Wait::uninterrupted(SHORT);
    let _locked = lock_within(files, &*ports.clock, &lock, Sharing::Exclusive, &wait)?;
    if let Some(node) = read()? {
        return Ok(node);
    }
    let mut random = [0; 16];
    let filled = ports.random.fill(&mut random);
    filled.map_err(|error| unavailable(error.to_string(), "Try again."))?;
    let node = hexadecimal(&random);
    files.replace(&path, format!("{node}\n").as_bytes())?;
    let gone = || unavailable(format!("{} is gone", path.display()), "Try again.");
    read()?.ok_or_else(gone)
}
