//! Who is signed in to the page, and the links that sign somebody in. In memory only: a gateway that
//! is started again asks everybody anew.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::model::access_key::BearerDigest;
use crate::model::secret::Secret;
use crate::model::text::hexadecimal;
use crate::model::time::Timestamp;
use crate::ports::host::{Random, RandomError};

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

/// All sessions and links. Of every value that opens something only the digest is kept.
pub(super) struct Sessions {
    random: Arc<dyn Random>,
    sessions: Mutex<Vec<Session>>,
    links: Mutex<Vec<Link>>,
}

struct Session {
    cookie: BearerDigest,
    csrf: BearerDigest,
    /// The bearer that it was opened with. It is looked up again for each request: a key that was
    /// revoked takes its sessions with it.
    bearer: BearerDigest,
    ends: Timestamp,
}

struct Link {
    code: BearerDigest,
    bearer: BearerDigest,
    ends: Timestamp,
}

/// What a browser is given for a session.
pub(super) struct Opened {
    /// The value of the cookie.
    pub(super) cookie: Secret<String>,
    /// What a request shows beside it.
    pub(super) csrf: Secret<String>,
    pub(super) ends: Timestamp,
}

impl Sessions {
    pub(super) fn new(random: Arc<dyn Random>) -> Self {
        Self {
            random,
            sessions: Mutex::default(),
            links: Mutex::default(),
        }
    }

    /// Opens a session in the name of a bearer.
    pub(super) fn open(&self, bearer: BearerDigest, now: Timestamp) -> Result<Opened, RandomError> {
        let opened = Opened {
            cookie: self.value()?,
            csrf: self.value()?,
            ends: now.after(SESSION_LIFE),
        };
        let session = Session {
            cookie: BearerDigest::of(&opened.cookie),
            csrf: BearerDigest::of(&opened.csrf),
            bearer,
            ends: opened.ends,
        };
        let mut sessions = self.sessions.lock();
        sessions.retain(|session| session.ends > now);
        push(&mut sessions, session, |one| &one.bearer);
        Ok(opened)
    }

    /// The bearer in whose name a session was opened. Both values must be right: every
    /// server of a host gets its cookies, whatever its port (RFC 6265 section 8.5).
    pub(super) fn find(
        &self,
        cookie: &Secret<String>,
        csrf: &Secret<String>,
        now: Timestamp,
    ) -> Option<BearerDigest> {
        let (cookie, csrf) = (BearerDigest::of(cookie), BearerDigest::of(csrf));
        let sessions = self.sessions.lock();
        let mut living = sessions.iter().filter(|session| session.ends > now);
        let session = living.find(|session| session.cookie == cookie && session.csrf == csrf)?;
        Some(session.bearer.clone())
    }

    /// Ends a session.
    pub(super) fn close(&self, cookie: &Secret<String>) {
        let cookie = BearerDigest::of(cookie);
        self.sessions
            .lock()
            .retain(|session| session.cookie != cookie);
    }

    /// Makes the code of a link, which opens one session in the name of a bearer.
    pub(super) fn invite(
        &self,
        bearer: BearerDigest,
        now: Timestamp,
    ) -> Result<Secret<String>, RandomError> {
        let code = self.value()?;
        let link = Link {
            code: BearerDigest::of(&code),
            bearer,
            ends: now.after(LINK_LIFE),
        };
        push(&mut self.links.lock(), link, |one| &one.bearer);
        Ok(code)
    }

    /// The bearer in whose name a link was made. It cannot be used again.
    pub(super) fn redeem(&self, code: &Secret<String>, now: Timestamp) -> Option<BearerDigest> {
        let code = BearerDigest::of(code);
        let mut links = self.links.lock();
        links.retain(|link| link.ends > now);
        let place = links.iter().position(|link| link.code == code)?;
        Some(links.remove(place).bearer)
    }

