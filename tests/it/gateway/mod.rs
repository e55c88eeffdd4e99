//! The gateway, and the commands that ask one.

mod client;
mod client_token;
mod hostile_answers;
mod listener_of_others;
#[cfg(feature = "gateway")]
mod login;
#[cfg(feature = "gateway")]
mod login_requests;
#[cfg(feature = "gateway")]
mod logout;
#[cfg(feature = "gateway")]
mod service;
#[cfg(feature = "gateway")]
mod troubleshooting;
