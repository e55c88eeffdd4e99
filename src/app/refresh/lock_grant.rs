//! Wait for the lock of a grant, for whoever does not look at the document meanwhile.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::grant::GrantDigest;
use crate::model::id::ProfileId;
use crate::ports::store::{GrantLock, Held, Waited};

/// Locks the grant of a profile, at the latest at `deadline` of the monotonic clock; `None` if it
/// is spent.
///
/// # Errors
/// [`Kind::Busy`] if another process holds it for too long.
pub(in crate::app) fn lock_grant<'a>(
    cx: Context<'a>,
    profile: &ProfileId,
    grant: &GrantDigest,
    deadline: Duration,
) -> Result<Option<Box<dyn Held<'a> + 'a>>, Failure> {
    loop {
        match cx.store.try_lock_grant(grant)? {
            GrantLock::Held(held) => return Ok(Some(held)),
            GrantLock::Spent { .. } => return Ok(None),
            GrantLock::Taken { .. } => {}
        }
        let wait = cx.wait(deadline.saturating_sub(cx.clock.monotonic()));
        match cx.store.await_grant(grant, &wait)? {
            Waited::Released if cx.clock.monotonic() < deadline => {}
            Waited::Stopped(signal) => return Err(Failure::cancelled(signal)),
            Waited::Released | Waited::TimedOut { .. } | Waited::Abandoned { .. } => {
                let message = format!("{profile} is being refreshed by another process");
                let failure = Failure::new(Kind::Busy, message);
                return Err(failure.hint("run the command again later"));
            }
        }
    }
}
