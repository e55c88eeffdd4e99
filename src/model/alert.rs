//! What a person is told of unasked: a login was renewed, it ends soon, or it needs them.
//!
//! One message per change of state: a [`DedupKey`] names the state that is told of, and [`SentAlerts`] knows
//! which have been. Whoever asks for the token of a refused login a hundred times rings once.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::{AsRefStr, EnumString, VariantNames};

use super::grant::GrantDigest;
use super::hint::Hint;
use super::id::{AgentId, ProfileId, ProviderId};
use super::pairs;
use super::time::Timestamp;

/// What happened.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, AsRefStr, EnumString, VariantNames,
)]
#[strum(serialize_all = "kebab-case")]
pub enum Event {
    /// Nothing but a person brings a living token again.
    NeedsLogin,
    /// Something ends soon that does not renew itself.
    Expiring,
    /// A login was renewed.
    Refreshed,
}

/// Something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What happened.
    pub event: Event,
    /// To which profile.
    pub profile: ProfileId,
    /// Of which provider.
    pub provider: ProviderId,
    /// In whose document it lies.
    pub agent: AgentId,
    /// When its token ends, if that is known.
    pub end: Option<Timestamp>,
    /// What happened, in a sentence; holds no secret.
    pub message: Hint,
    /// What mends it.
    pub command: Option<Hint>,
    /// The state that is told of once; without one, every time is another.
    pub mark: Option<DedupKey>,
}

/// Names a state.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DedupKey(pub String);

impl DedupKey {
    /// A grant that gives no more tokens, in whatever documents it lies. The end of its last token
    /// belongs to it: a grant that came to life again may die again.
    pub fn of_grant(grant: &GrantDigest, end: Option<Timestamp>) -> Self {
        Self(format!("needs-login {} {grant}", millis(end)))
    }

    /// A token that nothing renews, by the end it has or had.
    pub fn of_end(agent: &AgentId, profile: &ProfileId, end: Option<Timestamp>) -> Self {
        Self(format!("needs-login {}", place(agent, profile, end)))
    }

    /// A token that ends within this length of time, by name.
    pub fn of_threshold(
        agent: &AgentId,
        profile: &ProfileId,
        end: Timestamp,
        within: &str,
    ) -> Self {
        Self(format!(
            "expiring {within} {}",
            place(agent, profile, Some(end))
        ))
    }
}

fn place(agent: &AgentId, profile: &ProfileId, end: Option<Timestamp>) -> String {
    format!("{} {agent} {profile}", millis(end))
}

fn millis(end: Option<Timestamp>) -> i64 {
    end.map_or(0, |end| end.0)
}

/// A person is told when less than this is left, the longest first.
const THRESHOLDS: [(Duration, &str); 2] = [
    (Duration::from_secs(7 * 86_400), "7d"),
    (Duration::from_secs(86_400), "1d"),
];

/// The last threshold that a token with so many milliseconds left has passed, by name.
pub fn threshold(left: i64) -> Option<&'static str> {
    let passed = THRESHOLDS
        .iter()
        .rev()
        .find(|(limit, _)| i128::from(left) <= limit.as_millis().cast_signed());
    passed.map(|(_, name)| *name)
}

/// What was told, and when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SentAlerts(pub Vec<Entry>);

/// One state that was told of, or is being told of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The state.
    pub mark: DedupKey,
    /// When.
    pub at: Timestamp,
    /// Whether the hook ended well.
    pub arrived: bool,
}

impl SentAlerts {
    /// What did not arrive is tried again after this: often enough for a network that comes back,
    /// and no burden to a program that asks for a token every second.
    const AGAIN: Duration = Duration::from_secs(3_600);
    /// Clocks are corrected all the time by less than this.
    const CORRECTION: Duration = Duration::from_secs(60);
    /// By then whatever it was about is gone.
    const KEPT: Duration = Duration::from_secs(400 * 86_400);

    /// Whether the state is to be told of now; then nobody else is told to for an hour.
    pub fn claim(&mut self, mark: &DedupKey, now: Timestamp) -> bool {
        // After a clock was set back nobody waits for it to catch up; a little is no setting back.
        let is_at_it = |entry: &Entry| {
            entry.at <= now.after(Self::CORRECTION) && now < entry.at.after(Self::AGAIN)
        };
        let waits = |entry: &Entry| entry.arrived || is_at_it(entry);
        if self
            .0
            .iter()
            .any(|entry| entry.mark == *mark && waits(entry))
        {
            return false;
        }
        let is_kept = |entry: &Entry| now < entry.at.after(Self::KEPT);
        self.0.retain(|entry| entry.mark != *mark && is_kept(entry));
        self.0.push(Entry {
            mark: mark.clone(),
            at: now,
            arrived: false,
        });
        true
    }

    /// The message has arrived.
    pub fn arrived(&mut self, mark: &DedupKey) {
        let entries = self.0.iter_mut();
        entries
            .filter(|entry| entry.mark == *mark)
            .for_each(|entry| entry.arrived = true);
    }
}

/// The commands that a user wants to be run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hooks {
    /// Each event with its program and the arguments of that.
    pub commands: Vec<(Event, Vec<String>)>,
    /// How long each may run, if not for the usual time.
    pub limit: Option<Duration>,
    /// The variables that each gets although their names say that they hold credentials.
    pub env_keep: Vec<String>,
}

impl Hooks {
    /// The command of an event.
    pub fn of(&self, event: Event) -> Option<&[String]> {
        pairs::get(&self.commands, |known| *known == event).map(Vec::as_slice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_threshold_is_passed_once() {
        let day = 24 * HOUR;
        assert_eq!(threshold(7 * day + 1), None);
        assert_eq!(threshold(7 * day), Some("7d"));
        assert_eq!(threshold(day + 1), Some("7d"));
        assert_eq!(threshold(day), Some("1d"));
        assert_eq!(threshold(-day), Some("1d"));
    }

    #[test]
    fn a_state_is_told_of_once_unless_the_message_was_lost() {
        let mut told = SentAlerts::default();
        let (mark, other) = (DedupKey("a".into()), DedupKey("b".into()));
        let at = |hours: i64| Timestamp(1_795_230_521_000 + hours * HOUR);
        assert!(told.claim(&mark, at(0)));
        assert!(!told.claim(&mark, at(0)), "somebody is at it");
        assert!(told.claim(&other, at(0)));
        assert!(!told.claim(&mark, Timestamp(at(1).0 - 1)));
        assert!(told.claim(&mark, at(1)), "it did not arrive");
        told.arrived(&mark);
        assert!(!told.claim(&mark, at(1_000)));
        assert!(!told.claim(&mark, at(-1_000)), "the clock was set back");
        assert_eq!(told.0.len(), 2);
        // What was told of long ago is forgotten.
        assert!(told.claim(&DedupKey("c".into()), at(400 * 24 + 1)));
        assert_eq!(told.0.len(), 1);
    }

    #[test]
    fn a_clock_that_was_set_back_silences_nobody() {
        let mut told = SentAlerts::default();
        let mark = DedupKey("a".into());
        assert!(told.claim(&mark, Timestamp(10 * HOUR)));
        assert!(!told.claim(&mark, Timestamp(10 * HOUR - 500)));
        assert!(told.claim(&mark, Timestamp(HOUR)));
        assert!(!told.claim(&mark, Timestamp(HOUR)));
    }
}
