//! Backoff: how long a server in trouble is left alone, so that waiting processes do not ask it all
//! at once.

use std::time::Duration;

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::time::Timestamp;
use crate::ports::host::Random;

/// The backoff after the first temporary failure; it doubles with each further one, up to
/// [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// The time limit for another process that refreshes the same grant: a token request (30 s), its
/// commit, and a margin.
pub(in crate::app) const WAIT_FOR_OTHERS: Duration = Duration::from_secs(45);

/// The interval at which a wait looks for a signal.
const LOOK: Duration = Duration::from_millis(20);

/// Returns the moment of the next try if the server named none: between a half and the whole of a
/// pause that doubles with every failure (jitter). `failures` is how many failed in a row before
/// this one.
///
/// Who could not even reach the server is no burden to it, and wants to know soon when the
/// network is back: there the pause does not grow.
pub(super) fn next_try(
    random: &dyn Random,
    failures: u32,
    reached: bool,
    now: Timestamp,
) -> Option<Timestamp> {
    let factor = 2_u32.saturating_pow(if reached { failures } else { 0 });
    let longest = FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
    let mut chance = [0];
    random.fill(&mut chance).ok()?;
    let share = 0.5 + f64::from(chance[0]) / 510.0;
    Some(now.after(longest.mul_f64(share)))
}

/// Waits until a moment, or for a signal.
///
/// # Errors
/// [`Kind::Cancelled`](crate::app::failure::Kind::Cancelled) for a signal.
pub(super) fn wait_until(cx: Context<'_>, moment: Timestamp) -> Result<(), Failure> {
    while cx.clock.now() < moment {
        cx.uninterrupted()?;
        cx.clock.sleep(LOOK);
    }
    Ok(())
}
