//! What a pasted secret shows of itself: whose it is, and whether it is whole.
//!
//! Prefixes are those of the manifests. A short one says nothing, for many providers share it.

use crate::app::context::Context;
use crate::model::credential::Kind;
use crate::model::id::ProviderId;
use crate::model::provider::Provider;

/// The shortest prefix that tells whose a secret is.
const TELLING: usize = 4;
/// The shortest text of which two halves are alike by no chance.
const TWICE: usize = 16;

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

/// Says what is wrong with a text that is more than one secret.
pub(super) fn joined(pasted: &str, secret: &str, prefix: Option<&str>) -> Option<&'static str> {
    let words: Vec<&str> = pasted.split_whitespace().collect();
    let begins = |word: &&&str| prefix.is_some_and(|prefix| word.starts_with(prefix));
    let middle = secret.len() / 2;
    let is_twice = secret.len() >= TWICE
        && secret.is_char_boundary(middle)
        && secret[..middle] == secret[middle..]
        && secret.bytes().any(|byte| byte != secret.as_bytes()[0]);
    if is_twice || (words.len() > 1 && words.iter().all(|word| word == &words[0])) {
        return Some("was pasted twice");
    }
    // A short prefix may stand in the middle of a secret by chance.
    let again = prefix.filter(|prefix| prefix.len() > TELLING);
    let is_again = again.is_some_and(|prefix| secret.match_indices(prefix).count() > 1);
    let is_joined = is_again || words.iter().filter(begins).count() > 1;
    is_joined.then_some("is two of them, one behind the other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_secrets_are_told_from_one_that_was_wrapped() {
        let whole = |pasted: &str, prefix| {
            let secret: String = pasted.split_whitespace().collect();
            joined(pasted, &secret, prefix)
        };
        let (twice, two) = (
            Some("was pasted twice"),
            Some("is two of them, one behind the other"),
        );
        for (pasted, prefix, expected) in [
            ("sk-abcdefgh", Some("sk-"), None),
            ("sk-abc\ndefgh", Some("sk-"), None),
            ("sk-abcsk-defgh", Some("sk-"), None),
            ("aaaaaaaaaaaaaaaaaaaa", None, None),
            ("sk-abcdefghsk-abcdefgh", Some("sk-"), twice),
            ("sk-abcdefgh\nsk-abcdefgh\n", Some("sk-"), twice),
            ("0123456789abcdef0123456789abcdef", None, twice),
            ("sk-abcdefgh\nsk-ijklmnop", Some("sk-"), two),
            ("sk-ant-oat01-absk-ant-oat01-cd", Some("sk-ant-oat01-"), two),
        ] {
            assert_eq!(whole(pasted, prefix), expected, "{pasted}");
        }
    }
}
