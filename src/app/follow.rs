//! A copy of a login that was left behind: restored from a backup, or missed when the others moved.
//!
//! Its refresh token is spent. To send it would at best be refused; at worst the provider takes it
//! for theft and revokes the successor, too (RFC 9700 section 4.14.2). So the copy takes the place
//! of its successor, if that lies in any document here.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::ports::dialog::Notice;
use crate::ports::store::{Change, Scope};

use super::failure::Failure;
use super::keep_alive::{Living, Subject};

/// As many renewals as are followed from a copy to its living successor.
const GENERATIONS: usize = 1_000;

impl Subject<'_> {
    /// Lets the copy of `spent` take the content of its living successor; false if that lies in no
    /// document.
    pub(super) fn follow(
        &self,
        spent: &GrantDigest,
        successor: &GrantDigest,
    ) -> Result<bool, Failure> {
        let mut wanted = successor.clone();
        for _ in 0..GENERATIONS {
            if let Some((agent, profile, living)) = self.find(&wanted)? {
                self.move_copy(spent, &living)?;
                self.ports.dialog.notice(&Notice::Warning(format!(
                    "{} of agent {} was an old copy of a login that has been renewed since; it now holds what {profile} of agent {agent} holds",
                    self.profile, self.owner
                )));
                return Ok(true);
            }
            let record = self.ports.store.grant_record(&wanted)?;
            match record.as_ref().and_then(GrantRecord::successor) {
                Some(next) => wanted = next.clone(),
                None => return Ok(false),
            }
        }
        Ok(false)
    }

    fn find(&self, wanted: &GrantDigest) -> Result<Option<(AgentId, ProfileId, OAuth)>, Failure> {
        for agent in self.ports.store.agents()? {
            // What cannot be read holds nothing for us; its owner is told when it is used.
            let Ok(doc) = self
                .ports
                .store
                .load(&agent, Scope::Provider(&self.provider.id))
            else {
                continue;
            };
            let found = doc.profiles().find_map(|(id, credential)| {
                let oauth = credential.as_oauth()?;
                (digest_of(oauth)? == *wanted).then(|| (id.clone(), oauth.clone()))
            });
            if let Some((id, oauth)) = found {
                return Ok(Some((agent, id, oauth)));
            }
        }
        Ok(None)
    }

    fn move_copy(&self, spent: &GrantDigest, living: &OAuth) -> Result<(), Failure> {
        let mut change = |doc: &mut crate::model::profiles::AuthProfiles| {
            let old = doc.get(self.profile).and_then(Credential::as_oauth);
            match old.filter(|old| digest_of(old).as_ref() == Some(spent)) {
                Some(old) => {
                    let moved = old.renewed(living);
                    doc.put(self.profile.clone(), Credential::OAuth(moved));
                    Change::Write
                }
                None => Change::Keep,
            }
        };
        self.ports.store.update(self.owner, &mut change)?;
        Ok(())
    }

    /// The successor is gone: a token that lives is handed out, a dead one is the end.
    pub(super) fn left_behind(
        &self,
        credential: OAuth,
        record: Option<&GrantRecord>,
    ) -> Result<Living, Failure> {
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

fn digest_of(oauth: &OAuth) -> Option<GrantDigest> {
    let provider = ProviderId::parse(&oauth.provider).ok()?;
    Some(GrantDigest::of(&provider, oauth.refresh_token()?))
}
