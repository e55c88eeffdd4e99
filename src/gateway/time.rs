//! Times in answers: RFC 3339, UTC, whole seconds, as other documents for programs have them.

use serde::Serializer;

use crate::model::time::Timestamp;

/// Writes a moment that may not be known; `null` then.
pub(super) fn rfc3339<S: Serializer>(time: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => to.serialize_some(&time.iso8601()),
        None => to.serialize_none(),
    }
}
