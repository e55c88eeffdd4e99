//! Whose rows of a database are meant, where several teams share one.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::id::shown_as_text;
use super::state_files::TENANTS;

/// The name of a tenant: `[a-z0-9][a-z0-9_-]{0,47}`. With what stands in front of it, it
/// is the name of a channel of PostgreSQL, which has 63 bytes at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(Arc<str>);

/// It is no name of a tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a tenant has lower-case letters, digits, - and _, begins with a letter or a digit, and has 48 characters at most"
)]
pub struct BadTenant;

impl TenantId {
    /// The one that every database has from the beginning.
    pub const MAIN: &'static str = "main";

    /// Reads a name. Nothing is normalised: who mistypes must not work on the logins of others.
    ///
    /// # Errors
    /// If it is none.
    pub fn parse(text: &str) -> Result<Self, BadTenant> {
        let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let is_one = text.bytes().next().is_some_and(is_plain)
            && text
                .bytes()
                .all(|b| is_plain(b) || matches!(b, b'-' | b'_'))
            && text.len() <= 48;
        match is_one {
            true => Ok(Self(text.into())),
            false => Err(BadTenant),
        }
    }

    /// The one of whoever names no other.
    pub fn main() -> Self {
        Self(Self::MAIN.into())
    }

    /// Whether it is that one.
    pub fn is_main(&self) -> bool {
        &*self.0 == Self::MAIN
    }

    /// Where the tenant's own part of a directory of this machine is. That of `main` is the directory
    /// itself, as it was before there were others.
    pub fn below(&self, directory: &Path) -> PathBuf {
        match self.is_main() {
            true => directory.to_owned(),
            false => directory.join(TENANTS).join(&*self.0),
        }
    }

    /// Where the tenant's rows are, in words, in the database that is there.
    pub fn place_in(&self, database: &str) -> String {
        match self.is_main() {
            true => database.to_owned(),
            false => format!("{database} (tenant {self})"),
        }
    }

    /// What something is called so that tenants do not share it.
    pub fn own(&self, name: &str) -> String {
        match self.is_main() {
            true => name.to_owned(),
            false => format!("{name}-{self}"),
        }
    }
}

shown_as_text!(TenantId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_is_named_in_one_way() {
        let long = "a".repeat(49);
        for name in ["main", "team-a", "0_1", &long[1..]] {
            assert_eq!(TenantId::parse(name).unwrap().as_str(), name);
        }
        for name in [
            "", " a", "A", "a b", "-a", "_a", "a.b", "ä", "a/b", "a\n", &long,
        ] {
            assert_eq!(TenantId::parse(name), Err(BadTenant), "{name:?}");
        }
    }
}
