//! One entry of `profiles`: from its text to a credential, and a changed credential back to text.

use std::borrow::Cow;
use std::sync::Arc;

use crate::model::credential::{ApiKey, Credential, Identity, Kind, OAuth, Token};
use crate::model::id::ProfileId;
use crate::model::json::{Extra, Verbatim};
use crate::model::profiles::Content;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::VaultFault;

use super::json_writer::Writer;
use super::keep::Keep;
use super::raw_json::{self, Members, Raw};
use super::sealed::{self, ACCESS, KEY, REFRESH, SEALED, Sealing, Secrets, TOKEN, Written};

/// Reads one entry. Whatever is wrong with it, it is an entry, and the others are not concerned.
pub(super) fn read(key: &Arc<str>, value: &str, keep: &mut Keep) -> Content {
    read_members(key, Members::read(value).ok(), keep)
}

/// Reads one entry whose members were taken apart; `None` if it is no object.
pub(super) fn read_members(
    key: &Arc<str>,
    members: Option<Members<'_>>,
    keep: &mut Keep,
) -> Content {
    let read = || {
        let id = ProfileId::of_key(key).map_err(|error| error.to_string())?;
        let mut members = members.ok_or("it is not an object")?;
        let kind = kind(&mut members).ok_or("its type is not api_key, token or oauth")?;
        let provider = provider(&mut members).ok_or("it does not name a provider")?;
        let credential = credential(&id, (kind, provider), members, keep)?;
        Ok((id, credential))
    };
    match read() {
        Ok((id, credential)) => Content::Valid(id, credential),
        Err(fault) => Content::Invalid { fault },
    }
}

/// Takes the kind of a credential; a later OpenClaw also takes `mode` for `type`.
pub(super) fn kind(members: &mut Members<'_>) -> Option<Kind> {
    members.rename("mode", "type");
    let kind = members.take("type").and_then(raw_json::string)?;
    Kind::parse(&kind)
}

/// Takes the provider of a credential, as written, unless it is blank or no text.
pub(super) fn provider(members: &mut Members<'_>) -> Option<String> {
    let provider = members.take("provider").and_then(raw_json::text)?;
    (!provider.trim().is_empty()).then_some(provider)
}

/// Reads a credential whose `type` and `provider` have been taken. What no field of ours can hold
/// without a loss (a null, an end that is no number) stays among the unknown members.
///
/// # Errors
/// If a field that must be text is something else.
pub(super) fn credential(
    id: &ProfileId,
    (kind, provider): (Kind, String),
    mut members: Members<'_>,
    keep: &mut Keep,
) -> Result<Credential, String> {
    let from = &mut members;
    let mut sealed = sealed::read(id, &provider, from, keep);
    let sealed = &mut sealed;
    Ok(match kind {
        Kind::ApiKey => {
            from.rename("apiKey", "key");
            reference(from, "key", "keyRef");
            Credential::ApiKey(ApiKey {
                provider,
                key: secret(from, KEY, (keep, sealed))?,
                email: text(from, "email")?,
                extra: members.into_extra(),
            })
        }
        Kind::Token => {
            reference(from, "token", "tokenRef");
            Credential::Token(Token {
                provider,
                token: secret(from, TOKEN, (keep, sealed))?,
                expires: end(from, |end| end.0 > 0),
                email: text(from, "email")?,
                extra: members.into_extra(),
            })
        }
        Kind::OAuth => Credential::OAuth(OAuth {
            provider,
            access: secret(from, ACCESS, (keep, sealed))?,
            // It names the grant, and is short.
            refresh: secret(from, REFRESH, (&mut Keep::all(), sealed))?,
            expires: end(from, |_| true),
            identity: Identity {
                account_id: text(from, "accountId")?,
                email: text(from, "email")?,
            },
            extra: members.into_extra(),
        }),
    })
}

/// A later OpenClaw takes a reference to a secret in the place of the secret.
fn reference(members: &mut Members<'_>, name: &str, reference: &'static str) {
    if members
        .get(name)
        .is_some_and(|value| value.get().starts_with('{'))
    {
        members.rename(name, reference);
    }
}

fn text(members: &mut Members<'_>, name: &str) -> Result<Option<String>, String> {
    Ok(string(members, name)?.map(Cow::into_owned))
}

fn secret(
    members: &mut Members<'_>,
    name: &str,
    (keep, sealed): (&mut Keep, &mut Secrets),
) -> Result<Option<Secret<String>>, String> {
    let is_graphic = members.get(name).is_some_and(Raw::is_graphic);
    let mut secret = string(members, name)?.map(|text| keep.secret(text, is_graphic));
    sealed.fill(name, &mut secret);
    Ok(secret)
}

