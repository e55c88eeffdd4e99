//! Hooks: commands of the user that are run for events.

pub mod deliver;
pub mod event;
pub mod queue;
pub mod sent_log;
