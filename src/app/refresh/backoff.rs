//! What a failed refresh means for those who come after it, in this process and in others.
//!
//! The journal tells them: a refusal is not provoked a second time, and a server in trouble is
//! left alone for a while, so that everybody who waited does not ask it at once.

use std::time::Duration;

use crate::model::credential::OAuth;
use crate::model::grant::{GrantRecord, RefreshOutcome, Refusal};
use crate::model::time::{Timestamp, short_duration};

use super::ensure_fresh::RefreshRequest;
use super::outcome::{RefreshPolicy, ValidToken};
use crate::app::failure::{Failure, Kind, StoreEffect};

/// How long nobody tries again after the first failure in passing; it doubles with each further
/// one, up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A pause of at most this many milliseconds is waited for rather than reported.
const SHORT_PAUSE_MS: i64 = 2_000;

/// How often a waiting process looks whether it shall stop.
const LOOK: Duration = Duration::from_millis(20);

impl RefreshRequest<'_> {
    /// What the journal already knows decides without asking the provider again; a person who says
    /// `--force` is not stopped by it.
    pub(in crate::app) fn remembered(
        &self,
        credential: &OAuth,
        record: Option<&GrantRecord>,
    ) -> Option<Result<ValidToken, Failure>> {
        if self.need == RefreshPolicy::Always {
            return None;
        }
        if let Some(at) = record?.revoked_at() {
            let message = format!("was revoked at its provider at {}", at.iso8601());
            return Some(Err(
                Failure::about(self.profile, Kind::NeedsLogin, message).hint(self.login_again())
            ));
        }
        let attempt = record?.attempt.as_ref()?;
        match attempt.outcome.as_ref()? {
            RefreshOutcome::Refused(refusal) if credential.is_of_client() => {
                self.remembered_of_client(credential, attempt, refusal)
            }
            RefreshOutcome::Refused(refusal) => {
                Some(self.hopeless(credential.clone(), &words(refusal)))
            }
            RefreshOutcome::Passing { reason, retry_at } if self.is_paused(record) => {
                let why = self.with_wait(reason.clone(), *retry_at);
                Some(self.later(
                    credential.clone(),
                    &why,
                    Kind::Temporary,
                    StoreEffect::Nothing,
                ))
            }
            _ => None,
        }
    }

    /// Whether there is a short pause whose end is waited for, because the token is dead.
    pub(in crate::app) fn sits_out(
        &self,
        credential: &OAuth,
        record: Option<&GrantRecord>,
    ) -> bool {
        let retry_at = record.and_then(retry_at);
        let is_short = self.is_paused(record) && self.left(retry_at) <= SHORT_PAUSE_MS;
        is_short && self.need != RefreshPolicy::Always && !self.is_alive(credential)
    }

    /// Waits for the end of a short pause if the token is dead; true if there was one.
    pub(in crate::app) fn sit_out(
        &self,
        credential: &OAuth,
        record: Option<&GrantRecord>,
    ) -> Result<bool, Failure> {
        if !self.sits_out(credential, record) {
            return Ok(false);
        }
        while self.is_paused(record) {
            if let Some(signal) = self.cx.interrupt.pending() {
                return Err(Failure::cancelled(signal));
            }
            self.cx.clock.sleep(LOOK);
        }
        Ok(true)
    }

    /// Until when nobody tries again, where the server did not say: between a half and the whole
    /// of a pause that doubles with every failure, so that many machines do not come back at once.
    ///
    /// Who could not even reach the server is no burden to it, and wants to know soon when the
    /// network is back: there the pause does not grow.
    pub(in crate::app) fn pause(
        &self,
        record: Option<&GrantRecord>,
        reached: bool,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let attempt = record.and_then(|record| record.attempt.as_ref());
        let failures = attempt.map_or(0, |attempt| attempt.failures);
        let factor = 2_u32.saturating_pow(if reached { failures } else { 0 });
        let longest = FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
        let mut chance = [0];
        self.cx.random.fill(&mut chance).ok()?;
        let share = 0.5 + f64::from(chance[0]) / 510.0;
        Some(now.after(longest.mul_f64(share)))
    }

    /// The reason, with how long the provider is left alone.
    pub(in crate::app) fn with_wait(&self, reason: String, retry_at: Option<Timestamp>) -> String {
        match self.left(retry_at) {
            ..=SHORT_PAUSE_MS => reason,
            left @ ..60_000 => format!(
                "{reason}; the provider is not asked again for another {} s",
                left / 1_000
            ),
            left => format!(
                "{reason}; the provider is not asked again for another {}",
                short_duration(left)
            ),
        }
    }

    /// Whether the provider is left alone. A clock that was set back since then says nothing.
    fn is_paused(&self, record: Option<&GrantRecord>) -> bool {
        let begun_at = record.and_then(|record| Some(record.attempt.as_ref()?.begun_at));
        begun_at.is_some_and(|begun_at| begun_at <= self.cx.clock.now())
            && self.left(record.and_then(retry_at)) > 0
    }

    fn left(&self, moment: Option<Timestamp>) -> i64 {
        moment.map_or(0, |at| self.cx.clock.now().until(at))
    }
}

fn retry_at(record: &GrantRecord) -> Option<Timestamp> {
    match record.attempt.as_ref()?.outcome.as_ref()? {
        RefreshOutcome::Passing { retry_at, .. } => *retry_at,
        _ => None,
    }
}

/// A refusal in the provider's own words.
pub(in crate::app) fn words(refusal: &Refusal) -> String {
    let Refusal {
        code,
        description,
        status,
    } = refusal;
    let http = match status {
        0 => String::new(),
        status => format!(", HTTP {status}"),
    };
    match description.as_str() {
        words if words.is_empty() || words == code => {
            format!("the provider refused it ({code}{http})")
        }
        words => format!("the provider refused it ({code}{http}: {words})"),
    }
}
