//! `GET /v1/events`: tells that something changed, as server-sent events. What it is, the listener then
//! asks for: an event holds a number and nothing of a login.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::watch;

use super::board::Snapshot;
use super::caller::Caller;
use super::state::Gateway;

/// How often a line is sent when nothing happens, so that nobody on the way takes the connection for
/// dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Answers until the listener goes, or the gateway ends. The first event comes at once.
pub(super) async fn events(
    State(gateway): State<Arc<Gateway>>,
    _: Caller,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = gateway.board.subscribe();
    changes.mark_changed();
    Sse::new(told(changes, gateway.over.subscribe()))
        .keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn told(
    changes: watch::Receiver<Arc<Snapshot>>,
    over: watch::Receiver<bool>,
) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold((changes, over), |(mut changes, mut over)| async move {
        tokio::select! {
            changed = changes.changed() => changed.ok()?,
            _ = over.wait_for(|over| *over) => return None,
        }
        let revision = changes.borrow_and_update().revision;
        let event = Event::default().event("changed").data(revision.to_string());
        Some((Ok(event), (changes, over)))
    })
}
