//! Storage of a new credential, from a login or a paste, as a profile that can be selected.

use crate::config::edit::{Edit, Role};
use crate::model::cooldown;
use crate::model::credential::{Credential, Identity, Kind as CredentialKind, OAuth, Token};
use crate::model::grant::Binding;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::json::Extra;
use crate::model::moved::Moved;
use crate::model::profiles::AuthProfiles;
use crate::model::settings::ProfileSettings;
use crate::model::time::Timestamp;
use crate::oauth::plugin::ORIGIN;
use crate::ports::dialog::Notice;
use crate::ports::store::Scope;

use super::context::Context;
use super::credential::in_use::tell_in_use;
use super::credential::profile_id::{Owner, place, place_of_client};
use super::failure::{Failure, Kind, StoreEffect};
use super::secrets::refer_new;
use super::usecase::cooldown::known;
use super::usecase::order;

/// Where a new credential goes.
pub(super) struct Destination<'a> {
    pub(super) provider: &'a ProviderId,
    pub(super) profile: ProfileId,
    /// The profile that a person named, if that was done.
    pub(super) named: Option<&'a ProfileId>,
    /// Who issued the grant, if it is one.
    pub(super) issued_by: Option<&'a Binding>,
}

/// A credential that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredProfile {
    /// The profile.
    pub profile: ProfileId,
    /// The provider.
    pub provider: ProviderId,
    /// The kind of credential.
    pub kind: CredentialKind,
    /// The account, as people know it, if that is known.
    pub account: Option<String>,
    /// When it expires, if that is known.
    pub expires: Option<Timestamp>,
    /// Whether the profile held something else before.
    pub replaced: bool,
    /// Whether it was put first in an order that did not list it.
    pub put_first: bool,
    /// Whether the agent has an order of its own for the provider, or inherits one.
    pub is_ordered: bool,
}

impl StoredProfile {
    /// Stores `new` in an agent's own document, with what stays of the old credential of its kind.
    pub(super) fn store(
        cx: Context<'_>,
        agent: &AgentId,
        to: &Destination<'_>,
        account: Option<String>,
        new: &Credential,
    ) -> Result<Self, Failure> {
        let (provider, profile) = (to.provider, &to.profile);
        let main = inherited(cx, agent);
        let mut stored = None;
        let mut put_first = None;
        cx.change(agent, |document| {
            // Looked at again under the lock: another login may have taken the name meanwhile, and
            // that must not lose this one.
            let place = still_free(document, to, account.as_deref(), new);
            let mut new = new.clone();
            let old = document.get(&place);
            let replaced = old.is_some();
            if let Some(old) = old {
                carry_over(old, &mut new);
            }
            let grant = new.as_oauth().and_then(OAuth::grant);
            if let (Some(grant), Some(issued_by)) = (grant, to.issued_by) {
                document.bindings.insert(grant, issued_by.clone());
            }
            refer_new(cx, agent, &place, &mut new);
            if !document.put(place.clone(), new) {
                return false;
            }
            put_first = put_first_in_order(document, main.as_ref(), provider, &place);
            forget_failures(document, main.as_ref(), &place);
            stored = Some((place, replaced));
            true
        })?;
        let (place, replaced) = stored.ok_or_else(|| {
            Failure::about(
                profile,
                Kind::Storage,
                "was not stored: its secret is not at hand",
            )
        })?;
        if place != *profile {
            cx.warn(format!(
                "{profile} was just taken by another login; saved this one as {place}"
            ));
        }
        let profile = place;
        Ok(Self {
            profile,
            provider: provider.clone(),
            kind: new.kind(),
            account,
            expires: new.expires(),
            replaced,
            put_first: put_first == Some(true),
            is_ordered: put_first.is_some(),
        })
    }

    /// Completes the storage: makes the profile selectable, sets the default model if one is given,
    /// and tells the user what is stored, even if the configuration could not be changed, and which
    /// profile is in use now.
    pub(super) fn finish(
        &self,
        cx: Context<'_>,
        agent: &AgentId,
        email: Option<&str>,
        default_model: Option<&String>,
    ) -> Result<(), Failure> {
        let configured = make_selectable(
            cx,
            &self.profile,
            (&self.provider, self.kind),
            email,
            self.is_ordered,
        )
        .and_then(|()| set_default_model(cx, default_model));
        if self.put_first {
            let Self {
                profile, provider, ..
            } = self;
            let order = Command::new("models auth order get").option("--provider", provider);
            let text = format!("{profile} is now first in the order for {provider}; see `");
            cx.info(Hint::from(text).run(order).then("`"));
        }
        cx.dialog.notice(&Notice::Saved {
            profile: self.profile.clone(),
            provider: self.provider.clone(),
            expires: self.expires,
        });
        tell_in_use(cx, agent, &self.provider, &self.profile);
        configured
    }
}

