//! `agents inherit`: how much of the main agent's credentials another agent sees.

use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::inheritance::Inheritance;
use crate::model::profiles::AuthProfiles;
use crate::ports::store::{Detail, Scope};

use super::registry::must_exist;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

/// The inheritance of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The agent.
    pub agent: AgentId,
    /// How much it inherits.
    pub inheritance: Inheritance,
    /// Whether this command changed it.
    pub changed: bool,
}

/// Sets what an agent, by its name as typed, inherits from the main agent; without a setting, shows
/// the present one.
///
/// # Errors
/// [`Kind::NotFound`] for an agent that is not configured and a link to what main does not hold,
/// [`Kind::Usage`] for main itself, and what the store says.
pub fn run(cx: Context<'_>, typed: &str, set: Option<&Inheritance>) -> Result<Outcome, Failure> {
    let agent = AgentId::normalise(typed);
    if agent.is_main() {
        let failure = Failure::new(Kind::Usage, "the main agent inherits from no other agent");
        return Err(failure.hint(Command::list_agents()));
    }
    must_exist(cx, &agent, typed)?;
    let Some(wanted) = set else {
        let inheritance = cx.store.inheritance(&agent)?;
        return Ok(Outcome {
            agent,
            inheritance,
            changed: false,
        });
    };
    if !wanted.links().is_empty() {
        let main = cx
            .store
            .look(&AgentId::main(), Scope::All, Detail::Masked)?;
        if let Some(lost) = dangling(wanted, &main).next() {
            let message = format!("main has no profile {lost}");
            let failure = Failure::new(Kind::NotFound, message);
            return Err(failure.hint(Command::list().of_agent(&AgentId::main())));
        }
    }
    cx.store.set_inheritance(&agent, wanted)?;
    Ok(Outcome {
        agent,
        inheritance: wanted.clone(),
        changed: true,
    })
}

/// Returns the links to profiles that main does not hold.
pub(in crate::app) fn dangling<'a>(
    inheritance: &'a Inheritance,
    main: &'a AuthProfiles,
) -> impl Iterator<Item = &'a ProfileId> {
    let links = inheritance.links().iter();
    links.filter(|id| main.get(id).is_none())
}
