//! Client credentials grant in place of a refresh: what happens while the lock is held.
//!
//! Nothing single-use is spent, so there is nothing to reserve and nothing to rescue: a request
//! that is cut off is made again. But nobody asks for what could not be stored, and one process
//! asks for all.

use crate::app::context::Context;
use crate::app::credential::facts::Facts;
use crate::app::credential::obstacle::{blocked, misconfigured, refused_client, unavailable};
use crate::app::credential::reason_text::refusal_words;
use crate::app::failure::Failure;
use crate::app::issuer::registration::{self, Use};
use crate::model::credential::{Credential, OAuth, Token};
use crate::model::grant::{Attempt, GrantDigest, GrantRecord, RefreshOutcome};
use crate::model::id::{AgentId, ProfileId};
use crate::model::json::{Extra, Verbatim};
use crate::model::provider::{Client, ClientCredentialsFlow, Provider};
use crate::model::time::Timestamp;
use crate::oauth::client_credentials;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;

use super::backoff::next_try;
use super::outcome::{RefreshResult, ValidToken};
use super::refresh_grant::left;
use super::request::{RefreshRequest, fall_back, valid_token};

/// Requests a new token under the lock; `None` if the profile changed meanwhile and must be read
/// again.
pub(super) fn request_new_token(
    request: &RefreshRequest<'_>,
    flow: &ClientCredentialsFlow,
    facts: &Facts,
    old: OAuth,
) -> Result<Option<ValidToken>, Failure> {
    let cx = request.cx;
    let client = registration::resolve_with_secret(cx, request.provider, Use::Refresh);
    cx.uninterrupted()?;
    let client = match client {
        Ok(client) => client,
        // What the configuration lacks keeps nobody from a token that is still valid.
        Err(failure) => {
            return fall_back(request, facts, old, &blocked(facts, &failure)).map(Some);
        }
    };
    cx.store.check_writable(request.owner)?;
    let begun_at = cx.clock.now();
    match client_credentials::request(cx.http, request.provider, &client, flow, begun_at) {
        Ok(grant) => store_token(request, &client, &old, &grant),
        Err(error) => settle(request, (facts, old), begun_at, &error).map(Some),
    }
}

fn store_token(
    request: &RefreshRequest<'_>,
    client: &Client,
    old: &OAuth,
    grant: &Grant,
) -> Result<Option<ValidToken>, Failure> {
    let cx = request.cx;
    let skew = grant.skew_warning();
    let mut stored = None;
    cx.change(request.owner, |document| {
        // Logged out, or changed by a person meanwhile: the newer wish wins.
        let Some(Credential::Token(now)) = document.get(request.profile) else {
            return false;
        };
        if !now.is_of_client() || now.token != old.access {
            return false;
        }
        let mut new = now.clone();
        new.token = Some(grant.access.clone());
        new.expires = grant.expires;
        let grant = new.as_grant();
        let is_put = document.put(request.profile.clone(), Credential::Token(new));
        stored = is_put.then_some(grant);
        is_put
    })?;
    cx.tell_skew(skew);
    let Some(stored) = stored else {
        return Ok(None);
    };
    remember(cx, request.owner, request.profile, request.provider, client);
    let how = RefreshResult::Refreshed;
    Ok(Some(valid_token(request, stored, how, None)))
}

/// Records the failure, and falls back to the present token if it is valid.
fn settle(
    request: &RefreshRequest<'_>,
    (facts, old): (&Facts, OAuth),
    begun_at: Timestamp,
    error: &OAuthError,
) -> Result<ValidToken, Failure> {
    let cx = request.cx;
    let now = cx.clock.now();
    if let OAuthError::Refused(refusal) = error {
        let outcome = RefreshOutcome::Refused(refusal.clone());
        write_down(request, facts, begun_at, outcome);
        let obstacle = refused_client(facts, &refusal.code, &refusal_words(refusal));
        return fall_back(request, facts, old, &obstacle);
    }
    let told = match error.outcome(now) {
        RefreshOutcome::Passing { retry_at, .. } => retry_at,
        _ => None,
    };
    let is_unsent = matches!(error, OAuthError::Unsupported { .. });
    let reached = !matches!(error, OAuthError::Transient { status: None, .. });
    let retry_at = match is_unsent {
        true => None,
        false => told.or_else(|| next_try(cx.random, facts.failures(), reached, now)),
    };
    // Without an answer, too: nothing is spent by asking.
    let reason = error.to_string();
    let outcome = RefreshOutcome::Passing {
        reason: reason.clone(),
        retry_at,
    };
    write_down(request, facts, begun_at, outcome);
    let obstacle = match is_unsent {
        true => misconfigured(facts, &reason),
        false => unavailable(facts, &reason, left(now, retry_at)),
    };
    fall_back(request, facts, old, &obstacle)
}

/// Records the outcome in the journal.
fn write_down(
    request: &RefreshRequest<'_>,
    facts: &Facts,
    begun_at: Timestamp,
    outcome: RefreshOutcome,
) {
    let failures = match outcome {
        RefreshOutcome::Passing { .. } => facts.failures() + 1,
        _ => 0,
    };
    let (owner, profile, provider) = (request.owner, request.profile, &request.provider.id);
    let record = facts.record.as_deref();
    let digest = GrantDigest::of_client(owner, provider, profile);
    let written = request.cx.store.record_login(&GrantRecord {
        binding: record.and_then(|record| record.binding.clone()),
        proven_at: facts.proven_at(),
        attempt: Some(Attempt {
            begun_at,
            settled_at: Some(request.cx.clock.now()),
            outcome: Some(outcome),
            failures,
        }),
        ..GrantRecord::new(digest, provider, profile)
    });
    if let Err(error) = written {
        tracing::warn!(%error, "the end of a request for a token was not written down");
    }
}

/// Records the origin of a client's token in the journal, which ends earlier failures. The token is
/// good even if that fails.
pub(in crate::app) fn remember(
    cx: Context<'_>,
    owner: &AgentId,
    profile: &ProfileId,
    provider: &Provider,
    client: &Client,
) {
    let digest = GrantDigest::of_client(owner, &provider.id, profile);
    let recorded = cx.store.record_login(&GrantRecord {
        binding: Some(client.binding()),
        revocation_endpoint: client.revoke.clone(),
        proven_at: Some(cx.clock.now()),
        ..GrantRecord::new(digest, &provider.id, profile)
    });
    if let Err(error) = recorded {
        let text = format!("the token is stored, but its journal entry is not: {error}");
        cx.warn(text);
    }
}

/// Returns the stored form of a client's token; the member for its grant type marks it.
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
