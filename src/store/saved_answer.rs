//! What a token endpoint answered, saved before anybody understands it.
//!
//! A file per refresh, `rescue/<grant>.<begun>.answer`: a line that tells whose it is, written
//! before the request is sent; then, once the answer has come, a line with its length, and its
//! bytes. A file without the second line belongs to a refresh that was never answered. The lock of
//! the grant says who may touch it. In a sealed store the bytes are sealed, and the line says so; the
//! vault is open before the request is sent.

use std::path::{Path, PathBuf};

use crate::model::grant::GrantDigest;
use crate::model::saved_response::{self, IS_SEALED};
use crate::model::seal::Seal;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::{About, VaultFault};
use crate::ports::files::{FileError, Untrusted};
use crate::ports::store::{SavedAnswer, StoreError};
use crate::ports::vault::Sealer;

use super::error::at;
use super::io::FileStore;
use super::sealed::Sealing;

const SUFFIX: &str = ".answer";

/// What a file of ours holds.
enum Content {
    /// The answer has not come, as far as this file knows.
    Unanswered,
    /// An answer that is torn, as far as it goes. Its grant is spent, as that of what follows.
    Torn(SavedAnswer),
    /// One that is sealed and torn: nothing of it can be read.
    TornSeal,
    /// It was written by a later release.
    Unknown,
    /// It belongs to another state directory.
    Foreign,
    Answer(SavedAnswer),
    /// One whose body is sealed.
    Sealed(SavedAnswer),
}

/// The answers to refreshes of a grant, oldest first; what was never answered is removed. Only
/// for the holder of the grant's lock.
///
/// # Errors
/// What the disk says; if one is sealed and the vault does not open.
pub(super) fn of_grant(
    cx: &FileStore,
    grant: &GrantDigest,
) -> Result<Vec<SavedAnswer>, StoreError> {
    let mut answers: Vec<SavedAnswer> = Vec::new();
    for path in files_of(cx, grant)? {
        let Some(bytes) = read(cx, &path)? else {
            continue;
        };
        match understand(cx, &path, &Secret::new(bytes)) {
            Content::Sealed(answer) => {
                let Some(answer) = open(cx, grant, answer)? else {
                    continue;
                };
                insert(&mut answers, answer);
            }
            Content::Answer(answer) | Content::Torn(answer) => {
                insert(&mut answers, answer);
            }
            Content::Unanswered => cx.io.files.remove(&path)?,
            Content::TornSeal | Content::Unknown | Content::Foreign => {}
        }
    }
    Ok(answers)
}

fn insert(answers: &mut Vec<SavedAnswer>, answer: SavedAnswer) {
    let older = |other: &SavedAnswer| other.refresh.begun_at <= answer.refresh.begun_at;
    answers.insert(answers.partition_point(older), answer);
}

/// Opens an answer; `None` if it is damaged: it stays where it is, and its grant is spent.
fn open(
    cx: &FileStore,
    grant: &GrantDigest,
    answer: SavedAnswer,
) -> Result<Option<SavedAnswer>, StoreError> {
    let sealer = cx.vault.unlock()?;
    let seal = Seal::from_bytes(answer.body.expose());
    let opened = seal.and_then(|seal| sealer.open(About::Answer(grant.as_str()), &seal).ok());
    Ok(opened.map(|body| SavedAnswer { body, ..answer }))
}

/// Removes every answer to a refresh of a grant, now that its successor is stored.
pub(super) fn discard(cx: &FileStore, grant: &GrantDigest) -> Result<(), FileError> {
    for path in files_of(cx, grant)? {
        // What was not read may be anything.
        let Some(bytes) = read(cx, &path)? else {
            continue;
        };
        if !matches!(understand(cx, &path, &Secret::new(bytes)), Content::Foreign) {
            cx.io.files.remove(&path)?;
        }
    }
    Ok(())
}

