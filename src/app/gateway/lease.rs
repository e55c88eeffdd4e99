//! The gateway that a machine without credentials leases its tokens from.

use std::path::PathBuf;

use super::address::Address;
use crate::app::failure::{Failure, Kind};
use crate::model::id::AgentId;
use crate::ports::host::Env;

/// The URL of the gateway; with it this machine keeps no credentials.
pub const URL: &str = "OPENCLAW_LEASE_URL";
/// Names the file that holds the key.
pub const KEY_FILE: &str = "OPENCLAW_LEASE_KEY_FILE";
/// Permits to send the key to another machine without TLS, if it is `1`.
pub const INSECURE_HTTP: &str = "OPENCLAW_LEASE_INSECURE_HTTP";

/// The gateway that this machine leases its tokens from.
#[derive(Clone, Debug)]
pub struct Lease {
    pub(super) address: Address,
    /// Relative to the working directory.
    pub(super) key_file: Option<PathBuf>,
    pub(super) insecure_http: bool,
    /// The agent whose tokens are asked for, if one was named; else the gateway chooses.
    pub(super) agent: Option<AgentId>,
}

impl Lease {
    /// Finds the gateway that [`URL`] names, if it is set. Nothing is read or sent yet.
    ///
    /// # Errors
    /// [`Kind::Usage`] if it is no URL of a gateway.
    pub fn find(env: &dyn Env) -> Result<Option<Self>, Failure> {
        let address = Address::named(env, URL)?;
        Ok(address.map(|address| Self {
            address,
            key_file: env.plain(KEY_FILE).map(PathBuf::from),
            insecure_http: env.plain(INSECURE_HTTP).as_deref() == Some("1"),
            agent: None,
        }))
    }

    /// For the tokens of this agent, if one was named.
    #[must_use]
    pub fn of_agent(self, agent: Option<AgentId>) -> Self {
        Self { agent, ..self }
    }

    /// The failure of a command that needs credentials of this machine.
    pub fn keeps_nothing(&self) -> Failure {
        let message = format!(
            "this machine keeps no credentials: {URL} is set, and tokens come from the gateway at {}",
            self.address
        );
        let hint = format!("run the command where the gateway runs, or unset {URL}");
        Failure::new(Kind::Usage, message).hint(hint)
    }

    /// The failure of a command that is told of a `variable` that names another store.
    pub fn conflicts_with(variable: &str) -> Failure {
        let message = format!("{URL} and {variable} are both set");
        Failure::new(Kind::Usage, message).hint("unset one of them")
    }
}
