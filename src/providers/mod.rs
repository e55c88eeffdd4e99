//! Floor 2: manifests in, catalogue out. A provider is a file.

mod builtin;
pub mod catalogue;
pub mod manifest;
mod overlay;
