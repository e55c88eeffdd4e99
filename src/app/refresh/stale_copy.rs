//! A copy of a login that was left behind: restored from a backup, or missed when the others moved.
//!
//! Its refresh token is spent. To send it would at best be refused; at worst the provider takes it
//! for theft and revokes the successor, too (RFC 9700 section 4.14.2). So the copy takes the place
//! of its successor, if that lies in any document here.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId};
use crate::ports::store::{Change, Scope};

use super::ensure_fresh::RefreshRequest;
use super::outcome::ValidToken;
use super::rotation;
use crate::app::failure::Failure;

impl RefreshRequest<'_> {
    /// Lets the copy of `spent` take the content of its living successor; false if that lies in no
    /// document.
    pub(in crate::app) fn follow(
        &self,
        spent: &GrantDigest,
        successor: &GrantDigest,
    ) -> Result<bool, Failure> {
        let Some((agent, profile)) = self.successor(successor)? else {
            return Ok(false);
        };
        let document = self.cx.store.load(&agent, Scope::Profile(&profile))?;
        let Some(Credential::OAuth(living)) = document.get(&profile) else {
            return Ok(false);
        };
        self.move_copy(spent, living)?;
        self.cx.warn(format!(
            "{} of agent {} was an old copy of a login that has been renewed since; it now holds what {profile} of agent {agent} holds",
            self.profile, self.owner
        ));
        Ok(true)
    }

    /// Where the living one of a line of successors lies, if it lies in any document.
    pub(in crate::app) fn successor(
        &self,
        first: &GrantDigest,
    ) -> Result<Option<(AgentId, ProfileId)>, Failure> {
        let holders = rotation::holders(self.cx);
        Ok(rotation::follow(self.cx, first, &holders)?.cloned())
    }

    fn move_copy(&self, spent: &GrantDigest, living: &OAuth) -> Result<(), Failure> {
        let mut change = |doc: &mut crate::model::profiles::AuthProfiles| {
            let old = doc.get(self.profile).and_then(Credential::as_oauth);
            match old.filter(|old| old.grant().as_ref() == Some(spent)) {
                Some(old) => {
                    let moved = old.renewed(living);
                    doc.put(self.profile.clone(), Credential::OAuth(moved));
                    Change::Write
                }
                None => Change::Keep,
            }
        };
        self.cx.store.update(self.owner, &mut change)?;
        Ok(())
    }

    /// The successor is gone: a token that lives is handed out, a dead one is the end.
    pub(in crate::app) fn left_behind(
        &self,
        credential: OAuth,
        record: Option<&GrantRecord>,
    ) -> Result<ValidToken, Failure> {
        let attempt = record.and_then(|record| record.attempt.as_ref());
        let when = attempt.map_or_else(String::new, |attempt| {
            format!(" at {}", attempt.begun_at.iso8601())
        });
        let why = format!(
            "it is an old copy of a login that was renewed{when}, and the renewed one is in no document of this state directory"
        );
        self.hopeless(credential, &why)
    }
}
