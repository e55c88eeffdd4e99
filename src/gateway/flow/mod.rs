//! Logins under way: each is `models auth login` on a thread of its own, with requests in the place
//! of the person at the terminal.

mod ending;
mod progress;
mod registry;
mod view;

pub(super) use ending::{Ending, State};
pub(super) use progress::PasteError;
pub(super) use registry::{Flows, NotStarted, Order, Started};
pub(super) use view::{Callback, View};
