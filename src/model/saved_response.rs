//! The form of a file in which the response of a token endpoint is saved before anybody understands
//! it: a line that tells whose it is, written before anything is sent; then, once the response has
//! come, a line about it, and its bytes. In a sealed store the bytes are sealed, and that line says so.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::secret::Secret;

const SCHEMA: u32 = 1;

/// How the line about a response to a refresh ends if its bytes are sealed. That of a login has a
/// member for it.
pub const IS_SEALED: &str = " sealed";

/// Responses are a few KiB long; a longer one needs space that was not allocated ahead.
pub const ROOM: u64 = 32 * 1024;

/// The first line. No secret.
#[derive(Serialize, Deserialize)]
struct Head<T> {
    schema: u32,
    state: PathBuf,
    #[serde(flatten)]
    whose: T,
}

/// What such a file holds.
pub enum Content<'a, T> {
    /// It belongs to another state directory.
    Foreign,
    /// The response has not come, as far as this file knows: whose it would be, unless that is damaged.
    Unanswered(Option<T>),
    /// It was written by a later release, or its first line is damaged.
    Unknown,
    /// A response.
    Response {
        /// Whose it is.
        whose: T,
        /// The line about it.
        line: &'a [u8],
        /// Its bytes as far as they go, and room behind them.
        body: &'a [u8],
    },
}

/// Writes the first line.
///
/// # Errors
/// If `whose`, or the path of the state directory, is no JSON.
pub fn head<T: Serialize>(state: &Path, whose: T) -> serde_json::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(&Head {
        schema: SCHEMA,
        state: state.to_owned(),
        whose,
    })?;
    line.push(b'\n');
    Ok(line)
}

/// Writes what follows once the response has come.
pub fn response(line: &str, body: &[u8]) -> Secret<Vec<u8>> {
    Secret::new([line.as_bytes(), b"\n", body].concat())
}

/// Writes such a file anew, with this in the place of the response.
pub fn replace_response(file: &[u8], response: &Secret<Vec<u8>>) -> Secret<Vec<u8>> {
    let (head, _) = split_line(file);
    Secret::new([head, b"\n", response.expose()].concat())
}

/// Whether such a file holds a response, or a part of one, that is not sealed.
pub fn is_in_clear(file: &[u8]) -> bool {
    let (line, body) = split_line(split_line(file).1);
    let is_answered = line.first().is_some_and(u8::is_ascii_graphic);
    let member: Option<serde_json::Value> = serde_json::from_slice(line).ok();
    let is_sealed = line.ends_with(IS_SEALED.as_bytes())
        || member.is_some_and(|line| line.get("sealed") == Some(&true.into()));
    is_answered && !is_sealed && !body.is_empty()
}

/// Takes a file apart that may belong to this state directory.
pub fn read<'a, T: DeserializeOwned>(bytes: &'a [u8], state: &Path) -> Content<'a, T> {
    let (head, rest) = split_line(bytes);
    let head: Option<Head<T>> = serde_json::from_slice(head).ok();
    if head.as_ref().is_some_and(|head| head.state != state) {
        return Content::Foreign;
    }
    if rest.iter().all(|byte| *byte == 0) {
        return Content::Unanswered(head.map(|head| head.whose));
    }
    let Some(head) = head.filter(|head| head.schema == SCHEMA) else {
        return Content::Unknown;
    };
    let (line, body) = split_line(rest);
    Content::Response {
        whose: head.whose,
        line,
        body,
    }
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
        None => (bytes, &[]),
    }
}
