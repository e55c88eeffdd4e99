//! What is wrong with the documents that an agent sees.

use crate::model::id::printable;
use crate::model::profiles::{Content, Effective};

/// What is wrong with what an agent sees, each a sentence that holds nothing of any secret.
pub(in crate::app) fn faults(effective: &Effective) -> Vec<String> {
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
