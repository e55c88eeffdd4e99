//! Who is signed in to the page, and the links that sign somebody in.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::problem::Problem;
use crate::model::access_key::BearerDigest;
use crate::model::secret::Secret;
use crate::model::text::hexadecimal;
use crate::model::time::Timestamp;
use crate::ports::host::{Clock, Random, RandomError};
use crate::ports::page_passes::{PagePasses, Pass, PassKind};
use crate::ports::store::StoreError;

/// How long somebody stays signed in.
pub(super) const SESSION_LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// How long a link may be used.
pub(super) const LINK_LIFE: Duration = Duration::from_secs(60);
/// The most sessions, and the most links. One more takes the place of the oldest.
const MOST: usize = 256;
/// Those of one bearer, lest it take the places of all others. The oldest of its own goes.
const EACH: usize = 16;
/// Random bytes of each value.
const RANDOM: usize = 32;
/// How long a session is good without another look: so late a sign-out at another gateway is noticed.
const TRUST: Duration = Duration::from_millis(500);
/// How long it is good while nobody can be asked: whoever has signed out elsewhere since it was last
/// looked at is signed in again for so long.
const TRUST_UNASKED: Duration = Duration::from_secs(60);

/// All sessions and links. Of every value that opens something only the digest is kept.
pub(super) struct Sessions {
    random: Arc<dyn Random>,
    clock: Arc<dyn Clock>,
    passes: Arc<dyn PagePasses>,
    /// The sessions that were shown here, by the digest of their cookie.
    seen: Mutex<HashMap<String, Seen>>,
}

/// A session, as it was when it was looked at.
#[derive(Clone)]
struct Seen {
    pass: Pass,
    /// By the monotonic clock.
    at: Duration,
}

/// What a browser is given for a session.
pub(super) struct Opened {
    /// The value of the cookie.
    pub(super) cookie: Secret<String>,
    /// What a request shows beside it.
    pub(super) csrf: Secret<String>,
    pub(super) ends: Timestamp,
}

/// Why nobody is signed in, or out.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// Sessions cannot be read, or changed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<SessionError> for Problem {
    fn from(error: SessionError) -> Self {
        match error {
            SessionError::Random(_) => Self::internal(error.to_string()),
            SessionError::Store(_) => Self::unavailable(error.to_string()),
        }
    }
}

impl Sessions {
    pub(super) fn new(
        random: Arc<dyn Random>,
        clock: Arc<dyn Clock>,
        passes: Arc<dyn PagePasses>,
    ) -> Self {
        Self {
            random,
            clock,
            passes,
            seen: Mutex::default(),
        }
    }

    /// Opens a session in the name of a bearer.
    pub(super) fn open(&self, bearer: BearerDigest) -> Result<Opened, SessionError> {
        let opened = Opened {
            cookie: self.value()?,
            csrf: self.value()?,
            ends: self.clock.now().after(SESSION_LIFE),
        };
        let session = Pass {
            kind: PassKind::Session,
            digest: BearerDigest::of(&opened.cookie),
            csrf: Some(BearerDigest::of(&opened.csrf)),
            bearer,
            left: SESSION_LIFE,
        };
        self.passes.put(&session, EACH, MOST)?;
        Ok(opened)
    }

    /// The bearer in whose name a session was opened. It is looked up again for each request: a key that
    /// was revoked takes its sessions with it. Both values must be right: every server of a host gets its
    /// cookies, whatever its port (RFC 6265 section 8.5).
    pub(super) fn find(
        &self,
        cookie: &Secret<String>,
        csrf: &Secret<String>,
    ) -> Result<Option<BearerDigest>, SessionError> {
        let session = self.look_up(&BearerDigest::of(cookie))?;
        let csrf = Some(BearerDigest::of(csrf));
        let session = session.filter(|session| session.csrf == csrf);
        Ok(session.map(|session| session.bearer))
    }

