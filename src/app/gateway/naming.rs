//! The variables by which a gateway, and what it knows the caller by, are named.

use super::address::Address;
use super::lease::{INSECURE_HTTP, KEY_FILE, URL};
use crate::model::hint::{Command, Hint};

/// For what the gateway is asked, which tells the variables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// For what is about the gateway itself: `GOCLAW_GATEWAY_URL` and its kin.
    Gateway,
    /// For a token: `OPENCLAW_LEASE_URL` and its kin.
    Lease,
}

impl Naming {
    /// Those that name its address.
    pub(super) fn of_address(self) -> &'static str {
        match self {
            Self::Gateway => "GOCLAW_GATEWAY_URL, GOCLAW_HOST and GOCLAW_PORT",
            Self::Lease => URL,
        }
    }

    /// What the caller is known by.
    pub(super) fn credential(self) -> &'static str {
        match self {
            Self::Gateway => "token",
            Self::Lease => "key",
        }
    }

    /// What permits a connection that others can read.
    pub(super) fn permit(self) -> Hint {
        let permit = match self {
            Self::Gateway => "add --insecure-http".to_owned(),
            Self::Lease => format!("set {INSECURE_HTTP}=1"),
        };
        format!("use an https URL, or {permit} if that network is yours").into()
    }

    /// What to do about a gateway that is not there.
    pub(super) fn start(self, address: &Address) -> Hint {
        match self {
            Self::Gateway if address.is_loopback() => Command::new("gateway run").into(),
            Self::Gateway => "start the gateway, or correct GOCLAW_GATEWAY_URL".into(),
            Self::Lease => format!("start the gateway, or correct {URL}").into(),
        }
    }

    /// What to do where what the caller is known by is not accepted.
    pub(super) fn replace_credential(self, variable: &str) -> Hint {
        match self {
            Self::Gateway => {
                format!("set {variable} to the token of the gateway, or add --token-file FILE")
                    .into()
            }
            Self::Lease => Hint::from("where the gateway runs, make a key with: ")
                .run(Command::new("gateway key add --role lease"))
                .then(format!("; write it to the file that {KEY_FILE} names")),
        }
    }
}
