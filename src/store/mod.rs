//! Floor 2: the credential store on files.

pub mod document;
pub mod document_stream;
pub mod file;
pub mod grant;
pub mod history;
pub mod io;
pub mod journal;
pub mod keep;
pub mod legacy;
pub mod openclaw_lock;
pub mod paths;

mod commit;
mod document_lock;
mod entry;
mod error;
mod history_file;
mod history_listing;
mod inherit;
mod json_stream;
mod json_writer;
mod later_release;
mod leftovers;
mod lock_note;
mod lock_path;
mod overwrite;
mod raw_json;
mod read;
mod record;
mod references;
mod saved_answer;
mod shared_lock;
mod spent;
mod stale_lock;
mod strays;
mod usage;
mod write;
