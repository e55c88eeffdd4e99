//! A document that is read in pieces, without a copy of what nobody asks for: it says what it says when
//! it is read whole, for every scope and wherever the pieces end. What is only looked at is judged and
//! shown like what is held.

use openclaw::model::credential::{Credential, SecretFault};
use openclaw::model::id::{ProfileId, ProviderId};
use openclaw::model::profiles::{AuthProfiles, Content, Entry};
use openclaw::model::secret::Secret;
use openclaw::model::text::{IS_UTF16, is_utf16};
use openclaw::ports::files::{FileError, Pieces};
use openclaw::ports::store::{Detail, Scope};
use openclaw::store::document::parse;
use openclaw::store::document_stream;
use openclaw::store::keep::Keep;

/// Bytes that come in pieces of one size.
struct Cut {
    bytes: Vec<u8>,
    at: usize,
    size: usize,
}

impl Pieces for Cut {
    fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, FileError> {
        let piece = self.bytes[self.at..].chunks(self.size.min(buffer.len()));
        let piece = piece.into_iter().next().unwrap_or_default();
        buffer[..piece.len()].copy_from_slice(piece);
        self.at += piece.len();
        Ok(piece.len())
    }

    fn is_unchanged(&self) -> Result<bool, FileError> {
        Ok(true)
    }
}

/// Reads a document in both ways, and returns whether reading in pieces was enough.
pub(crate) fn check(bytes: &[u8]) -> bool {
    let mut profiles = vec!["anthropic:default".to_owned()];
    let mut providers = vec!["anthropic".to_owned()];
    if let Ok(document) = whole(bytes, Scope::All) {
        for (id, credential) in document.profiles().take(3) {
            profiles.push(id.as_str().to_owned());
            providers.push(credential.raw_provider().to_owned());
        }
    }
    let mut is_enough = agree(bytes, Scope::All);
    for id in profiles.iter().filter_map(|id| ProfileId::parse(id).ok()) {
        is_enough &= agree(bytes, Scope::Profile(&id));
    }
    for id in providers.iter().filter_map(|id| ProviderId::parse(id).ok()) {
        is_enough &= agree(bytes, Scope::Provider(&id));
    }
    is_enough
}

fn agree(bytes: &[u8], scope: Scope<'_>) -> bool {
    let whole = whole(bytes, scope);
    let mut is_enough = true;
    for size in [1, 5, 64, usize::MAX] {
        let read = |keep: &mut Keep| {
            let cut = Cut {
                bytes: bytes.to_vec(),
                at: 0,
                size,
            };
            document_stream::read(Box::new(cut), scope, keep).expect("memory can be read")
        };
        match read(&mut Keep::all()) {
            // Then the whole is read.
            None => is_enough = false,
            Some(found) => assert_eq!(Ok(&found), whole.as_ref(), "{scope:?} in pieces of {size}"),
        }
        for detail in [Detail::Masked, Detail::Fingerprint, Detail::Claims] {
            let seen = read(&mut Keep::new(Some(detail)).with_room(0));
            let seen = seen.map(|document| shown(document, detail));
            let whole = whole.clone().ok().filter(|_| seen.is_some());
            assert_eq!(seen, whole.map(|document| shown(document, detail)));
        }
    }
    is_enough
}

/// What a view is told of a secret: what is wrong with it, and how it is shown.
type Shown = (Result<bool, SecretFault>, Option<(String, Option<String>)>);

/// A document without what can be handed out, and what is told of that.
fn shown(document: AuthProfiles, detail: Detail) -> (AuthProfiles, Vec<Shown>) {
    let mut secrets = Vec::new();
    let entries = document.entries().iter().cloned().map(|mut entry| {
        if let Content::Valid(_, credential) = &mut entry.content {
            let judged = credential.judged_secret().map(|secret| secret.is_some());
            let secret = match credential {
                Credential::ApiKey(key) => key.key.take(),
                Credential::Token(token) => token.token.take(),
                Credential::OAuth(oauth) => oauth.access.take(),
            };
            let shown = |secret: Secret<String>| {
                let fingerprint = secret.fingerprint();
                (
                    secret.masked(),
                    fingerprint.filter(|_| detail == Detail::Fingerprint),
                )
            };
            secrets.push((judged, secret.map(shown)));
        }
        entry
    });
    let entries = entries.collect();
    (document.with_entries(entries), secrets)
}

/// What a document says when it is read whole, without the texts of its entries.
fn whole(bytes: &[u8], scope: Scope<'_>) -> Result<AuthProfiles, String> {
    if is_utf16(bytes) {
        return Err(IS_UTF16.to_owned());
    }
    let document = parse(&String::from_utf8_lossy(bytes), scope)?;
    let entries = document.entries().iter().cloned();
    let entries = entries
        .map(|entry| Entry {
            text: None,
            ..entry
        })
        .collect();
    Ok(document.with_entries(entries))
}