    fn value(&self) -> Result<Secret<String>, RandomError> {
        let mut bytes = [0; RANDOM];
        self.random.fill(&mut bytes)?;
        Ok(Secret::new(hexadecimal(&bytes)))
    }
}

fn push<T>(list: &mut Vec<T>, one: T, bearer: impl Fn(&T) -> &BearerDigest) {
    let mut own = (0..list.len()).filter(|place| bearer(&list[*place]) == bearer(&one));
    let oldest = own.next().filter(|_| own.count() + 1 >= EACH);
    let full = (list.len() >= MOST).then_some(0);
    if let Some(place) = oldest.or(full) {
        list.remove(place);
    }
    list.push(one);
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

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

    fn sessions() -> Sessions {
        Sessions::new(Arc::new(Counter::default()))
    }

    fn bearer(text: &str) -> BearerDigest {
        BearerDigest::of(&Secret::from(text))
    }

    #[test]
    fn a_session_takes_both_values_and_ends() {
        let sessions = sessions();
        let opened = sessions.open(bearer("key"), START).unwrap();
        let found = |cookie, csrf, now| sessions.find(cookie, csrf, now);
        let just_before = START.after(SESSION_LIFE - Duration::from_millis(1));
        for now in [START, just_before] {
            assert_eq!(
                found(&opened.cookie, &opened.csrf, now),
                Some(bearer("key"))
            );
        }
        assert_eq!(found(&opened.cookie, &opened.cookie, START), None);
        assert_eq!(found(&opened.csrf, &opened.csrf, START), None);
        assert_eq!(found(&opened.cookie, &opened.csrf, opened.ends), None);
        let other = sessions.open(bearer("other"), START).unwrap();
        assert_eq!(found(&opened.cookie, &other.csrf, START), None);
        sessions.close(&opened.cookie);
        assert_eq!(found(&opened.cookie, &opened.csrf, START), None);
        assert_eq!(
            found(&other.cookie, &other.csrf, START),
            Some(bearer("other"))
        );
    }

    #[test]
    fn a_link_opens_one_session_within_a_minute() {
        let sessions = sessions();
        let code = sessions.invite(bearer("key"), START).unwrap();
        assert_eq!(sessions.redeem(&Secret::from("guess"), START), None);
        assert_eq!(sessions.redeem(&code, START), Some(bearer("key")));
        assert_eq!(sessions.redeem(&code, START), None);
        let late = sessions.invite(bearer("key"), START).unwrap();
        assert_eq!(sessions.redeem(&late, START.after(LINK_LIFE)), None);
    }

    #[test]
    fn one_bearer_signs_nobody_else_out() {
        let sessions = sessions();
        let is_open =
            |opened: &Opened| (sessions.find(&opened.cookie, &opened.csrf, START)).is_some();
        let other = sessions.open(bearer("other"), START).unwrap();
        let link = sessions.invite(bearer("other"), START).unwrap();
        let first = sessions.open(bearer("key"), START).unwrap();
        for _ in 1..EACH {
            sessions.open(bearer("key"), START).unwrap();
        }
        assert!(is_open(&first));
        for _ in 0..2 * MOST {
            sessions.open(bearer("key"), START).unwrap();
            sessions.invite(bearer("key"), START).unwrap();
        }
        assert!(!is_open(&first) && is_open(&other));
        assert_eq!(sessions.sessions.lock().len(), EACH + 1);
        assert_eq!(sessions.redeem(&link, START), Some(bearer("other")));
    }

    #[test]
    fn nobody_fills_the_memory() {
        let sessions = sessions();
        let first = sessions.open(bearer("key"), START).unwrap();
        for number in 0..MOST {
            let other = bearer(&number.to_string());
            sessions.open(other.clone(), START).unwrap();
            sessions.invite(other, START).unwrap();
        }
        assert!(sessions.find(&first.cookie, &first.csrf, START).is_none());
        assert_eq!(sessions.sessions.lock().len(), MOST);
        assert_eq!(sessions.links.lock().len(), MOST);
    }
}
