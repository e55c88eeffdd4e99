//! Spending a refresh token: what happens while the grant is locked.
//!
//! Reserve, journal, call, save, commit. The refresh token is single-use: whoever sends it must
//! store what comes back. So what comes back is written down as it is before anything tries to
//! understand it, and until the commit there is no way to be interrupted: SIGINT, SIGTERM and
//! SIGHUP wait.

use crate::model::credential::{Identity, OAuth};
use crate::model::grant::{Attempt, Binding, GrantRecord, RefreshOutcome};
use crate::model::hint::Command;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::ports::store::{Held, PendingRefresh, Reserved, StoreError};

use super::backoff::words;
use super::binding;
use super::ensure_fresh::RefreshRequest;
use super::outcome::{RefreshResult, ValidToken};
use super::target::Route;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::issuer::verify_login;

impl RefreshRequest<'_> {
    /// The refresh itself, under the lock of the grant; `None` if the login was changed meanwhile,
    /// so that it must be looked at again.
    pub(in crate::app) fn refresh(
        &self,
        held: Box<dyn Held<'_> + '_>,
        old: OAuth,
        record: Option<&GrantRecord>,
    ) -> Result<Option<ValidToken>, Failure> {
        let route = match Route::of(self.cx, self.provider, &old) {
            Ok(Some(route)) => route,
            Ok(None) => return self.no_way(old).map(Some),
            Err(failure) => return self.blocked(old, failure).map(Some),
        };
        let Some(refresh_token) = old.refresh_token() else {
            return self.hopeless(old, "it has no refresh token").map(Some);
        };
        let binding = route.binding();
        self.check_binding(&binding, record)?;
        self.warn_of_unknown_outcome(record);

        self.cx.interrupt.defer();
        let begun_at = self.cx.clock.now();
        let reserved = held.reserve(&PendingRefresh {
            agent: self.owner,
            profile: self.profile,
            provider: &self.provider.id,
            binding: &binding,
            now: begun_at,
            wait: &self.cx.wait(self.patience(&old)),
        });
        let reserved = match reserved {
            Err(StoreError::Conflict { .. }) => return Ok(None),
            other => other?,
        };
        if let Some(signal) = self.cx.interrupt.pending() {
            let reason = "interrupted before it was sent".to_owned();
            let outcome = RefreshOutcome::Passing {
                reason,
                retry_at: None,
            };
            reserved.settle(&outcome, self.cx.clock.now())?;
            return Err(Failure::cancelled(signal));
        }
        let sent = (&old, refresh_token);
        let (reserved, granted) = route.renew(self.cx, self.provider, sent, begun_at, reserved);
        match granted {
            Ok(grant) => self.commit(reserved, (&old, record), grant).map(Some),
            Err(error) => self.failed(reserved, old, record, &error).map(Some),
        }
    }

    /// Whether the grant came from there.
    pub(in crate::app) fn check_binding(
        &self,
        binding: &Binding,
        record: Option<&GrantRecord>,
    ) -> Result<(), Failure> {
        binding::check(self.profile, self.provider, binding, record)
            .map_err(|failure| failure.hint(self.login_again()))
    }

    /// There is no way to renew it.
    pub(in crate::app) fn no_way(&self, old: OAuth) -> Result<ValidToken, Failure> {
        let id = &self.provider.id;
        self.hopeless(
            old,
            &format!("the manifest of {id} names no token endpoint"),
        )
    }

    /// There is a way, and it cannot be gone now: a token that lives is handed out.
    pub(in crate::app) fn blocked(
        &self,
        old: OAuth,
        failure: Failure,
    ) -> Result<ValidToken, Failure> {
        let living = self.later(old, &failure.to_string(), failure.kind, failure.touched);
        let Failure { hint, source, .. } = failure;
        let living = living.map_err(|failure| Failure { source, ..failure });
        living.map_err(|failure| match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        })
    }

    fn commit(
        &self,
        reserved: Box<dyn Reserved + '_>,
        (old, record): (&OAuth, Option<&GrantRecord>),
        grant: Grant,
    ) -> Result<ValidToken, Failure> {
        let skew = grant.skew_warning();
        let id_token = grant.id_token.clone();
        let new = grant.into_credential(&self.provider.id, Identity::default());
        let changed = reserved.commit(&new, self.cx.clock.now())?;
        self.cx.tell_skew(skew);
        // Only now: a doubt about whose it is must not lose a token that cannot be had again.
        verify_login::doubt(self.cx, self.provider, self.profile, record, id_token);
        if let Some(signal) = self.cx.interrupt.pending() {
            return Err(Failure::cancelled(signal).touched(StoreEffect::Changed));
        }
        match changed.contains(self.owner) {
            true => Ok(self.living(old.renewed(&new), RefreshResult::Refreshed, None)),
            false => self.replaced_meanwhile(),
        }
    }

    /// Logged out or logged in anew during the refresh: the newer wish wins.
    fn replaced_meanwhile(&self) -> Result<ValidToken, Failure> {
        let name = self.profile;
        match self.load() {
            Ok(newer) if self.is_alive(&newer) => {
                Ok(self.living(newer, RefreshResult::RefreshedElsewhere, None))
            }
            Ok(_) => {
                let message = format!("{name} was replaced while it was being refreshed");
                Err(Failure::new(Kind::Busy, message).hint(Command::refresh(name)))
            }
            Err(failure) if failure.kind != Kind::NotFound => Err(failure),
            Err(_) => {
                let message = format!(
                    "{name} was removed while it was being refreshed; its new tokens were discarded"
                );
                Err(Failure::new(Kind::NotFound, message).hint(Command::list()))
            }
        }
    }

    fn failed(
        &self,
        reserved: Box<dyn Reserved + '_>,
        old: OAuth,
        record: Option<&GrantRecord>,
        error: &OAuthError,
    ) -> Result<ValidToken, Failure> {
        let now = self.cx.clock.now();
        let mut outcome = error.outcome(now);
        if let RefreshOutcome::Passing { retry_at, .. } = &mut outcome {
            let reached = matches!(
                error,
                OAuthError::Transient {
                    status: Some(_),
                    ..
                }
            );
            *retry_at = retry_at.or_else(|| self.pause(record, reached, now));
        }
        if let Err(error) = reserved.settle(&outcome, now) {
            self.cx.warn(format!(
                "the end of a refresh of {} could not be written down: {error}",
                self.profile
            ));
        }
        if let Some(signal) = self.cx.interrupt.pending() {
            return Err(Failure::cancelled(signal));
        }
        match outcome {
            RefreshOutcome::Refused(refusal) => self.hopeless(old, &words(&refusal)),
            RefreshOutcome::Passing { reason, retry_at } => {
                let reason = self.with_wait(reason, retry_at);
                self.later(old, &reason, Kind::Temporary, StoreEffect::Nothing)
            }
            RefreshOutcome::Unknown { reason } => {
                self.later(old, &reason, Kind::UnknownOutcome, StoreEffect::MaybeSpent)
            }
            RefreshOutcome::Stored { .. } | RefreshOutcome::Revoked => {
                Ok(self.living(self.load()?, RefreshResult::Refreshed, None))
            }
        }
    }

    fn warn_of_unknown_outcome(&self, record: Option<&GrantRecord>) {
        let Some(Attempt {
            begun_at,
            outcome: None | Some(RefreshOutcome::Unknown { .. }),
            ..
        }) = record.and_then(|record| record.attempt.as_ref())
        else {
            return;
        };
        self.cx.warn(format!(
            "it is not known how the request with the refresh token of {} that was begun at {} ended; the token may be spent. Trying it once more.",
            self.profile,
            begun_at.iso8601()
        ));
    }
}
