//! `openclaw` keeps the logins of AI-model accounts: it logs in, stores every credential in one
//! place per agent, refreshes it under a lock, and hands it to people, scripts and programs.
//!
//! The library has five floors; imports point down only, and `tests/it/architecture.rs` proves it:
//!
//! ```text
//! 4  cli                                   the edge: arguments, prompts, tables, exit codes
//!    gateway                               the edge to the network: use cases over HTTP; a feature
//! 3  app                                   use cases: a request in, an outcome out; never prints
//! 2  oauth  providers  store  vault        siblings; none imports another
//!    config  sys
//! 1  ports                                 interfaces to the outside: traits and their small data
//! 0  model                                 plain data and rules: no I/O, no clock, no environment
//!    testing                               fakes of every port; a feature
//! ```
//!
//! `docs/architecture.md` describes the whole; `docs/decisions/` says why.

pub mod model;
pub mod ports;

pub mod config;
pub mod oauth;
#[cfg(feature = "postgres")]
pub mod postgres;
pub mod providers;
pub mod store;
pub mod sys;
pub mod vault;

pub mod app;

#[cfg(feature = "gateway")]
pub mod gateway;

pub mod cli;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
