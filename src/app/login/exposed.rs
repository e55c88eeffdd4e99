//! Serialization of secrets, for what is written down of a login that waits.

use serde::{Deserialize, Deserializer, Serializer};

use crate::model::secret::Secret;

pub(super) fn serialize<S: Serializer>(secret: &Secret<String>, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose())
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(from).map(Secret::new)
}
