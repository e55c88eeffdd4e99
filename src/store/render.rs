//! Writing a document out; see `document.rs` for what it says.

use crate::model::json::Extra;
use crate::model::profiles::{AuthProfiles, Content, Entry};
use crate::model::secret::Secret;
use crate::model::vault::VaultFault;

use super::document::{LAST_GOOD, ORDER, RULED, USAGE};
use super::entry;
use super::json_writer::Writer;
use super::raw_json::{Members, Raw};
use super::sealed::{self, Sealing};
use super::usage;

/// Which files a document is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Everything in `auth-profiles.json`.
    Single,
    /// Order, last good and usage in `auth-state.json`.
    Split,
}

/// A document as it is written.
#[derive(Debug)]
pub struct Rendered {
    /// `auth-profiles.json`.
    pub credentials: Secret<Vec<u8>>,
    /// `auth-state.json`; `None` if there must be none.
    pub state: Option<Secret<Vec<u8>>>,
}

/// Writes a document out in which nothing is to be sealed.
///
/// # Panics
/// Never: only sealing fails.
pub fn render(document: &AuthProfiles, layout: Layout) -> Rendered {
    let rendered = render_sealed(document, layout, &Sealing::Off);
    rendered.expect("nothing is sealed")
}

/// Writes a document out.
///
/// # Errors
/// If a secret is to be sealed, and cannot be.
pub(super) fn render_sealed(
    document: &AuthProfiles,
    layout: Layout,
    sealing: &Sealing,
) -> Result<Rendered, VaultFault> {
    let split = layout == Layout::Split;
    let mut is_sealed = Ok(());
    let credentials = Writer::object(|file| {
        file.raw("version", document.extra.get("version").unwrap_or("1"));
        is_sealed = write_profiles(file, document, sealing);
        if !split {
            write_state(file, document);
        }
        write_unknown(file, &document.extra, &Extra::default());
        if !split {
            write_unknown(file, &document.state_extra, &document.extra);
        }
    });
    let credentials = credentials.into_file();
    is_sealed.map(|()| Rendered {
        credentials,
        state: render_state(document, layout),
    })
}

/// The same of `auth-state.json` alone; `None` if there must be none.
pub(super) fn render_state(document: &AuthProfiles, layout: Layout) -> Option<Secret<Vec<u8>>> {
    let split = layout == Layout::Split;
    (split && has_state(document)).then(|| {
        let state = Writer::object(|file| {
            file.raw(
                "version",
                document.state_extra.get("version").unwrap_or("1"),
            );
            write_state(file, document);
            write_unknown(file, &document.state_extra, &Extra::default());
            // It has no meaning in this file, and may be all that is left of a document that was
            // copied to the wrong name.
            if let Some(raw) = document.state_extra.get("profiles") {
                file.raw("profiles", raw);
            }
        });
        state.into_file()
    })
}

fn write_profiles(
    file: &mut Writer,
    document: &AuthProfiles,
    sealing: &Sealing,
) -> Result<(), VaultFault> {
    if let (Some(raw), []) = (document.extra.get("profiles"), document.entries()) {
        file.raw("profiles", raw);
        return Ok(());
    }
    let mut written = Ok(());
    file.member("profiles", |profiles| {
        for entry in document.entries() {
            written = written
                .clone()
                .and_then(|()| write_entry(profiles, entry, sealing));
        }
    });
    written
}

fn write_entry(profiles: &mut Writer, entry: &Entry, sealing: &Sealing) -> Result<(), VaultFault> {
    let (id, credential) = match (&entry.text, &entry.content) {
        (Some(text), Content::Valid(id, credential))
            if sealed::is_outdated(text.as_str(), (id, credential), sealing) =>
        {
            (id, credential)
        }
        (Some(text), _) => {
            profiles.raw(&entry.key, text.as_str());
            return Ok(());
        }
        (None, Content::Valid(id, credential)) => (id, credential),
        // Without a text there is nothing to keep.
        (None, Content::Invalid { .. }) => return Ok(()),
    };
    let before = entry.before.as_ref().or(entry.text.as_ref());
    entry::write(profiles, (&entry.key, id), credential, before, sealing)
}

fn has_state(document: &AuthProfiles) -> bool {
    let known = [
        document.order.is_empty(),
        document.last_good.is_empty(),
        document.usage.is_empty(),
        document.state_extra.0.is_empty(),
    ];
    let unread = |name: &&str| document.extra.get(name).is_some();
    known.contains(&false) || [ORDER, LAST_GOOD, USAGE].iter().any(unread)
}

fn write_state(file: &mut Writer, document: &AuthProfiles) {
    write_map(file, document, ORDER, &document.order, |map, key, ids| {
        map.list(key, ids);
    });
    let good = &document.last_good;
    write_map(file, document, LAST_GOOD, good, |map, key, id| {
        map.text(key, id);
    });
    write_map(file, document, USAGE, &document.usage, usage::write);
}

/// Writes what is known of a map, then its members that could not be read. A map that is no object
/// at all stays until there is something to put in its place.
fn write_map<T>(
    file: &mut Writer,
    document: &AuthProfiles,
    name: &str,
    known: &[(String, T)],
    write: impl Fn(&mut Writer, &str, &T),
) {
    let sources = [&document.state_extra, &document.extra];
    let unread: Vec<&str> = sources.iter().filter_map(|extra| extra.get(name)).collect();
    let mut rest: Vec<(String, Raw<'_>)> = Vec::new();
    for members in unread.iter().filter_map(|text| Members::read(text).ok()) {
        for (key, value) in members.iter() {
            let known = known.iter().any(|(other, _)| other == key);
            if !known && !rest.iter().any(|(other, _)| other == key) {
                rest.push((key.to_owned(), value));
            }
        }
    }
    if known.is_empty() && rest.is_empty() {
        if let Some(text) = unread.first() {
            file.raw(name, text);
        }
        return;
    }
    file.member(name, |map| {
        for (key, value) in known {
            write(map, key, value);
        }
        for (key, value) in rest {
            map.raw(&key, value.get());
        }
    });
}

fn write_unknown(file: &mut Writer, extra: &Extra, written: &Extra) {
    for (name, value) in &extra.0 {
        if !RULED.contains(&name.as_str()) && written.get(name).is_none() {
            file.raw(name, value.as_str());
        }
    }
}
