//! How the values of options are read.

use std::time::Duration;

use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use strum::VariantNames;

use crate::model::time::parse_duration;

/// A duration of which a bare number is seconds: `90`, `10m`, `1.5h`.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    parse_duration(text, "s")
}

/// One of the words that a type has.
pub(super) fn one_of<T>() -> impl TypedValueParser<Value = T>
where
    T: VariantNames + FromStr + Clone + Send + Sync + 'static,
{
    let read = |word: String| word.parse::<T>().map_err(|_| UnknownWord);
    PossibleValuesParser::new(T::VARIANTS).try_map(read)
}

/// Never seen: the words that are possible are those that are read.
#[derive(Debug, thiserror::Error)]
#[error("it is none of the possible values")]
struct UnknownWord;

/// A duration of which a bare number is days, as `--expires-in` of the reference release.
pub(super) fn days(text: &str) -> Result<Duration, String> {
    parse_duration(text, "d")
}
