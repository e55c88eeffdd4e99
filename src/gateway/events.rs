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
use super::caller::{Caller, Client};
use super::state::Gateway;
use crate::model::access_key::BearerDigest;

/// How often a line is sent when nothing happens, so that nobody on the way takes the connection for
/// dead.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// How often is looked whether the listener may still hear it.
const LOOK: Duration = Duration::from_secs(2);

/// Answers until the listener goes, their key is no longer accepted, or the gateway ends. The first
/// event comes at once.
pub(super) async fn events(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    client: Client,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = gateway.board.subscribe();
    changes.mark_changed();
    let over = gateway.over.subscribe();
    let listener = Listener {
        gateway,
        bearer: caller.bearer,
        client,
        changes,
        over,
    };
    let told = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Sse::new(told).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

struct Listener {
    gateway: Arc<Gateway>,
    bearer: BearerDigest,
    client: Client,
    changes: watch::Receiver<Arc<Snapshot>>,
    over: watch::Receiver<bool>,
}

impl Listener {
    /// Waits for a change; `None` if nothing more is told.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let is_changed = tokio::select! {
                changed = self.changes.changed() => changed.is_ok(),
                () = tokio::time::sleep(LOOK) => false,
                _ = self.over.wait_for(|over| *over) => return None,
            };
            let found = Caller::with_digest(&self.gateway, self.client, &self.bearer).await;
            found.ok()?;
            if is_changed {
                let revision = self.changes.borrow_and_update().revision;
                return Some(Event::default().event("changed").data(revision.to_string()));
            }
        }
    }
}
