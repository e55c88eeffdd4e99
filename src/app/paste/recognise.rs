//! What a pasted secret shows of itself: whose it is, and where in a longer text it stands.
//!
//! Prefixes are those of the manifests. A short one says nothing, for many providers share it.

use crate::app::context::Context;
use crate::model::clean;
use crate::model::credential::Kind;
use crate::model::id::ProviderId;
use crate::model::provider::Provider;
use crate::model::secret::Secret;

/// The shortest prefix that tells whose a secret is.
const TELLING: usize = 4;

/// Whose a secret is, and of which kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) provider: ProviderId,
    pub(super) kind: Kind,
}

/// Returns the origin of a secret if its prefix shows that it is not the one that is asked for.
///
/// A key where a token is asked for is none whatever it begins with: an access token of a provider
/// whose keys have a prefix never has it.
pub(super) fn other_origin(
    cx: Context<'_>,
    secret: &str,
    (known, kind): (&Provider, Kind),
) -> Option<Origin> {
    let asked = &known.id;
    let listing = cx.catalogue.list().ok()?;
    let mut found: Vec<(usize, Origin)> = Vec::new();
    for (provider, _) in &listing.providers {
        for (prefix, kind) in prefixes(provider) {
            if secret.starts_with(prefix) {
                let provider = provider.id.clone();
                found.push((prefix.len(), Origin { provider, kind }));
            }
        }
    }
    let longest = found.iter().map(|(length, _)| *length).max()?;
    found.retain(|(length, _)| *length == longest);
    let origins: Vec<Origin> = found.into_iter().map(|(_, origin)| origin).collect();
    let is_asked = |origin: &&Origin| origin.provider == *asked && origin.kind == kind;
    if origins.iter().any(|origin| is_asked(&origin)) {
        return None;
    }
    let own = origins.iter().find(|origin| origin.provider == *asked);
    let kin = origins
        .iter()
        .find(|origin| is_kin(cx, known, &origin.provider));
    let is_telling = longest >= TELLING || (kind == Kind::Token && kin.is_some());
    let origin = own.or(kin).or_else(|| origins.first())?;
    is_telling.then(|| origin.clone())
}

/// Lists the prefixes of a provider's keys and tokens.
fn prefixes(provider: &Provider) -> impl Iterator<Item = (&str, Kind)> {
    let key = provider.key_shape().and_then(|key| key.prefix.as_deref());
    let token = provider.token_shape();
    let token = token.and_then(|token| token.prefix.as_deref());
    let key = key.map(|prefix| (prefix, Kind::ApiKey));
    key.into_iter()
        .chain(token.map(|prefix| (prefix, Kind::Token)))
}

/// Returns the provider that has the keys where this one has logins alone: programs of this one read
/// them, too.
pub(super) fn provider_of_keys(cx: Context<'_>, manifest: &Provider) -> Option<ProviderId> {
    let listing = cx.catalogue.list().ok()?;
    let mut all = listing.providers.into_iter().map(|(provider, _)| provider);
    let found =
        all.find(|other| other.key_shape().is_some() && shares_variable(manifest, other))?;
    Some(found.id)
}

fn is_kin(cx: Context<'_>, known: &Provider, other: &ProviderId) -> bool {
    let other = cx.catalogue.get(other);
    other.is_ok_and(|other| shares_variable(known, &other))
}

fn shares_variable(one: &Provider, other: &Provider) -> bool {
    one.id != other.id && one.tool_env.iter().any(|name| other.env.contains(name))
}

/// Finds a secret of known beginning and length in what a program printed around it. The terminal
/// may have wrapped it.
pub(super) fn find_whole(pasted: &str, prefix: &str, length: usize) -> Option<Secret<String>> {
    let start = pasted.find(prefix)?;
    let is_part = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let (before, text) = pasted.split_at(start);
    let mut end = None;
    let places = text.char_indices().filter(|(_, c)| !c.is_whitespace());
    for (place, c) in places.take(length) {
        if !is_part(c) {
            return None;
        }
        end = Some(place + c.len_utf8());
    }
    let (text, behind) = text.split_at(end?);
    let found = clean::joined(text);
    let is_whole = !before.ends_with(is_part) && !behind.starts_with(is_part);
    (is_whole && found.expose().len() == length).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_what_a_program_printed() {
        for (pasted, is_found) in [
            ("ab-12345", true),
            ("Your token:\n\n  ab-1\n  2345\n\nStore this token", true),
            ("TOKEN='ab-12345'", true),
            ("ab-1234", false),
            ("ab-12345.", false),
            ("ab-123456", false),
            ("ab-12 345 6", true),
            ("xab-12345", false),
            ("ab-1(2345)", false),
        ] {
            let found = find_whole(pasted, "ab-", 8);
            assert_eq!(found.is_some(), is_found, "{pasted}");
            assert!(found.is_none_or(|it| it.expose() == "ab-12345"));
        }
    }
}
