//! A document read for looking at it: in pieces, without a copy of what nobody asks for.
//!
//! Only a document that holds nothing odd is read so. Whatever else it is (no JSON, two members
//! `profiles`, another encoding, a file that changes), it is left to the reader of whole documents,
//! whose answer and whose words count.

use std::borrow::Cow;
use std::collections::hash_map::Entry as MapEntry;
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::fast::RandomState;
use foldhash::{HashMap, HashMapExt as _};

use crate::model::profiles::{AuthProfiles, Content, Entry};
use crate::model::secret::{self, Wipe as _};
use crate::model::text::{is_utf16, without_mark};
use crate::ports::files::{FileError, Pieces};
use crate::ports::store::Scope;

use super::document;
use super::entry;
use super::json_stream::{Stop, Stream};
use super::keep::Keep;
use super::raw_json::{self, Members, Place};

/// Reads what `scope` asks for of `auth-profiles.json`, as [`document::parse`] does it, but for the
/// texts of the entries, and for secrets that are not to be held: the document may not be written
/// again. `None` if it holds anything odd.
///
/// # Errors
/// If the file cannot be read.
pub fn read(
    pieces: Box<dyn Pieces>,
    scope: Scope<'_>,
    keep: &mut Keep,
) -> Result<Option<AuthProfiles>, FileError> {
    let mut looked = Looked {
        scope,
        keep,
        rest: Vec::new(),
        found: Vec::new(),
        entries: Vec::new(),
        wanted: Vec::new(),
        keys: Keys::new(),
    };
    match looked.document(Stream::new(pieces)) {
        Ok(()) => Ok(looked.finish()),
        Err(Stop::Odd) => Ok(None),
        Err(Stop::File(error)) => Err(*error),
    }
}

/// What was read of a document so far.
struct Looked<'a> {
    scope: Scope<'a>,
    keep: &'a mut Keep,
    /// The document without its profiles, which may hold secrets where somebody misspelt a name.
    rest: Vec<u8>,
    /// The members of the entry that is read.
    found: Vec<Place>,
    entries: Vec<Entry>,
    /// Whether each of them was asked for.
    wanted: Vec<bool>,
    /// Their keys by their hashes.
    keys: Keys,
}

/// What tells without another look at them whether two keys are of one entry.
struct Keys {
    hasher: RandomState,
    hashes: Vec<u64>,
    /// Whether white space stands around any.
    has_blank: bool,
}

impl Keys {
    fn new() -> Self {
        Self {
            hasher: RandomState::default(),
            hashes: Vec::new(),
            has_blank: false,
        }
    }

    fn add(&mut self, key: &str) {
        self.hashes.push(self.hasher.hash_one(key));
        self.has_blank |= key.len() != key.trim().len();
    }

    /// Whether each stands for itself; it may do so even if this says that it does not.
    fn are_apart(mut self) -> bool {
        self.hashes.sort_unstable();
        let are_unlike = self.hashes.is_sorted_by(|one, next| one < next);
        are_unlike && !self.has_blank
    }
}

impl Drop for Looked<'_> {
    fn drop(&mut self) {
        self.rest.wipe();
    }
}

