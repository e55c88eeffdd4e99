//! What goes into a bundle.

use std::collections::HashSet;

use serde::Serialize;

use super::content::AgentContent;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::app::refresh::binding::{self, IssuedBy};
use crate::model::credential::{Credential, Kind, OAuth};
use crate::model::grant::{GrantDigest, GrantRecord};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::moved::Moved;
use crate::model::profiles::{AuthProfiles, Content};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::SecretName;
use crate::ports::store::Scope;

/// Why a profile whose seal does not open is in no bundle.
pub(super) const SEALED: &str = "it is sealed, and its seal does not open";

/// What is wanted in the bundle.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The one agent that is meant; all without.
    pub agent: Option<AgentId>,
    /// The profiles that are meant; all without.
    pub profiles: Vec<ProfileId>,
    /// Profiles that are not meant, whatever else is.
    pub except: HashSet<(AgentId, ProfileId)>,
    /// Whether logins are left out whose refresh token went elsewhere before.
    pub leaves_moved: bool,
    /// Whether what was learnt by using them goes along.
    pub has_usage: bool,
    /// Whether orders name profiles that do not go along, too.
    pub has_whole_orders: bool,
}

/// A profile that goes along.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its agent.
    #[serde(rename = "agentId")]
    pub agent: AgentId,
    /// Its name.
    #[serde(rename = "profileId")]
    pub profile: ProfileId,
    /// What it is.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// When its token ends.
    pub expires: Option<Timestamp>,
    /// Whether the refresh token of a login goes along; `None` for what has none.
    pub refresh_token: Option<bool>,
}

/// A profile that does not.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LeftOut {
    /// Its agent.
    #[serde(rename = "agentId")]
    pub agent: AgentId,
    /// Its name.
    #[serde(rename = "profileId")]
    pub profile: ProfileId,
    /// Why.
    pub reason: String,
}

/// What was found.
#[derive(Default)]
pub(super) struct Collected {
    pub(super) secrets: Vec<(SecretName, Secret<String>)>,
    pub(super) agents: Vec<AgentContent>,
    pub(super) rows: Vec<Row>,
    pub(super) left_out: Vec<LeftOut>,
}

impl Selection {
    /// Whether the secrets that have names are meant, too: they belong to no agent.
    fn has_secrets(&self) -> bool {
        self.agent.is_none() && self.profiles.is_empty()
    }

    /// Whether a profile of an agent is meant.
    pub(super) fn wants(&self, agent: &AgentId, profile: &ProfileId) -> bool {
        let is_named = self.profiles.is_empty() || self.profiles.contains(profile);
        is_named
            && (self.except.is_empty() || !self.except.contains(&(agent.clone(), profile.clone())))
    }

    /// Reads all that is wanted. Of the logins for which `goes` says so the refresh token goes along.
    ///
    /// # Errors
    /// If something does not open or cannot be read, or a profile is not there.
    pub(super) fn collect(
        &self,
        cx: Context<'_>,
        goes: &dyn Fn(&GrantDigest) -> bool,
    ) -> Result<Collected, Failure> {
        let mut found = Collected::default();
        for agent in cx.agents(self.agent.as_ref())? {
            let document = cx.store.load(&agent, Scope::All)?;
            found.add(cx, &agent, self.narrow(&agent, document), goes)?;
        }
        let is_there = |id: &&ProfileId| {
            let rows = found.rows.iter().map(|row| &row.profile);
            let mut known = rows.chain(found.left_out.iter().map(|one| &one.profile));
            known.any(|other| other == *id)
        };
        if let Some(missing) = self.profiles.iter().find(|id| !is_there(id)) {
            return Err(Failure::no_such_profile(missing));
        }
        if self.has_secrets() {
            for entry in cx.secrets.list()? {
                if let Some(value) = cx.secrets.get(&entry.name)? {
                    found.secrets.push((entry.name, value));
                }
            }
        }
        Ok(found)
    }

    /// Leaves in a document what is wanted of it, and nothing that only concerns this machine.
    fn narrow(&self, agent: &AgentId, document: AuthProfiles) -> AuthProfiles {
        let is_moved = |it: &Credential| it.as_oauth().and_then(OAuth::moved).is_some();
        let wanted = document.profiles().filter(|(id, credential)| {
            self.wants(agent, id) && !(self.leaves_moved && is_moved(credential))
        });
        let ids: Vec<ProfileId> = wanted.map(|(id, _)| id.clone()).collect();
        let orders = document.order.clone();
        let narrowed = document.narrowed(&ids);
        let entries = narrowed.entries().iter();
        let entries = entries.filter(|entry| matches!(entry.content, Content::Valid(..)));
        let mut kept = AuthProfiles::from_entries(entries.cloned().collect());
        (kept.order, kept.last_good) = (narrowed.order, narrowed.last_good);
        if self.has_whole_orders {
            let goes = |provider: ProviderId| kept.profiles().any(|(_, it)| it.is_for(&provider));
            let of_those = |(name, _): &(String, _)| ProviderId::parse(name).is_ok_and(goes);
            kept.order = orders.into_iter().filter(of_those).collect();
        }
        if self.has_usage {
            kept.usage = narrowed.usage;
        }
        kept
    }
}