    /// One that was seen lately stays good while nobody can be asked.
    fn look_up(&self, cookie: &BearerDigest) -> Result<Option<Pass>, SessionError> {
        let moment = self.clock.monotonic();
        let age = |seen: &Seen| moment.saturating_sub(seen.at);
        let seen = self.seen.lock().get(&cookie.text()).cloned();
        let seen = seen.filter(|seen| age(seen) < seen.pass.left);
        if let Some(seen) = seen.as_ref().filter(|seen| age(seen) < TRUST) {
            return Ok(Some(seen.pass.clone()));
        }
        let found = match (self.passes.find(PassKind::Session, cookie), seen) {
            (Ok(found), _) => found,
            (Err(_), Some(seen)) if age(&seen) < TRUST_UNASKED => return Ok(Some(seen.pass)),
            (Err(error), _) => return Err(error.into()),
        };
        let mut all = self.seen.lock();
        all.retain(|_, seen| age(seen) < seen.pass.left);
        match &found {
            Some(pass) if all.len() < 2 * MOST => {
                let pass = pass.clone();
                all.insert(cookie.text(), Seen { pass, at: moment });
            }
            _ => {
                all.remove(&cookie.text());
            }
        }
        Ok(found)
    }

    /// Ends a session.
    pub(super) fn close(&self, cookie: &Secret<String>) -> Result<(), SessionError> {
        let cookie = BearerDigest::of(cookie);
        self.passes.take(PassKind::Session, &cookie)?;
        self.seen.lock().remove(&cookie.text());
        Ok(())
    }

    /// Makes the code of a link, which opens one session in the name of a bearer.
    pub(super) fn invite(&self, bearer: BearerDigest) -> Result<Secret<String>, SessionError> {
        let code = self.value()?;
        let link = Pass {
            kind: PassKind::Link,
            digest: BearerDigest::of(&code),
            csrf: None,
            bearer,
            left: LINK_LIFE,
        };
        self.passes.put(&link, EACH, MOST)?;
        Ok(code)
    }

    /// The bearer in whose name a link was made. It cannot be used again.
    pub(super) fn redeem(
        &self,
        code: &Secret<String>,
    ) -> Result<Option<BearerDigest>, SessionError> {
        let link = self.passes.take(PassKind::Link, &BearerDigest::of(code))?;
        Ok(link.map(|link| link.bearer))
    }

    fn value(&self) -> Result<Secret<String>, RandomError> {
        let mut bytes = [0; RANDOM];
        self.random.fill(&mut bytes)?;
        Ok(Secret::new(hexadecimal(&bytes)))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::*;
    use crate::gateway::passes_in_memory::PassesInMemory;
    use crate::ports::store::Location;
    use crate::testing::clock::FakeClock;

    /// Never the same twice.
    #[derive(Default)]
    struct Counter(AtomicU32);

    impl Random for Counter {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
            buffer.fill(0);
            buffer[..4].copy_from_slice(&self.0.fetch_add(1, Ordering::SeqCst).to_be_bytes());
            Ok(())
        }
    }

    const START: Timestamp = Timestamp(1_000_000);

    fn sessions() -> (Arc<FakeClock>, Sessions) {
        let clock = Arc::new(FakeClock::new(START));
        let passes = PassesInMemory::new(Arc::clone(&clock) as _);
        let random = Arc::new(Counter::default());
        let sessions = Sessions::new(random, Arc::clone(&clock) as _, Arc::new(passes));
        (clock, sessions)
    }

    fn bearer(text: &str) -> BearerDigest {
        BearerDigest::of(&Secret::from(text))
    }

    #[test]
    fn a_session_takes_both_values_and_ends() {
        let (clock, sessions) = sessions();
        let opened = sessions.open(bearer("key")).unwrap();
        let found = |cookie, csrf| sessions.find(cookie, csrf).unwrap();
        assert_eq!(found(&opened.cookie, &opened.csrf), Some(bearer("key")));
        assert_eq!(found(&opened.cookie, &opened.cookie), None);
        assert_eq!(found(&opened.csrf, &opened.csrf), None);
        let other = sessions.open(bearer("other")).unwrap();
        assert_eq!(found(&opened.cookie, &other.csrf), None);
        sessions.close(&opened.cookie).unwrap();
        assert_eq!(found(&opened.cookie, &opened.csrf), None);
        clock.advance(SESSION_LIFE - Duration::from_millis(1));
        assert_eq!(found(&other.cookie, &other.csrf), Some(bearer("other")));
        clock.advance(Duration::from_millis(1));
        assert_eq!(found(&other.cookie, &other.csrf), None);
    }

