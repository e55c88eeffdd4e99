//! Logins with a browser as they are noted for others: who wanted one, what completes it, and what became
//! of it.

mod ending;
mod note;
mod order;
pub(in crate::app) mod settle;

pub use ending::{Before, Connected, Ending, State};
pub use note::{Begun, Taken, unfinished, write};
pub use order::Order;
