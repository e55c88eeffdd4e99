//! The log of sent messages: a small file in the state directory, for all processes.
//!
//! The file is advice: one that is damaged counts as empty, and what cannot be written down is not
//! told of, because it would be told of again and again.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::app::context::Context;
use crate::model::alert::{Alert, DedupKey, SentAlerts};
use crate::model::state_files::LOCKS;
use crate::model::time::Timestamp;
use crate::ports::files::{FileError, Sharing};
use crate::ports::lock::{LockError, lock_within};

const SCHEMA: u32 = 1;

/// The time limit for the lock of the file: an alert is not worth more of the user's time.
const LIMIT: Duration = Duration::from_secs(2);

/// What the file holds.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Content {
    schema: u32,
    last_tick: Option<Timestamp>,
    told: SentAlerts,
}

/// Claims the alerts that nobody has sent yet, so that no other process sends them.
pub(in crate::app) fn claim(cx: Context<'_>, alerts: Vec<Alert>) -> Vec<Alert> {
    if alerts.iter().all(|alert| alert.mark.is_none()) {
        return alerts;
    }
    let mut claimed = Vec::new();
    let written = change(cx, |content| {
        // Not earlier: whoever had the file before us wrote a later moment into it.
        let now = cx.clock.now();
        for alert in &alerts {
            let mark = alert.mark.as_ref();
            if mark.is_none_or(|mark| content.told.claim(mark, now)) {
                claimed.push(alert.clone());
            }
        }
        claimed.iter().any(|alert| alert.mark.is_some())
    });
    match written {
        true => claimed,
        false => alerts
            .into_iter()
            .filter(|alert| alert.mark.is_none())
            .collect(),
    }
}

/// Records that messages were delivered.
pub(in crate::app) fn arrived(cx: Context<'_>, marks: &[DedupKey]) {
    if marks.is_empty() {
        return;
    }
    change(cx, |content| {
        marks.iter().for_each(|mark| content.told.arrived(mark));
        true
    });
}

/// Records a run of `tick`.
pub(in crate::app) fn ticked(cx: Context<'_>, at: Timestamp) {
    change(cx, |content| {
        content.last_tick = Some(at);
        true
    });
}

/// Returns the time of the last run of `tick`.
pub(in crate::app) fn last_tick(cx: Context<'_>) -> Option<Timestamp> {
    read(cx).ok()?.last_tick
}

fn path(cx: Context<'_>) -> PathBuf {
    cx.dirs.state.join("alerts.json")
}

/// Changes the file under its lock, and writes it if `change` says so; false if that failed.
fn change(cx: Context<'_>, change: impl FnOnce(&mut Content) -> bool) -> bool {
    locked(cx, change).unwrap_or_else(|error| {
        tracing::warn!(%error, "what is told of could not be written down");
        false
    })
}

fn locked(cx: Context<'_>, change: impl FnOnce(&mut Content) -> bool) -> Result<bool, LockError> {
    let locks = cx.dirs.state.join(LOCKS);
    cx.files.create_dirs(&locks)?;
    let lock = locks.join("alerts.lock");
    let wait = cx.wait(LIMIT);
    let lock = lock_within(cx.files, cx.clock, &lock, Sharing::Exclusive, &wait)?;
    let mut content = read(cx)?;
    let wants_write = change(&mut content);
    if wants_write {
        content.schema = SCHEMA;
        let text = format!("{:#}\n", json!(content));
        cx.files.replace_relaxed(&path(cx), text.as_bytes())?;
    }
    drop(lock);
    Ok(wants_write)
}

fn read(cx: Context<'_>) -> Result<Content, FileError> {
    let bytes = cx.files.read(&path(cx))?;
    let content = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Ok(content.unwrap_or_default())
}
