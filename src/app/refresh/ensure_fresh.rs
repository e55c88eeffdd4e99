//! Keeping one grant alive, by exactly one process: look, lock, look again, spend.
//!
//! A token that is due but alive never waits for anybody; an expired one waits for whoever holds
//! the grant. What the journal knows of a grant decides before the provider is asked again, and a
//! failure never deletes anything. `spend.rs` is what happens under the lock, and `renew.rs` for a
//! client that asks for itself.

use std::time::Duration;

use crate::app::refresh::outcome::RefreshPolicy;
use crate::app::refresh::outcome::RefreshResult;
use crate::app::refresh::outcome::ValidToken;
use crate::model::credential::{Credential, OAuth};
use crate::model::expiry::End;
use crate::model::expiry::{Freshness, freshness};
use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::{ClientCredentialsFlow, Provider};
use crate::model::secret::Secret;
use crate::model::time::short_duration;
use crate::ports::store::{GrantLock, Held, Scope, Waited};

use super::notify;
use super::recover::{self, Filed};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::hooks::event::ProfileRef;

/// How long an expired token waits for another process: a whole call (30 s), the other's commit,
/// and some.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(45);

/// One profile whose grant is kept alive.
pub(in crate::app) struct RefreshRequest<'a> {
    pub(in crate::app) cx: Context<'a>,
    pub(in crate::app) owner: &'a AgentId,
    pub(in crate::app) profile: &'a ProfileId,
    pub(in crate::app) provider: &'a Provider,
    pub(in crate::app) need: RefreshPolicy,
}

/// Makes sure that the access token of `profile`, which lies in `owner`'s document, is alive.
///
/// # Errors
/// [`Kind::NeedsLogin`] if the provider refuses the grant and the token is dead, and the other
/// kinds as they say; a token that still lives is handed out with a warning instead.
pub fn ensure_fresh(
    cx: Context<'_>,
    owner: &AgentId,
    profile: &ProfileId,
    provider: &Provider,
    need: RefreshPolicy,
) -> Result<ValidToken, Failure> {
    let subject = RefreshRequest {
        cx,
        owner,
        profile,
        provider,
        need,
    };
    let first = subject.load()?;
    let result = subject.keep(&first);
    let whose = ProfileRef {
        agent: owner,
        profile,
        provider: &provider.id,
    };
    notify::of_renewal(cx, whose, &first, &result);
    result
}

