//! The wait of a logout for logins whose code is exchanged: they would be stored right after it.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::{Ending, unfinished};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::login::login_file;
use crate::app::login::recover::{recover_due, recover_now};
use crate::app::login::saved_login::{self, Head};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::ports::login_attempts::Step;

/// A gateway that is gone counts as being at work for half of it. One that is not may need longer still: the
/// exchange, the keys of the issuer and the store have half a minute each.
const LIMIT: Duration = Duration::from_secs(120);

/// The pauses between two looks.
const PAUSES: RangeInclusive<Duration> = Duration::from_millis(50)..=Duration::from_millis(500);

/// Logins that a logout is about.
#[derive(Clone, Copy)]
pub(in crate::app) struct Meant<'a> {
    pub(in crate::app) agent: &'a AgentId,
    pub(in crate::app) provider: &'a ProviderId,
    /// Only this profile.
    pub(in crate::app) profile: Option<&'a ProfileId>,
}

impl Meant<'_> {
    /// Whether a login for this agent, and this profile if it names one, may be stored as one of them.
    fn may_be(&self, agent: &AgentId, named: Option<&ProfileId>) -> bool {
        let is_profile = named.is_none() || self.profile.is_none() || named == self.profile;
        self.agent == agent && is_profile
    }
}

/// Ends a login that waits at a gateway of the database and is for what is `meant`, and waits for the end
/// of those that may become that and have an answer, there and on this machine. One whose answer was left by
/// a process that is gone is stored now, to be removed with the others.
///
/// # Errors
/// [`Kind::Busy`] if one has not ended in time, why one that has an answer cannot be stored, a signal, and what
/// the store says.
pub(in crate::app) fn settle(cx: Context<'_>, meant: Meant<'_>) -> Result<(), Failure> {
    store_left(cx, meant)?;
    let whose = format!("a login to {} is being completed", meant.provider);
    let wait = cx.wait(LIMIT);
    let settled = wait.retry(cx.clock, PAUSES, &|| whose.clone(), || {
        let is_under_way = is_exchanged_here(cx, meant)? || is_under_way_elsewhere(cx, meant)?;
        Ok::<_, Failure>((!is_under_way).then_some(()))
    })?;
    settled.ok_or_else(|| {
        let message = format!("{whose}; nothing was removed");
        Failure::new(Kind::Busy, message).hint("try again in a minute")
    })
}

/// The files of logins on this machine that have an answer, or will have one in a moment, and are meant.
fn files(cx: Context<'_>, meant: Meant<'_>) -> Result<Vec<(String, Box<Head>)>, Failure> {
    let mut found = Vec::new();
    for name in saved_login::names(cx)? {
        if let Some(head) = saved_login::head(cx, &name)?
            && head.provider == *meant.provider
            && meant.may_be(&head.agent, head.profile.as_ref())
        {
            found.push((name, head));
        }
    }
    Ok(found)
}

/// Stores what processes that are gone left of one.
fn store_left(cx: Context<'_>, meant: Meant<'_>) -> Result<(), Failure> {
    for (name, head) in files(cx, meant)? {
        if meant.profile.is_some() && meant.profile != head.profile.as_ref() {
            // It may be another account's.
            recover_due(cx, &name);
        } else if let Err(mut failure) = recover_now(cx, &name) {
            failure.message.push_str("; nothing was removed");
            return Err(failure);
        }
    }
    Ok(())
}

/// Whether a process of this machine exchanges the code of one.
fn is_exchanged_here(cx: Context<'_>, meant: Meant<'_>) -> Result<bool, Failure> {
    for (name, _) in files(cx, meant)? {
        if login_file::is_worked_on(cx, &name)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a gateway of the database has the answer to one. One that waits there is ended, also if its gateway
/// was silent for long: that one may come back with the tokens of a device code.
fn is_under_way_elsewhere(cx: Context<'_>, meant: Meant<'_>) -> Result<bool, Failure> {
    let Some(attempts) = cx.attempts else {
        return Ok(false);
    };
    let found = attempts.attempts()?;
    let mut found = found.iter();
    let last = found.find(|it| it.provider == *meant.provider);
    let Some((attempt, (order, _))) = last.and_then(|last| Some((last, unfinished(last)?))) else {
        return Ok(false);
    };
    match attempt.step {
        Step::Taken if attempt.left.is_zero() => Ok(false),
        Step::Taken => Ok(meant.may_be(&order.agent, order.profile.as_ref())),
        Step::Waiting if order.is_for(meant.agent, meant.profile) => {
            let cancelled = Ending::Cancelled.written();
            // Somebody took it meanwhile, or ended it.
            Ok(!attempts.end(&attempt.state, Step::Waiting, &cancelled)?)
        }
        Step::Waiting | Step::Ended => Ok(false),
    }
}
