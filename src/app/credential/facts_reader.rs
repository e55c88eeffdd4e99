//! Reads the facts about a stored credential. Takes no lock and sends nothing.

use std::borrow::Cow;
use std::collections::HashMap;
use std::rc::Rc;

use super::facts::{Facts, RefreshPath, Renewal, Successor};
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::issuer::plugin;
use crate::app::refresh::rotation::{self, Holder};
use crate::app::refresh::{binding, target};
use crate::model::credential::{Credential, Kind, OAuth};
use crate::model::expiry::Freshness;
use crate::model::grant::{GrantDigest, GrantStanding};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::{AuthProfiles, VisibleProfile};
use crate::model::provider::{Provider, RefreshSettings};
use crate::model::secret::Secret;
use crate::model::time::LocalTime;
use crate::ports::store::{Detail, Scope, StoreError};

pub(in crate::app) type Manifest<'a> = (&'a ProviderId, Result<&'a Provider, &'a Failure>);

/// A reader of facts that keeps what many profiles share: manifests, and which profile holds which
/// grant.
pub(in crate::app) struct FactsReader<'a> {
    cx: Context<'a>,
    local: LocalTime,
    /// Keyed by provider, and by whether a plugin issued the login, which needs no manifest.
    manifests: HashMap<(ProviderId, bool), Rc<Result<Provider, Failure>>>,
    holders: Option<HashMap<GrantDigest, Holder>>,
    /// The provider of the last profile, as written and as its name: those of one mostly stand together.
    last: (String, Option<ProviderId>),
}

impl<'a> FactsReader<'a> {
    pub(in crate::app) fn new(cx: Context<'a>) -> Self {
        Self {
            cx,
            local: cx.clock.local(),
            manifests: HashMap::new(),
            holders: None,
            last: (String::new(), None),
        }
    }

    fn provider_of(&mut self, credential: &Credential) -> Option<ProviderId> {
        if self.last.0 != credential.raw_provider() {
            self.last = (credential.raw_provider().to_owned(), credential.provider());
        }
        self.last.1.clone()
    }

    /// Reads the facts about one profile.
    ///
    /// # Errors
    /// If what the journal knows of its grant cannot be read.
    pub(in crate::app) fn read(&mut self, seen: &VisibleProfile<'_>) -> Result<Facts, StoreError> {
        let credential = seen.credential;
        let Some(login) = as_login(credential) else {
            let provider = self.provider_of(credential);
            let (owner, id) = (seen.owner, seen.id);
            return Ok(self.of_document(owner, id, credential, (provider.as_ref(), None)));
        };
        let manifest = self.provider_of(credential).map(|id| {
            let by_plugin = seen.credential.as_oauth().is_some_and(plugin::is_origin_of);
            let manifest = self
                .manifests
                .entry((id.clone(), by_plugin))
                .or_insert_with(|| {
                    let known = self.cx.provider_of(&id, seen.credential);
                    Rc::new(known.map_err(Failure::from))
                });
            (id, Rc::clone(manifest))
        });
        let manifest = manifest.as_ref();
        let manifest = manifest.map(|(id, manifest)| (id, manifest.as_ref().as_ref()));
        let provider = manifest.map(|(id, _)| id);
        let known = manifest.and_then(|(_, manifest)| manifest.ok());
        let mut facts = self.of_document(seen.owner, seen.id, credential, (provider, known));
        if let Some(manifest) = manifest {
            self.add_journal(&mut facts, &login, manifest)?;
            if self.is_being_refreshed(&facts) {
                facts.standing = GrantStanding::Good;
            }
        }
        Ok(facts)
    }

    /// Whether another process is just refreshing the grant: it will be known how that ends, and
    /// whoever needs the token waits for it. Never asked under the lock of the grant.
    fn is_being_refreshed(&self, facts: &Facts) -> bool {
        let attempt = facts.record.as_ref().and_then(|it| it.attempt.as_ref());
        let is_open = attempt.is_some_and(|attempt| attempt.outcome.is_none());
        let grant = facts.grant.as_ref().filter(|_| is_open);
        grant.is_some_and(|grant| self.cx.store.is_locked(grant))
    }

