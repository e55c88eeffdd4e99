//! The token that a gateway knows this user by.
//!
//! The one that a gateway of this user has made is taken without being asked for, so that there is
//! nothing to set up on one machine. It is sent only where this user's gateway listens: a port
//! belongs to whoever came first.

use std::path::PathBuf;

use super::Options;
use super::address::Address;
use super::lease::{KEY_FILE, Lease};
use crate::app::access::gateway_token::{self, GatewayToken};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

/// Holds the token.
pub(super) const VARIABLE: &str = "GOCLAW_TOKEN";
/// Names a file that holds the token.
const FILE_VARIABLE: &str = "GOCLAW_TOKEN_FILE";

/// A token, or why there is none.
pub(super) enum Token {
    /// One to send.
    Found(GatewayToken),
    /// There is none.
    Missing,
    /// The gateway of this user has one, and it is not sent.
    Withheld {
        /// Where it is.
        path: PathBuf,
        /// Why, without a full stop.
        why: String,
    },
}

impl Token {
    /// Finds the token for the gateway at `address`: in the file that is named, else in the
    /// variables, else in the state directory.
    ///
    /// # Errors
    /// If what was named is no token, or cannot be read, or others can read it.
    pub(super) fn find(
        cx: Context<'_>,
        options: &Options,
        address: &Address,
    ) -> Result<Self, Failure> {
        let file = options.token_file.as_deref();
        let given = gateway_token::given(cx, file, &[(VARIABLE, FILE_VARIABLE)])?;
        Ok(match given {
            Some(token) => Self::Found(token),
            None if address.is_loopback() => Self::of_this_machine(cx, address),
            None => Self::Missing,
        })
    }

    /// The key of a lease.
    ///
    /// # Errors
    /// [`Kind::Usage`] if none is named, and [`Kind::Config`] if its file holds none, cannot be read,
    /// or can be read by others.
    pub(super) fn of_lease(cx: Context<'_>, lease: &Lease) -> Result<Self, Failure> {
        let path = lease.key_file.as_deref().ok_or_else(|| {
            let message = format!(
                "the gateway at {} gives tokens to keys only, and {KEY_FILE} is not set",
                lease.address
            );
            let hint = format!("set {KEY_FILE} to the path of a file with a key of the role lease");
            Failure::new(Kind::Usage, message).hint(hint)
        })?;
        gateway_token::named(cx, path).map(Self::Found)
    }

    fn of_this_machine(cx: Context<'_>, address: &Address) -> Self {
        let port = address.port().unwrap_or_default();
        let why = match gateway_token::made(cx) {
            Ok(None) => return Self::Missing,
            Ok(Some(made)) if cx.listeners.are_ours(port) => return Self::Found(made),
            Ok(Some(_)) => format!("nothing says that your gateway listens on port {port}"),
            Err(failure) => failure.message,
        };
        let path = gateway_token::path(cx);
        Self::Withheld { path, why }
    }
}