fn string<'a>(members: &mut Members<'a>, name: &str) -> Result<Option<Cow<'a, str>>, String> {
    match members.get(name) {
        Some(value) if value.get() != "null" => {
            let text =
                raw_json::string(value).ok_or_else(|| format!("its {name} is not a string"))?;
            members.take(name);
            Ok(Some(text))
        }
        _ => Ok(None),
    }
}

fn end(members: &mut Members<'_>, counts: fn(Timestamp) -> bool) -> Option<Timestamp> {
    let value = members.get("expires")?;
    let written = || Timestamp::read(&raw_json::text(value)?);
    let end = raw_json::millis(value).or_else(written);
    let end = end.filter(|end| counts(*end))?;
    members.take("expires");
    Some(end)
}

/// A field of a changed credential: its name and, unless it is absent, its value.
type Field<'a> = (&'static str, Option<Value<'a>>);

enum Value<'a> {
    Text(&'a str),
    Number(i64),
    Raw(&'a str),
}

/// Adds a changed credential, its members in the order they had `before`; new ones follow, the
/// fields we know in OpenClaw's order.
///
/// # Errors
/// If its secrets are to be sealed, and cannot be; nothing was added.
pub(super) fn write(
    profiles: &mut Writer,
    (key, id): (&str, &ProfileId),
    credential: &Credential,
    before: Option<&Verbatim>,
    sealing: &Sealing,
) -> Result<(), VaultFault> {
    let written = sealed::write(id, credential, sealing)?;
    let (fields, extra) = fields(credential);
    let mut members = vec![
        ("type", Value::Text(credential.kind().as_str())),
        ("provider", Value::Text(credential.raw_provider())),
    ];
    let known = fields.into_iter();
    members.extend(known.filter_map(|(name, value)| Some((name, value?))));
    if let Written::Sealed(member, blank) = &written {
        for (name, value) in &mut members {
            if blank.contains(name) {
                *value = Value::Text("");
            }
        }
        members.push((SEALED, Value::Raw(member.as_str())));
    }
    let in_clear = |(name, value): &(&str, Value<'_>)| {
        [KEY, TOKEN].contains(name) && matches!(value, Value::Text(text) if !text.trim().is_empty())
    };
    let is_clear = members.iter().any(in_clear);
    for (name, value) in &extra.0 {
        let is_gone = match name.as_str() {
            SEALED => matches!(written, Written::Plain),
            _ => is_clear && sealed::is_own_reference(name, value.as_str(), id),
        };
        if !is_gone && !members.iter().any(|(other, _)| other == name) {
            members.push((name, Value::Raw(value.as_str())));
        }
    }
    let old = before.and_then(|before| Members::read(before.as_str()).ok());
    let places: Vec<&str> = old
        .iter()
        .flat_map(Members::iter)
        .map(|(name, _)| name)
        .collect();
    // A stable sort, for which everything new is equally far behind.
    members.sort_by_key(|(name, _)| {
        let place = places.iter().position(|other| other == name);
        place.unwrap_or(places.len())
    });
    profiles.member(key, |entry| {
        for (name, value) in members {
            match value {
                Value::Text(text) => entry.text(name, text),
                Value::Number(number) => entry.raw(name, &number.to_string()),
                Value::Raw(json) => entry.raw(name, json),
            }
        }
    });
    Ok(())
}

fn fields(credential: &Credential) -> (Vec<Field<'_>>, &Extra) {
    let number = |end: Option<Timestamp>| end.map(|end| Value::Number(end.0));
    match credential {
        Credential::ApiKey(c) => (
            vec![(KEY, hidden(&c.key)), ("email", shown(&c.email))],
            &c.extra,
        ),
        Credential::Token(c) => (
            vec![
                (TOKEN, hidden(&c.token)),
                ("expires", number(c.expires)),
                ("email", shown(&c.email)),
            ],
            &c.extra,
        ),
        Credential::OAuth(c) => (
            vec![
                (ACCESS, hidden(&c.access)),
                (REFRESH, hidden(&c.refresh)),
                ("expires", number(c.expires)),
                ("email", shown(&c.identity.email)),
                ("accountId", shown(&c.identity.account_id)),
            ],
            &c.extra,
        ),
    }
}

fn hidden(secret: &Option<Secret<String>>) -> Option<Value<'_>> {
    secret.as_ref().map(|secret| Value::Text(secret.expose()))
}

fn shown(text: &Option<String>) -> Option<Value<'_>> {
    text.as_deref().map(Value::Text)
}