    /// Reads the facts in the document and the manifest, without the journal.
    pub(in crate::app) fn of_document(
        &self,
        owner: &AgentId,
        profile: &ProfileId,
        credential: &Credential,
        (id, provider): (Option<&ProviderId>, Option<&Provider>),
    ) -> Facts {
        let refresh_token = credential.as_oauth().and_then(OAuth::refresh_token);
        let secret = credential.judged_secret();
        let secret_present = matches!(secret, Ok(Some(_)));
        let usual = RefreshSettings::default();
        let refresh = provider.map_or(&usual, |provider| &provider.refresh);
        Facts {
            profile: profile.clone(),
            provider: id.cloned(),
            owner: owner.clone(),
            kind: credential.kind(),
            of_client: credential.is_of_client(),
            secret_present,
            is_reference: !secret_present && credential.is_reference(),
            reference: (secret.as_ref().ok().copied().flatten())
                .filter(|secret| secret.as_reference().is_some())
                .map(Secret::masked),
            is_sealed: credential.is_sealed(),
            secret_fault: secret.err(),
            refresh_present: refresh_token.is_some(),
            moved: credential.as_oauth().and_then(OAuth::moved),
            expires: match credential {
                Credential::ApiKey(_) => None,
                Credential::Token(token) => token.expires,
                Credential::OAuth(oauth) => oauth.expires,
            },
            renewal: Renewal::Never,
            grant: None,
            margin: refresh.margin,
            idle: refresh.idle,
            path: RefreshPath::Open,
            logs_in: provider.is_none_or(Provider::logs_in),
            record: None,
            standing: GrantStanding::Good,
            successor: None,
            rests_until: None,
            local: self.local,
        }
    }

    /// Reads the facts about a login that can be refreshed; a client's token counts as one.
    pub(in crate::app) fn of_login(
        &self,
        owner: &AgentId,
        profile: &ProfileId,
        login: &OAuth,
        provider: &Provider,
    ) -> Facts {
        let credential = Credential::OAuth(login.clone());
        let manifest = (Some(&provider.id), Some(provider));
        let of_client = login.is_of_client();
        Facts {
            of_client,
            kind: if of_client { Kind::Token } else { Kind::OAuth },
            ..self.of_document(owner, profile, &credential, manifest)
        }
    }

    /// Adds what the journal knows of the grant, and the obstacles to a refresh.
    ///
    /// # Errors
    /// If the journal is there and cannot be read.
    pub(in crate::app) fn add_journal(
        &mut self,
        facts: &mut Facts,
        login: &OAuth,
        manifest: Manifest<'_>,
    ) -> Result<(), StoreError> {
        self.add_record(facts, login, manifest)?;
        if let (GrantStanding::Spent { successor, .. }, Ok(provider)) =
            (&facts.standing, manifest.1)
        {
            facts.successor = self.successor(facts, successor, login, provider)?;
        }
        Ok(())
    }

    fn add_record(
        &self,
        facts: &mut Facts,
        login: &OAuth,
        (id, manifest): Manifest<'_>,
    ) -> Result<(), StoreError> {
        let provider = manifest.ok();
        let Some(grant) = grant_of(&facts.owner, &facts.profile, login, (id, provider)) else {
            return Ok(());
        };
        facts.renewal = match provider {
            Some(provider) if target::can_refresh(provider, login) => {
                match provider.refresh.automatic {
                    true => Renewal::Automatic,
                    false => Renewal::ByCommand,
                }
            }
            _ => Renewal::Never,
        };
        facts.record = self.cx.store.grant_record(&grant)?.map(Box::new);
        facts.grant = Some(grant);
        if let Some(record) = &facts.record {
            facts.standing = record.standing();
            if let GrantStanding::HandedOver(moved) = &facts.standing {
                facts.moved = Some(moved.clone());
            }
            let idle_limit = provider.and_then(|provider| provider.refresh.idle_limit);
            facts.rests_until = (record.proven_at)
                .filter(|_| facts.refresh_present)
                .and_then(|proven| Some(proven.after(idle_limit?)));
        }
        facts.path = self.path(facts, login, manifest)?;
        Ok(())
    }