    /// Passes of a database that goes away.
    struct Shared(PassesInMemory, AtomicBool);

    impl PagePasses for Shared {
        fn put(&self, pass: &Pass, each: usize, most: usize) -> Result<(), StoreError> {
            self.0.put(pass, each, most)
        }

        fn find(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError> {
            match self.1.load(Ordering::SeqCst) {
                true => Err(StoreError::Busy {
                    at: Location::new("the database"),
                    owner: None,
                }),
                false => self.0.find(kind, digest),
            }
        }

        fn take(&self, kind: PassKind, digest: &BearerDigest) -> Result<Option<Pass>, StoreError> {
            self.0.take(kind, digest)
        }
    }

    #[test]
    fn one_that_was_seen_lately_is_good_while_nobody_can_be_asked() {
        let clock = Arc::new(FakeClock::new(START));
        let passes = PassesInMemory::new(Arc::clone(&clock) as _);
        let passes = Arc::new(Shared(passes, AtomicBool::default()));
        let random = Arc::new(Counter::default());
        let sessions = Sessions::new(random, Arc::clone(&clock) as _, Arc::clone(&passes) as _);
        let opened = sessions.open(bearer("key")).unwrap();
        let unseen = sessions.open(bearer("key")).unwrap();
        assert!(
            sessions
                .find(&opened.cookie, &opened.csrf)
                .unwrap()
                .is_some()
        );
        passes.1.store(true, Ordering::SeqCst);
        clock.advance(TRUST);
        assert!(
            sessions
                .find(&opened.cookie, &opened.csrf)
                .unwrap()
                .is_some()
        );
        assert!(sessions.find(&unseen.cookie, &unseen.csrf).is_err());
        clock.advance(TRUST_UNASKED - TRUST);
        assert!(sessions.find(&opened.cookie, &opened.csrf).is_err());
    }

    #[test]
    fn a_link_opens_one_session_within_a_minute() {
        let (clock, sessions) = sessions();
        let code = sessions.invite(bearer("key")).unwrap();
        let redeem = |code: &Secret<String>| sessions.redeem(code).unwrap();
        assert_eq!(redeem(&Secret::from("guess")), None);
        assert_eq!(redeem(&code), Some(bearer("key")));
        assert_eq!(redeem(&code), None);
        let late = sessions.invite(bearer("key")).unwrap();
        clock.advance(LINK_LIFE);
        assert_eq!(redeem(&late), None);
    }

    #[test]
    fn one_bearer_signs_nobody_else_out() {
        let (clock, sessions) = sessions();
        let is_open = |opened: &Opened| {
            clock.advance(TRUST);
            let found = sessions.find(&opened.cookie, &opened.csrf).unwrap();
            found.is_some()
        };
        let other = sessions.open(bearer("other")).unwrap();
        let link = sessions.invite(bearer("other")).unwrap();
        let first = sessions.open(bearer("key")).unwrap();
        for _ in 1..EACH {
            sessions.open(bearer("key")).unwrap();
        }
        assert!(is_open(&first));
        for _ in 0..2 * MOST {
            sessions.open(bearer("key")).unwrap();
            sessions.invite(bearer("key")).unwrap();
        }
        assert!(!is_open(&first) && is_open(&other));
        assert_eq!(sessions.redeem(&link).unwrap(), Some(bearer("other")));
    }

    #[test]
    fn nobody_fills_the_memory() {
        let (_clock, sessions) = sessions();
        let first = sessions.open(bearer("key")).unwrap();
        let link = sessions.invite(bearer("key")).unwrap();
        for number in 0..MOST {
            let other = bearer(&number.to_string());
            sessions.open(other.clone()).unwrap();
            sessions.invite(other).unwrap();
        }
        assert_eq!(sessions.find(&first.cookie, &first.csrf).unwrap(), None);
        assert_eq!(sessions.redeem(&link).unwrap(), None);
    }
}
