//! `secrets take-back FILE`: undoes a move that no other machine imported. Whether one did, only the
//! user can know.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::{Path, PathBuf};

use super::admission::grant_fault;
use super::content::Content;
use super::envelope::Opening;
use super::ledger::{self, Fate};
use super::marker::{Leaving, Marker, is_handed_over, reclaim};
use super::missing;
use super::origin::is_from_here;
use super::reading::open;
use super::strip::{is_anywhere, put_back};
use super::turn;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::app::refresh::rotation;
use crate::model::bundle::BundleId;
use crate::model::credential::OAuth;
use crate::model::grant::GrantDigest;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::model::moved::Moved;
use crate::model::secret::Secret;
use crate::ports::store::{Detail, Scope};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The bundle.
    pub file: PathBuf,
    /// What opens it.
    pub opening: Opening,
}

/// What was done.
#[derive(Debug)]
pub struct Outcome {
    /// The bundle, which is worth nothing here any more.
    pub path: PathBuf,
    /// Which one it is.
    pub bundle: BundleId,
    /// The profiles that have their refresh tokens again, or still.
    pub profiles: Vec<(AgentId, ProfileId)>,
    /// Whether the file was never complete, and was removed.
    pub was_draft: bool,
}

/// Takes the logins back.
///
/// # Errors
/// [`Kind::Usage`] if this machine handed nothing over in it, or another credential is where a login
/// was: the others are taken back all the same. If something cannot be written, a second
/// run does the rest.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let path = cx.dirs.cwd.join(&request.file);
    if !Marker::all(cx)?.is_empty() {
        let _turn = turn::take(cx)?;
        let markers = Marker::all(cx)?;
        let marker = markers.into_iter().find(|marker| marker.is_about(&path));
        if let Some(marker) = marker {
            require_in_no_database(cx, &path, &marker.bundle)?;
            // Killed before a refresh token was taken out.
            if needs_no_bundle(cx, &marker)? {
                return undo(cx, path, &marker);
            }
        }
    }
    if Moved::is_for_database(&path) && cx.files.stat(&path)?.is_none() {
        return Err(in_database(cx, &path)?);
    }
    let (path, content) = open(cx, &request.file, &request.opening)?;
    cx.sealer()?;
    let _turn = turn::take(cx)?;
    let bundle = content.head.id.clone();
    let tokens = tokens(cx, &content)?;
    if tokens.is_empty() || !is_from_here(cx, &content)? {
        return Err(nothing(cx, &path, &bundle)?);
    }
    require_in_no_database(cx, &path, &bundle)?;
    let mut away = HashSet::new();
    for grant in tokens.keys() {
        if is_handed_over(cx, grant, &bundle)? {
            away.insert(grant.clone());
        }
    }
    put_back(cx, &bundle, &tokens)?;
    let mut blocked = Vec::new();
    for missing in missing::find(cx, &content, &away)? {
        if !missing.put(cx)? {
            blocked.extend(missing.names());
        }
    }
    let mut profiles = Vec::new();
    let mut back = Vec::new();
    for grant in tokens.keys() {
        let copies = rotation::copies(cx, grant);
        if !copies.is_empty() {
            back.push(grant.clone());
            profiles.extend(copies);
        }
    }
    profiles.sort();
    // Until the journal says that they are here, it is not imported either.
    if blocked.is_empty() && !profiles.is_empty() {
        ledger::note(cx, &bundle, Fate::TakenBack)?;
    }
    // Before the journal says so: what is left of a move that was killed would be undone, and its draft
    // removed.
    Marker::let_go(cx, &back)?;
    for grant in &back {
        reclaim(cx, grant, &bundle)?;
    }
    if let Some(place) = blocked.first() {
        return Err(in_its_way(cx, &path, place, &profiles));
    }
    if profiles.is_empty() {
        return Err(nothing(cx, &path, &bundle)?);
    }
    if Moved::is_for_database(&path) {
        // No other machine reads it, and the next import would ask for it.
        cx.files.remove(&path)?;
    }
    Ok(Outcome {
        path,
        bundle,
        profiles,
        was_draft: false,
    })
}

/// A bundle that is gone because a database took its logins in.
fn in_database(cx: Context<'_>, path: &Path) -> Result<Failure, Failure> {
    let mut databases = BTreeSet::new();
    for agent in cx.store.agents()? {
        let document = cx.store.look(&agent, Scope::All, Detail::Masked)?;
        let logins = document.profiles().filter_map(|(_, it)| it.as_oauth());
        let moved = logins.filter_map(OAuth::moved);
        let moved = moved.filter(|moved| path == Path::new(&moved.to));
        databases.extend(moved.map(|moved| moved.destination()));
    }
    let whither = match databases.is_empty() {
        true => "a database".to_owned(),
        false => databases.into_iter().collect::<Vec<_>>().join(" and "),
    };
    let message = format!("the logins of {} are in {whither}", path.display());
    let hint = "use them there, with export OPENCLAW_DATABASE_URL_FILE=FILE of its address; to use \
                one here again, log in again";
    Ok(Failure::new(Kind::Usage, message).hint(hint))
}

