//! For how long a profile is passed over after a failure: OpenClaw's own book-keeping, so that both
//! programs can write into one document.
//!
//! Pure: an entry in, the next entry out; the caller brings the clock. The two lines of releases
//! count differently (`docs/decisions/0022-cooldowns.md`), so every rule asks for the [`StoreFormat`].
//! Every end that is written here is bounded, and each success clears all of it: a profile that
//! stays passed over for no reason anybody remembers was a frequent complaint.

use std::time::Duration;

use serde::Serialize;
use strum::{AsRefStr, EnumString, VariantNames};

use super::id::ProviderId;
use super::pairs;
use super::time::Timestamp;
use super::usage::Usage;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// The longest that a server's `Retry-After` is heeded: as long as a billing failure lasts at most
/// by default.
pub const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(24 * 3_600);

/// Whose rules a document is kept by; its layout tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StoreFormat {
    /// The reference release: everything in one file.
    #[default]
    Early,
    /// Releases that keep what they learnt in `auth-state.json`.
    Late,
}

impl StoreFormat {
    /// Whose rules count for an agent whose document lies over main's, `below`: that of an agent
    /// that has learnt nothing yet does not tell.
    #[must_use]
    pub fn over(self, below: Option<Self>) -> Self {
        match self {
            Self::Early => below.unwrap_or_default(),
            Self::Late => Self::Late,
        }
    }
}

/// What a failure was about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, AsRefStr, EnumString, VariantNames)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
#[strum(parse_err_ty = String, parse_err_fn = not_a_reason)]
pub enum Reason {
    /// Too many requests, or a quota is used up.
    RateLimit,
    /// Refused the credential.
    Auth,
    /// Refused it for good: the account is closed, the key revoked.
    AuthPermanent,
    /// Wants money.
    Billing,
    /// Did not answer in time.
    Timeout,
    /// Did not understand the request.
    Format,
    /// Something else.
    Unknown,
}

impl Reason {
    /// The nearest reason that the release knows.
    fn known_to(self, release: StoreFormat) -> Self {
        match (self, release) {
            (Self::AuthPermanent, StoreFormat::Early) => Self::Auth,
            _ => self,
        }
    }
}

fn not_a_reason(_: &str) -> String {
    format!("expected one of {}", Reason::VARIANTS.join(", "))
}

/// `auth.cooldowns` of the configuration; where that says nothing, OpenClaw's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cooldowns {
    /// How long the first billing failure disables.
    pub billing_backoff: Duration,
    /// The same of single providers, by name as written.
    pub billing_backoff_by_provider: Vec<(String, Duration)>,
    /// The longest that billing failures disable.
    pub billing_max: Duration,
    /// How long the first permanent failure disables.
    pub auth_permanent_backoff: Duration,
    /// The longest that permanent failures disable.
    pub auth_permanent_max: Duration,
    /// Failures further apart than this do not add up.
    pub failure_window: Duration,
}

impl Default for Cooldowns {
    fn default() -> Self {
        Self {
            billing_backoff: HOUR * 5,
            billing_backoff_by_provider: Vec::new(),
            billing_max: HOUR * 24,
            auth_permanent_backoff: MINUTE * 10,
            auth_permanent_max: HOUR,
            failure_window: HOUR * 24,
        }
    }
}

impl Cooldowns {
    fn billing_of(&self, provider: &ProviderId) -> Duration {
        let own = &self.billing_backoff_by_provider;
        let own = pairs::get(own, |key| provider.is_named(key));
        own.copied().unwrap_or(self.billing_backoff)
    }
}

/// One failure.
#[derive(Clone, Copy, Debug)]
pub struct ProfileFailure<'a> {
    /// The provider of the profile.
    pub provider: &'a ProviderId,
    /// What it was about.
    pub reason: Reason,
    /// The model that was asked for, if that is known.
    pub model: Option<&'a str>,
    /// The wait that the server asked for.
    pub retry_after: Option<Duration>,
    /// Now.
    pub now: Timestamp,
}

/// Whether profiles of a provider are never passed over: a limit that a router of models reports
/// is that of one model behind it.
pub fn is_exempt(provider: &ProviderId, release: StoreFormat) -> bool {
    release == StoreFormat::Late && matches!(provider.as_str(), "openrouter" | "kilocode")
}

/// The entry after a failure.
#[must_use]
pub fn record_failure(
    before: &Usage,
    what: &ProfileFailure<'_>,
    rules: &Cooldowns,
    release: StoreFormat,
) -> Usage {
    let reason = what.reason.known_to(release);
    let mut next = before.clone();
    next.changed = true;
    if starts_anew(before, what.now, rules, release) {
        next.error_count = 0;
        next.failure_counts.clear();
    }
    next.error_count = next.error_count.saturating_add(1);
    let count = count(&mut next.failure_counts, reason);
    next.last_failure_at = Some(what.now);

    let disabling = match reason {
        Reason::Billing => Some((rules.billing_of(what.provider), rules.billing_max)),
        Reason::AuthPermanent => Some((rules.auth_permanent_backoff, rules.auth_permanent_max)),
        _ => None,
    };
    if let Some((base, most)) = disabling {
        let computed = what.now.after(doubled(base, most, count));
        next.disabled_until = Some(end(before.disabled_until, computed, what, release));
        next.disabled_reason = Some(reason.as_ref().to_owned());
    } else {
        let computed = what.now.after(cooldown(next.error_count, release));
        next.cooldown_until = Some(end(before.cooldown_until, computed, what, release));
        (next.cooldown_reason, next.cooldown_model) = scope(before, what, reason, release);
    }
    next
}

