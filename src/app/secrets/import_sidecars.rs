//! `secrets import --from-openclaw`: rescues the logins whose tokens OpenClaw 2026.5.12 kept in
//! encrypted files beside the store, which no later release reads.
//!
//! The tokens go into the profile itself, in the clear or sealed as the store says, by the one writer
//! that every login has. The files stay where they are.

use std::path::{Path, PathBuf};

use super::moving::admission::grant_fault;
use super::moving::import::{Action, Row};
use super::require_declared_store;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::credential::{Credential, OAuth};
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::AuthProfiles;
use crate::model::secret::Secret;
use crate::model::sidecar::{self, REFERENCE, SidecarFault, SidecarOwner};
use crate::ports::store::Scope;

/// The variable that holds the key.
const KEY: &str = "OPENCLAW_AUTH_PROFILE_SECRET_KEY";
/// The file that holds it.
const KEY_FILE: &str = "auth-profile-secret-key";
/// Where the files lie, below the state directory.
const DIRECTORY: &str = "credentials/auth-profiles";
/// A longer one was not written by that release.
const LONGEST: u64 = 1 << 20;

/// What was done, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// The profiles that refer to such a file.
    pub rows: Vec<Row>,
    /// The failure if one of them could not be rescued; the others were.
    pub failure: Option<Failure>,
}

/// A profile whose file was looked at.
struct Found {
    id: ProfileId,
    /// The reference, so that another one that took its place meanwhile is left alone.
    reference: String,
    tokens: Result<OAuth, String>,
}

/// Rescues what can be. A profile that has a token of its own keeps it without `force`.
///
/// # Errors
/// What the store says: what was rescued before that stays, and a second run does the rest.
pub fn run(cx: Context<'_>, (force, dry_run): (bool, bool)) -> Result<Outcome, Failure> {
    // What is sealed would look like a token of the profile.
    cx.sealer()?;
    let seeds = seeds(cx);
    let mut rows = Vec::new();
    for agent in cx.store.agents()? {
        let document = cx.store.load(&agent, Scope::All)?;
        let found = look(cx, &document, &seeds)?;
        if !found.is_empty() {
            rows.extend(rescue(cx, &agent, (&document, &found), (force, dry_run))?);
        }
    }
    let failed = rows
        .iter()
        .filter(|row| matches!(row.action, Action::Refused(_)));
    let failure = match failed.count() {
        0 => None,
        count => {
            let is_changed = !dry_run && rows.iter().any(is_stored);
            let touched = match is_changed {
                true => StoreEffect::Changed,
                false => StoreEffect::Nothing,
            };
            Some(not_rescued(count, seeds.is_empty()).touched(touched))
        }
    };
    Ok(Outcome { rows, failure })
}

/// Opens the files of the profiles that refer to one.
fn look(
    cx: Context<'_>,
    document: &AuthProfiles,
    seeds: &[Secret<String>],
) -> Result<Vec<Found>, Failure> {
    let mut found = Vec::new();
    for (id, credential) in document.profiles() {
        let Some((login, reference, file)) = reference_of(credential) else {
            continue;
        };
        let owner = SidecarOwner {
            id: &file,
            profile: id.as_str(),
            provider: &login.provider,
        };
        let tokens = match open(cx, owner, seeds) {
            Ok(tokens) => {
                let mut login = login.clone();
                (login.access, login.refresh) = (tokens.access, tokens.refresh);
                // What OpenClaw would read there is used once the login was refreshed.
                login.extra.0.retain(|(name, _)| name.as_str() != REFERENCE);
                let rescued = Credential::OAuth(login.clone());
                grant_fault(cx, &rescued, None)?.map_or(Ok(login), Err)
            }
            Err(why) => Err(why),
        };
        found.push(Found {
            id: id.clone(),
            reference,
            tokens,
        });
    }
    Ok(found)
}

/// The login of a profile that refers to a file, the reference, and the name of the file.
fn reference_of(credential: &Credential) -> Option<(&OAuth, String, String)> {
    let login = credential.as_oauth()?;
    let reference = login.extra.get(REFERENCE)?;
    Some((login, reference.to_owned(), sidecar::id_of(reference)?))
}

fn open(
    cx: Context<'_>,
    owner: SidecarOwner<'_>,
    seeds: &[Secret<String>],
) -> Result<sidecar::SidecarTokens, String> {
    let name = format!("{DIRECTORY}/{}.json", owner.id);
    let path = cx.dirs.state.join(name);
    let bytes = cx.files.read_private(&path, LONGEST);
    let bytes = bytes.map_err(|error| error.to_string())?;
    let bytes = bytes.ok_or_else(|| format!("its file {} is not there", path.display()))?;
    let opened = sidecar::open(&Secret::new(bytes), owner, seeds);
    opened.map_err(|fault: SidecarFault| fault.to_string())
}

