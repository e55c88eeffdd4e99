//! The gateway, and the commands that ask one.

#[cfg(feature = "gateway")]
mod access;
#[cfg(feature = "gateway")]
mod bad_requests;
mod client;
mod client_token;
#[cfg(all(feature = "gateway", feature = "postgres"))]
mod database;
#[cfg(feature = "gateway")]
pub(crate) mod device_login;
#[cfg(feature = "gateway")]
mod examples;
mod hostile_answers;
#[cfg(feature = "gateway")]
mod keys;
mod lease_client;
#[cfg(feature = "gateway")]
mod leases;
#[cfg(feature = "gateway")]
mod limits;
mod listener_of_others;
#[cfg(feature = "gateway")]
pub(crate) mod login;
#[cfg(feature = "gateway")]
mod login_requests;
#[cfg(feature = "gateway")]
mod logout;
#[cfg(feature = "gateway")]
mod names;
#[cfg(feature = "gateway")]
mod openapi;
#[cfg(feature = "gateway")]
mod own_token;
#[cfg(feature = "gateway")]
mod page;
#[cfg(feature = "gateway")]
mod port_of_others;
#[cfg(feature = "gateway")]
mod service;
#[cfg(feature = "gateway")]
pub(crate) mod session;
#[cfg(feature = "gateway")]
mod tokens;
#[cfg(feature = "gateway")]
mod troubleshooting;
#[cfg(feature = "gateway")]
mod two_callers;
