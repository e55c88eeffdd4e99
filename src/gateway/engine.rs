//! What the gateway runs use cases with.

use std::sync::Arc;

use crate::app::context::Context;
use crate::model::hint::Hint;
use crate::model::id::AgentId;
use crate::ports::database::Database;

/// The ports of this process, for one use case after the other, from any thread.
///
/// An implementation owes: the configuration as it is now; events and answers of referenced programs
/// that belong to one call alone, whose hooks run when it is over; and that nobody is asked anything.
pub trait Engine: Send + Sync {
    /// Calls `work` once, with the ports and the default agent.
    fn with(&self, work: &mut dyn FnMut(Context<'_>, &AgentId));

    /// A number that differs from the last one if a document or the configuration changed. Cheap: it
    /// is asked several times a second.
    fn revision(&self) -> u64;

    /// The database that the store is in, if it is in one.
    fn database(&self) -> Option<Arc<dyn Database>> {
        None
    }

    /// Advice as text.
    fn text(&self, hint: &Hint) -> String;
}

impl dyn Engine + '_ {
    /// Calls `work` with the ports and the default agent, and returns what it returns.
    pub(super) fn run<T>(&self, work: impl FnOnce(Context<'_>, &AgentId) -> T) -> Option<T> {
        let mut work = Some(work);
        let mut result = None;
        self.with(&mut |cx, agent| result = work.take().map(|work| work(cx, agent)));
        result
    }
}
