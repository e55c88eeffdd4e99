//! What a monitoring system is told of each login: numbers, no words. No lock, no network.
//!
//! Each login counts once, where it lies: an agent that reads it through has no copy of it.

use std::path::Path;
use std::time::Duration;

use crate::model::credential::Kind as CredentialKind;
use crate::model::expiry::End;
use crate::model::expiry::{Freshness, freshness};
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::{Effective, VisibleProfile};
use crate::model::time::Timestamp;
use crate::ports::files::FileError;
use crate::ports::store::Scope;

use crate::app::context::Context;
use crate::app::credential::facts::{Facts, Renewal, facts};
use crate::app::failure::{Failure, Kind};
use crate::app::hooks::sent_log;

/// Everything there is to tell.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// When `tick` was last run, if ever.
    pub last_tick: Option<Timestamp>,
    /// Each agent, and whether its document could be read.
    pub agents: Vec<(AgentId, bool)>,
    /// Each login, by agent.
    pub logins: Vec<Login>,
}

/// One login in numbers.
#[derive(Clone, Debug)]
pub struct Login {
    /// In whose document it lies.
    pub agent: AgentId,
    /// Its name.
    pub profile: ProfileId,
    /// Its provider as written.
    pub provider: String,
    /// What it holds.
    pub kind: CredentialKind,
    /// When its token ends.
    pub end: Option<Timestamp>,
    /// Whether a token of it can be had now without a person.
    pub usable: bool,
    /// Whether only a person brings the next one.
    pub needs_login: bool,
    /// Whether it is renewed by whoever asks for a token.
    pub renews: bool,
    /// When its grant was last proven.
    pub proven_at: Option<Timestamp>,
    /// Passed over until then.
    pub cooldown_until: Option<Timestamp>,
    /// Attempts in a row to renew it that failed in passing.
    pub failures: u32,
}

/// Gathers the numbers of one agent, or of all.
///
/// # Errors
/// If the agents cannot be listed. A document that cannot be read is a number as well.
pub fn gather(cx: Context<'_>, only: Option<&AgentId>) -> Result<Metrics, Failure> {
    let agents = match only {
        Some(agent) => vec![agent.clone()],
        None => cx.store.agents()?,
    };
    let now = cx.clock.now();
    let mut metrics = Metrics {
        last_tick: sent_log::last_tick(cx),
        agents: Vec::new(),
        logins: Vec::new(),
    };
    for agent in agents {
        let own = cx.store.load(&agent, Scope::All);
        metrics.agents.push((agent.clone(), own.is_ok()));
        let Ok(own) = own else {
            continue;
        };
        let own = Effective::new(agent, own, None);
        let logins = own.profiles().into_iter();
        metrics
            .logins
            .extend(logins.filter_map(|seen| login(cx, &seen, now)));
    }
    Ok(metrics)
}

fn login(cx: Context<'_>, seen: &VisibleProfile<'_>, now: Timestamp) -> Option<Login> {
    // The journal is advice; where it cannot be read the store's own facts are told.
    let facts = facts(cx, seen).ok()?;
    let credential = seen.credential;
    let (needs_login, has_token) = judge(cx, seen, &facts, now);
    let unusable = seen.unusable(now, None);
    let end = credential.expires();
    Some(Login {
        agent: seen.owner.clone(),
        profile: seen.id.clone(),
        provider: credential.raw_provider().to_owned(),
        kind: credential.kind(),
        end: end.map(|end| End::read_at(end, now).at),
        usable: has_token && unusable.is_none(),
        needs_login,
        renews: facts.renewal == Renewal::Automatic && !needs_login,
        proven_at: facts.proven_at,
        cooldown_until: unusable.map(|unusable| unusable.until),
        failures: facts.failures,
    })
}

/// Whether only a person brings the next token, and whether one can be had now.
fn judge(
    cx: Context<'_>,
    seen: &VisibleProfile<'_>,
    facts: &Facts,
    now: Timestamp,
) -> (bool, bool) {
    let credential = seen.credential;
    let has_secret = credential.bearer().is_some_and(|secret| !secret.is_blank());
    let lives = match (credential.expires(), credential.kind()) {
        (None, CredentialKind::OAuth) => false,
        (None, _) => true,
        (end, _) => !matches!(
            freshness(end, now, Duration::ZERO),
            Freshness::Expired { .. }
        ),
    };
    let has_token = has_secret && lives;
    // Without its provider nothing is renewed, and nobody need log in either.
    let is_known = || {
        let provider = credential.provider();
        provider.is_some_and(|id| cx.provider_of(&id, credential).is_ok())
    };
    match facts.renewal {
        Renewal::Never => (!has_token, has_token),
        // Whatever can be renewed gives a token to whoever asks, unless the grant is dead.
        Renewal::Automatic if !facts.is_dead() => (false, has_token || is_known()),
        Renewal::Automatic | Renewal::ByCommand => (facts.is_dead(), has_token),
    }
}

/// Puts a text where a monitoring system looks for it: whole or not at all, readable by everybody
/// whom the umask lets. A link is neither followed nor replaced, because what it leads to is no
/// file of ours.
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
    let message = format!("{} is no plain file and is left alone", path.display());
    let failure = Failure::new(Kind::Config, message);
    failure.hint("name a file, not a link, in a directory of the collector; - is standard output")
}
