//! Moving house: credentials go into a bundle, one sealed file, and come out of it on another machine.

pub(in crate::app::secrets) mod admission;
pub mod collect;
mod content;
mod database_request;
mod envelope;
pub mod export;
mod gone;
pub mod hand_over;
pub mod import;
pub mod into_database;
mod ledger;
pub mod left_bundle;
mod lone_orders;
mod marker;
mod merge;
mod missing;
mod ordering;
mod origin;
mod reading;
mod strip;
pub mod take_back;
mod take_in;
mod target;
mod turn;
pub mod unfinished;
