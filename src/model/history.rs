//! What a profile held before: its generations, and the rules by which they are kept.
//!
//! A generation is what one change replaced or removed. Two rules keep secrets few: what a refresh
//! replaced is spent and keeps no token, and what is in the profile now is in no generation. What
//! this program stored last is kept besides, for another program may write an older document back.

use serde::{Deserialize, Serialize};
use strum::AsRefStr;

use super::credential::{Credential, OAuth};
use super::grant::GrantDigest;
use super::id::ProfileId;
use super::json::Extra;
use super::mentions::Mentions;
use super::time::Timestamp;

/// The change that made a generation; its name is that on disk and for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, AsRefStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Cause {
    /// A login stored another grant.
    Login,
    /// A token or a key was pasted.
    Paste,
    /// The grant was refreshed.
    Refresh,
    /// The profile was removed.
    Logout,
    /// Another generation was put back.
    Undo,
    /// Another program wrote the document without it.
    OtherProgram,
}

/// A credential that a profile held until a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number: later ones are higher, and none is used twice while the history lasts.
    pub number: u64,
    /// When it was replaced.
    pub replaced_at: Timestamp,
    /// The change that replaced it.
    pub cause: Cause,
    /// The credential.
    pub credential: Credential,
    /// Its grant, known even when the tokens are gone.
    pub grant: Option<GrantDigest>,
    /// Whether its tokens were left out because the grant is spent.
    pub is_bare: bool,
    /// What the document said of the profile, if it was removed.
    pub mentions: Mentions,
}

impl Generation {
    /// Leaves out everything that may be secret: the tokens, and the members we do not know.
    pub fn strip(&mut self) {
        self.is_bare = true;
        self.mentions.usage = None;
        match &mut self.credential {
            Credential::OAuth(oauth) => {
                oauth.access = None;
                oauth.refresh = None;
                oauth.extra = Extra::default();
            }
            Credential::Token(token) => {
                token.token = None;
                token.extra = Extra::default();
            }
            Credential::ApiKey(key) => {
                key.key = None;
                key.extra = Extra::default();
            }
        }
    }
}

/// What this program stored in a profile last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// When.
    pub at: Timestamp,
    /// The credential.
    pub credential: Credential,
}

impl Saved {
    /// Its grant, if it has one.
    pub fn grant(&self) -> Option<GrantDigest> {
        grant_of(&self.credential)
    }
}

fn grant_of(credential: &Credential) -> Option<GrantDigest> {
    credential.as_oauth().and_then(OAuth::grant)
}

/// The generations of one profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// The profile.
    pub profile: ProfileId,
    /// What was stored in it last; `None` after a logout.
    pub saved: Option<Saved>,
    /// The newest first.
    pub generations: Vec<Generation>,
}

impl History {
    /// No generations yet.
    pub fn new(profile: ProfileId) -> Self {
        Self {
            profile,
            saved: None,
            generations: Vec::new(),
        }
    }

    /// What was stored last, if another program took it away: the profile is gone, or holds what is
    /// known to be older. A newer login or token of another program takes nothing away.
    pub fn taken_away(
        &self,
        present: Option<&Credential>,
        is_spent: impl Fn(&GrantDigest) -> bool,
    ) -> Option<&Saved> {
        let saved = self.saved.as_ref()?;
        let is_older = |present: &Credential| {
            let mut generations = self.generations.iter();
            match grant_of(present) {
                Some(grant) => {
                    is_spent(&grant) || generations.any(|one| one.grant.as_ref() == Some(&grant))
                }
                None => generations.any(|one| is_same(&one.credential, present)),
            }
        };
        let is_it = |present: &Credential| is_same(&saved.credential, present);
        let is_gone = present.is_none_or(|present| !is_it(present) && is_older(present));
        is_gone.then_some(saved)
    }

    /// Whether the last that this program did to the profile was to remove it.
    pub fn is_logged_out(&self) -> bool {
        let last = self.generations.first();
        self.saved.is_none() && last.is_some_and(|last| last.cause == Cause::Logout)
    }

    /// Whether this credential is what was stored last.
    pub fn is_saved(&self, credential: &Credential) -> bool {
        let saved = self.saved.as_ref();
        saved.is_some_and(|saved| is_same(&saved.credential, credential))
    }

