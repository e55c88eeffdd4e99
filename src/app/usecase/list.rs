//! `models auth list`: every profile an agent sees, as facts, without a secret.

use crate::app::credential::document_faults::faults;
use crate::model::credential::{Credential, Kind};
use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::model::profiles::VisibleProfile;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::store::Scope;

use crate::app::context::Context;
use crate::app::credential::account::email_of;
use crate::app::failure::Failure;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Whether it was named, and not just the default.
    pub agent_named: bool,
    /// Of one provider only.
    pub provider: Option<ProviderId>,
}

/// One profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub id: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// What it holds.
    pub kind: Kind,
    /// The agent in whose document it lies.
    pub owner: AgentId,
    /// Its name, and whose it is.
    pub label: String,
    /// `displayName`, as a later release writes it.
    pub display_name: Option<String>,
    /// E-mail, if known.
    pub email: Option<String>,
    /// When its token ends, if that is known.
    pub expires: Option<Timestamp>,
    /// A short name of its secret that tells nothing about it; `None` if it holds none.
    pub fingerprint: Option<String>,
    /// Passed over until then after failures.
    pub cooldown_until: Option<Timestamp>,
    /// Disabled until then after a billing failure.
    pub disabled_until: Option<Timestamp>,
}

impl Row {
    /// The normalised name of its provider, where it can be one.
    pub fn provider_id(&self) -> String {
        let id = ProviderId::parse(&self.provider);
        id.map_or_else(|_| self.provider.clone(), |id| id.to_string())
    }
}

/// Profiles, and what is wrong with the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The profiles.
    pub rows: Vec<Row>,
    /// Entries that cannot be used, and faults of the documents, each a sentence.
    pub faults: Vec<String>,
}

/// Lists them, sorted by provider and name.
///
/// # Errors
/// If the agent was named and is not configured, or a document cannot be read.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let mut outcome = in_file_order(cx, request)?;
    let rows = &mut outcome.rows;
    rows.sort_by(|a, b| (a.provider_id(), &a.id).cmp(&(b.provider_id(), &b.id)));
    Ok(outcome)
}

/// Lists them as they stand in the documents, main's first.
///
/// # Errors
/// If the agent was named and is not configured, or a document cannot be read.
pub fn in_file_order(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    // What main holds is what the others inherit, whether or not it is an agent, too.
    if request.agent_named && !request.agent.is_main() {
        cx.require_agent(&request.agent)?;
    }
    let effective = cx.effective(&request.agent, Scope::All)?;
    let now = cx.clock.now();
    let rows = effective
        .profiles()
        .iter()
        .filter(|seen| request.provider.is_none() || seen.credential.provider() == request.provider)
        .map(|seen| {
            let usage = seen.usage;
            let ahead = |end: Option<Timestamp>| end.filter(|end| now < *end);
            Row {
                id: seen.id.clone(),
                provider: seen.credential.raw_provider().to_owned(),
                kind: seen.credential.kind(),
                owner: seen.owner.clone(),
                label: label(cx, seen),
                display_name: display_name(seen.credential),
                email: seen.credential.email().map(str::to_owned),
                expires: seen.credential.expires(),
                fingerprint: seen.credential.bearer().map(Secret::fingerprint),
                cooldown_until: usage.and_then(|usage| ahead(usage.cooldown_until)),
                disabled_until: usage.and_then(|usage| ahead(usage.disabled_until)),
            }
        })
        .collect();
    Ok(Outcome {
        rows,
        faults: faults(&effective),
    })
}

fn label(cx: Context<'_>, seen: &VisibleProfile<'_>) -> String {
    let email = || email_of(cx, seen.id, seen.credential);
    match display_name(seen.credential).or_else(email) {
        Some(whose) => format!("{} ({whose})", seen.id),
        None => seen.id.to_string(),
    }
}

fn display_name(credential: &Credential) -> Option<String> {
    let text = credential.extra().get("displayName")?;
    let name: String = serde_json::from_str(text).ok()?;
    let name = printable(&name, 120);
    (!name.is_empty()).then_some(name)
}
