//! The store: its documents, its locks, what it keeps of former times, and that no operation loses
//! anything. What fails on the way stands in `faults`.

mod busy_locks;
mod contract;
mod deleted_agents;
mod document_format;
mod file_store;
mod growth;
mod history;
mod lock_races;
mod odd_documents;
mod operation_properties;
mod sealed_profiles;
mod stray_files;
