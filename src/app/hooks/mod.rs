//! Hooks: commands of the user that are told of events.

pub mod deliver;
pub mod event;
pub mod queue;
pub mod sent_log;
