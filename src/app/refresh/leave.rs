//! Logins that a command for many logins leaves for another time.

use std::collections::BTreeMap;

use crate::app::context::Context;
use crate::app::credential::assessment::has_enough_life;
use crate::app::credential::facts_reader::find_login;
use crate::app::credential::obstacle::not_tried;
use crate::app::failure::Failure;
use crate::model::credential::{Credential, OAuth};
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::AuthProfiles;
use crate::model::provider::Provider;
use crate::ports::store::Scope;

use super::outcome::{RefreshPolicy, RefreshResult, ValidToken};
use super::request::{RefreshRequest, document_facts, fall_back, valid_token};

/// The documents after a batch, for another process may have been here. Each is read once, however
/// many of its logins are left.
pub(in crate::app) struct LeftLogins<'a> {
    cx: Context<'a>,
    documents: BTreeMap<AgentId, Result<AuthProfiles, Failure>>,
}

impl<'a> LeftLogins<'a> {
    pub(in crate::app) fn new(cx: Context<'a>) -> Self {
        Self {
            cx,
            documents: BTreeMap::new(),
        }
    }

    /// Returns a credential that is a login, and it as one.
    ///
    /// # Errors
    /// If the document cannot be read, or the login is gone.
    pub(in crate::app) fn find(
        &mut self,
        owner: &AgentId,
        profile: &ProfileId,
    ) -> Result<(&Credential, OAuth), Failure> {
        let read = || self.cx.store.load(owner, Scope::All);
        let document = self.documents.entry(owner.clone());
        let document = document.or_insert_with(|| read().map_err(Failure::from));
        let document = document.as_ref().map_err(Clone::clone)?;
        let (credential, login) = find_login(document, profile)?;
        Ok((credential, login.into_owned()))
    }
}

/// Returns the token of a login that is not refreshed now, with a warning that says why. Sends
/// nothing and changes nothing.
///
/// # Errors
/// [`Kind::Temporary`](crate::app::failure::Kind::Temporary) with that reason if the token is not
/// valid.
pub(in crate::app) fn leave_for_later(
    cx: Context<'_>,
    (owner, profile, login): (&AgentId, &ProfileId, OAuth),
    provider: &Provider,
    policy: RefreshPolicy,
    reason: &str,
) -> Result<ValidToken, Failure> {
    let request = RefreshRequest {
        cx,
        owner,
        profile,
        provider,
        policy,
    };
    let facts = document_facts(&request, &login);
    if has_enough_life(&facts, policy, cx.clock.now()) {
        let how = RefreshResult::WasFresh;
        return Ok(valid_token(&request, login, how, None));
    }
    fall_back(&request, &facts, login, &not_tried(&facts, reason))
}
