//! What a sealed value looks like: a version, which key sealed it, and the seal.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::model::seal::{DataKey, Seal};
use crate::model::secret::Secret;
use crate::model::tenant::TenantId;
use crate::model::vault::{About, Row};
use crate::ports::vault::Sealer;

use super::fault::{Fault, unavailable};

const VERSION: u8 = 1;

/// How many bytes tell one key from another.
const ID: usize = 8;

/// Tells a key from others, and nothing about it.
pub(super) fn key_id(key: &DataKey) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update("openclaw database key\0");
    hash.update(key.bytes().expose());
    hash.finalize()[..ID].to_vec()
}

/// The place of a row among those of its tenant.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    table: &'a str,
    agent: &'a str,
    name: &'a str,
}

/// The place of a row: its table, its agent (blank where it has none), and what names it there.
pub(super) fn row<'a>(table: &'a str, agent: &'a str, name: &'a str) -> Place<'a> {
    Place { table, agent, name }
}

/// Seals and opens the values of the rows of a tenant.
#[derive(Clone)]
pub(super) struct RowSealer {
    sealer: Arc<Sealer>,
    tenant: TenantId,
    id: Vec<u8>,
}

impl RowSealer {
    pub(super) fn new(sealer: Arc<Sealer>, tenant: TenantId) -> Self {
        Self {
            id: key_id(sealer.key()),
            tenant,
            sealer,
        }
    }

    fn about<'a>(&'a self, place: Place<'a>) -> About<'a> {
        About::Row(Row {
            table: place.table,
            tenant: self.tenant.as_str(),
            agent: place.agent,
            name: place.name,
        })
    }

    /// Names its key.
    pub(super) fn id(&self) -> &Vec<u8> {
        &self.id
    }

    /// The sealer beneath.
    pub(super) fn sealer(&self) -> &Arc<Sealer> {
        &self.sealer
    }

    /// Seals what stands in a row.
    pub(super) fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, Fault> {
        let seal = self.sealer.seal(self.about(place), plain);
        let seal = seal.map_err(|fault| Fault::Store(fault.into()))?;
        Ok([&[VERSION][..], &self.id, &seal.to_bytes()].concat())
    }

    /// Opens it. What has no version of ours in front is an error, and never plain text.
    pub(super) fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Secret<String>, Fault> {
        let what = || format!("{} {} {}", place.table, place.agent, place.name);
        let Some((VERSION, rest)) = sealed.split_first().map(|(first, rest)| (*first, rest)) else {
            let cause = format!(
                "the row {} is not in a form that this program knows",
                what()
            );
            return Err(Fault::Store(unavailable(cause, LATER)));
        };
        let parts = rest.split_at_checked(ID);
        if parts.is_some_and(|(id, _)| id != self.id) {
            return Err(Fault::OtherKey);
        }
        let (_, seal) = parts.unwrap_or((&[], &[]));
        let opened = Seal::from_bytes(seal)
            .and_then(|seal| self.sealer.open(self.about(place), &seal).ok())
            .and_then(|plain| std::str::from_utf8(plain.expose()).ok().map(Secret::from));
        opened.ok_or_else(|| {
            let cause = format!(
                "the row {} does not open: it is damaged, or was moved",
                what()
            );
            Fault::Store(unavailable(cause, DAMAGED))
        })
    }
}

const LATER: &str = "Use the release that wrote it.";
const DAMAGED: &str = "Restore it from a backup, or log in again.";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::vault::VaultId;
    use crate::ports::host::{Random, RandomError};

    struct Zeros;

    impl Random for Zeros {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
            buffer.fill(0);
            Ok(())
        }
    }

    fn sealer(key: u8) -> RowSealer {
        sealer_of(key, TenantId::main())
    }

    fn sealer_of(key: u8, tenant: TenantId) -> RowSealer {
        let key = DataKey::new(Secret::new(vec![key; 32])).unwrap();
        let sealer = Sealer::new(VaultId::new(&[7; 16]), key, Arc::new(Zeros));
        RowSealer::new(Arc::new(sealer), tenant)
    }

    #[test]
    fn a_row_opens_in_its_place_alone_and_with_its_key() {
        let place = row("credential", "main", "a:b");
        let sealed = sealer(1).seal(place, b"MARKER").unwrap();
        assert_eq!(sealer(1).open(place, &sealed).unwrap().expose(), "MARKER");
        for other in [
            row("history", "main", "a:b"),
            row("credential", "work", "a:b"),
            row("credential", "main", "a:c"),
        ] {
            assert!(sealer(1).open(other, &sealed).is_err());
        }
        assert!(sealer(2).open(place, &sealed).is_err());
        let other = TenantId::parse("other").unwrap();
        assert!(sealer_of(1, other).open(place, &sealed).is_err());
        for length in 0..sealed.len() {
            assert!(sealer(1).open(place, &sealed[..length]).is_err());
        }
        assert!(sealer(1).open(place, b"aes-gcm:plain").is_err());
    }
}
