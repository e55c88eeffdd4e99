//! Logins of the files whose refresh tokens went elsewhere before.

use std::collections::HashSet;

use super::collect::{LeftOut, Selection};
use super::import::{Action, Row};
use super::ledger::{self, Fate};
use super::merge::is_other_account;
use crate::app::context::Context;
use crate::app::failure::Failure;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::GrantDigest;
use crate::model::id::{AgentId, ProfileId};
use crate::model::moved::Moved;
use crate::ports::store::{Detail, Scope};

/// So many refreshes of a login are followed to find out whether it is the one that moved.
const FOLLOWED: usize = 256;

/// What there is of them.
#[derive(Default)]
pub(super) struct Gone {
    pub(super) rows: Vec<Row>,
    pub(super) left_out: Vec<LeftOut>,
    /// The names that no agent has otherwise.
    pub(super) names: HashSet<ProfileId>,
}

/// A login whose refresh token went elsewhere.
struct Trace<'a> {
    agent: &'a AgentId,
    profile: &'a ProfileId,
    login: &'a OAuth,
    moved: Moved,
}

/// Where it is, as far as that is known.
enum Whereabouts {
    /// In the database, by its own name.
    Here(Row),
    /// Nowhere that this machine knows of.
    Lost(String),
    /// Elsewhere, or over.
    Elsewhere(String),
}

/// Finds those of the selection, and whether the database, which is at `here`, has them.
///
/// # Errors
/// If a document or the journal cannot be read.
pub(super) fn gone_before(
    from: Context<'_>,
    to: Context<'_>,
    (selection, here): (&Selection, &str),
) -> Result<Gone, Failure> {
    let mut gone = Gone::default();
    let mut still_here = HashSet::new();
    for agent in from.store.agents()? {
        let document = from.store.look(&agent, Scope::All, Detail::Masked)?;
        let wanted = document
            .profiles()
            .filter(|(id, _)| selection.wants(&agent, id));
        for (profile, credential) in wanted {
            let login = credential.as_oauth();
            let Some((login, moved)) = login.and_then(|login| Some((login, login.moved()?))) else {
                still_here.insert(profile.clone());
                continue;
            };
            gone.names.insert(profile.clone());
            let trace = Trace {
                agent: &agent,
                profile,
                login,
                moved,
            };
            match trace.follow(to, here)? {
                Whereabouts::Here(row) => gone.rows.push(row),
                Whereabouts::Lost(why) => gone.rows.push(Row {
                    refresh_token: Some(false),
                    ..trace.row(Action::Refused(why), credential)
                }),
                Whereabouts::Elsewhere(reason) => gone.left_out.push(LeftOut {
                    agent: agent.clone(),
                    profile: profile.clone(),
                    reason,
                }),
            }
        }
    }
    gone.names.retain(|id| !still_here.contains(id));
    Ok(gone)
}

impl Trace<'_> {
    fn row(&self, action: Action, credential: &Credential) -> Row {
        Row {
            agent: self.agent.clone(),
            profile: self.profile.clone(),
            action,
            refresh_token: (credential.as_oauth()).map(|it| it.refresh_token().is_some()),
            expires: credential.expires(),
        }
    }

    fn follow(&self, to: Context<'_>, here: &str) -> Result<Whereabouts, Failure> {
        let moved = &self.moved;
        if !moved.is_in_database() {
            let reason = "it was moved to another machine".to_owned();
            return Ok(Whereabouts::Elsewhere(reason));
        }
        let document = (to.store).look(self.agent, Scope::Profile(self.profile), Detail::Masked)?;
        if let Some(there) = document.get(self.profile) {
            if self.is_still(to, there)? {
                return Ok(Whereabouts::Here(self.row(Action::Unchanged, there)));
            }
            let reason = format!(
                "it was moved, and the database holds {}",
                self.compared(there)
            );
            return Ok(Whereabouts::Elsewhere(reason));
        }
        // What is left of an import was taken in before, so the file that held it is gone.
        if ledger::look(to, &moved.bundle)?.is_none_or(|(fate, _)| fate != Fate::Imported) {
            let why = format!(
                "an import that was interrupted moved it to {}, which is gone",
                moved.to
            );
            return Ok(Whereabouts::Lost(why));
        }
        Ok(Whereabouts::Elsewhere(match &moved.database {
            Some(at) if at == here => {
                "it was moved into this database, and was removed there since".to_owned()
            }
            _ => format!(
                "it was moved into {}, and is not in the one at {here}",
                moved.destination()
            ),
        }))
    }

    /// Whether what is there is the login that moved, however often it was refreshed since.
    fn is_still(&self, to: Context<'_>, there: &Credential) -> Result<bool, Failure> {
        let Some(there) = there.as_oauth().and_then(OAuth::grant) else {
            return Ok(false);
        };
        let mut grant: GrantDigest = self.moved.grant.clone();
        for _ in 0..FOLLOWED {
            if grant == there {
                return Ok(true);
            }
            let record = to.store.grant_record(&grant)?;
            let Some(next) = record.and_then(|record| record.successor()) else {
                return Ok(false);
            };
            grant = next;
        }
        Ok(false)
    }

    /// What the database holds by its name, in words.
    fn compared(&self, there: &Credential) -> &'static str {
        let Some(other) = there
            .as_oauth()
            .filter(|it| it.provider == self.login.provider)
        else {
            return "another credential of that name";
        };
        let (old, new) = (&self.login.identity, &other.identity);
        match old.is_same(new) {
            true => "another login of that name, of the same account",
            false if is_other_account(old, new) => "a login of that name of another account",
            false => "another login of that name; of which account is not known",
        }
    }
}
