//! Moving house: credentials go into a bundle, one sealed file, and come out of it on another machine.

pub mod collect;
mod content;
mod envelope;
pub mod export;
pub mod import;
mod ledger;
mod merge;
mod target;
mod turn;