    /// Makes what was stored last a generation if another program put `present` in its place and
    /// it can still be used: it was taken away, or is no login, of which that program may have got
    /// the next.
    pub fn keep_displaced(
        &mut self,
        present: Option<&Credential>,
        is_spent: impl Fn(&GrantDigest) -> bool,
        limit: usize,
    ) {
        let Some(saved) = &self.saved else {
            return;
        };
        let is_other = present.is_some_and(|present| !is_same(&saved.credential, present));
        let is_lasting = saved.credential.as_oauth().is_none() && is_other;
        if is_lasting || self.taken_away(present, is_spent).is_some() {
            self.retire_saved(limit);
        }
    }

    /// Notes what is stored now.
    pub fn save(&mut self, new: &Credential, at: Timestamp, limit: usize) {
        if !self.is_saved(new) {
            self.retire_saved(limit);
        }
        self.leave_out(new);
        self.saved = Some(Saved {
            at,
            credential: new.clone(),
        });
    }

    /// Makes what was stored last a generation, unless it is one.
    fn retire_saved(&mut self, limit: usize) {
        let Some(saved) = self.saved.take() else {
            return;
        };
        let grant = saved.grant();
        let is_it = |one: &Generation| match &grant {
            Some(_) => one.grant == grant,
            None => is_same(&one.credential, &saved.credential),
        };
        if !self.generations.iter().any(is_it) {
            let Saved { at, credential } = saved;
            self.add(credential, None, Cause::OtherProgram, at, limit);
        }
    }

    /// Adds what `cause` replaces, and keeps the last `limit` generations. What is about to be in
    /// the profile, `new`, stays among them even beyond the limit until it is really there: a crash
    /// before that must not lose it.
    pub fn add(
        &mut self,
        old: Credential,
        new: Option<&Credential>,
        cause: Cause,
        at: Timestamp,
        limit: usize,
    ) {
        let number = self.generations.first().map_or(1, |last| last.number + 1);
        // Left by a change that was written here and never came about.
        self.leave_out(&old);
        let grant = old.as_oauth().and_then(OAuth::grant);
        let generation = Generation {
            number,
            replaced_at: at,
            cause,
            credential: old,
            grant,
            is_bare: false,
            mentions: Mentions::default(),
        };
        self.generations.insert(0, generation);
        let mut place = 0;
        self.generations.retain(|generation| {
            place += 1;
            place <= limit || Some(&generation.credential) == new
        });
    }

    /// Leaves out what is in the profile; true if it was among the generations.
    pub fn leave_out(&mut self, present: &Credential) -> bool {
        let before = self.generations.len();
        self.generations
            .retain(|generation| generation.credential != *present);
        self.generations.len() < before
    }

    /// Reports whether a credential is among the generations.
    pub fn holds(&self, credential: &Credential) -> bool {
        let mut all = self.generations.iter();
        all.any(|generation| generation.credential == *credential)
    }

    /// Reports whether the last change was a refresh. A run of refreshes makes one generation: each
    /// but the first replaces what another refresh of the run stored, and all of that is spent.
    pub fn ends_with_refresh(&self) -> bool {
        let last = self.generations.first();
        last.is_some_and(|last| last.cause == Cause::Refresh)
    }
}