    /// Whether a refresh could be sent. Called only when one is due, because it reads variables and
    /// files.
    fn path(
        &self,
        facts: &Facts,
        login: &OAuth,
        manifest: Result<&Provider, &Failure>,
    ) -> Result<RefreshPath, StoreError> {
        let provider = match manifest {
            Ok(provider) => provider,
            Err(failure) => return Ok(RefreshPath::NoManifest(Box::new(failure.clone()))),
        };
        let freshness = facts.freshness(facts.due_margin(), self.cx.clock.now());
        if matches!(freshness, Freshness::Fresh { .. }) {
            return Ok(RefreshPath::Open);
        }
        let (path, binding) = target::look_ahead(self.cx, provider, login);
        let Some(binding) = binding.filter(|_| matches!(path, RefreshPath::Open)) else {
            return Ok(path);
        };
        let issued_by = facts.issued_by(self.cx)?;
        Ok(
            match binding::check((&facts.profile, provider), &binding, &issued_by) {
                Ok(()) => RefreshPath::Open,
                Err(failure) => RefreshPath::Blocked(Box::new(failure)),
            },
        )
    }

    /// Looks for what took the place of a spent grant, whose first successor is `first`.
    fn successor(
        &mut self,
        facts: &Facts,
        first: &GrantDigest,
        login: &OAuth,
        provider: &Provider,
    ) -> Result<Option<Box<Successor>>, StoreError> {
        let cx = self.cx;
        let holders = (self.holders).get_or_insert_with(|| rotation::holders_and_keepers(cx));
        let Some(holder) = rotation::follow(cx, first, holders)? else {
            return Ok(None);
        };
        let (agent, profile) = (holder.agent.clone(), holder.profile.clone());
        let document = cx
            .store
            .look(&agent, Scope::Profile(&profile), Detail::Masked)?;
        let held = document.get(&profile).and_then(Credential::as_oauth);
        let Some(newer) = holder.kept.as_ref().or(held) else {
            return Ok(None);
        };
        let is_kept = holder.kept.is_some();
        let login = login.renewed(newer);
        let mut after = self.of_login(&facts.owner, &facts.profile, &login, provider);
        self.add_record(&mut after, &login, (&provider.id, Ok(provider)))?;
        Ok(Some(Box::new(Successor {
            is_kept,
            agent,
            profile,
            facts: after,
        })))
    }
}

/// Returns the digest of the grant of a login; `None` if nothing can refresh it.
fn grant_of(
    owner: &AgentId,
    profile: &ProfileId,
    login: &OAuth,
    (id, provider): (&ProviderId, Option<&Provider>),
) -> Option<GrantDigest> {
    if login.refresh_token().is_some() {
        return login.grant();
    }
    let asks_itself = login.is_of_client()
        && provider.is_none_or(|provider| provider.client_credentials().is_some());
    asks_itself.then(|| GrantDigest::of_client(owner, id, profile))
}

/// Finds a profile of a document that is a login, and the login.
///
/// # Errors
/// If there is none of that name.
pub(in crate::app) fn find_login<'a>(
    document: &'a AuthProfiles,
    profile: &ProfileId,
) -> Result<(&'a Credential, Cow<'a, OAuth>), Failure> {
    let credential = document.get(profile);
    let found = credential.and_then(|credential| Some((credential, as_login(credential)?)));
    found.ok_or_else(|| Failure::no_such_profile(profile))
}

/// Returns a login that can be refreshed: an OAuth credential, or a client's token as one.
pub(in crate::app) fn as_login(credential: &Credential) -> Option<Cow<'_, OAuth>> {
    match credential {
        Credential::OAuth(oauth) => Some(Cow::Borrowed(oauth)),
        Credential::Token(token) if token.is_of_client() => Some(Cow::Owned(token.as_grant())),
        Credential::ApiKey(_) | Credential::Token(_) => None,
    }
}
