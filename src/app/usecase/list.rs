//! `models auth list`: every profile that an agent sees, without its secret.

use std::collections::HashSet;
use std::rc::Rc;
use std::sync::Arc;

use crate::app::credential::document_faults::{all_unusable_secrets, faults};
use crate::model::collation;
use crate::model::credential::Credential;
use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::model::profiles::{Effective, VisibleProfile};
use crate::model::time::Timestamp;
use crate::ports::store::{Detail, Scope};

use crate::app::context::Context;
use crate::app::credential::account::{email_of, label};
use crate::app::credential::in_use::profiles_in_use;
use crate::app::credential::stored::StoredCredential;
use crate::app::failure::Failure;

/// A profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its id.
    pub id: ProfileId,
    /// The agent in whose document it lies.
    pub owner: AgentId,
    /// Its name and account.
    pub label: String,
    /// The e-mail address that the credential says.
    pub email: Option<String>,
    /// `displayName`, as a later release writes it.
    pub display_name: Option<String>,
    /// Its credential.
    pub credential: StoredCredential,
    /// The end of its cooldown.
    pub cooldown_until: Option<Timestamp>,
    /// When it stops being disabled after a billing failure.
    pub disabled_until: Option<Timestamp>,
    /// Whether `token --provider` hands it out; false in a list in file order, which does not ask.
    pub in_use: bool,
}

impl Row {
    /// Returns the normalised id of its provider, or the text as written if it is not valid.
    pub fn provider_id(&self) -> String {
        provider_id(&self.credential.provider)
    }
}

fn provider_id(raw: &str) -> String {
    ProviderId::parse(raw).map_or_else(|_| raw.to_owned(), |id| id.to_string())
}

/// The profiles, and the faults of the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The profiles.
    pub rows: Vec<Row>,
    /// Entries that cannot be used, and faults of the documents, one sentence each.
    pub faults: Vec<String>,
}

/// Lists the profiles, sorted by provider and name as the reference release sorts.
///
/// # Errors
/// If the agent was named and is not configured, or a document cannot be read.
pub fn run(
    cx: Context<'_>,
    agent: &AgentId,
    provider: Option<&ProviderId>,
) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let effective = Arc::new(cx.overview(agent, Scope::All, Detail::Fingerprint)?);
    let mut outcome = listed(cx, &effective, &sorted(&wanted(&effective, provider)));
    match profiles_in_use(cx, &effective, provider) {
        Ok(used) => {
            let used: HashSet<ProfileId> = used.into_iter().collect();
            let rows = outcome.rows.iter_mut();
            rows.for_each(|row| row.in_use = used.contains(&row.id));
        }
        Err(failure) => outcome.faults.push(failure.to_string()),
    }
    Ok(outcome)
}

/// Lists the profiles in the order of the documents, main's first.
///
/// # Errors
/// If the agent was named and is not configured, or a document cannot be read.
pub fn in_file_order(
    cx: Context<'_>,
    agent: &AgentId,
    provider: Option<&ProviderId>,
) -> Result<Outcome, Failure> {
    cx.require_agent(agent)?;
    let effective = cx.overview(agent, Scope::All, Detail::Fingerprint)?;
    Ok(listed(cx, &effective, &wanted(&effective, provider)))
}

/// The profiles of a provider, or all.
fn wanted<'a>(effective: &'a Effective, provider: Option<&ProviderId>) -> Vec<VisibleProfile<'a>> {
    let mut seen = effective.profiles();
    seen.retain(|seen| provider.is_none_or(|it| seen.credential.is_for(it)));
    seen
}

/// Sorts them by provider and name.
fn sorted<'a>(seen: &[VisibleProfile<'a>]) -> Vec<VisibleProfile<'a>> {
    let raw = |seen: &VisibleProfile<'a>| seen.credential.raw_provider();
    // Those of one provider mostly stand together.
    let groups = seen.chunk_by(|one, next| raw(one) == raw(next));
    let named = groups.flat_map(|same| {
        let provider: Rc<str> = provider_id(raw(&same[0])).into();
        same.iter().map(move |seen| (Rc::clone(&provider), seen))
    });
    let mut named: Vec<(Rc<str>, &VisibleProfile<'a>)> = named.collect();
    named.sort_by(|(a_provider, a), (b_provider, b)| {
        collation::compare(a_provider, b_provider)
            .then_with(|| collation::compare(a.id.as_str(), b.id.as_str()))
    });
    named.into_iter().map(|(_, seen)| seen.clone()).collect()
}

fn listed(cx: Context<'_>, effective: &Effective, seen: &[VisibleProfile<'_>]) -> Outcome {
    let now = cx.clock.now();
    let rows = seen
        .iter()
        .map(|seen| {
            let usage = seen.usage;
            let display_name = display_name(seen.credential);
            let email = || email_of(cx, seen.id, seen.credential);
            let whose = display_name.clone().or_else(email);
            let ahead = |end: Option<Timestamp>| end.filter(|end| now < *end);
            Row {
                id: seen.id.clone(),
                owner: seen.owner.clone(),
                label: label(seen.id, whose.as_deref()).into_owned(),
                email: seen.credential.email().map(str::to_owned),
                display_name,
                credential: StoredCredential::of(seen.credential),
                cooldown_until: usage.and_then(|usage| ahead(usage.cooldown_until)),
                disabled_until: usage.and_then(|usage| ahead(usage.disabled_until)),
                in_use: false,
            }
        })
        .collect();
    Outcome {
        rows,
        faults: {
            let mut all = faults(effective, cx.clock.local());
            all.extend(all_unusable_secrets(effective));
            all
        },
    }
}

fn display_name(credential: &Credential) -> Option<String> {
    let text = credential.extra().get("displayName")?;
    let name: String = serde_json::from_str(text).ok()?;
    let name = printable(&name, 120);
    (!name.is_empty()).then_some(name)
}
