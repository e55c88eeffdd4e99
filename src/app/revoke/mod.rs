//! Revocation of a login at its provider, before it is removed here.
//!
//! The grant's lock is held, so nobody of us renews it meanwhile; the journal says that it was
//! begun before the server is asked, and how it ended before any document is touched. Whoever is
//! killed in between leaves a journal that tells the next command the truth. Like a refresh it
//! sends a token only to where that token came from.

mod server;

use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord, RefreshOutcome};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::oauth::error::OAuthError;
use crate::oauth::revoke::{self, TokenTypeHint};
use crate::ports::store::{Held, PendingRefresh, Scope, StoreError};

use super::context::Context;
use super::failure::{Failure, Kind, StoreEffect};
use super::issuer::plugin;
use super::refresh::backoff::WAIT_FOR_OTHERS;
use super::refresh::binding;
use super::refresh::lock_grant::lock_grant;
use super::refresh::recover::{self, Recovered};
use super::refresh::rotation;
use super::refresh::target::Route;
use server::unsupported;

/// A login that can be revoked, and what is revoked with it.
pub(super) struct RevocationPlan {
    owner: AgentId,
    profile: ProfileId,
    provider: Provider,
    route: Route,
    credential: Credential,
    /// The token that is revoked first.
    token: (Secret<String>, TokenTypeHint),
    /// The access token beside a refresh token.
    access: Option<Secret<String>>,
    /// The grant, if there is a refresh token.
    grant: Option<GrantDigest>,
    /// Every profile that holds the grant, this one included.
    pub(super) copies: Vec<(AgentId, ProfileId)>,
}

/// Plans the revocation of a login. Sends nothing but a request for public metadata.
///
/// # Errors
/// [`Kind::Config`] if it cannot be revoked, or must not be with what the manifest says now, and
/// what keeps the server's metadata from being had.
pub(super) fn plan(
    cx: Context<'_>,
    owner: &AgentId,
    profile: &ProfileId,
    mut credential: Credential,
) -> Result<RevocationPlan, Failure> {
    loop {
        let plan = RevocationPlan::of(cx, (owner, profile), credential)?;
        let record = plan.record(cx)?;
        let checked = plan.check_origin(cx, record.as_ref());
        checked.map_err(|failure| failure.hint(Command::logout(profile)))?;
        if record.is_none_or(|record| record.successor().is_none()) {
            return Ok(plan);
        }
        // Spent: its revocation would say nothing about the one that lives. Renewed since the look
        // at the document, or an old copy?
        match load(cx, owner, profile)? {
            newer if !plan.revoked(&newer) => credential = newer,
            _ => {
                let message = format!(
                    "{profile} is an outdated copy of a login that was refreshed since; its refresh token is already used"
                );
                let failure = Failure::new(Kind::Config, message);
                return Err(failure.hint(Command::refresh(profile).arg("--force")));
            }
        }
    }
}

/// Loads the credential of the profile.
fn load(cx: Context<'_>, owner: &AgentId, profile: &ProfileId) -> Result<Credential, Failure> {
    let document = cx.store.load(owner, Scope::Profile(profile))?;
    let credential = document.get(profile).cloned();
    credential.ok_or_else(|| Failure::no_such_profile(profile))
}

impl RevocationPlan {
    fn of(
        cx: Context<'_>,
        (owner, profile): (&AgentId, &ProfileId),
        credential: Credential,
    ) -> Result<Self, Failure> {
        let id = credential.provider();
        let id = id.ok_or_else(|| unsupported(profile, "it does not name a valid provider"))?;
        if matches!(credential, Credential::ApiKey(_)) {
            let why = "API keys are revoked on the provider's website";
            return Err(unsupported(profile, why));
        }
        let provider = cx.provider_of(&id, &credential)?;
        let route = server::route(cx, &provider, (profile, &credential))?;
        let refresh = credential.as_oauth().and_then(OAuth::refresh_token);
        let access = credential.bearer().cloned();
        let grant = refresh.map(|token| GrantDigest::of(&id, token));
        let token = match (refresh, access.clone()) {
            (Some(refresh), _) => (refresh.clone(), TokenTypeHint::RefreshToken),
            (None, Some(access)) => (access, TokenTypeHint::AccessToken),
            (None, None) => return Err(unsupported(profile, "it has no token")),
        };
        Ok(Self {
            // A plugin gets both tokens at once.
            access: access.filter(|_| grant.is_some() && matches!(route, Route::Endpoint(_))),
            copies: match &grant {
                Some(grant) => rotation::copies(cx, grant),
                None => vec![(owner.clone(), profile.clone())],
            },
            owner: owner.clone(),
            profile: profile.clone(),
            credential,
            provider,
            route,
            token,
            grant,
        })
    }

    /// Returns the revocation endpoint, for people.
    pub(super) fn endpoint(&self) -> String {
        server::address(&self.route)
    }

    /// Fails if the grant was issued elsewhere.
    fn check_origin(&self, cx: Context<'_>, record: Option<&GrantRecord>) -> Result<(), Failure> {
        let (profile, provider) = (&self.profile, &self.provider);
        let whose = (&self.owner, profile);
        let issued_by = binding::known(cx, whose, &provider.id, self.grant.as_ref(), record)?;
        let checked = binding::check((profile, provider), &self.route.binding(), &issued_by);
        checked.map_err(|failure| Failure {
            subject: Some(profile.clone()),
            message: format!("is not revoked: {}", failure.message),
            ..failure
        })?;
        match self.route {
            Route::Endpoint(_) => {
                let known = record.and_then(|record| record.revocation_endpoint.as_deref());
                let origin = (known, &issued_by);
                binding::check_revocation(profile, provider, &self.endpoint(), origin)
            }
            Route::Program(_) => Ok(()),
        }
    }