/// The grants that have such a file.
pub(super) fn grants(cx: &FileStore) -> Result<Vec<GrantDigest>, FileError> {
    let mut grants = Vec::new();
    for directory in cx.paths.rescue() {
        let names = cx.io.files.list(&directory)?;
        grants.extend(names.iter().filter_map(|name| grant_of(name)));
    }
    grants.sort();
    grants.dedup();
    Ok(grants)
}

/// The files that hold an answer, or a part of one, for this state directory, each with its grant.
pub(super) fn files(cx: &FileStore) -> Result<Vec<(GrantDigest, PathBuf)>, FileError> {
    let mut found = Vec::new();
    for grant in grants(cx)? {
        for path in files_of(cx, &grant)? {
            let bytes = read(cx, &path)?.unwrap_or_default();
            let content = understand(cx, &path, &Secret::new(bytes));
            let holds_one =
                |content: &Content| !matches!(content, Content::Unanswered | Content::Foreign);
            if holds_one(&content) {
                found.push((grant.clone(), path));
            }
        }
    }
    Ok(found)
}

pub(super) fn files_of(cx: &FileStore, grant: &GrantDigest) -> Result<Vec<PathBuf>, FileError> {
    let mut paths = Vec::new();
    for directory in cx.paths.rescue() {
        let names = cx.io.files.list(&directory)?.into_iter();
        let ours = names.filter(|name| grant_of(name).as_ref() == Some(grant));
        let ours: Vec<PathBuf> = ours.map(|name| directory.join(name)).collect();
        if !ours.is_empty() {
            tighten(cx, &directory);
        }
        paths.extend(ours);
    }
    Ok(paths)
}

/// Closes a directory of answers to everybody else: who may put a file there could replace a login.
pub(super) fn tighten(cx: &FileStore, directory: &Path) {
    let mode = cx
        .io
        .files
        .stat(directory)
        .ok()
        .flatten()
        .map(|stat| stat.mode);
    if let Some(mode) = mode.filter(|mode| mode & 0o077 != 0)
        && let Err(error) = cx.io.files.set_mode(directory, mode & 0o700)
    {
        tracing::warn!(%error, "permissions could not be tightened");
    }
}

/// Whether the file itself is of somebody else, and not only a directory above it.
fn is_planted(error: &FileError, path: &Path) -> bool {
    match error.untrusted() {
        Some(Untrusted::Foreign { at, .. } | Untrusted::ForeignLink { at, .. }) => at == path,
        _ => false,
    }
}

/// Reads a file of answers. One of somebody else was planted and is passed over; one that others
/// could have written may still hold the only grant, so nothing goes on until a person has looked.
fn read(cx: &FileStore, path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    match cx.io.files.read_settings(path) {
        Err(error) if is_planted(&error, path) => {
            let remedy = error.remedy();
            cx.warn_once(format!("a saved response is not used: {error}; {remedy}"));
            Ok(None)
        }
        read => read,
    }
}

fn understand(cx: &FileStore, path: &Path, bytes: &Secret<Vec<u8>>) -> Content {
    let (refresh, line, body) = match saved_response::read(bytes.expose(), &cx.paths.identity) {
        saved_response::Content::Foreign => return Content::Foreign,
        saved_response::Content::Unanswered(_) => return Content::Unanswered,
        saved_response::Content::Unknown => return Content::Unknown,
        saved_response::Content::Response { whose, line, body } => (whose, line, body),
    };
    let saved = |body: &[u8]| SavedAnswer {
        refresh,
        body: Secret::new(body.to_vec()),
        at: at(path),
    };
    let line = std::str::from_utf8(line).unwrap_or_default();
    let (length, is_sealed) = match line.strip_suffix(IS_SEALED) {
        Some(length) => (length, true),
        None => (line, false),
    };
    let whole = length
        .parse::<usize>()
        .ok()
        .and_then(|length| body.get(..length));
    match (whole, is_sealed) {
        (Some(body), true) => Content::Sealed(saved(body)),
        (Some(body), false) => Content::Answer(saved(body)),
        (None, true) => Content::TornSeal,
        (None, false) => Content::Torn(saved(body)),
    }
}