fn rescue(
    cx: Context<'_>,
    agent: &AgentId,
    (document, found): (&AuthProfiles, &[Found]),
    (force, dry_run): (bool, bool),
) -> Result<Vec<Row>, Failure> {
    let mut rows = decide(agent, document, found, force);
    if dry_run || !rows.iter().any(is_stored) {
        return Ok(rows);
    }
    for one in found.iter().filter_map(|one| one.tokens.as_ref().ok()) {
        if let Some(provider) = Credential::OAuth(one.clone()).provider() {
            require_declared_store(cx, &provider)?;
        }
    }
    cx.change(agent, |document| {
        rows = decide(agent, document, found, force);
        for (row, one) in rows.iter_mut().zip(found) {
            if let Ok(login) = &one.tokens
                && is_stored(row)
                && !document.put(one.id.clone(), Credential::OAuth(login.clone()))
            {
                row.action = Action::Refused("its access token cannot be read".to_owned());
            }
        }
        rows.iter().any(is_stored)
    })?;
    Ok(rows)
}

fn is_stored(row: &Row) -> bool {
    matches!(row.action, Action::Added | Action::Replaced)
}

/// What becomes of each profile, in the order in which they were found.
fn decide(agent: &AgentId, document: &AuthProfiles, found: &[Found], force: bool) -> Vec<Row> {
    let row = |one: &Found| {
        let there = document.get(&one.id);
        let login = one.tokens.as_ref().ok();
        let action = match &one.tokens {
            Err(why) => Action::Refused(why.clone()),
            Ok(login) => judge(there, &one.reference, login, force),
        };
        Row {
            agent: agent.clone(),
            profile: one.id.clone(),
            action,
            refresh_token: login.map(|login| login.refresh_token().is_some()),
            expires: there.and_then(Credential::expires),
        }
    };
    found.iter().map(row).collect()
}

fn judge(there: Option<&Credential>, reference: &str, new: &OAuth, force: bool) -> Action {
    let login = there.and_then(Credential::as_oauth);
    let login = login.filter(|login| login.extra.get(REFERENCE) == Some(reference));
    let Some(login) = login else {
        return Action::Kept("another login took its place".to_owned());
    };
    let has_own = |token: &Option<Secret<String>>| {
        (token.as_ref()).is_some_and(|token| !token.is_held() || !token.is_blank())
    };
    match has_own(&login.access) || has_own(&login.refresh) {
        false => Action::Added,
        true if login.refresh_token().is_some() && login.refresh_token() == new.refresh_token() => {
            Action::Unchanged
        }
        true if force => Action::Replaced,
        true => Action::Kept("it has a token of its own".to_owned()),
    }
}

/// The keys that may open the files: of the variable, and of each file that release looked for.
fn seeds(cx: Context<'_>) -> Vec<Secret<String>> {
    let mut seeds: Vec<Secret<String>> = cx.env.var(KEY).into_iter().collect();
    for path in key_files(cx) {
        let bytes = cx.files.read_private(&path, LONGEST);
        let bytes = bytes.unwrap_or_else(|error| {
            cx.warn(error.to_string());
            None
        });
        let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
        seeds.extend(text.map(Secret::new));
    }
    let trimmed = seeds.iter().map(|seed| Secret::from(seed.expose().trim()));
    trimmed.filter(|seed| !seed.is_blank()).collect()
}

fn key_files(cx: Context<'_>) -> [PathBuf; 3] {
    let home = &cx.dirs.home;
    let config = cx.env.plain("XDG_CONFIG_HOME").map(PathBuf::from);
    let config = config.unwrap_or_else(|| home.join(".config"));
    let below = |directory: &Path| directory.join(KEY_FILE);
    [
        below(&config.join("openclaw")),
        below(&home.join("Library/Application Support/OpenClaw")),
        below(&home.join(".openclaw-auth-profile-secrets")),
    ]
}

fn not_rescued(count: usize, is_key_gone: bool) -> Failure {
    let message = match count {
        1 => "1 login could not be rescued".to_owned(),
        count => format!("{count} logins could not be rescued"),
    };
    let hint = match is_key_gone {
        true if cfg!(target_os = "macos") => Hint::from(format!(
            "export {KEY}=\"$(security find-generic-password -s 'OpenClaw Auth Profile Secrets' -a oauth-profile-master-key -w)\""
        )),
        true => Hint::from(format!(
            "export {KEY}=…, or bring back ~/.config/openclaw/{KEY_FILE}"
        )),
        false => Hint::from("log in again, or bring back the key that belongs to its file"),
    };
    Failure::new(Kind::Storage, message).hint(hint)
}
