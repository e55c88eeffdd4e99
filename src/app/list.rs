//! `models auth list`: every profile an agent sees, as facts, without a secret.

use crate::model::credential::Kind;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::profiles::{Content, Effective};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::store::Scope;

use super::Ports;
use super::failure::Failure;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
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

/// Profiles sorted by provider and name, and what is wrong with the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The profiles.
    pub rows: Vec<Row>,
    /// Entries that cannot be used, and faults of the documents, each a sentence.
    pub faults: Vec<String>,
}

/// Lists them.
///
/// # Errors
/// If a document cannot be read.
pub fn run(ports: Ports<'_>, request: &Request) -> Result<Outcome, Failure> {
    let effective = ports.effective(&request.agent, Scope::All)?;
    let now = ports.clock.now();
    let mut rows: Vec<Row> = effective
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
                email: seen.credential.email().map(str::to_owned),
                expires: seen.credential.expires(),
                fingerprint: seen.credential.bearer().map(Secret::fingerprint),
                cooldown_until: usage.and_then(|usage| ahead(usage.cooldown_until)),
                disabled_until: usage.and_then(|usage| ahead(usage.disabled_until)),
            }
        })
        .collect();
    rows.sort_by(|a, b| (&a.provider, &a.id).cmp(&(&b.provider, &b.id)));
    Ok(Outcome {
        rows,
        faults: faults(&effective),
    })
}

/// What is wrong with what an agent sees, each a sentence that holds nothing of any secret.
pub(super) fn faults(effective: &Effective) -> Vec<String> {
    let mut faults = Vec::new();
    for document in [Some(&effective.own), effective.main.as_ref()]
        .into_iter()
        .flatten()
    {
        faults.extend(document.faults.iter().cloned());
        for entry in document.entries() {
            match &entry.content {
                Content::Invalid { fault } => {
                    let key = crate::model::id::printable(&entry.key, 80);
                    faults.push(format!("profile \"{key}\" is not used: {fault}"));
                }
                Content::Valid(id, credential) => {
                    faults.extend(credential.end().and_then(|end| end.fault(id)));
                }
            }
        }
    }
    faults
}
