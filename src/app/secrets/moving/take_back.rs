//! `secrets take-back FILE`: undoes a move that no other machine imported. Whether one did, only the
//! user can know.

use std::collections::HashMap;
use std::path::PathBuf;

use super::content::Content;
use super::envelope::Opening;
use super::ledger::{self, Fate};
use super::marker::{Marker, reclaim};
use super::origin::is_from_here;
use super::reading::open;
use super::strip::{is_anywhere, put_back};
use super::turn;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::rotation;
use crate::model::bundle::BundleId;
use crate::model::credential::Credential;
use crate::model::grant::GrantDigest;
use crate::model::hint::Command;
use crate::model::id::{AgentId, ProfileId};
use crate::model::secret::Secret;

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
/// [`Kind::Usage`] if this machine handed nothing over in it; if something cannot be written, a second
/// run does the rest.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let path = cx.dirs.cwd.join(&request.file);
    if !Marker::all(cx)?.is_empty() {
        let _turn = turn::take(cx)?;
        let markers = Marker::all(cx)?;
        let marker = markers.into_iter().find(|marker| marker.is_about(&path));
        // Killed before a refresh token was taken out: nothing of the bundle is needed.
        if let Some(marker) = marker
            && !is_anywhere(cx, &marker.bundle)?
        {
            return undo(cx, path, &marker);
        }
    }
    let (path, content) = open(cx, &request.file, &request.opening)?;
    cx.sealer()?;
    let _turn = turn::take(cx)?;
    let bundle = content.head.id.clone();
    let tokens = tokens(&content);
    if !is_from_here(cx, &content)? {
        let what = match ledger::look(cx, &bundle)? {
            Some((Fate::TakenBack, at)) => {
                format!("it was taken back {}", cx.clock.local().spoken_past(at))
            }
            _ => "this machine handed nothing over in it".to_owned(),
        };
        let message = format!(
            "there is nothing to take back from {}: {what}",
            path.display()
        );
        return Err(Failure::new(Kind::Usage, message).hint(Command::list()));
    }
    // First, so that it is never imported here beside what it is taken back from.
    ledger::note(cx, &bundle, Fate::TakenBack)?;
    let profiles = put_back(cx, &bundle, &tokens)?;
    for grant in tokens.keys() {
        reclaim(cx, grant, &bundle)?;
    }
    for marker in Marker::all(cx)? {
        if marker.bundle == bundle {
            marker.remove(cx)?;
        }
    }
    Ok(Outcome {
        path,
        bundle,
        profiles,
        was_draft: false,
    })
}

fn undo(cx: Context<'_>, path: PathBuf, marker: &Marker) -> Result<Outcome, Failure> {
    let bundle = marker.bundle.clone();
    ledger::note(cx, &bundle, Fate::TakenBack)?;
    marker.reclaim(cx)?;
    let was_draft = cx.files.stat(&marker.draft)?.is_some();
    cx.files.remove(&marker.draft)?;
    marker.remove(cx)?;
    let mut profiles = Vec::new();
    for leaving in &marker.grants {
        profiles.extend(rotation::copies(cx, &leaving.grant));
    }
    Ok(Outcome {
        path,
        bundle,
        profiles,
        was_draft,
    })
}

/// The refresh tokens of a bundle.
fn tokens(content: &Content) -> HashMap<GrantDigest, Secret<String>> {
    let profiles = content
        .agents
        .iter()
        .flat_map(|one| one.document.profiles());
    let logins = profiles.filter_map(|(_, credential)| match credential {
        Credential::OAuth(login) => Some((login.grant()?, login.refresh_token()?.clone())),
        Credential::ApiKey(_) | Credential::Token(_) => None,
    });
    logins.collect()
}
