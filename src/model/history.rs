//! What a profile held before: its generations, and the rules by which they are kept.
//!
//! A generation is what one change replaced or removed. Two rules keep secrets few: what a refresh
//! replaced is spent and keeps no token, and what is in the profile now is in no generation. What
//! this program stored last is kept besides, for another program may write an older document back.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::AsRefStr;

use super::credential::{Credential, Identity, OAuth};
use super::grant::{Binding, GrantDigest};
use super::id::ProfileId;
use super::json::Extra;
use super::mentions::Mentions;
use super::secret::Secret;
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

/// Whether a credential may be what a refresh of `old` gave, done by a program that tells us nothing.
fn may_renew(old: &Credential, new: &Credential) -> bool {
    let unknown = Identity::default();
    match (old.as_oauth(), new.as_oauth()) {
        (Some(old), Some(new)) => {
            let (old, new) = (&old.identity, &new.identity);
            *old == unknown || *new == unknown || old.is_same(new)
        }
        _ => false,
    }
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
    /// Where the grants in it came from: a copy, for a journal that is lost.
    pub bindings: BTreeMap<GrantDigest, Binding>,
    /// Members of its file that we do not know.
    pub extra: Extra,
}

impl History {
    /// No generations yet.
    pub fn new(profile: ProfileId) -> Self {
        Self {
            profile,
            saved: None,
            generations: Vec::new(),
            bindings: BTreeMap::new(),
            extra: Extra::default(),
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

    /// Forgets where grants came from that cannot be used any more.
    pub fn forget_bindings(&mut self) {
        let saved = self.saved.as_ref().and_then(Saved::grant);
        let generations = &self.generations;
        self.bindings.retain(|grant, _| {
            let is_it = |one: &Generation| !one.is_bare && one.grant.as_ref() == Some(grant);
            saved.as_ref() == Some(grant) || generations.iter().any(is_it)
        });
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
    /// it can still be used: it was taken away, or `present` is not what that program may have got
    /// by refreshing it.
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
        let renewed = present.is_some_and(|present| may_renew(&saved.credential, present));
        let is_lasting = is_other && !renewed;
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

    /// Leaves out what is in the profile, and the same login as it was without its refresh token while
    /// another machine had that; true if it was among the generations.
    pub fn leave_out(&mut self, present: &Credential) -> bool {
        let before = self.generations.len();
        let grant = grant_of(present);
        self.generations.retain(|generation| {
            let moved = generation.credential.as_oauth().and_then(OAuth::moved);
            let is_back = moved.is_some_and(|moved| grant == Some(moved.grant));
            generation.credential != *present && !is_back
        });
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
        (None, None) => one.kind() == other.kind() && is_same_secret(one, other),
        (one, other) => one == other,
    }
}

/// Of a secret that is sealed its fingerprint tells.
fn is_same_secret(one: &Credential, other: &Credential) -> bool {
    let fingerprint = |of: &Credential| of.shown_secret().and_then(Secret::fingerprint);
    match one.is_held() && other.is_held() {
        true => one.bearer() == other.bearer(),
        false => fingerprint(one) == fingerprint(other),
    }
}

#[cfg(test)]
mod tests;
