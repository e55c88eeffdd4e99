//! `models auth use`: selects a profile for an agent or for a directory.
//!
//! For an agent it goes to the front of the order and the others stay behind it, so that there is
//! still something to turn to. In a directory it is the only one: whoever binds a directory wants
//! that account there and no other bill.

use std::path::{Path, PathBuf};

use crate::config::directories::{Bound, Directories};
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::path::{fold, resolve};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::Effective;
use crate::model::selection::{self, Verdict};
use crate::ports::lock;
use crate::ports::store::{Detail, Scope};

use super::order::{put, tell_unusable, write};
use crate::app::context::{Context, look_up_provider};
use crate::app::failure::{Failure, Kind};

/// The order of an agent with a profile in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct First {
    /// The provider.
    pub provider: ProviderId,
    /// The order; the profile is the first.
    pub order: Vec<String>,
    /// Whether this command changed it.
    pub changed: bool,
}

/// The orders and bindings in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The orders that apply to the agent.
    pub orders: Vec<Ordered>,
    /// Every binding, and whether it applies in the working directory.
    pub directories: Vec<(Bound, bool)>,
}

/// An order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// The provider as written.
    pub provider: String,
    /// The profiles.
    pub order: Vec<String>,
    /// The agent whose order it is.
    pub owner: AgentId,
}

/// Puts a profile first in the agent's own order, before those of the present one.
///
/// # Errors
/// [`Kind::NotFound`] if the agent does not see it, and what the store says.
pub fn for_agent(cx: Context<'_>, agent: &AgentId, profile: &ProfileId) -> Result<First, Failure> {
    cx.require_agent(agent)?;
    let mut effective = cx.effective(agent, Scope::All)?;
    let provider = look_up_provider(&effective, profile)?;
    let mut order = vec![profile.as_str().to_owned()];
    for id in present(cx, &effective, &provider) {
        if !order.contains(&id) {
            order.push(id);
        }
    }
    let directories = Directories::load(cx.files, &cx.dirs.state)?;
    let changed = write(cx, agent, &provider, Some(&order))?;
    put(&mut effective.own.order, &provider, Some(&order));
    tell_unusable(cx, &effective, &provider);
    if let Some(bound) = directories.nearest(&cx.dirs.cwd, &provider)
        && bound.profile != *profile
    {
        let sentence = format!(
            "{} is bound to {}, which takes precedence there",
            bound.directory.display(),
            bound.profile
        );
        cx.warn(sentence);
    }
    Ok(First {
        provider,
        order,
        changed,
    })
}

/// Binds a directory and everything below it to a profile. Returns the binding, and the profile it
/// was bound to before.
///
/// # Errors
/// [`Kind::NotFound`] if the agent does not see the profile or there is no such directory, and what
/// the file of bindings says.
pub fn in_directory(
    cx: Context<'_>,
    agent: &AgentId,
    profile: &ProfileId,
    directory: &Path,
) -> Result<(Bound, Option<ProfileId>), Failure> {
    cx.require_agent(agent)?;
    let effective = cx.effective(agent, Scope::Profile(profile))?;
    let provider = look_up_provider(&effective, profile)?;
    let path = spelt_out(cx, directory);
    let stat = cx.files.stat(&path)?;
    if !stat.is_some_and(|stat| stat.is_dir) {
        let message = format!("{} is not a directory", path.display());
        return Err(Failure::new(Kind::NotFound, message));
    }
    let bound = Bound {
        directory: cx.files.resolve(&path)?,
        provider,
        profile: profile.clone(),
    };
    let (doors, wait) = ((cx.files, cx.clock), cx.wait(lock::SHORT));
    let before = Directories::bind(doors, &cx.dirs.state, &bound, &wait)?;
    Ok((bound, before))
}