pub(super) fn set_default_model(cx: Context<'_>, model: Option<&String>) -> Result<(), Failure> {
    let Some(model) = model else {
        return Ok(());
    };
    let applied = cx.edit_config(&[Edit::SetPrimary {
        role: Role::Model,
        reference: model.clone(),
    }]);
    applied.map_err(|error| Failure::from(error).touched(StoreEffect::Changed))?;
    cx.info(format!("Default model set to {model}"));
    Ok(())
}

/// Loads what an agent inherits from main. A document of main that cannot be read stops no login of
/// another agent.
fn inherited(cx: Context<'_>, agent: &AgentId) -> Option<AuthProfiles> {
    let overlaid = || cx.overlay(agent, &mut |agent| cx.names(agent)).ok();
    (!agent.is_main()).then(overlaid).flatten()?.main
}

/// Puts a profile first in the order of its provider, if there is one that does not list it: it
/// would never be used. An inherited order is overridden, main's stays as it is.
/// Returns whether that changed anything, `None` without an order.
fn put_first_in_order(
    document: &mut AuthProfiles,
    main: Option<&AuthProfiles>,
    provider: &ProviderId,
    profile: &ProfileId,
) -> Option<bool> {
    let inherited = main.and_then(|main| main.order_of(provider));
    let order = document.order_of(provider).or(inherited)?;
    if lists(order, profile) {
        return Some(false);
    }
    let ids = [&[profile.as_str().to_owned()], order].concat();
    Some(order::put(&mut document.order, provider, Some(&ids)))
}

/// Forgets the failures of what the profile held before: they say nothing about a new credential.
fn forget_failures(document: &mut AuthProfiles, main: Option<&AuthProfiles>, profile: &ProfileId) {
    let known = known(document, main, profile).filter(|usage| cooldown::is_marked(usage));
    if let Some(next) = known.map(cooldown::clear) {
        document.set_usage(profile, next);
    }
}

/// Returns the name under which a new credential may be stored: a login and the token of a client
/// never take the place of another one's; what a person pastes does.
fn still_free(
    document: &AuthProfiles,
    to: &Destination<'_>,
    account: Option<&str>,
    new: &Credential,
) -> ProfileId {
    let (provider, profile) = (to.provider, &to.profile);
    let slot = match new {
        Credential::OAuth(new) => {
            let identity = &new.identity;
            let owner = Owner {
                identity,
                subject: account.filter(|_| *identity == Identity::default()),
                named: to.named,
            };
            place(document, provider, owner, Some(profile))
        }
        new if new.is_of_client() => place_of_client(document, provider, Some(profile)),
        _ => return profile.clone(),
    };
    slot.id
}

/// Keeps of an old credential what the new one of its kind does not say anew.
fn carry_over(old: &Credential, new: &mut Credential) {
    // Where there is a reference, later releases use it in the place of the secret. And what a
    // person brought is no token that a client got for itself, to be renewed by it.
    match (old, new) {
        (Credential::ApiKey(old), Credential::ApiKey(new)) => {
            merge(&old.extra, &["keyRef", Token::GRANT_TYPE], &mut new.extra);
        }
        (Credential::Token(old), Credential::Token(new)) if new.is_of_client() => {
            new.email.clone_from(&old.email);
            merge(&old.extra, &[], &mut new.extra);
        }
        (Credential::Token(old), Credential::Token(new)) => {
            merge(&old.extra, &["tokenRef", Token::GRANT_TYPE], &mut new.extra);
        }
        (Credential::OAuth(old), Credential::OAuth(new)) => {
            // Where the old grant came from says nothing about the new one.
            let stale = [ORIGIN, "oauthRef", Moved::MEMBER];
            merge(&old.extra, &stale, &mut new.extra);
            let email = &mut new.identity.email;
            *email = email.take().or_else(|| old.identity.email.clone());
        }
        _ => {}
    }
}

