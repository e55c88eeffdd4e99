//! What asking for a token would come to, as far as that can be told without the network, a lock
//! or a write.
//!
//! It puts the same questions in the same order as [`ensure_fresh`](super::ensure_fresh)
//! and answers them by the same functions, so that an explanation and a token agree.

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantRecord;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::VisibleProfile;
use crate::model::provider::Provider;

use super::ensure_fresh::RefreshRequest;
use super::outcome::{RefreshPolicy, ValidToken};
use super::target::{Ahead, Route};
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::issuer::registration;
use crate::app::usecase::token::{self, TokenSource};

/// What would come of it.
pub(in crate::app) enum Foreseen {
    /// It is handed out as it is; with what a person should know.
    Given(Option<Hint>),
    /// It is renewed first, which asks its provider; whether the old one works if that fails.
    Renewed {
        /// Whether the old one still lives.
        lives: bool,
    },
    /// It is an old copy, and takes what this profile of this agent holds.
    Moved(AgentId, ProfileId),
    /// It gives none, so the next one is tried.
    Nothing(Failure),
    /// It gives none, and nothing else is tried.
    End(Failure),
}

/// Looks ahead for one stored credential.
pub(in crate::app) fn preview(cx: Context<'_>, seen: &VisibleProfile<'_>) -> Foreseen {
    let foreseen = match token::way(cx, seen, None) {
        Ok((_, TokenSource::AsItIs(warning))) => Ok(Foreseen::Given(warning)),
        Ok((_, TokenSource::KeptAlive(manifest))) => kept_alive(cx, seen, &manifest),
        Err(failure) => Err(failure),
    };
    match foreseen {
        Ok(foreseen) => foreseen,
        Err(failure) if token::concerns_one(&failure) => Foreseen::Nothing(failure),
        Err(failure) => Foreseen::End(failure),
    }
}

fn kept_alive(
    cx: Context<'_>,
    seen: &VisibleProfile<'_>,
    manifest: &Provider,
) -> Result<Foreseen, Failure> {
    let login = match seen.credential {
        Credential::OAuth(oauth) => oauth.clone(),
        Credential::Token(token) => token.as_grant(),
        Credential::ApiKey(_) => return Ok(Foreseen::Given(None)),
    };
    let subject = RefreshRequest {
        cx,
        owner: seen.owner,
        profile: seen.id,
        provider: manifest,
        need: RefreshPolicy::MinValid(None),
    };
    subject.preview(login)
}

impl RefreshRequest<'_> {
    fn preview(&self, login: OAuth) -> Result<Foreseen, Failure> {
        let given = |living: ValidToken| Foreseen::Given(living.warning);
        if self.enough(&login, &login).is_some() {
            return Ok(Foreseen::Given(None));
        }
        let Some(digest) = self.digest(&login) else {
            return self.without_grant(login).map(given);
        };
        let record = self.cx.store.grant_record(&digest)?;
        let record = record.as_ref();
        if !self.sits_out(&login, record)
            && let Some(verdict) = self.remembered(&login, record)
        {
            return verdict.map(given);
        }
        if let Some(successor) = record.and_then(GrantRecord::successor) {
            return match self.successor(successor)? {
                Some((agent, profile)) => Ok(Foreseen::Moved(agent, profile)),
                None => self.left_behind(login, record).map(given),
            };
        }
        match self.of_client(&login) {
            Some(_) => self.foresee_of_client(login),
            None => self.foresee_refresh(login, record),
        }
    }

    fn foresee_refresh(
        &self,
        login: OAuth,
        record: Option<&GrantRecord>,
    ) -> Result<Foreseen, Failure> {
        let given = |living: ValidToken| Foreseen::Given(living.warning);
        match Route::ahead(self.cx, self.provider, &login) {
            Ok(Ahead::Nowhere) => return self.no_way(login).map(given),
            Ok(Ahead::There(binding)) => self.check_binding(&binding, record)?,
            Ok(Ahead::IssuerKnows) => {}
            Err(failure) => return self.blocked(login, failure).map(given),
        }
        Ok(self.renewed(&login))
    }

    fn foresee_of_client(&self, login: OAuth) -> Result<Foreseen, Failure> {
        let client = registration::without_asking(self.cx, self.provider);
        let client = client.and_then(|client| {
            client.map_or(Ok(()), |client| {
                registration::with_secret(self.provider, client).map(drop)
            })
        });
        match client {
            Ok(()) => Ok(self.renewed(&login)),
            Err(failure) => {
                let living = self.in_spite_of(login, failure)?;
                Ok(Foreseen::Given(living.warning))
            }
        }
    }

    fn renewed(&self, login: &OAuth) -> Foreseen {
        let lives = self.suffices(login);
        Foreseen::Renewed { lives }
    }
}