impl Collected {
    /// Whether a grant goes along: its refresh token itself, and not only the digest, which stands
    /// beside a seal that does not open, too.
    pub(super) fn moves(&self, grant: &GrantDigest) -> bool {
        let holds = |login: &OAuth| {
            let is_held = login.refresh_token().is_some_and(Secret::is_held);
            is_held && login.grant().as_ref() == Some(grant)
        };
        let mut profiles = (self.agents.iter()).flat_map(|one| one.document.profiles());
        profiles.any(|(_, credential)| credential.as_oauth().is_some_and(holds))
    }

    /// Whether there is nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.rows.is_empty()
    }

    fn add(
        &mut self,
        cx: Context<'_>,
        agent: &AgentId,
        mut document: AuthProfiles,
        goes: &dyn Fn(&GrantDigest) -> bool,
    ) -> Result<(), Failure> {
        let all: Vec<(ProfileId, Credential)> = document
            .profiles()
            .map(|(id, credential)| (id.clone(), credential.clone()))
            .collect();
        let mut grants = Vec::new();
        for (id, credential) in all {
            let grant = credential
                .as_oauth()
                .and_then(OAuth::grant)
                .filter(|grant| goes(grant));
            let reason = fault(&credential, grant.is_some()).or_else(|| {
                let login = credential.as_oauth().filter(|_| grant.is_none())?;
                let copy = Credential::OAuth(without_refresh(login));
                (!document.put(id.clone(), copy)).then_some("its access token cannot be read")
            });
            if let Some(reason) = reason {
                document.remove(&id);
                self.left_out.push(LeftOut {
                    agent: agent.clone(),
                    profile: id,
                    reason: reason.to_owned(),
                });
                continue;
            }
            let mut refresh_token = None;
            if let Credential::OAuth(login) = &credential {
                refresh_token = Some(grant.is_some());
                if let Some(grant) = grant {
                    grants.extend(record(cx, (agent, &id), login, grant)?);
                }
            }
            self.rows.push(Row {
                agent: agent.clone(),
                profile: id,
                kind: credential.kind().as_str(),
                expires: credential.expires(),
                refresh_token,
            });
        }
        if document.profiles().next().is_some() {
            self.agents.push(AgentContent {
                agent: agent.clone(),
                document,
                grants,
            });
        }
        Ok(())
    }
}

/// What is known of a grant that another machine needs, too: above all where it came from.
fn record(
    cx: Context<'_>,
    (agent, profile): (&AgentId, &ProfileId),
    login: &OAuth,
    grant: GrantDigest,
) -> Result<Option<GrantRecord>, Failure> {
    let Ok(provider) = ProviderId::parse(&login.provider) else {
        return Ok(None);
    };
    let known = cx.store.grant_record(&grant)?;
    let issued_by = binding::known(
        cx,
        (agent, profile),
        &provider,
        Some(&grant),
        known.as_ref(),
    )?;
    let known = known.unwrap_or_else(|| GrantRecord::new(grant, &provider, profile));
    Ok(Some(GrantRecord {
        binding: match issued_by {
            IssuedBy::Known(binding) => Some(binding),
            IssuedBy::BuiltIn(_) | IssuedBy::Unknown => None,
        },
        attempt: None,
        // What the journal will say once it is handed over.
        moves: known.moves.saturating_add(1),
        ..known
    }))
}

/// Why a credential cannot go along; a refresh token that goes stands for an access token.
fn fault(credential: &Credential, has_refresh: bool) -> Option<&'static str> {
    if credential.is_sealed() {
        return Some(SEALED);
    }
    let is_empty = credential.kind() == Kind::OAuth && credential.bearer().is_none();
    (is_empty && !has_refresh).then_some("it has no access token")
}

/// A login without what can be used only once.
fn without_refresh(login: &OAuth) -> OAuth {
    let mut copy = login.clone();
    // Blank: early releases of OpenClaw fail without the member.
    copy.refresh = Some(Secret::from(""));
    copy.extra.0.retain(|(name, _)| name != Moved::MEMBER);
    copy
}
