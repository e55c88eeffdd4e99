//! A new token for a client that asks for itself, where other grants are refreshed: what happens
//! while the place of the token is locked.
//!
//! Nothing single-use is spent, so there is nothing to reserve and nothing to rescue: a request
//! that is cut off is made again. But nobody asks for what could not be stored, and one process
//! asks for all.

use std::time::Duration;

use crate::model::credential::{Credential, OAuth, Token};
use crate::model::grant::{Attempt, GrantDigest, GrantRecord, RefreshOutcome, Refusal};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::model::json::{Extra, Verbatim};
use crate::model::provider::{Client, ClientCredentialsFlow, Provider};
use crate::model::time::{Timestamp, short_duration};
use crate::oauth::client_credentials;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::ports::store::Change;

use super::backoff::words;
use super::ensure_fresh::RefreshRequest;
use super::outcome::{RefreshResult, ValidToken};
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::issuer::registration::{self, Use};

/// A client that was refused is not tried again for so long, unless a person asks: whoever owns it
/// may have corrected it meanwhile.
const REFUSAL_COUNTS: Duration = Duration::from_secs(60);

impl RefreshRequest<'_> {
    /// Asks for a new token, under the lock of its place; `None` if the profile was changed
    /// meanwhile, so that it must be looked at again.
    pub(in crate::app) fn request_new_token(
        &self,
        flow: &ClientCredentialsFlow,
        old: OAuth,
        record: Option<&GrantRecord>,
    ) -> Result<Option<ValidToken>, Failure> {
        let client = match registration::resolve_with_secret(self.cx, self.provider, Use::Refresh) {
            Ok(client) => client,
            Err(failure) => return self.in_spite_of(old, failure).map(Some),
        };
        self.cx.store.check_writable(self.owner)?;
        let begun_at = self.cx.clock.now();
        let http = self.cx.http;
        match client_credentials::request(http, self.provider, &client, flow, begun_at) {
            Ok(grant) => self.put(&client, &old, &grant),
            Err(error) => self.denied(old, record, begun_at, &error).map(Some),
        }
    }

    /// What the configuration lacks keeps nobody from a token that lives.
    pub(in crate::app) fn in_spite_of(
        &self,
        old: OAuth,
        failure: Failure,
    ) -> Result<ValidToken, Failure> {
        if !self.suffices(&old) {
            return Err(failure);
        }
        let warning = format!("is due: {failure}").into();
        Ok(self.living(old, RefreshResult::StillAlive, Some(warning)))
    }

    fn put(
        &self,
        client: &Client,
        old: &OAuth,
        grant: &Grant,
    ) -> Result<Option<ValidToken>, Failure> {
        let skew = grant.skew_warning();
        let mut stored = None;
        let written = self.cx.store.update(self.owner, &mut |document| {
            // Logged out, or changed by a person meanwhile: the newer wish wins.
            let Some(Credential::Token(now)) = document.get(self.profile) else {
                return Change::Keep;
            };
            if !now.is_of_client() || now.token != old.access {
                return Change::Keep;
            }
            let mut new = now.clone();
            new.token = Some(grant.access.clone());
            new.expires = grant.expires;
            stored = Some(new.as_grant());
            document.put(self.profile.clone(), Credential::Token(new));
            Change::Write
        })?;
        self.cx.tell_faults(&written);
        self.cx.tell_skew(skew);
        let Some(stored) = stored else {
            return Ok(None);
        };
        remember(self.cx, self.owner, self.profile, self.provider, client);
        Ok(Some(self.living(stored, RefreshResult::Refreshed, None)))
    }

    fn denied(
        &self,
        old: OAuth,
        record: Option<&GrantRecord>,
        begun_at: Timestamp,
        error: &OAuthError,
    ) -> Result<ValidToken, Failure> {
        let now = self.cx.clock.now();
        if let OAuthError::Refused(refusal) = error {
            let outcome = RefreshOutcome::Refused(refusal.clone());
            self.write_down(record, begun_at, outcome);
            return self.refused_client(old, refusal);
        }
        let told = match error.outcome(now) {
            RefreshOutcome::Passing { retry_at, .. } => retry_at,
            _ => None,
        };
        let reached = !matches!(error, OAuthError::Transient { status: None, .. });
        let retry_at = told.or_else(|| self.pause(record, reached, now));
        // Without an answer, too: nothing is spent by asking.
        let reason = error.to_string();
        let outcome = RefreshOutcome::Passing {
            reason: reason.clone(),
            retry_at,
        };
        self.write_down(record, begun_at, outcome);
        let reason = self.with_wait(reason, retry_at);
        self.later(old, &reason, Kind::Temporary, StoreEffect::Nothing)
    }

    /// Tells those who come after it how the attempt ended.
    fn write_down(
        &self,
        record: Option<&GrantRecord>,
        begun_at: Timestamp,
        outcome: RefreshOutcome,
    ) {
        let before = record.and_then(|record| record.attempt.as_ref());
        let failures = match outcome {
            RefreshOutcome::Passing { .. } => before.map_or(0, |before| before.failures) + 1,
            _ => 0,
        };
        let written = self.cx.store.record_login(&GrantRecord {
            grant: GrantDigest::of_client(self.owner, &self.provider.id, self.profile),
            provider: self.provider.id.clone(),
            profile: self.profile.clone(),
            binding: record.and_then(|record| record.binding.clone()),
            subject: None,
            revocation_endpoint: None,
            proven_at: record.and_then(|record| record.proven_at),
            attempt: Some(Attempt {
                begun_at,
                settled_at: Some(self.cx.clock.now()),
                outcome: Some(outcome),
                failures,
            }),
        });
        if let Err(error) = written {
            tracing::warn!(%error, "the end of a request for a token was not written down");
        }
    }

    /// What a refusal in the journal still means.
    pub(in crate::app) fn remembered_of_client(
        &self,
        credential: &OAuth,
        attempt: &Attempt,
        refusal: &Refusal,
    ) -> Option<Result<ValidToken, Failure>> {
        let now = self.cx.clock.now();
        let settled_at = attempt.settled_at?;
        let counts = settled_at <= now && now < settled_at.after(REFUSAL_COUNTS);
        counts.then(|| self.refused_client(credential.clone(), refusal))
    }

    /// No person need log in, but one must correct the client.
    fn refused_client(&self, credential: OAuth, refusal: &Refusal) -> Result<ValidToken, Failure> {
        let name = self.profile;
        let why = words(refusal);
        let remedy = Hint::from(format!(
            "correct the client of {}, then: ",
            self.provider.id
        ))
        .run(Command::refresh(name).arg("--force"));
        if self.suffices(&credential) {
            let left = self.cx.clock.now();
            let left = credential.expires.map_or(0, |end| left.until(end));
            let left = short_duration(left);
            let warning = Hint::from(format!(
                "cannot be renewed: {why}. Its token works for another {left}; "
            ))
            .then(remedy.clone());
            return Ok(ValidToken {
                remedy: Some(remedy),
                ..self.living(credential, RefreshResult::StillAlive, Some(warning))
            });
        }
        let message = format!("cannot be renewed: {why}");
        let failure = Failure::about(name, Kind::Config, message).code(&refusal.code);
        Err(failure.hint(remedy))
    }
}

/// Writes down where a client's token came from, which ends whatever was wrong before. If that
/// fails the token is good all the same.
pub(in crate::app) fn remember(
    cx: Context<'_>,
    owner: &AgentId,
    profile: &ProfileId,
    provider: &Provider,
    client: &Client,
) {
    let recorded = cx.store.record_login(&GrantRecord {
        grant: GrantDigest::of_client(owner, &provider.id, profile),
        provider: provider.id.clone(),
        profile: profile.clone(),
        binding: Some(client.binding()),
        subject: None,
        revocation_endpoint: client.revoke.clone(),
        proven_at: Some(cx.clock.now()),
        attempt: None,
    });
    if let Err(error) = recorded {
        let text = format!("the token is stored, its journal entry is not: {error}");
        cx.warn(text);
    }
}

/// The token of a client as it is stored; its kind is known by the member that says how it came.
pub(in crate::app) fn token_of(provider: &Provider, grant: &Grant) -> Token {
    let mut extra = Extra::default();
    extra.set(Token::GRANT_TYPE, Verbatim::new(Token::OF_CLIENT));
    Token {
        provider: provider.id.to_string(),
        token: Some(grant.access.clone()),
        expires: grant.expires,
        email: None,
        extra,
    }
}