/// Whether two credentials are one login, or one secret.
fn is_same(one: &Credential, other: &Credential) -> bool {
    match (grant_of(one), grant_of(other)) {
        (None, None) => one.kind() == other.kind() && one.bearer() == other.bearer(),
        (one, other) => one == other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::credential::{Identity, Token};
    use super::super::json::Verbatim;
    use super::super::secret::Secret;
    use super::*;

    fn token(text: &str) -> Credential {
        Credential::Token(Token {
            provider: "anthropic".into(),
            token: Some(Secret::from(text)),
            expires: None,
            email: None,
            extra: Extra::default(),
        })
    }

    fn kept(history: &History) -> Vec<(u64, String)> {
        let all = history.generations.iter();
        all.map(|one| {
            let secret = one.credential.bearer().map(|token| token.expose().clone());
            (one.number, secret.unwrap_or_default())
        })
        .collect()
    }

    fn pasted(count: usize, limit: usize) -> History {
        let mut history = History::new(ProfileId::parse("anthropic:manual").unwrap());
        for n in 0..count {
            let new = token(&(n + 1).to_string());
            let old = token(&n.to_string());
            history.add(old, Some(&new), Cause::Paste, Timestamp(n as i64), limit);
        }
        history
    }

    #[test]
    fn the_last_ones_are_kept_and_keep_their_numbers() {
        let history = pasted(4, 2);
        assert_eq!(kept(&history), [(4, "3".into()), (3, "2".into())]);
    }

    #[test]
    fn what_is_put_back_stays_until_it_is_there() {
        let mut history = pasted(2, 2);
        let (present, oldest) = (token("2"), token("0"));
        history.add(present, Some(&oldest), Cause::Undo, Timestamp(9), 2);
        let expected = [(3, "2".into()), (2, "1".into()), (1, "0".to_owned())];
        assert_eq!(kept(&history), expected);
        assert!(history.leave_out(&oldest));
        assert_eq!(kept(&history), expected[..2]);
        assert!(!history.leave_out(&oldest));
    }

    #[test]
    fn a_change_that_never_came_about_is_not_kept_twice() {
        let mut history = pasted(2, 5);
        let wanted = token("3");
        for _ in 0..2 {
            history.add(token("2"), Some(&wanted), Cause::Paste, Timestamp(9), 5);
        }
        let expected = [(4, "2".into()), (2, "1".into()), (1, "0".to_owned())];
        assert_eq!(kept(&history), expected);
    }

    #[test]
    fn a_bare_generation_holds_no_secret_and_still_names_its_grant() {
        let oauth = OAuth {
            provider: "openai-codex".into(),
            access: Some(Secret::from("MARKER")),
            refresh: Some(Secret::from("MARKER")),
            expires: Some(Timestamp(5)),
            identity: Identity::default(),
            extra: Extra(vec![("idToken".into(), Verbatim::new("\"MARKER\""))]),
        };
        let grant = oauth.grant();
        let mut history = pasted(0, 5);
        let old = Credential::OAuth(oauth);
        history.add(old, None, Cause::Refresh, Timestamp(1), 5);
        assert!(history.ends_with_refresh());
        let generation = &mut history.generations[0];
        generation.strip();
        assert_eq!(generation.grant, grant);
        let stripped = generation.credential.as_oauth().unwrap();
        assert_eq!(
            (&stripped.access, &stripped.refresh, &stripped.extra),
            (&None, &None, &Extra::default())
        );
        assert_eq!(stripped.expires, Some(Timestamp(5)));
    }

    fn saved(text: &str, before: usize) -> History {
        let mut history = pasted(before, 5);
        history.saved = Some(Saved {
            at: Timestamp(7),
            credential: token(text),
        });
        history
    }

    #[test]
    fn what_is_gone_or_older_was_taken_away_and_what_is_new_takes_nothing() {
        let history = saved("9", 1);
        let gone = |present: Option<&Credential>| history.taken_away(present, |_| false).is_some();
        assert!(gone(None));
        assert!(gone(Some(&token("0"))), "it held that before");
        assert!(!gone(Some(&token("9"))));
        assert!(!gone(Some(&token("of another program"))));
        assert!(pasted(1, 5).taken_away(None, |_| false).is_none(), "ours");
    }

    #[test]
    fn a_token_that_another_program_replaced_becomes_a_generation() {
        let mut history = saved("9", 1);
        history.keep_displaced(Some(&token("9")), |_| false, 5);
        assert_eq!(kept(&history), [(1, "0".into())]);
        history.keep_displaced(Some(&token("other")), |_| false, 5);
        assert_eq!(kept(&history), [(2, "9".into()), (1, "0".into())]);
        assert_eq!(history.saved, None);
    }

    #[test]
    fn causes_have_names() {
        let read = |name: &str| serde_json::from_str(&format!("{name:?}")).ok();
        for cause in [Cause::Login, Cause::Undo, Cause::OtherProgram] {
            assert_eq!(read(cause.as_ref()), Some(cause));
        }
        assert_eq!(read("x"), None);
    }
}
