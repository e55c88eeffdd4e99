//! A value of a manifest in whose place a reference to a secret may stand:
//! `{ source = "exec", provider = "vault", id = "acme/client" }`.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use crate::model::secret_ref::SecretRef;

/// A value, or a reference to a secret that is it, as JSON.
pub(crate) enum Referable<T> {
    Value(T),
    Reference(String),
}

impl<T> Referable<T> {
    /// The value and the reference, of which one is there.
    pub(crate) fn split(this: Option<Self>) -> (Option<T>, Option<String>) {
        match this {
            None => (None, None),
            Some(Self::Value(value)) => (Some(value), None),
            Some(Self::Reference(reference)) => (None, Some(reference)),
        }
    }
}

/// The members of a reference; what they must be, and whether they must be there, is judged by
/// [`SecretRef`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Members {
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
}

struct Either<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Either<T> {
    type Value = Referable<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text, or a table with source, provider and id")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        T::deserialize(StrDeserializer::new(text)).map(Referable::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        let members = Members::deserialize(MapAccessDeserializer::new(map))?;
        let text = serde_json::to_string(&members).map_err(A::Error::custom)?;
        // Which provider is meant where none is named, the configuration says.
        let checked = SecretRef::read(&text, &|_| "default".to_owned());
        checked.map_err(|fault| A::Error::custom(format!("this reference {fault}")))?;
        Ok(Referable::Reference(text))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Referable<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Either(PhantomData))
    }
}