impl Looked<'_> {
    fn document(&mut self, mut stream: Stream) -> Result<(), Stop> {
        let head = stream.head()?;
        if is_utf16(head) {
            return Err(Stop::Odd);
        }
        let mark = head.len() - without_mark(head).len();
        stream.take(mark);
        let mut has_profiles = false;
        stream.expect(b'{')?;
        self.add(b"{");
        members(&mut stream, |stream| {
            if self.rest.len() > 1 {
                self.add(b",");
            }
            let name = stream.text()?;
            let is_profiles = name == "profiles";
            let quoted = serde_json::to_string(&name).map_err(|_| Stop::Odd)?;
            self.add(quoted.as_bytes());
            self.add(b":");
            stream.expect(b':')?;
            if is_profiles && std::mem::replace(&mut has_profiles, true) {
                return Err(Stop::Odd);
            }
            if is_profiles {
                self.add(b"{}");
                stream.expect(b'{')?;
                return members(stream, |stream| self.entry(stream));
            }
            stream.keep()?;
            stream.skip_value()?;
            self.add(stream.kept().as_bytes());
            Ok(())
        })?;
        self.add(b"}");
        stream.finish()
    }

    fn add(&mut self, bytes: &[u8]) {
        secret::extend(&mut self.rest, bytes);
    }

    /// Reads one entry, at the quote of its key.
    fn entry(&mut self, stream: &mut Stream) -> Result<(), Stop> {
        let key = stream.text()?;
        // Its key tells, where nobody asks for a provider.
        let is_other = !matches!(self.scope, Scope::Provider(_))
            && !document::is_wanted(self.scope, &key, || None);
        if is_other {
            stream.expect(b':')?;
            return stream.skip_value();
        }
        let key = Arc::from(key);
        self.keys.add(&key);
        stream.expect(b':')?;
        find_members(stream, &mut self.found)?;
        let value = stream.kept();
        let members = match value {
            Cow::Borrowed(text) if text.starts_with('{') => Members::found(text, &self.found),
            // Its bytes are not those in which the members were found.
            _ => Members::read(&value).ok(),
        };
        let provider = || members.as_ref()?.get("provider").and_then(raw_json::text);
        let is_wanted = document::is_wanted(self.scope, &key, provider);
        let content = match is_wanted {
            true => entry::read_members(&key, members, self.keep),
            // It only takes the place of another one.
            false => Content::Invalid {
                fault: String::new(),
            },
        };
        self.wanted.push(is_wanted);
        self.entries.push(Entry {
            key,
            content,
            text: None,
            before: None,
        });
        Ok(())
    }

    fn finish(mut self) -> Option<AuthProfiles> {
        let mut entries = std::mem::take(&mut self.entries);
        let mut wanted = std::mem::take(&mut self.wanted);
        if !std::mem::replace(&mut self.keys, Keys::new()).are_apart() {
            settle(&mut entries, &mut wanted);
        }
        let mut wanted = wanted.into_iter();
        entries.retain(|_| wanted.next().unwrap_or_default());
        let rest = str::from_utf8(&self.rest).ok()?;
        let document = document::parse(rest, Scope::All).ok()?;
        Some(document.with_entries(entries))
    }
}

/// Settles which entries count. Of two with one key the last does, in the place of the first.
fn settle(entries: &mut [Entry], wanted: &mut [bool]) {
    let mut places = HashMap::with_capacity(entries.len());
    let mut again = Vec::new();
    for (place, entry) in entries.iter().enumerate() {
        match places.entry(&*entry.key) {
            MapEntry::Vacant(first) => _ = first.insert(place),
            MapEntry::Occupied(first) => again.push([*first.get(), place]),
        }
    }
    let all = entries.iter().enumerate();
    let shadowed = all.filter_map(|(place, entry)| {
        let shadowed = document::shadowed(&entry.key, |key| places.contains_key(key))?;
        Some((place, shadowed))
    });
    for (place, content) in shadowed.collect::<Vec<_>>() {
        entries[place].content = content;
    }
    for [first, last] in again {
        entries.swap(first, last);
        wanted[first] = std::mem::take(&mut wanted[last]);
    }
}

/// Keeps a value, and notes where in it the members of the object lie that it may be.
fn find_members(stream: &mut Stream, found: &mut Vec<Place>) -> Result<(), Stop> {
    found.clear();
    stream.keep()?;
    if stream.peek_token()? != Some(b'{') {
        return stream.skip_value();
    }
    stream.take(1);
    members(stream, |stream| {
        let name = stream.span(Stream::skip_text)?;
        stream.expect(b':')?;
        let is_text = stream.peek_token()? == Some(b'"');
        let value = stream.span(Stream::skip_value)?;
        let is_graphic = is_text && stream.took_graphic_text();
        found.push(Place {
            name,
            value,
            is_graphic,
        });
        Ok(())
    })
}

/// Reads the members of an object whose bracket is taken; `member` is called at the quote of each
/// name.
fn members(
    stream: &mut Stream,
    mut member: impl FnMut(&mut Stream) -> Result<(), Stop>,
) -> Result<(), Stop> {
    if stream.peek_token()? == Some(b'}') {
        stream.take(1);
        return Ok(());
    }
    loop {
        member(stream)?;
        match stream.token()? {
            b',' => {}
            b'}' => return Ok(()),
            _ => return Err(Stop::Odd),
        }
    }
}
