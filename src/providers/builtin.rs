//! The manifests that are compiled in: every file of `builtin/`, as `build.rs` lists them.

use crate::model::id::ProviderId;

/// The built-in manifests by id.
const BUILTIN: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

/// The built-in manifest of a provider.
pub(super) fn manifest(id: &ProviderId) -> Option<&'static str> {
    let found = BUILTIN.iter().find(|(known, _)| *known == id.as_str());
    found.map(|(_, text)| *text)
}

/// The names of all built-in providers.
pub(super) fn ids() -> impl Iterator<Item = ProviderId> {
    let ids = BUILTIN.iter();
    ids.filter_map(|(id, _)| ProviderId::parse(id).ok())
}