/// The entry after a success: nothing is held against the profile any more.
#[must_use]
pub fn record_success(before: &Usage, now: Timestamp) -> Usage {
    Usage {
        last_used: Some(now),
        ..clear(before)
    }
}

/// The entry after somebody said that the profile may be tried again. The reference release leaves
/// a disabling end where it is, which kept accounts out of use for hours after they had been paid.
#[must_use]
pub fn clear(before: &Usage) -> Usage {
    Usage {
        text: before.text.clone(),
        changed: true,
        last_used: before.last_used,
        last_failure_at: before.last_failure_at,
        ..Usage::default()
    }
}

/// Whether there is anything for [`clear`] to do.
pub fn is_marked(usage: &Usage) -> bool {
    let ends = [usage.cooldown_until, usage.disabled_until];
    usage.error_count > 0 || !usage.failure_counts.is_empty() || ends.iter().any(Option::is_some)
}

/// Whether earlier failures no longer add up. Later releases also forget them once the profile was
/// allowed to be tried again; otherwise the next small failure led to the longest cooldown at once.
fn starts_anew(before: &Usage, now: Timestamp, rules: &Cooldowns, release: StoreFormat) -> bool {
    let window = i64::try_from(rules.failure_window.as_millis()).unwrap_or(i64::MAX);
    let is_old = |last: Timestamp| last.0 > 0 && last.until(now) > window;
    let ends = [before.cooldown_until, before.disabled_until];
    let last_end = ends.into_iter().flatten().filter(|end| end.0 > 0).max();
    before.last_failure_at.is_some_and(is_old)
        || (release == StoreFormat::Late && last_end.is_some_and(|end| now >= end))
}

/// Counts one more failure for this reason; how many there are now.
fn count(counts: &mut Vec<(String, u64)>, reason: Reason) -> u64 {
    let name = reason.as_ref();
    let count = pairs::entry(counts, |other| other == name, name);
    *count = count.saturating_add(1);
    *count
}

/// How long the `errors`th failure in a row keeps a profile out of the way.
fn cooldown(errors: u64, release: StoreFormat) -> Duration {
    match (release, errors) {
        (StoreFormat::Early, ..=1) => MINUTE,
        (StoreFormat::Early, 2) => MINUTE * 5,
        (StoreFormat::Early, 3) => MINUTE * 25,
        (StoreFormat::Early, _) => HOUR,
        (StoreFormat::Late, ..=1) => MINUTE / 2,
        (StoreFormat::Late, 2) => MINUTE,
        (StoreFormat::Late, _) => MINUTE * 5,
    }
}

/// How long the `count`th failure of a kind that takes longer to mend disables a profile.
fn doubled(base: Duration, most: Duration, count: u64) -> Duration {
    let base = base.max(MINUTE);
    let doublings = count.clamp(1, 11) - 1;
    base.saturating_mul(1 << doublings).min(most.max(base))
}

/// The end that counts. Later releases keep one that lies ahead, so that trying in vain does not
/// prolong it; a server's own word can prolong it in either.
fn end(
    before: Option<Timestamp>,
    computed: Timestamp,
    what: &ProfileFailure<'_>,
    release: StoreFormat,
) -> Timestamp {
    let kept = before.filter(|end| release == StoreFormat::Late && *end > what.now);
    let asked = what.retry_after.unwrap_or_default();
    let asked = what.now.after(asked.min(LONGEST_RETRY_AFTER));
    kept.unwrap_or(computed).max(asked)
}

/// Why a profile cools down, and the only model that is concerned; early releases write neither.
/// Only a rate limit is about one model, and only as long as no other has failed as well.
fn scope(
    before: &Usage,
    what: &ProfileFailure<'_>,
    reason: Reason,
    release: StoreFormat,
) -> (Option<String>, Option<String>) {
    if release == StoreFormat::Early {
        return (None, None);
    }
    let is_active = before.cooldown_until.is_some_and(|end| end > what.now);
    let model = match (reason, &before.cooldown_model) {
        (Reason::RateLimit, was) if is_active => {
            let same = was.as_deref().filter(|was| what.model == Some(*was));
            same.map(str::to_owned)
        }
        (Reason::RateLimit, _) => what.model.map(str::to_owned),
        _ => None,
    };
    (Some(reason.as_ref().to_owned()), model)
}

#[cfg(test)]
mod tests;
