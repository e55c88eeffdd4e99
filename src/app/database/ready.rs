//! Whether a gateway may work on a database.

use super::check::add_tenant;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::{Command, Hint};
use crate::ports::database::{Database, DatabaseCheck, LARGEST_OFFSET, Tables};

/// Makes sure that a gateway may work on a database; with `is_migrating` brings its tables up to date
/// first. One that cannot be reached now may be reached later: that is logged, and no failure.
///
/// # Errors
/// [`Kind::Config`] for tables that are missing or of a later release, for another key, and for clocks
/// that are too far apart; with `is_migrating` also [`Kind::Storage`] if it cannot be reached.
pub fn prepare(database: &dyn Database, is_migrating: bool) -> Result<(), Failure> {
    let at = database.shown();
    if is_migrating {
        for name in database.migrate()? {
            tracing::info!(target: "openclaw", "applied {name} to {at}");
        }
    }
    match database.check() {
        Ok(check) => fault(&check, &at).map_or(Ok(()), Err),
        Err(error) => {
            tracing::warn!(target: "openclaw", "{error}; it is tried again");
            Ok(())
        }
    }
}

/// What keeps a gateway from working on a database.
fn fault(check: &DatabaseCheck, at: &str) -> Option<Failure> {
    let refused = |why: String, hint: Hint| {
        let message = format!("{why}; nothing was changed");
        Some(Failure::new(Kind::Config, message).hint(hint))
    };
    let migrate = || {
        Hint::from("make a backup, then run: ")
            .run(Command::new("gateway migrate"))
            .then(", or start the gateway with --migrate")
    };
    match check.tables {
        Tables::Missing => {
            return refused(format!("{at} holds no tables of openclaw"), migrate());
        }
        Tables::Behind(count) => {
            let why = format!("the tables of {at} lack {count} migrations");
            return refused(why, migrate());
        }
        Tables::Ahead => {
            let why = format!("a later release of openclaw made the tables of {at}");
            return refused(why, "install that release".into());
        }
        Tables::Ready => {}
    }
    if check.is_key_right == Some(false) {
        let why = format!("the key does not open what is in {at}");
        let hint = "name the file of its key in GOCLAW_ENCRYPTION_KEY_FILE";
        return refused(why, hint.into());
    }
    if !check.has_tenant {
        let tenant = &check.tenant;
        let why = format!("{at} has no tenant {tenant} that its user may see");
        let hint = Hint::from("add it, as the owner of the tables: ").run(add_tenant(check));
        return refused(why, hint);
    }
    if check.clock_offset >= LARGEST_OFFSET {
        let seconds = check.clock_offset.as_secs();
        let why = format!("the clock of this machine is {seconds} s away from that of {at}");
        return refused(why, "set both clocks by NTP".into());
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::tenant::TenantId;
    use crate::ports::database::NOTABLE_OFFSET;

    fn good() -> DatabaseCheck {
        DatabaseCheck {
            server: "PostgreSQL 15".to_owned(),
            tables: Tables::Ready,
            is_key_right: Some(true),
            clock_offset: Duration::ZERO,
            is_notified: Some(true),
            is_synchronous: true,
            is_followed: true,
            is_encrypted: true,
            tenant: TenantId::main(),
            has_tenant: true,
            role: None,
            role_faults: Vec::new(),
        }
    }

    #[test]
    fn a_database_that_is_sound_is_used_even_if_it_is_not_ideal() {
        let plain = DatabaseCheck {
            is_key_right: None,
            is_notified: Some(false),
            is_synchronous: false,
            is_encrypted: false,
            clock_offset: NOTABLE_OFFSET,
            ..good()
        };
        for check in [good(), plain] {
            assert!(fault(&check, "db").is_none());
        }
    }

    #[test]
    fn one_that_would_lose_something_is_refused() {
        let of_tables = |tables| DatabaseCheck { tables, ..good() };
        let bad = [
            of_tables(Tables::Missing),
            of_tables(Tables::Behind(2)),
            of_tables(Tables::Ahead),
            DatabaseCheck {
                is_key_right: Some(false),
                ..good()
            },
            DatabaseCheck {
                has_tenant: false,
                ..good()
            },
            DatabaseCheck {
                clock_offset: LARGEST_OFFSET,
                ..good()
            },
        ];
        for check in bad {
            let failure = fault(&check, "db").unwrap();
            assert_eq!(failure.kind, Kind::Config);
            assert!(failure.hint.is_some(), "{failure}");
        }
    }
}
