//! Floor 2: manifests in, catalogue out. A provider is a file.

pub mod catalogue;
mod checked;
pub mod manifest;
mod overlay;
