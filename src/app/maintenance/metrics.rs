//! Metrics of each login for a monitoring system: numbers, no text. No lock, no network.
//!
//! Each login counts once, where it lies: an agent that reads it through has no copy of it.

use std::path::Path;

use crate::model::credential::Kind as CredentialKind;
use crate::model::expiry::End;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::{Effective, VisibleProfile};
use crate::model::time::Timestamp;
use crate::ports::files::FileError;
use crate::ports::store::{Detail, Scope};

use crate::app::context::Context;
use crate::app::credential::assessment::{NextStep, assess};
use crate::app::credential::facts_reader::FactsReader;
use crate::app::credential::obstacle::Obstacle;
use crate::app::credential::state::Actor;
use crate::app::failure::{Failure, Kind};
use crate::app::hooks::sent_log;
use crate::app::refresh::outcome::RefreshPolicy;

/// The metrics of a state directory.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// When `tick` last ran, if ever.
    pub last_tick: Option<Timestamp>,
    /// Each agent, and whether its document could be read.
    pub agents: Vec<(AgentId, bool)>,
    /// The logins, by agent.
    pub logins: Vec<Login>,
}

/// The metrics of one login.
#[derive(Clone, Debug)]
pub struct Login {
    /// The agent whose document holds it.
    pub agent: AgentId,
    /// The id of its profile.
    pub profile: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// The kind of credential.
    pub kind: CredentialKind,
    /// When its token expires.
    pub end: Option<Timestamp>,
    /// Whether a command would get a token of it now without a person: assessed as usable, and not
    /// cooling down.
    pub usable: bool,
    /// Whether only a person can bring the next token.
    pub needs_login: bool,
    /// Whether any command that needs its token refreshes it.
    pub renews: bool,
    /// When a token endpoint last issued or rotated its grant.
    pub proven_at: Option<Timestamp>,
    /// The end of its cooldown.
    pub cooldown_until: Option<Timestamp>,
    /// The number of temporary failures of a refresh in a row.
    pub failures: u32,
}

/// Gathers the metrics of one agent, or of all.
///
/// # Errors
/// If the agents cannot be listed. A document that cannot be read is a number as well.
pub fn gather(cx: Context<'_>, only: Option<&AgentId>) -> Result<Metrics, Failure> {
    let agents = cx.agents(only)?;
    let now = cx.clock.now();
    let mut reader = FactsReader::new(cx);
    let mut metrics = Metrics {
        last_tick: sent_log::last_tick(cx),
        agents: Vec::new(),
        logins: Vec::new(),
    };
    for agent in agents {
        let own = cx.look(&agent, Scope::All, Detail::Masked);
        metrics.agents.push((agent.clone(), own.is_ok()));
        let Ok(own) = own else {
            continue;
        };
        let own = Effective::new(agent, own, None);
        let logins = own.profiles().into_iter();
        let logins = logins.filter_map(|seen| login(&mut reader, &seen, now));
        metrics.logins.extend(logins);
    }
    Ok(metrics)
}

fn login(reader: &mut FactsReader<'_>, seen: &VisibleProfile<'_>, now: Timestamp) -> Option<Login> {
    let facts = reader.read(seen).ok()?;
    let assessment = assess(&facts, RefreshPolicy::MinValid(None), now);
    let unusable = seen.unusable(now, None);
    let is_stuck = assessment
        .obstacle
        .as_deref()
        .is_some_and(Obstacle::is_permanent);
    let is_ending =
        assessment.actor == Actor::Person && (is_stuck || assessment.trouble().is_some());
    Some(Login {
        agent: seen.owner.clone(),
        profile: seen.id.clone(),
        provider: seen.credential.raw_provider().to_owned(),
        kind: facts.kind,
        end: facts.expires.and_then(|end| End::read_at(end, now).known()),
        usable: assessment.usable_now() && unusable.is_none(),
        needs_login: is_ending || assessment.next == NextStep::NeedsLogin,
        renews: assessment.is_refreshed(&facts),
        proven_at: facts.proven_at(),
        cooldown_until: unusable.map(|unusable| unusable.until),
        failures: facts.failures(),
    })
}

/// Writes a text where a monitoring system reads it: atomically, with the mode that the umask
/// allows. A link is neither followed nor replaced, because its target is not a file of ours.
///
/// # Errors
/// [`Kind::Config`] if something else than a file is at `path`, [`Kind::Storage`] if it cannot be
/// written.
pub fn put(cx: Context<'_>, path: &Path, text: &str) -> Result<(), Failure> {
    let path = cx.dirs.cwd.join(path);
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(no_file(&path));
    };
    let place = cx.files.resolve(parent)?.join(name);
    let is_file = match cx.files.stat(&place)? {
        None => true,
        Some(stat) => stat.is_file,
    };
    // Where a link leads nowhere nothing is found, and its name resolves to another.
    if !is_file || cx.files.resolve(&place)? != place {
        return Err(no_file(&path));
    }
    let mut chance = [0; 8];
    let random = cx.random.fill(&mut chance);
    random.map_err(|error| Failure::new(Kind::Storage, error.to_string()))?;
    let chance = u64::from_ne_bytes(chance);
    // Collectors read what ends in .prom and nothing else.
    let draft = place.with_file_name(format!(".{}.{chance:016x}.tmp", name.display()));
    cx.files.create_new(&draft, text.as_bytes(), 0o644)?;
    cx.files.rename(&draft, &place).map_err(|error: FileError| {
        // The first failure is the one to tell.
        let _ = cx.files.remove(&draft);
        Failure::from(error)
    })
}

fn no_file(path: &Path) -> Failure {
    let message = format!(
        "{} is not a regular file and was left unchanged",
        path.display()
    );
    let failure = Failure::new(Kind::Config, message);
    failure.hint("name a regular file in the directory of the collector, or - for standard output")
}