impl RefreshRequest<'_> {
    /// What becomes of the credential that was there at first.
    fn keep(&self, first: &OAuth) -> Result<ValidToken, Failure> {
        let cx = self.cx;
        let deadline = cx.clock.monotonic() + WAIT_FOR_OTHERS;
        let mut current = first.clone();
        loop {
            if let Some(how) = self.enough(&current, first) {
                return Ok(self.living(current, how, None));
            }
            let Some(digest) = self.digest(&current) else {
                return self.without_grant(current);
            };
            let record = cx.store.grant_record(&digest)?;
            if self.is_proven(record.as_ref()) {
                return Ok(self.living(current, RefreshResult::WasFresh, None));
            }
            if self.sit_out(&current, record.as_ref())? {
                current = self.load()?;
                self.check(deadline)?;
                continue;
            }
            if let Some(verdict) = self.remembered(&current, record.as_ref()) {
                return verdict;
            }
            if let Some(successor) = record.as_ref().and_then(GrantRecord::successor) {
                match self.follow(&digest, successor)? {
                    true => current = self.load()?,
                    false => return self.left_behind(current, record.as_ref()),
                }
                continue;
            }
            match cx.store.try_lock_grant(&digest)? {
                GrantLock::Held(held) => match self.alone(held, &digest, &current, first) {
                    Ok(Some(living)) => return Ok(living),
                    Ok(None) => self.check(deadline)?,
                    Err(failure) => return self.despite(current, failure),
                },
                // Between look and lock; the next look at the journal tells what to do.
                GrantLock::Spent { .. } => self.check(deadline)?,
                GrantLock::Taken { .. } if self.suffices(&current) => {
                    return Ok(self.living(current, RefreshResult::StillAlive, None));
                }
                GrantLock::Taken { .. } => self.wait(&digest, deadline)?,
            }
            current = self.load()?;
        }
    }

    /// What the holder of the grant's lock does; `None` if everything must be looked at again.
    fn alone<'h>(
        &self,
        held: Box<dyn Held<'h> + 'h>,
        digest: &GrantDigest,
        seen: &OAuth,
        first: &OAuth,
    ) -> Result<Option<ValidToken>, Failure> {
        match recover::file(self.cx, held)? {
            Filed::Stored => Ok(None),
            Filed::NothingFound(held) => {
                // Another process may have refreshed it, or failed to, between look and lock.
                let again = self.load()?;
                if again.refresh_token() != seen.refresh_token()
                    || self.enough(&again, first).is_some()
                {
                    return Ok(None);
                }
                let record = self.cx.store.grant_record(digest)?;
                if self.is_proven(record.as_ref()) {
                    return Ok(Some(self.living(
                        again,
                        RefreshResult::RefreshedElsewhere,
                        None,
                    )));
                }
                match (
                    self.remembered(&again, record.as_ref()),
                    self.of_client(&again),
                ) {
                    (Some(verdict), _) => verdict.map(Some),
                    (None, None) => self.refresh(held, again, record.as_ref()),
                    (None, Some(flow)) => self.request_new_token(flow, again, record.as_ref()),
                }
            }
        }
    }

    pub(in crate::app) fn load(&self) -> Result<OAuth, Failure> {
        let document = self
            .cx
            .store
            .load(self.owner, Scope::Profile(self.profile))?;
        match document.get(self.profile) {
            Some(Credential::OAuth(oauth)) => Ok(oauth.clone()),
            Some(Credential::Token(token)) if token.is_of_client() => Ok(token.as_grant()),
            _ => Err(Failure::no_such_profile(self.profile)),
        }
    }

    /// Nothing can renew it.
    pub(in crate::app) fn without_grant(&self, current: OAuth) -> Result<ValidToken, Failure> {
        let why = match current.is_of_client() {
            true => "its provider has no method client-credentials any more",
            false => "it has no refresh token",
        };
        self.hopeless(current, why)
    }

    /// The flow by which a client gets its next token, if that is how this one came.
    pub(in crate::app) fn of_client(&self, credential: &OAuth) -> Option<&ClientCredentialsFlow> {
        let flow = self.provider.client_credentials();
        flow.filter(|_| credential.is_of_client())
    }

    /// What the lock and the journal know the grant by; `None` if nothing can renew it.
    pub(in crate::app) fn digest(&self, credential: &OAuth) -> Option<GrantDigest> {
        let provider = &self.provider.id;
        if let Some(token) = credential.refresh_token() {
            return Some(GrantDigest::of(provider, token));
        }
        let of_client = || GrantDigest::of_client(self.owner, provider, self.profile);
        self.of_client(credential).map(|_| of_client())
    }

    fn freshness(&self, credential: &OAuth) -> Freshness {
        let margin = match self.need {
            RefreshPolicy::MinValid(Some(least)) => least,
            _ => self.provider.refresh.margin,
        };
        if credential.access.as_ref().is_none_or(Secret::is_blank) {
            return Freshness::Expired { since: None };
        }
        // Asked again, the server would say no more of it.
        if credential.is_of_client() && credential.expires.is_none() {
            return Freshness::NoExpiry;
        }
        freshness(credential.expires, self.cx.clock.now(), margin)
    }

    pub(in crate::app) fn is_alive(&self, credential: &OAuth) -> bool {
        matches!(
            self.freshness(credential),
            Freshness::Fresh { .. } | Freshness::Due { .. } | Freshness::NoExpiry
        )
    }

    /// Whether the grant has been proven since the moment that was asked for.
    fn is_proven(&self, record: Option<&GrantRecord>) -> bool {
        let proven_at = record.and_then(|record| record.proven_at);
        matches!((self.need, proven_at), (RefreshPolicy::Unproven(since), Some(at)) if at > since)
    }

    /// Whether a token may be handed out as it is: it lives, and nobody insists on a new one.
    pub(in crate::app) fn suffices(&self, credential: &OAuth) -> bool {
        self.need != RefreshPolicy::Always && self.is_alive(credential)
    }

    /// Whether `now` needs no refresh, compared with what was there when we began.
    pub(in crate::app) fn enough(&self, now: &OAuth, first: &OAuth) -> Option<RefreshResult> {
        let changed = now.access != first.access;
        let fresh = matches!(
            self.freshness(now),
            Freshness::Fresh { .. } | Freshness::NoExpiry
        );
        match (fresh, changed, self.need) {
            (true, true, _) => Some(RefreshResult::RefreshedElsewhere),
            (true, false, RefreshPolicy::MinValid(_)) => Some(RefreshResult::WasFresh),
            // A provider may issue tokens that live for less than what was asked for. Another
            // process got a new one a moment ago; to refresh again would only spend one more.
            (false, true, _) if self.is_alive(now) => Some(RefreshResult::RefreshedElsewhere),
            _ => None,
        }
    }

    pub(in crate::app) fn living(
        &self,
        credential: OAuth,
        how: RefreshResult,
        warning: Option<Hint>,
    ) -> ValidToken {
        ValidToken {
            credential,
            how,
            warning,
            remedy: None,
        }
    }

    pub(in crate::app) fn login_again(&self) -> Command {
        match self.provider.logs_in() {
            true => Command::login(&self.provider.id, Some(self.profile)),
            false => Command::paste_token(&self.provider.id, Some(self.profile)),
        }
    }

    /// The grant cannot be refreshed: a token that lives is handed out, a dead one is the end.
    pub(in crate::app) fn hopeless(
        &self,
        credential: OAuth,
        why: &str,
    ) -> Result<ValidToken, Failure> {
        if self.suffices(&credential) {
            let left = credential
                .expires
                .map_or(0, |end| self.cx.clock.now().until(End::read(end).at));
            let left = short_duration(left);
            let warning = format!(
                "cannot be refreshed: {why}. Its token works for another {left}; log in again: "
            );
            let warning = Hint::from(warning).run(self.login_again());
            return Ok(ValidToken {
                remedy: Some(self.login_again().into()),
                ..self.living(credential, RefreshResult::StillAlive, Some(warning))
            });
        }
        let message = format!("cannot be refreshed: {why}");
        Err(Failure::about(self.profile, Kind::NeedsLogin, message).hint(self.login_again()))
    }

    /// A token that lives does not wait for whoever is at work on the same document, unless nobody
    /// waits for the token.
    pub(in crate::app) fn patience(&self, credential: &OAuth) -> Duration {
        match self.need {
            RefreshPolicy::MinValid(_) if self.suffices(credential) => Duration::ZERO,
            _ => WAIT_FOR_OTHERS,
        }
    }

    /// A disk that fails keeps nobody from a token that lives.
    fn despite(&self, credential: OAuth, failure: Failure) -> Result<ValidToken, Failure> {
        let concerns_disk = matches!(failure.kind, Kind::Storage | Kind::Busy);
        if !concerns_disk || !self.suffices(&credential) {
            return Err(failure);
        }
        // That another program is at work is nothing to worry about.
        let warning = (failure.kind == Kind::Storage)
            .then(|| format!("is due and could not be refreshed now: {failure}").into());
        Ok(self.living(credential, RefreshResult::StillAlive, warning))
    }

    /// It may work later: a token that lives is handed out, a dead one is a failure of `kind`.
    pub(in crate::app) fn later(
        &self,
        credential: OAuth,
        why: &str,
        kind: Kind,
        touched: StoreEffect,
    ) -> Result<ValidToken, Failure> {
        let name = self.profile;
        if self.suffices(&credential) {
            let spent = match touched {
                StoreEffect::MaybeSpent => "; its refresh token may be spent",
                StoreEffect::Nothing | StoreEffect::Changed | StoreEffect::Saved => "",
            };
            let warning = format!("is due and could not be refreshed now: {why}{spent}");
            return Ok(self.living(credential, RefreshResult::StillAlive, Some(warning.into())));
        }
        let hint = match kind {
            Kind::UnknownOutcome => self.login_again(),
            _ => Command::refresh(name),
        };
        let message = format!("could not be refreshed: {why}");
        let failure = Failure::about(self.profile, kind, message);
        Err(failure.touched(touched).hint(hint))
    }

    fn wait(&self, digest: &GrantDigest, deadline: Duration) -> Result<(), Failure> {
        let limit = deadline.saturating_sub(self.cx.clock.monotonic());
        match self.cx.store.await_grant(digest, &self.cx.wait(limit))? {
            Waited::Released => self.check(deadline),
            Waited::Stopped(signal) => Err(Failure::cancelled(signal)),
            Waited::TimedOut { owner } => Err(self.waited_too_long(owner)),
        }
    }

    /// Whether there is time left to look again.
    fn check(&self, deadline: Duration) -> Result<(), Failure> {
        match self.cx.clock.monotonic() < deadline {
            true => Ok(()),
            false => Err(self.waited_too_long(None)),
        }
    }

    fn waited_too_long(&self, owner: Option<String>) -> Failure {
        let owner = owner.unwrap_or_else(|| "another process".to_owned());
        let message = format!(
            "{} is being refreshed by {owner}, which has not finished within {} s",
            self.profile,
            WAIT_FOR_OTHERS.as_secs()
        );
        Failure::new(Kind::Busy, message).hint("run the command again in a while")
    }
}
