//! The token that a gateway knows this user by.
//!
//! The one that a gateway of this user has made is taken without being asked for, so that there is
//! nothing to set up on one machine. It is sent only where this user's gateway listens: a port
//! belongs to whoever came first.

use std::path::PathBuf;

use super::Options;
use super::address::Address;
use crate::app::access::gateway_token::{self, GatewayToken};
use crate::app::context::Context;
use crate::app::failure::Failure;

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