/// Fails if an answer to a refresh of a grant lies there that this version cannot read: the grant
/// is spent.
pub(super) fn check_readable(cx: &FileStore, grant: &GrantDigest) -> Result<(), StoreError> {
    for path in files_of(cx, grant)? {
        let bytes = read(cx, &path)?.unwrap_or_default();
        let why = match understand(cx, &path, &Secret::new(bytes)) {
            Content::Unknown => {
                "it holds the response to a refresh in a format of a later version, or its first line is damaged"
            }
            Content::TornSeal => {
                "it holds the response to a refresh, sealed and torn, of which nothing can be read"
            }
            Content::Sealed(ref answer) if open(cx, grant, answer.clone())?.is_none() => {
                "it holds the response to a refresh, and its seal does not open"
            }
            _ => continue,
        };
        let error = FileError {
            operation: "understand",
            path,
            source: std::io::Error::other(why),
        };
        return Err(error.into());
    }
    Ok(())
}

/// Writes the answers to refreshes of a grant anew that are not saved as the vault says; returns the
/// files that are left as they are. Only for the holder of the grant's lock.
///
/// # Errors
/// What the disk says; if something is to be sealed or opened, and the vault does not open.
pub(super) fn reseal(
    cx: &FileStore,
    grant: &GrantDigest,
    sealing: &Sealing,
) -> Result<Vec<PathBuf>, StoreError> {
    let sealer = match sealing {
        Sealing::Off => None,
        Sealing::On(sealer, _) => Some(&**sealer),
        Sealing::Closed(fault) => return Err(fault.clone().into()),
    };
    let about = About::Answer(grant.as_str());
    let mut left = Vec::new();
    for path in files_of(cx, grant)? {
        let Some(file) = read(cx, &path)?.map(Secret::new) else {
            continue;
        };
        let (answer, is_sealed) = match understand(cx, &path, &file) {
            // What is torn is not understood, sealed or not.
            Content::Answer(answer) | Content::Torn(answer) => (Some(answer), false),
            Content::Sealed(answer) => {
                let seal = Seal::from_bytes(answer.body.expose());
                let is_outdated = |seal| sealer.is_none_or(|it| it.is_outdated(about, &seal));
                if !seal.is_some_and(is_outdated) {
                    continue;
                }
                (open(cx, grant, answer)?, true)
            }
            Content::TornSeal | Content::Unknown => (None, false),
            Content::Unanswered | Content::Foreign => continue,
        };
        match answer {
            None => left.push(path),
            Some(answer) if is_sealed || sealer.is_some() => {
                let response = response(sealer, (grant, &answer.body))?;
                let bytes = saved_response::replace_response(file.expose(), &response);
                cx.io.files.replace(&path, bytes.expose())?;
            }
            Some(_) => {}
        }
    }
    Ok(left)
}

/// What is saved of an answer; sealed if there is what seals it.
pub(super) fn response(
    sealer: Option<&Sealer>,
    (grant, answer): (&GrantDigest, &Secret<Vec<u8>>),
) -> Result<Secret<Vec<u8>>, VaultFault> {
    let answer = answer.expose();
    let Some(sealer) = sealer else {
        let length = answer.len().to_string();
        return Ok(saved_response::response(&length, answer));
    };
    let bytes = sealer.seal(About::Answer(grant.as_str()), answer)?;
    let bytes = bytes.to_bytes();
    let line = format!("{}{IS_SEALED}", bytes.len());
    Ok(saved_response::response(&line, &bytes))
}

pub(super) fn name(grant: &GrantDigest, begun_at: Timestamp) -> String {
    format!("{grant}.{}{SUFFIX}", begun_at.0)
}

pub(super) fn grant_of(name: &str) -> Option<GrantDigest> {
    let (grant, begun_at) = name.strip_suffix(SUFFIX)?.split_once('.')?;
    begun_at.parse::<i64>().ok()?;
    GrantDigest::parse(grant)
}
