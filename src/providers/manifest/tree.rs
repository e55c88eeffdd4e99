//! The tree of a manifest as serde reads it.
//!
//! What `toml` has for this reads every table in four ways, for whatever it may be: a fiftieth of
//! this program, and much of the time that a manifest takes. Ours are told what they are.

use std::fmt;
use std::ops::Range;
use std::vec;

use serde::de::value::CowStrDeserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeInteger, DeString, DeValue};
use toml::map;

use super::fault::Fault;

/// Reads a value of the tree.
pub(super) fn read<'de, T: Deserialize<'de>>(value: Spanned<DeValue<'de>>) -> Result<T, Fault> {
    let whole = value.span();
    T::deserialize(Node::from(value)).map_err(|Misfit(misfit)| {
        let (span, message) = *misfit;
        Fault::told(span.unwrap_or(whole), &message)
    })
}

struct Node<'de> {
    span: Range<usize>,
    value: DeValue<'de>,
}

/// What does not fit, and where once that is known.
#[derive(Debug)]
struct Misfit(Box<(Option<Range<usize>>, String)>);

impl Misfit {
    fn at(mut self, span: Range<usize>) -> Self {
        self.0.0.get_or_insert(span);
        self
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.1)
    }
}

impl std::error::Error for Misfit {}

impl serde::de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new((None, message.to_string())))
    }
}

impl<'de> From<Spanned<DeValue<'de>>> for Node<'de> {
    fn from(value: Spanned<DeValue<'de>>) -> Self {
        Self {
            span: value.span(),
            value: value.into_inner(),
        }
    }
}

fn integer_of(integer: &DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

impl Node<'_> {
    /// Says that another thing was expected.
    fn misfit(self, expected: &dyn Expected) -> Misfit {
        let found = match &self.value {
            DeValue::String(text) => Unexpected::Str(text),
            DeValue::Integer(integer) => match integer_of(integer) {
                Some(integer) => Unexpected::Signed(integer),
                None => Unexpected::Other("integer"),
            },
            DeValue::Float(float) => Unexpected::Float(float.as_str().parse().unwrap_or(f64::NAN)),
            DeValue::Boolean(value) => Unexpected::Bool(*value),
            DeValue::Datetime(_) => Unexpected::Other("date or time"),
            DeValue::Array(_) => Unexpected::Seq,
            DeValue::Table(_) => Unexpected::Map,
        };
        Misfit::invalid_type(found, expected).at(self.span)
    }
}

impl<'de> Deserializer<'de> for Node<'de> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            DeValue::String(_) => self.deserialize_string(visitor),
            DeValue::Integer(_) => self.deserialize_i64(visitor),
            DeValue::Boolean(_) => self.deserialize_bool(visitor),
            DeValue::Array(_) => self.deserialize_seq(visitor),
            DeValue::Table(_) => self.deserialize_map(visitor),
            DeValue::Float(_) | DeValue::Datetime(_) => Err(self.misfit(&visitor)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            DeValue::String(DeString::Owned(text)) => visitor.visit_string(text),
            DeValue::String(DeString::Borrowed(text)) => visitor.visit_borrowed_str(text),
            _ => return Err(self.misfit(&visitor)),
        }
        .map_err(|misfit: Misfit| misfit.at(self.span))
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match &self.value {
            DeValue::Integer(integer) => match integer_of(integer) {
                Some(integer) => visitor.visit_i64(integer),
                None => Err(Misfit::custom("integer number overflowed")),
            },
            _ => return Err(self.misfit(&visitor)),
        }
        .map_err(|misfit: Misfit| misfit.at(self.span))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            DeValue::Boolean(value) => visitor.visit_bool(value),
            _ => Err(self.misfit(&visitor)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            DeValue::Array(items) => visitor.visit_seq(Items(items.into_iter())),
            _ => return Err(self.misfit(&visitor)),
        }
        .map_err(|misfit: Misfit| misfit.at(self.span))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            DeValue::Table(members) => visitor.visit_map(Members {
                members: members.into_iter(),
                value: None,
            }),
            _ => return Err(self.misfit(&visitor)),
        }
        .map_err(|misfit: Misfit| misfit.at(self.span))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        self.deserialize_map(visitor)
    }

    /// One of several words.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.value {
            DeValue::String(text) => visitor.visit_enum(key(text)),
            _ => return Err(self.misfit(&"a string")),
        }
        .map_err(|misfit: Misfit| misfit.at(self.span))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        visitor.visit_unit()
    }

    fn deserialize_u16<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_i64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.deserialize_string(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 u8 u32 f32 f64 char bytes byte_buf unit unit_struct tuple tuple_struct identifier
    }
}

/// The elements of a list. One that does not fit is told of as the list.
struct Items<'de>(vec::IntoIter<Spanned<DeValue<'de>>>);

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let item = self.0.next().map(Node::from);
        item.map(|item| seed.deserialize(item)).transpose()
    }
}

/// The members of a table.
struct Members<'de> {
    members: map::IntoIter<Spanned<DeString<'de>>, Spanned<DeValue<'de>>>,
    value: Option<Node<'de>>,
}

impl<'de> MapAccess<'de> for Members<'de> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some((name, value)) = self.members.next() else {
            return Ok(None);
        };
        self.value = Some(value.into());
        let span = name.span();
        let read = seed.deserialize(key(name.into_inner()));
        read.map(Some).map_err(|misfit| misfit.at(span))
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let node = self.value.take();
        let node = node.ok_or_else(|| Misfit::custom("a value is read once, after its key"))?;
        let span = node.span.clone();
        seed.deserialize(node).map_err(|misfit| misfit.at(span))
    }
}

fn key(text: DeString<'_>) -> CowStrDeserializer<'_, Misfit> {
    text.into_deserializer()
}