fn merge(old: &Extra, stale: &[&str], new: &mut Extra) {
    let told = std::mem::replace(new, old.clone());
    new.0.retain(|(name, _)| !stale.contains(&name.as_str()));
    for (name, value) in told.0 {
        new.set(&name, value);
    }
}

/// Adds a new profile to `openclaw.json` if it could not be selected otherwise: where nothing
/// orders the profiles of a provider, those that `auth.profiles` does not name are never selected
/// once it names any, and an `auth.order` excludes what it does not list. An order of the agent
/// itself goes before both, if it `is_ordered`. Otherwise the configuration is left alone: another
/// program may be about to write it, and gives up if it has changed.
pub(super) fn make_selectable(
    cx: Context<'_>,
    profile: &ProfileId,
    (provider, kind): (&ProviderId, CredentialKind),
    email: Option<&str>,
    is_ordered: bool,
) -> Result<(), Failure> {
    let edits = edits_to_select(cx, profile, (provider, kind), email, is_ordered);
    edit_to_select(cx, (profile, provider), &edits)
}

/// The changes to `openclaw.json` that this takes, if any.
pub(super) fn edits_to_select(
    cx: Context<'_>,
    profile: &ProfileId,
    (provider, kind): (&ProviderId, CredentialKind),
    email: Option<&str>,
    is_ordered: bool,
) -> Vec<Edit> {
    let mut edits = Vec::new();
    let order = cx.settings.order_of(provider).filter(|_| !is_ordered);
    let must_be_named = match cx.settings.profile(profile) {
        Some(named) => disagrees(named, provider, kind, email),
        None if is_ordered || order.is_some_and(|order| lists(order, profile)) => false,
        // Beside an order that is written anyway it is named as OpenClaw does.
        None => names_any(cx, provider),
    };
    if must_be_named {
        edits.push(Edit::SetAuthProfile {
            id: profile.clone(),
            provider: provider.clone(),
            mode: kind.as_str().to_owned(),
            email: email.map(str::to_owned),
        });
    }
    if order.is_some() {
        edits.push(Edit::OrderFirst {
            provider: provider.clone(),
            id: profile.clone(),
        });
    }
    edits
}

/// Makes such changes, for a profile of that provider or several.
///
/// # Errors
/// If the configuration cannot be read or written.
pub(super) fn edit_to_select(
    cx: Context<'_>,
    (profile, provider): (&ProfileId, &ProviderId),
    edits: &[Edit],
) -> Result<(), Failure> {
    if edits.is_empty() {
        return Ok(());
    }
    cx.edit_config(edits).map(|_| ()).map_err(|error| {
        let mut failure = Failure::from(error).touched(StoreEffect::Changed);
        failure.message = format!(
            "{profile} is stored, but could not be added to the configuration, so it may not be used: {}",
            failure.message
        );
        if matches!(failure.kind, Kind::Busy | Kind::Cancelled(_)) {
            failure.hint = Some(
                format!("do not log in again; add {profile} to auth.profiles (and to auth.order, if that names {provider}) in openclaw.json")
                    .into(),
            );
        }
        failure
    })
}

/// Whether the agent has an order of its own for a provider, or inherits one: that alone counts
/// then.
pub(super) fn has_own_order(cx: Context<'_>, agent: &AgentId, provider: &ProviderId) -> bool {
    let effective = cx.effective(agent, Scope::Provider(provider));
    effective.is_ok_and(|effective| effective.order_of(provider).is_some())
}

fn lists(order: &[String], profile: &ProfileId) -> bool {
    order.iter().any(|id| id.trim() == profile.as_str())
}

/// Whether `auth.profiles` names any profile of a provider.
fn names_any(cx: Context<'_>, provider: &ProviderId) -> bool {
    let mut named = cx.settings.profiles.iter();
    named.any(|other| provider.is_named(&other.provider))
}

/// Whether an entry of `auth.profiles` says otherwise of a profile: OpenClaw then does not use it,
/// or shows the account that it held before. An `oauth` entry may hold a token.
fn disagrees(
    named: &ProfileSettings,
    provider: &ProviderId,
    kind: CredentialKind,
    email: Option<&str>,
) -> bool {
    let fits =
        named.mode == kind.as_str() || (named.mode == "oauth" && kind == CredentialKind::Token);
    let is_other = |old: &String| email.is_some_and(|email| email != old);
    !fits || named.provider != provider.as_str() || named.email.as_ref().is_some_and(is_other)
}
