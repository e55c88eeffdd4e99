//! How often somebody may do something: so many times at once, and then evenly over a minute.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use parking_lot::Mutex;

/// The time in which all of an allowance comes back.
const WINDOW: Duration = Duration::from_secs(60);
/// How many are remembered. Whoever has many addresses must not get our memory by them.
const MOST: usize = 4_096;

/// An allowance of so many a minute for each `K`.
pub(super) struct RateLimit<K> {
    /// What one costs.
    step: Duration,
    /// When the allowance of each is whole again.
    whole_at: Mutex<HashMap<K, Duration>>,
}

impl<K: Eq + Hash + Clone> RateLimit<K> {
    /// Allows so many a minute; not zero.
    pub(super) fn per_minute(count: u32) -> Self {
        Self {
            step: WINDOW / count,
            whole_at: Mutex::default(),
        }
    }

    /// Whether one more would be allowed, by a monotonic clock.
    ///
    /// # Errors
    /// How long to wait for it.
    pub(super) fn check(&self, key: &K, now: Duration) -> Result<(), Duration> {
        let whole_at = self.whole_at.lock();
        self.next(whole_at.get(key), now).map(drop)
    }

    /// Takes one.
    ///
    /// # Errors
    /// How long to wait for it.
    pub(super) fn take(&self, key: &K, now: Duration) -> Result<(), Duration> {
        let mut whole_at = self.whole_at.lock();
        let next = self.next(whole_at.get(key), now)?;
        if !whole_at.contains_key(key) && whole_at.len() >= MOST {
            make_room(&mut whole_at, now);
        }
        whole_at.insert(key.clone(), next);
        Ok(())
    }

    /// When the allowance is whole again if one more is taken.
    fn next(&self, whole_at: Option<&Duration>, now: Duration) -> Result<Duration, Duration> {
        let next = whole_at.map_or(now, |at| now.max(*at)) + self.step;
        match next.checked_sub(now + WINDOW) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => Ok(next),
        }
    }
}

/// Forgets those whose allowance is whole; where all have used theirs, who used least of it.
fn make_room<K: Eq + Hash + Clone>(whole_at: &mut HashMap<K, Duration>, now: Duration) {
    whole_at.retain(|_, at| *at > now);
    if whole_at.len() < MOST {
        return;
    }
    let first = whole_at.iter().min_by_key(|(_, at)| **at);
    if let Some(key) = first.map(|(key, _)| key.clone()) {
        whole_at.remove(&key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(seconds: u64) -> Duration {
        Duration::from_secs(1_000 + seconds)
    }

    #[test]
    fn an_allowance_comes_back_evenly() {
        let limit = RateLimit::per_minute(10);
        for _ in 0..10 {
            assert_eq!(limit.check(&"a", at(0)), Ok(()));
            assert_eq!(limit.take(&"a", at(0)), Ok(()));
        }
        assert_eq!(limit.take(&"a", at(0)), Err(Duration::from_secs(6)));
        assert_eq!(limit.check(&"a", at(4)), Err(Duration::from_secs(2)));
        assert_eq!(limit.take(&"b", at(0)), Ok(()));
        assert_eq!(limit.take(&"a", at(6)), Ok(()));
        assert_eq!(limit.take(&"a", at(6)), Err(Duration::from_secs(6)));
        for _ in 0..10 {
            assert_eq!(limit.take(&"a", at(66)), Ok(()));
        }
        assert!(limit.take(&"a", at(66)).is_err());
    }

    #[test]
    fn memory_is_bounded_and_keeps_who_used_most() {
        let limit = RateLimit::per_minute(10);
        for _ in 0..10 {
            limit.take(&0, at(0)).unwrap();
        }
        for key in 1..=2 * MOST {
            limit.take(&key, at(0)).unwrap();
        }
        assert_eq!(limit.whole_at.lock().len(), MOST);
        assert!(limit.take(&0, at(0)).is_err());
        limit.take(&usize::MAX, at(120)).unwrap();
        assert_eq!(limit.whole_at.lock().len(), 1);
    }
}