    fn record(&self, cx: Context<'_>) -> Result<Option<GrantRecord>, Failure> {
        match &self.grant {
            Some(grant) => Ok(cx.store.grant_record(grant)?),
            None => Ok(None),
        }
    }

    /// Lists what stops working besides the profile itself, one sentence each.
    pub(super) fn ends(&self, cx: Context<'_>) -> Vec<String> {
        let (owner, profile) = (&self.owner, &self.profile);
        let mut ends = vec![format!(
            "Revoking {profile} affects every program and machine that uses this login of {}: all of them must log in again.",
            self.provider.name
        )];
        let copies = self.copies.iter();
        let copies = copies.filter(|(agent, id)| (agent, id) != (owner, profile));
        ends.extend(copies.map(|(agent, id)| {
            format!("Profile {id} of agent {agent} is the same login and is removed, too.")
        }));
        let readers = rotation::readers(cx, owner, profile).into_iter();
        ends.extend(readers.map(|agent| {
            format!("Agent {agent} inherits {profile} from agent {owner} and loses it.")
        }));
        ends
    }

    /// Revokes the login. Returns the plan that was carried out: the login may have been refreshed
    /// since the first one.
    ///
    /// # Errors
    /// Why it is not known to be revoked; no document was touched then.
    pub(super) fn carry_out(mut self, cx: Context<'_>) -> Result<Self, Failure> {
        cx.interrupt.defer();
        let deadline = cx.clock.monotonic() + WAIT_FOR_OTHERS;
        loop {
            let Some(grant) = &self.grant else {
                return self.send(cx).map(|()| self);
            };
            // A grant that is spent has a successor, and that is to be revoked.
            if let Some(held) = lock_grant(cx, &self.profile, grant, deadline)?
                && let Recovered::NothingFound(held) | Recovered::NotUnderstood(Some(held)) =
                    recover::commit_saved(cx, grant, held)?
                && self.spend(cx, held)?
            {
                return Ok(self);
            }
            let (owner, profile) = (&self.owner, &self.profile);
            self = plan(cx, owner, profile, load(cx, owner, profile)?)?;
        }
    }

    /// Revokes under the lock; false if the document holds another grant by now.
    fn spend(&self, cx: Context<'_>, held: Box<dyn Held<'_> + '_>) -> Result<bool, Failure> {
        let before = self.record(cx)?;
        let pending = PendingRefresh {
            agent: self.owner.clone(),
            provider: self.provider.id.clone(),
            profile: self.profile.clone(),
            binding: self.route.binding(),
            begun_at: cx.clock.now(),
        };
        let reserved = match held.reserve(&pending, &cx.wait(WAIT_FOR_OTHERS)) {
            Err(StoreError::Conflict { .. }) => return Ok(false),
            other => other?,
        };
        let sent = match cx.interrupt.pending() {
            Some(signal) => Err(Failure::cancelled(signal)),
            None => self.send(cx),
        };
        let outcome = match &sent {
            Ok(()) => RefreshOutcome::Revoked,
            Err(failure) => unrevoked(before, failure),
        };
        if let Err(error) = reserved.settle(&outcome, cx.clock.now()) {
            cx.warn(format!(
                "could not record the revocation of {}: {error}",
                self.profile
            ));
        }
        sent.map(|()| true)
    }

    fn send(&self, cx: Context<'_>) -> Result<(), Failure> {
        let (token, hint) = &self.token;
        self.ask(cx, (token, *hint))
            .map_err(|error| server::failure(&self.profile, &error))
    }

    fn ask(
        &self,
        cx: Context<'_>,
        token: (&Secret<String>, TokenTypeHint),
    ) -> Result<(), OAuthError> {
        match &self.route {
            Route::Endpoint(client) => {
                let server = (&self.provider.dialect, &**client);
                let now = cx.clock.now();
                revoke::revoke(cx.http, server, &self.endpoint(), token, now)
            }
            Route::Program(path) => {
                let program = plugin::speaker(cx, &self.provider, path);
                let login = self.credential.as_oauth();
                login.map_or(Ok(()), |login| server::ask_program(&program, login))
            }
        }
    }

    /// Revokes the access token as well, after its refresh token: a server should have done so (RFC
    /// 7009 section 2.1), and some do not.
    pub(super) fn revoke_access(&self, cx: Context<'_>) {
        let Some(access) = &self.access else {
            return;
        };
        if let Err(error) = self.ask(cx, (access, TokenTypeHint::AccessToken)) {
            cx.warn(format!(
                "the access token may stay valid until it expires: the server did not revoke it ({error})"
            ));
        }
    }

    /// Whether a credential is the one that was revoked.
    pub(super) fn revoked(&self, held: &Credential) -> bool {
        match &self.grant {
            Some(grant) => held.as_oauth().and_then(OAuth::grant).as_ref() == Some(grant),
            None => held.bearer() == Some(&self.token.0),
        }
    }
}

/// Returns the journal's outcome for a grant that was not revoked: the one before.
fn unrevoked(before: Option<GrantRecord>, failure: &Failure) -> RefreshOutcome {
    let known = before.and_then(|record| record.attempt?.outcome);
    match (failure.touched, known) {
        (_, Some(spent @ RefreshOutcome::NotUnderstood { .. })) => spent,
        (StoreEffect::MaybeSpent, _) => RefreshOutcome::Unknown {
            reason: failure.to_string(),
        },
        (_, Some(known)) => known,
        (_, None) => RefreshOutcome::Passing {
            reason: failure.to_string(),
            retry_at: None,
        },
    }
}
