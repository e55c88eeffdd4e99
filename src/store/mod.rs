//! Floor 2: the credential store on files.

pub mod document;
pub mod file;
pub mod grant;
pub mod history;
pub mod journal;
pub mod legacy;
pub mod peer;

mod commit;
mod entry;
mod holder;
mod inherit;
mod locking;
mod rescue;
mod usage;
mod wire;
mod write;