/// Removes the agent's own order of a provider; if none is named, the only one there is. Returns
/// the provider, if there was an order.
///
/// # Errors
/// [`Kind::Usage`] if none is named and there are several, and what the store says.
pub fn clear_agent(
    cx: Context<'_>,
    agent: &AgentId,
    provider: Option<&ProviderId>,
) -> Result<Option<ProviderId>, Failure> {
    cx.require_agent(agent)?;
    let own = cx.store.look(agent, Scope::All, Detail::Masked)?;
    let ordered = own.order.iter();
    let mut ordered: Vec<ProviderId> = ordered
        .filter_map(|(key, _)| ProviderId::parse(key).ok())
        .filter(|id| provider.is_none_or(|provider| provider == id))
        .collect();
    ordered.sort();
    ordered.dedup();
    if let [first, _, ..] = ordered.as_slice() {
        let names: Vec<&str> = ordered.iter().map(ProviderId::as_str).collect();
        let message = format!(
            "several providers have an order ({}); choose one",
            names.join(", ")
        );
        let hint = Command::new("models auth use --clear").option("--provider", first);
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    let Some(provider) = ordered.pop() else {
        return Ok(None);
    };
    let changed = write(cx, agent, &provider, None)?;
    Ok(changed.then_some(provider))
}

/// Removes the bindings of a directory itself, for one provider or all. The directory need not
/// exist.
///
/// # Errors
/// What the file of bindings says.
pub fn clear_directory(
    cx: Context<'_>,
    directory: &Path,
    provider: Option<&ProviderId>,
) -> Result<Vec<Bound>, Failure> {
    let path = spelt_out(cx, directory);
    let path = cx.files.resolve(&path).unwrap_or_else(|_| fold(&path));
    let (doors, wait) = ((cx.files, cx.clock), cx.wait(lock::SHORT));
    Ok(Directories::unbind(
        doors,
        &cx.dirs.state,
        (&path, provider),
        &wait,
    )?)
}

/// Lists the orders and bindings in force.
///
/// # Errors
/// What the store and the file of bindings say.
pub fn list(cx: Context<'_>, agent: &AgentId) -> Result<Listing, Failure> {
    cx.require_agent(agent)?;
    let effective = cx.effective(agent, Scope::All)?;
    let main = AgentId::main();
    let own = effective
        .own
        .order
        .iter()
        .map(|entry| (entry, &effective.agent));
    let inherited = effective.main.iter().flat_map(|main| &main.order);
    let all = own.chain(inherited.map(|entry| (entry, &main)));
    let mut orders: Vec<Ordered> = Vec::new();
    for ((provider, order), owner) in all {
        let same =
            |other: &Ordered| ProviderId::parse(&other.provider) == ProviderId::parse(provider);
        if !orders.iter().any(same) {
            orders.push(Ordered {
                provider: provider.clone(),
                order: order.clone(),
                owner: owner.clone(),
            });
        }
    }
    let directories = Directories::load(cx.files, &cx.dirs.state)?;
    let here = |bound: &Bound| {
        let nearest = directories.nearest(&cx.dirs.cwd, &bound.provider);
        nearest.as_ref() == Some(bound)
    };
    let all = directories.all().into_iter();
    Ok(Listing {
        orders,
        directories: all.map(|bound| (bound.clone(), here(&bound))).collect(),
    })
}

/// Returns the present order: the one that is written, else that of selection. Expired or empty
/// profiles keep their place, because they may be stored again.
fn present(cx: Context<'_>, effective: &Effective, provider: &ProviderId) -> Vec<String> {
    let written = effective.order_of(provider);
    if let Some(ids) = written.or_else(|| cx.settings.order_of(provider)) {
        return ids.iter().map(|id| id.trim().to_owned()).collect();
    }
    let now = cx.clock.now();
    let index = ProfileIndex::new(effective);
    let decision = selection::decide(&index, cx.settings, provider, (None, None), now);
    let candidates = decision.candidates.into_iter().filter(|candidate| {
        matches!(
            candidate.verdict,
            Verdict::Eligible
                | Verdict::CoolingDown(_)
                | Verdict::Expired
                | Verdict::NoSecret
                | Verdict::Elsewhere
                | Verdict::SecretFault(_)
        )
    });
    candidates
        .map(|candidate| candidate.id.as_str().to_owned())
        .collect()
}

/// Returns a directory as an absolute path; the system resolves `..`.
fn spelt_out(cx: Context<'_>, directory: &Path) -> PathBuf {
    match directory.starts_with("~") {
        true => resolve(directory, &cx.dirs.home, &cx.dirs.cwd),
        false => cx.dirs.cwd.join(directory),
    }
}
