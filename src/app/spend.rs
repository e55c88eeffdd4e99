//! Spending a refresh token: what happens while the grant is locked.
//!
//! Reserve, journal, call, commit. The refresh token is single-use: whoever sends it must store
//! what comes back. So between the provider's answer and the commit there is no prompt, no claim
//! parsing that can fail, and no way to be interrupted: SIGINT and SIGTERM wait.

use crate::model::credential::{Identity, OAuth};
use crate::model::grant::{Attempt, Binding, GrantRecord, RefreshOutcome};
use crate::oauth::error::OAuthError;
use crate::oauth::grant::{self, Grant};
use crate::ports::dialog::Notice;
use crate::ports::store::{Held, Reserved, Spending};

use super::failure::{Failure, Kind, Touched};
use super::keep_alive::{How, Living, Subject, words};

impl Subject<'_> {
    /// The refresh itself, under the lock of the grant.
    pub(super) fn refresh(
        &self,
        held: Box<dyn Held<'_> + '_>,
        old: OAuth,
        record: Option<&GrantRecord>,
    ) -> Result<Living, Failure> {
        let Some(client) = &self.provider.client else {
            let why = format!(
                "the manifest of {} names no token endpoint",
                self.provider.id
            );
            return self.hopeless(old, &why);
        };
        let binding = Binding {
            token_endpoint: client.token.clone(),
            client_id: client.id.clone(),
        };
        self.check_binding(&binding, record)?;
        self.warn_of_unknown_outcome(record);

        self.ports.interrupt.defer();
        let reserved = held.reserve(&Spending {
            agent: self.owner,
            profile: self.profile,
            provider: &self.provider.id,
            binding: &binding,
            now: self.ports.clock.now(),
        })?;
        if let Some(signal) = self.ports.interrupt.pending() {
            let reason = "interrupted before it was sent".to_owned();
            let outcome = RefreshOutcome::Passing {
                reason,
                retry_at: None,
            };
            reserved.settle(&outcome, self.ports.clock.now())?;
            return Err(Failure::cancelled(signal));
        }
        let Some(refresh_token) = old.refresh_token() else {
            return self.hopeless(old, "it has no refresh token");
        };
        match grant::refresh(
            self.ports.http,
            self.provider,
            refresh_token,
            self.ports.clock.now(),
        ) {
            Ok(grant) => self.commit(reserved, grant),
            Err(error) => self.failed(reserved, old, &error),
        }
    }

    fn commit(&self, reserved: Box<dyn Reserved + '_>, grant: Grant) -> Result<Living, Failure> {
        let new = grant.into_credential(&self.provider.id, Identity::default());
        let changed = reserved.commit(&new, self.ports.clock.now())?;
        if let Some(signal) = self.ports.interrupt.pending() {
            return Err(Failure::cancelled(signal).touched(Touched::Changed));
        }
        if changed.is_empty() {
            let message = format!(
                "{} was removed or replaced while it was being refreshed",
                self.profile
            );
            return Err(Failure::new(Kind::NotFound, message)
                .touched(Touched::Changed)
                .hint("openclaw models auth list"));
        }
        Ok(self.living(self.load()?, How::Refreshed, None))
    }

    fn failed(
        &self,
        reserved: Box<dyn Reserved + '_>,
        old: OAuth,
        error: &OAuthError,
    ) -> Result<Living, Failure> {
        let now = self.ports.clock.now();
        let outcome = error.outcome(now);
        reserved.settle(&outcome, now)?;
        if let Some(signal) = self.ports.interrupt.pending() {
            return Err(Failure::cancelled(signal));
        }
        match outcome {
            RefreshOutcome::Refused(refusal) => self.hopeless(old, &words(&refusal)),
            RefreshOutcome::Passing { reason, retry_at } => {
                let reason = self.with_wait(reason, retry_at);
                self.later(old, &reason, Kind::Temporary, Touched::Nothing)
            }
            RefreshOutcome::Unknown { reason } => {
                self.later(old, &reason, Kind::UnknownOutcome, Touched::MaybeSpent)
            }
            RefreshOutcome::Stored { .. } => Ok(self.living(self.load()?, How::Refreshed, None)),
        }
    }

    /// A grant is sent only to where it came from (RFC 9700 section 4.4).
    fn check_binding(&self, now: &Binding, record: Option<&GrantRecord>) -> Result<(), Failure> {
        let Some(then) = record.and_then(|record| record.binding.as_ref()) else {
            return Ok(());
        };
        if then == now {
            return Ok(());
        }
        let message = format!(
            "{} was issued by {} to client {}, and the manifest of {} now names {} and client {}; a refresh token is never sent elsewhere",
            self.profile,
            then.token_endpoint,
            then.client_id,
            self.provider.id,
            now.token_endpoint,
            now.client_id
        );
        Err(Failure::new(Kind::Config, message).hint(self.login_again()))
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
        self.ports.dialog.notice(&Notice::Warning(format!(
            "it is not known how a refresh of {} begun at {} ended; its refresh token may be spent. Trying it once more.",
            self.profile,
            begun_at.iso8601()
        )));
    }
}
