//! The store: each method of its traits is a function of this room.

use super::settings::{Ports, Settings};

/// A store in a PostgreSQL database.
#[expect(dead_code, reason = "its methods come next")]
pub struct PostgresStore {
    settings: Settings,
    ports: Ports,
}

impl PostgresStore {
    /// A store in this database. Connects to nothing yet.
    pub fn new(settings: Settings, ports: Ports) -> Self {
        Self { settings, ports }
    }
}
