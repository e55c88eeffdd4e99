//! What a server says when a grant is dead, where it does not say it as RFC 6749 does.

use serde::Deserialize;

use super::checked::{Line, RefusalStatuses, plain};

/// What a manifest adds to the answers that mean "log in again" (`[dialect.refusals]`). An answer
/// that says "later" (408, 425, 429, 5xx) or a web page never does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Refusals {
    /// Error codes; case does not count.
    #[serde(deserialize_with = "plain::<Vec<Line>, _>")]
    pub codes: Vec<String>,
    /// Words in the description of an error; case does not count, and `*` stands for any text
    /// between them.
    #[serde(deserialize_with = "plain::<Vec<Line>, _>")]
    pub descriptions: Vec<String>,
    /// Statuses with which every answer of the token endpoint is a refusal, whatever it says.
    #[serde(deserialize_with = "plain::<RefusalStatuses, _>")]
    pub statuses: Vec<u16>,
}
