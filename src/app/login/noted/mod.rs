//! Logins as they are noted for others: who wanted one, what completes it or is shown of it, and what
//! became of it.

mod ending;
mod note;
mod order;
pub(in crate::app) mod settle;

pub use ending::{Before, Connected, Ending, State};
pub use note::{Taken, Unfinished, Waiting, Waits, unfinished, write};
pub use order::Order;