/// Fails for a bundle of which a database may hold something: a refresh token that is in both places is
/// sent twice, which ends the login.
fn require_in_no_database(cx: Context<'_>, path: &Path, bundle: &BundleId) -> Result<(), Failure> {
    match ledger::look(cx, bundle)? {
        Some((Fate::Begun | Fate::Imported, _)) => {}
        None | Some((Fate::TakenBack, _)) => return Ok(()),
    }
    let message = format!(
        "a database holds logins of {} already, or may; nothing was taken back",
        path.display()
    );
    let hint = Hint::from("to import the rest: ")
        .run(Command::new("gateway import"))
        .then(format!(
            "; only if that database is gone for good, remove {} and run the command again",
            ledger::path(cx, bundle).display()
        ));
    Err(Failure::new(Kind::Usage, message).hint(hint))
}

/// A bundle in which nothing is for this machine.
fn nothing(cx: Context<'_>, path: &Path, bundle: &BundleId) -> Result<Failure, Failure> {
    let what = match ledger::look(cx, bundle)? {
        Some((Fate::TakenBack, at)) => {
            format!("it was taken back {}", cx.clock.local().spoken_past(at))
        }
        _ => "this machine handed nothing over in it".to_owned(),
    };
    let message = format!(
        "there is nothing to take back from {}: {what}",
        path.display()
    );
    Ok(Failure::new(Kind::Usage, message).hint(Command::list()))
}

/// A profile has the name of one that was to come back.
fn in_its_way(
    cx: Context<'_>,
    path: &Path,
    (agent, profile): &(AgentId, ProfileId),
    done: &[(AgentId, ProfileId)],
) -> Failure {
    for (agent, profile) in done {
        cx.info(format!("Taken back: {profile} of agent {agent}"));
    }
    let path = path.display();
    let message = format!(
        "a login that was moved in {path} was not taken back: {profile} of agent {agent} holds another credential now; keep the file"
    );
    let hint = Hint::from("log that one out, which its history keeps: ")
        .run(Command::logout(profile).of_agent(agent))
        .then("; then run: ")
        .then(Command::new("secrets take-back").name(&path));
    let failure = Failure::new(Kind::Usage, message).hint(hint);
    match done {
        [] => failure,
        _ => failure.touched(StoreEffect::Changed),
    }
}

/// Undoes a move whose refresh tokens never left, without its bundle.
fn undo(cx: Context<'_>, path: PathBuf, marker: &Marker) -> Result<Outcome, Failure> {
    let bundle = marker.bundle.clone();
    let was_draft = cx.files.stat(&marker.draft)?.is_some();
    if !is_any_lost(cx, marker)? {
        ledger::note(cx, &bundle, Fate::TakenBack)?;
    }
    let mut profiles = Vec::new();
    for leaving in &marker.grants {
        let copies = rotation::copies(cx, &leaving.grant);
        // Of one that was logged out since the bundle has the only refresh token, wherever it is.
        if !copies.is_empty() {
            reclaim(cx, &leaving.grant, &bundle)?;
        }
        profiles.extend(copies);
    }
    cx.files.remove(&marker.draft)?;
    marker.remove(cx)?;
    Ok(Outcome {
        path,
        bundle,
        profiles,
        was_draft,
    })
}

/// Whether every login of a move that was killed is still here, so that nothing of the bundle is
/// needed; or one is, and there is no bundle.
fn needs_no_bundle(cx: Context<'_>, marker: &Marker) -> Result<bool, Failure> {
    if is_anywhere(cx, &marker.bundle)? {
        return Ok(false);
    }
    let is_held = |leaving: &Leaving| !rotation::copies(cx, &leaving.grant).is_empty();
    let is_gone = cx.files.stat(&marker.to)?.is_none() && cx.files.stat(&marker.draft)?.is_none();
    Ok((is_gone && marker.grants.iter().any(is_held)) || !is_any_lost(cx, marker)?)
}

/// Whether the refresh token of a login that was handed over is in no document.
fn is_any_lost(cx: Context<'_>, marker: &Marker) -> Result<bool, Failure> {
    for Leaving { grant, .. } in &marker.grants {
        if is_handed_over(cx, grant, &marker.bundle)? && rotation::copies(cx, grant).is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The refresh tokens of a bundle that work, as far as the journal knows, and went nowhere else since.
fn tokens(
    cx: Context<'_>,
    content: &Content,
) -> Result<HashMap<GrantDigest, Secret<String>>, Failure> {
    let mut tokens = HashMap::new();
    let all = content.agents.iter();
    for (_, credential) in all.flat_map(|one| one.document.profiles()) {
        let Some(login) = credential.as_oauth() else {
            continue;
        };
        let (Some(grant), Some(token)) = (login.grant(), login.refresh_token()) else {
            continue;
        };
        let is_ours = is_handed_over(cx, &grant, &content.head.id)?;
        if is_ours || grant_fault(cx, credential, None)?.is_none() {
            tokens.insert(grant, token.clone());
        }
    }
    Ok(tokens)
}
