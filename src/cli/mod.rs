//! Floor 4: the edge.

pub mod events;
pub mod terminal;
