//! What came before the store: `auth.json` beside it and `oauth.json` in the credentials directory.
//!
//! Read where an agent has no document. Nothing here makes an invalid entry: the reference wrote
//! whatever `type` an entry of `oauth.json` claimed, and dropped the login at the next start.

use crate::model::credential::Kind;
use crate::model::id::ProfileId;
use crate::model::profiles::AuthProfiles;

use super::entry;
use super::keep::Keep;
use super::raw_json::Members;

/// Makes a document of the texts of `auth.json` and `oauth.json`; the former wins. `None` if
/// neither holds a login.
///
/// Entries that are no logins are passed over; the document's `faults` count them.
///
/// # Errors
/// If a text is no JSON object: which, and where it stops being one.
pub fn import(
    auth_json: Option<&str>,
    oauth_json: Option<&str>,
) -> Result<Option<AuthProfiles>, String> {
    let mut document = AuthProfiles::default();
    for (file, text, fallback) in [
        ("auth.json", auth_json, None),
        ("oauth.json", oauth_json, Some(Kind::OAuth)),
    ] {
        let Some(text) = text else { continue };
        let entries = Members::read(text).map_err(|fault| format!("{file}: {fault}"))?;
        // An object with `profiles` is a store under a wrong name, not one login per provider.
        if fallback.is_none() && entries.get("profiles").is_some() {
            continue;
        }
        let passed_over = add(&mut document, &entries, fallback);
        if passed_over > 0 {
            document.faults.push(format!(
                "{passed_over} entries of {file} could not be imported."
            ));
        }
    }
    Ok((!document.entries().is_empty()).then_some(document))
}

/// Adds the entries whose profile does not exist yet; returns how many are no logins.
fn add(document: &mut AuthProfiles, entries: &Members<'_>, fallback: Option<Kind>) -> usize {
    let mut passed_over = 0;
    for (key, value) in entries.iter() {
        let read = || {
            let id = ProfileId::parse(&format!("{key}:default")).ok()?;
            let mut members = Members::read(value.get()).ok()?;
            let kind = entry::kind(&mut members).or(fallback)?;
            let provider = entry::provider(&mut members).unwrap_or_else(|| key.to_owned());
            let keep = &mut Keep::all();
            let credential = entry::credential(&id, (kind, provider), members, keep).ok()?;
            (!credential.raw_provider().trim().is_empty()).then_some((id, credential))
        };
        match read() {
            Some((id, _)) if document.get(&id).is_some() => {}
            Some((id, credential)) => passed_over += usize::from(!document.put(id, credential)),
            None => passed_over += 1,
        }
    }
    passed_over
}
