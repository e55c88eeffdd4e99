//! Floor 2: the credential store on files.

pub mod document;
pub mod file;
pub mod grant;
pub mod history;
pub mod journal;
pub mod legacy;
pub mod openclaw_lock;

mod commit;
mod document_lock;
mod entry;
mod inherit;
mod openclaw_lock_holder;
mod raw_json;
mod saved_answer;
mod usage;
mod write;
