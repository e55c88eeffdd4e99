//! Every integration test, in one binary.

mod architecture;
mod callback;
mod config_files;
mod issuer;
mod store_documents;
mod store_files;
mod terminal;
