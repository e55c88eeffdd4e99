//! The documents that an agent sees, and what is wrong with them.

use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::credential::SecretFault;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, printable};
use crate::model::profiles::{AuthProfiles, Content, Effective};
use crate::model::time::LocalTime;
use crate::ports::store::{Detail, Scope, StoreError};

/// Loads what an agent sees, with no more of each secret than a view shows. A document that is not JSON
/// counts as empty and becomes a fault.
pub(in crate::app) fn look_effective(
    cx: Context<'_>,
    agent: &AgentId,
    detail: Detail,
) -> Result<(Effective, Vec<String>), Failure> {
    readable(cx, agent, &|agent| cx.look(agent, Scope::All, detail))
}

/// The same with the secrets.
pub(in crate::app) fn load_effective(
    cx: Context<'_>,
    agent: &AgentId,
) -> Result<(Effective, Vec<String>), Failure> {
    readable(cx, agent, &|agent| cx.load(agent, Scope::All))
}

fn readable(
    cx: Context<'_>,
    agent: &AgentId,
    load: &dyn Fn(&AgentId) -> Result<AuthProfiles, StoreError>,
) -> Result<(Effective, Vec<String>), Failure> {
    let mut wrong = Vec::new();
    let mut load = |agent: &AgentId| match load(agent) {
        Ok(document) => Ok(document),
        Err(error @ StoreError::Corrupt { .. }) => {
            wrong.push(format!("{error}; it was left unchanged"));
            Ok(AuthProfiles::default())
        }
        Err(error) => Err(Failure::from(error)),
    };
    let effective = cx.overlay(agent, &mut load)?;
    Ok((effective, wrong))
}

/// Lists what is wrong with the documents, one sentence each, without any secret.
pub(in crate::app) fn faults(effective: &Effective, local: LocalTime) -> Vec<String> {
    let mut faults = Vec::new();
    for document in [Some(&effective.own), effective.main.as_ref()]
        .into_iter()
        .flatten()
    {
        faults.extend(document.faults.iter().cloned());
        for entry in document.entries() {
            match &entry.content {
                Content::Invalid { fault } => {
                    let key = printable(&entry.key, 80);
                    faults.push(format!("profile \"{key}\" is ignored: {fault}"));
                }
                Content::Valid(id, credential) => {
                    faults.extend(credential.end().and_then(|end| end.fault(id, local)));
                    faults.extend(credential.has_unread_end().then(|| unread_end(id)));
                }
            }
        }
    }
    faults
}

/// Lists the secrets of a document that no header can hold, one sentence each, with the command that
/// stores another one.
pub(in crate::app) fn unusable_secrets(
    document: &AuthProfiles,
) -> impl Iterator<Item = (String, Command)> {
    document.profiles().filter_map(|(id, credential)| {
        let fault = credential.secret_fault()?;
        let is_told = matches!(fault, SecretFault::Bearer(_));
        let words = fault.words();
        let mend = |provider| Command::store(&provider, Some(id), credential.kind());
        is_told.then(|| {
            let words = format!("the secret of {id} {words}; it is kept and not used");
            let command = credential.provider().map_or_else(Command::list, mend);
            (words, command)
        })
    })
}

/// The same for all documents that an agent sees.
pub(in crate::app) fn all_unusable_secrets(effective: &Effective) -> impl Iterator<Item = String> {
    let documents = [Some(&effective.own), effective.main.as_ref()];
    let all = documents.into_iter().flatten().flat_map(unusable_secrets);
    all.map(|(words, _)| words)
}

/// Says that the end of a credential is stored as something that is no time.
pub(in crate::app) fn unread_end(id: &ProfileId) -> String {
    format!("the stored expiry of {id} is no time; treating it as unknown")
}
