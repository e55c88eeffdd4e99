//! Logins of the files whose refresh tokens went elsewhere before.

use std::collections::HashSet;

use super::collect::{LeftOut, Selection};
use super::import::{Action, Row};
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::credential::OAuth;
use crate::model::id::ProfileId;
use crate::ports::store::{Detail, Scope};

/// What there is of them.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) rows: Vec<Row>,
    pub(super) left_out: Vec<LeftOut>,
    /// The names that no agent has otherwise.
    pub(super) names: HashSet<ProfileId>,
}

/// Finds those of the selection, and whether the database has them.
///
/// # Errors
/// If a document cannot be read.
pub(super) fn gone_before(
    from: Context<'_>,
    to: Context<'_>,
    selection: &Selection,
) -> Result<Gone, Failure> {
    let mut gone = Gone::default();
    let mut still_here = HashSet::new();
    for agent in from.store.agents()? {
        let document = from.store.look(&agent, Scope::All, Detail::Masked)?;
        let wanted = document
            .profiles()
            .filter(|(id, _)| selection.wants(&agent, id));
        for (profile, credential) in wanted {
            let Some(moved) = credential.as_oauth().and_then(OAuth::moved) else {
                still_here.insert(profile.clone());
                continue;
            };
            let (agent, profile) = (agent.clone(), profile.clone());
            gone.names.insert(profile.clone());
            let there = to
                .store
                .look(&agent, Scope::Profile(&profile), Detail::Masked)?;
            let there = there.get(&profile);
            match (there, moved.is_in_database()) {
                (Some(there), true) => gone.rows.push(Row {
                    agent,
                    profile,
                    action: Action::Unchanged,
                    refresh_token: there.as_oauth().map(|it| it.refresh_token().is_some()),
                    expires: there.expires(),
                }),
                (_, is_in_database) => gone.left_out.push(LeftOut {
                    agent,
                    profile,
                    reason: match is_in_database {
                        true => "it was moved into a database, and is not in this one",
                        false => "it was moved to another machine",
                    }
                    .to_owned(),
                }),
            }
        }
    }
    gone.names.retain(|id| !still_here.contains(id));
    Ok(gone)
}
