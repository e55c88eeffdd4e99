//! Moves that were killed: completed if the bundle is whole and every login in it was handed over,
//! undone otherwise.
//!
//! The draft of a bundle is nobody's before it has its name. So until then a move can be undone; from
//! then on another machine may have imported it, and it can only be completed.

use super::ledger::{self, Fate};
use super::marker::{Leaving, Marker, gone};
use super::strip::strip;
use super::target::Target;
use super::turn;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::rotation;
use crate::model::hint::{Command, Hint};

/// What became of a move that was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The logins are in the bundle, and no longer here.
    Completed,
    /// The logins are here, and there is no bundle.
    Undone,
}

/// Completes or undoes every move that was killed. One that another process is at is left to it.
pub fn finish_pending(cx: Context<'_>) {
    match Marker::all(cx) {
        Ok(markers) if markers.is_empty() => return,
        Ok(_) => {}
        Err(failure) => return cx.warn(failure.to_string()),
    }
    match turn::try_take(cx) {
        Ok(Some(_turn)) => {
            if let Err(failure) = finish_all(cx) {
                let text = Hint::from(failure.to_string());
                cx.warn(match failure.hint {
                    Some(hint) => text.then(". Try: ").then(hint),
                    None => text,
                });
            }
        }
        Ok(None) => {}
        Err(failure) => cx.warn(failure.to_string()),
    }
}

/// Tells of moves that were killed, for the commands that complete none.
///
/// # Errors
/// If they cannot be looked for.
pub(in crate::app::secrets) fn tell_pending(cx: Context<'_>) -> Result<(), Failure> {
    let markers = Marker::all(cx)?;
    // Whoever has its turn is making it right now.
    if markers.is_empty() || turn::try_take(cx)?.is_none() {
        return Ok(());
    }
    for marker in markers {
        let text = format!(
            "a move to {} was interrupted; to complete or undo it: ",
            marker.to.display()
        );
        cx.warn(Hint::from(text).run(Command::list()));
    }
    Ok(())
}

/// Completes or undoes them all, for whoever has its turn; returns what became of each.
///
/// # Errors
/// The first that can neither be completed nor undone.
pub(super) fn finish_all(cx: Context<'_>) -> Result<Vec<(Marker, Ending)>, Failure> {
    let mut ended = Vec::new();
    for marker in Marker::all(cx)? {
        let ending = finish(cx, &marker)?;
        let to = marker.to.display();
        cx.info(match ending {
            Ending::Completed if marker.database.is_some() => Hint::from(format!(
                "The import into a database that was interrupted has its logins in {to}; to complete it: "
            ))
            .run(Command::new("gateway import")),
            Ending::Undone if marker.database.is_some() => Hint::from(
                "Undid the import into a database that was interrupted; its logins are here. To import them: ",
            )
            .run(Command::new("gateway import")),
            Ending::Completed => Hint::from(format!(
                "Completed the move to {to} that was interrupted; its logins are no longer used here"
            )),
            Ending::Undone => Hint::from(format!(
                "Undid the move to {to} that was interrupted; its logins are here, and there is no bundle. To move them: "
            ))
            .run(Command::new("secrets export --move").option("--to", &to)),
        });
        ended.push((marker, ending));
    }
    Ok(ended)
}

fn finish(cx: Context<'_>, marker: &Marker) -> Result<Ending, Failure> {
    let is_published = marker.is_published(cx)?;
    let has_draft = cx.files.stat(&marker.draft)?.is_some();
    let handed_over = marker.handed_over(cx)?;
    let is_handed_over = handed_over > 0 && handed_over == marker.grants.len();
    let fate = ledger::look(cx, &marker.bundle)?.map(|(fate, _)| fate);
    if is_published || fate == Some(Fate::Imported) {
        // Whatever the journal says: somebody may have put another one in its place. And who imported it
        // may have removed it.
        cx.files.remove(&marker.draft)?;
    } else if !is_handed_over {
        undo(cx, marker)?;
        return Ok(Ending::Undone);
    } else if has_draft {
        let target = Target {
            path: marker.to.clone(),
            draft: marker.draft.clone(),
            // Its bytes say that, and are written.
            database: None,
        };
        target.publish(cx).map_err(|failure| {
            let draft = marker.draft.display();
            let message = format!("{failure}; the bundle is whole, and lies in {draft}");
            Failure::new(Kind::Storage, message).hint(
                Hint::from("move what is in its way elsewhere and run the command again, or run: ")
                    .run(Command::new("secrets take-back").name(&draft)),
            )
        })?;
    } else {
        // Somebody carried the bundle away. What was logged in to again, or out of, is not missed.
        let is_left = |leaving: &Leaving| !rotation::copies(cx, &leaving.grant).is_empty();
        if marker.grants.iter().any(is_left) {
            return Err(gone(marker));
        }
    }
    strip(cx, marker).map_err(|failure| Failure {
        message: format!(
            "the move to {} was interrupted, and its refresh tokens are still here: {failure}",
            marker.to.display()
        ),
        subject: None,
        ..failure
    })?;
    marker.remove(cx)?;
    Ok(Ending::Completed)
}

/// Undoes a move whose bundle has no name yet.
///
/// # Errors
/// If something cannot be written or removed; it can be done again.
pub(super) fn undo(cx: Context<'_>, marker: &Marker) -> Result<(), Failure> {
    marker.reclaim(cx)?;
    cx.files.remove(&marker.draft)?;
    marker.remove(cx)
}
