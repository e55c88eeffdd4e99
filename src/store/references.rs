//! What still speaks of a grant.

use std::collections::HashSet;

use crate::model::credential::OAuth;
use crate::model::grant::GrantDigest;
use crate::model::history::Saved;
use crate::ports::store::{History as _, Scope, StoreError};

use super::io::FileStore;
use super::read;
use super::saved_answer;

/// Every grant that lies in a document, among the generations of a history, or in a saved answer;
/// `None` if one of them cannot be read.
pub(super) fn all(cx: &FileStore) -> Option<HashSet<GrantDigest>> {
    let found = || -> Result<Option<HashSet<GrantDigest>>, StoreError> {
        let mut grants: HashSet<GrantDigest> = saved_answer::grants(cx)?.into_iter().collect();
        for agent in read::agents(cx)? {
            let document = read::load(cx, &agent, Scope::All)?;
            let held = document.profiles().filter_map(|(_, held)| held.as_oauth());
            grants.extend(held.filter_map(OAuth::grant));
            let kept = cx.history(&agent, None)?;
            if !kept.faults.is_empty() {
                return Ok(None);
            }
            for history in kept.histories {
                grants.extend(history.saved.as_ref().and_then(Saved::grant));
                let generations = history.generations.into_iter();
                grants.extend(generations.filter_map(|generation| generation.grant));
            }
        }
        Ok(Some(grants))
    };
    found().ok().flatten()
}
