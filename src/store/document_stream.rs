//! A document read for looking at it: in pieces, without a copy of what nobody asks for.
//!
//! Only a document that holds nothing odd is read so. Whatever else it is (no JSON, two members
//! `profiles`, another encoding, a file that changes), it is left to the reader of whole documents,
//! whose answer and whose words count.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use crate::model::profiles::{AuthProfiles, Entry};
use crate::model::secret::{self, Wipe as _};
use crate::model::text::{is_utf16, without_mark};
use crate::ports::files::{FileError, Pieces};
use crate::ports::store::Scope;

use super::document;
use super::entry;
use super::json_stream::{Stop, Stream};
use super::raw_json::{self, Members};

/// Reads what `scope` asks for of `auth-profiles.json`, as [`document::parse`] does it, but for the
/// texts of the entries: the document may not be written again. `None` if it holds anything odd.
///
/// # Errors
/// If the file cannot be read.
pub fn read(pieces: Box<dyn Pieces>, scope: Scope<'_>) -> Result<Option<AuthProfiles>, FileError> {
    let mut looked = Looked {
        scope,
        rest: Vec::new(),
        found: Places::new(),
        places: HashMap::new(),
        entries: Vec::new(),
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
    /// The document without its profiles, which may hold secrets where somebody misspelt a name.
    rest: Vec<u8>,
    /// The members of the entry that is read.
    found: Places,
    /// The place of each key that was read in `entries`.
    places: HashMap<String, usize>,
    /// `None` where another profile than those asked for stands.
    entries: Vec<Option<Entry>>,
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
        let key = key.into_owned();
        stream.expect(b':')?;
        find_members(stream, &mut self.found)?;
        let value = stream.kept();
        let members = match value {
            Cow::Borrowed(text) if text.starts_with('{') => Members::found(text, &self.found),
            // Its bytes are not those in which the members were found.
            _ => Members::read(&value).ok(),
        };
        let provider = || members.as_ref()?.get("provider").and_then(raw_json::text);
        let entry = document::is_wanted(self.scope, &key, provider).then(|| Entry {
            content: entry::read_members(&key, members),
            key: key.clone(),
            text: None,
            before: None,
        });
        // Of two with one name the last counts, in the place of the first.
        match self.places.get(&key) {
            Some(place) => self.entries[*place] = entry,
            None => {
                self.places.insert(key, self.entries.len());
                self.entries.push(entry);
            }
        }
        Ok(())
    }

    fn finish(mut self) -> Option<AuthProfiles> {
        let places = std::mem::take(&mut self.places);
        let entries = std::mem::take(&mut self.entries);
        let entries = entries.into_iter().flatten().map(|mut entry| {
            if let Some(shadowed) = document::shadowed(&entry.key, |key| places.contains_key(key)) {
                entry.content = shadowed;
            }
            entry
        });
        let rest = str::from_utf8(&self.rest).ok()?;
        let document = document::parse(rest, Scope::All).ok()?;
        Some(document.with_entries(entries.collect()))
    }
}

/// Where the members of an object lie: each name in its quotes, and each value.
type Places = Vec<(Range<usize>, Range<usize>)>;

/// Keeps a value, and notes where in it the members of the object lie that it may be.
fn find_members(stream: &mut Stream, found: &mut Places) -> Result<(), Stop> {
    found.clear();
    stream.keep()?;
    if stream.peek_token()? != Some(b'{') {
        return stream.skip_value();
    }
    stream.take(1);
    members(stream, |stream| {
        let name = stream.span(Stream::skip_text)?;
        stream.expect(b':')?;
        found.push((name, stream.span(Stream::skip_value)?));
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
