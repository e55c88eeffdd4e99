//! Logins under way: each is `models auth login` on a thread of its own, with requests in the place
//! of the person at the terminal. Those that are noted where several gateways look are run by each of
//! them, and completed by the one that gets the answer; those with a device code by the one that
//! polls.

mod all;
mod held;
mod in_memory;
mod learn;
mod login;
mod look;
mod method;
mod noted;
mod progress;
mod registry;
mod view;

pub(super) use crate::app::login::noted::{Connected, Ending, Order, State};
pub use in_memory::AttemptsInMemory;
pub(super) use progress::PasteError;
pub(super) use registry::{Flows, NotStarted, Started};
pub(super) use view::{Callback, View};
