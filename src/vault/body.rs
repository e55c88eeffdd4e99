//! What is sealed in `secrets.enc`: the secrets that have names.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::model::secret::Secret;
use crate::model::secret_buffer::SecretBuffer;
use crate::model::time::Timestamp;
use crate::model::vault::SecretName;

/// The content of the body. Members of a later release are kept as they are.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Body {
    #[serde(default)]
    pub(super) secrets: BTreeMap<String, Named>,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

/// A secret that has a name.
#[derive(Serialize, Deserialize)]
pub(super) struct Named {
    #[serde(serialize_with = "expose", deserialize_with = "hide")]
    pub(super) value: Secret<String>,
    pub(super) created: Timestamp,
    pub(super) changed: Timestamp,
    #[serde(flatten)]
    rest: Map<String, Value>,
}

impl Body {
    /// Reads what was sealed; `None` if it is no body.
    pub(super) fn read(plain: &Secret<Vec<u8>>) -> Option<Self> {
        serde_json::from_slice(plain.expose()).ok()
    }

    /// Gives a secret this value; returns whether there was one of that name.
    pub(super) fn put(
        &mut self,
        name: &SecretName,
        value: &Secret<String>,
        now: Timestamp,
    ) -> bool {
        let before = self.secrets.remove(name.as_str());
        let was_there = before.is_some();
        let (created, rest) =
            before.map_or_else(|| (now, Map::new()), |before| (before.created, before.rest));
        let named = Named {
            value: value.clone(),
            created,
            changed: now,
            rest,
        };
        self.secrets.insert(name.to_string(), named);
        was_there
    }

    /// Writes what is to be sealed.
    pub(super) fn write(&self) -> Secret<Vec<u8>> {
        let mut buffer = SecretBuffer::default();
        // Texts and numbers into memory.
        let _ = serde_json::to_writer(&mut buffer, self);
        buffer.into_secret()
    }
}

fn expose<S: Serializer>(value: &Secret<String>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.expose())
}

fn hide<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<String>, D::Error> {
    String::deserialize(deserializer).map(Secret::new)
}
