//! One profile's history as JSON: text in, text out.

use crate::model::credential::Credential;
use crate::model::history::{Generation, History, Saved};
use crate::model::id::ProfileId;
use crate::model::mentions::Mentions;
use crate::model::profiles::Content;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::model::vault::VaultFault;

use super::entry;
use super::json_writer::Writer;
use super::keep::Keep;
use super::raw_json::{self, Members};
use super::sealed::Sealing;
use super::usage;

const VERSION: &str = "1";

/// Reads a history in which nothing is sealed.
///
/// # Errors
/// What is wrong with it; holds nothing of its content.
pub fn parse(text: &str) -> Result<History, String> {
    parse_keeping(text, &mut Keep::all())
}

/// Reads a history. Why it cannot be understood, if it cannot.
pub(super) fn parse_keeping(text: &str, keep: &mut Keep) -> Result<History, String> {
    let mut members = Members::read(text)?;
    if members.take("version").is_none_or(|n| n.get() != VERSION) {
        return Err("its version is not supported".to_owned());
    }
    let profile = members.take("profile").and_then(raw_json::text);
    let profile = profile.and_then(|profile| ProfileId::parse(&profile).ok());
    let profile = profile.ok_or("it does not name a profile")?;
    let generations = (members.take("generations")).ok_or("it has no generations")?;
    let id = &profile.clone();
    let mut history = History::new(profile);
    history.saved = match members.take("saved") {
        Some(saved) => {
            Some(read_saved(id, saved.get(), keep).ok_or("what was stored last is invalid")?)
        }
        None => None,
    };
    for (number, value) in Members::read(generations.get())?.iter() {
        // Nobody has changed a profile so often, and the next number must be one, too.
        let number = number.parse::<u32>().ok().map(u64::from);
        let generation = number.and_then(|number| {
            let members = Members::read(value.get()).ok()?;
            read_generation((id, number), &members, keep)
        });
        let what = format!(
            "its generation {} is invalid",
            history.generations.len() + 1
        );
        let generation = generation.ok_or(what)?;
        // The newest first, whoever wrote it.
        let newer = |other: &Generation| other.number >= generation.number;
        let place = history.generations.partition_point(newer);
        history.generations.insert(place, generation);
    }
    // Like the journal it is advice: a login is never locked out by what cannot be read.
    let bindings = members.take("bindings").and_then(raw_json::read);
    history.bindings = bindings.unwrap_or_default();
    history.extra = members.into_extra();
    Ok(history)
}

fn read_saved(id: &ProfileId, text: &str, keep: &mut Keep) -> Option<Saved> {
    let members = Members::read(text).ok()?;
    match entry::read(&id.as_str().into(), members.get("credential")?.get(), keep) {
        Content::Valid(_, credential) => Some(Saved {
            at: raw_json::millis(members.get("savedAt")?)?,
            credential,
        }),
        Content::Invalid { .. } => None,
    }
}

fn read_generation(
    (id, number): (&ProfileId, u64),
    members: &Members<'_>,
    keep: &mut Keep,
) -> Option<Generation> {
    match entry::read(&id.as_str().into(), members.get("credential")?.get(), keep) {
        Content::Valid(_, credential) => Some(Generation {
            number,
            replaced_at: raw_json::millis(members.get("replacedAt")?)?,
            cause: members.get("by").and_then(raw_json::read)?,
            credential,
            grant: members.get("grant").and_then(raw_json::read),
            is_bare: members.get("bare").is_some_and(|bare| bare.get() == "true"),
            mentions: read_mentions(members),
        }),
        Content::Invalid { .. } => None,
    }
}

/// Nothing depends on them: what cannot be read was not said.
fn read_mentions(members: &Members<'_>) -> Mentions {
    let orders = members.get("orders").and_then(|orders| {
        let orders = Members::read(orders.get()).ok()?;
        let lists = orders.iter();
        Some(
            lists
                .filter_map(|(key, ids)| Some((key.to_owned(), raw_json::read(ids)?)))
                .collect(),
        )
    });
    Mentions {
        orders: orders.unwrap_or_default(),
        last_good: members
            .get("lastGood")
            .and_then(raw_json::read)
            .unwrap_or_default(),
        usage: members.get("usage").map(usage::read),
    }
}

fn write_mentions(one: &mut Writer, mentions: &Mentions) {
    if !mentions.orders.is_empty() {
        one.member("orders", |orders| {
            for (key, ids) in &mentions.orders {
                orders.list(key, ids);
            }
        });
    }
    if !mentions.last_good.is_empty() {
        one.list("lastGood", &mentions.last_good);
    }
    if let Some(usage) = &mentions.usage {
        usage::write(one, "usage", usage);
    }
}

/// Writes a history in which nothing is to be sealed.
///
/// # Panics
/// Never: only sealing fails.
pub fn render(history: &History) -> Secret<Vec<u8>> {
    render_sealed(history, &Sealing::Off).expect("nothing is sealed")
}

/// Writes a history.
///
/// # Errors
/// If its secrets are to be sealed, and cannot be.
pub(super) fn render_sealed(
    history: &History,
    sealing: &Sealing,
) -> Result<Secret<Vec<u8>>, VaultFault> {
    let mut written = Ok(());
    let mut credential = |one: &mut Writer, credential: &Credential| {
        let name = ("credential", &history.profile);
        let added = entry::write(one, name, credential, None, sealing);
        written = written.clone().and(added);
    };
    let text = Writer::object(|file| {
        file.raw("version", VERSION);
        file.text("profile", history.profile.as_str());
        if let Some(saved) = &history.saved {
            file.member("saved", |one| {
                let Timestamp(at) = saved.at;
                one.raw("savedAt", &at.to_string());
                credential(one, &saved.credential);
            });
        }
        file.member("generations", |all| {
            for generation in &history.generations {
                all.member(&generation.number.to_string(), |one| {
                    let Timestamp(at) = generation.replaced_at;
                    one.raw("replacedAt", &at.to_string());
                    one.text("by", generation.cause.as_ref());
                    if let Some(grant) = &generation.grant {
                        one.text("grant", grant.as_str());
                    }
                    if generation.is_bare {
                        one.raw("bare", "true");
                    }
                    write_mentions(one, &generation.mentions);
                    credential(one, &generation.credential);
                });
            }
        });
        if !history.bindings.is_empty() {
            file.member("bindings", |all| {
                for (grant, binding) in &history.bindings {
                    all.member(grant.as_str(), |one| {
                        one.text("tokenEndpoint", &binding.token_endpoint);
                        one.text("clientId", &binding.client_id);
                    });
                }
            });
        }
        for (name, value) in &history.extra.0 {
            file.raw(name, value.as_str());
        }
    });
    let text = text.into_file();
    written.map(|()| text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = r#"{"version":1,"profile":"a:b","saved":{"savedAt":3,"credential":
        {"type":"token","provider":"a","token":"MARKER-now","added":[1]}},"generations":{"2":
        {"replacedAt":2,"by":"refresh","bare":true,"grant":
        "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "credential":{"type":"oauth","provider":"a","expires":9}},"1":{"replacedAt":1,"by":"logout",
        "orders":{"a":["a:b","a:c"]},"lastGood":["a"],"credential":{"type":"oauth","provider":"a",
        "access":"MARKER-access","refresh":"MARKER-refresh"}}},"later":{"x":null}}"#;

    #[test]
    fn a_history_is_written_as_it_was_read() {
        let history = parse(KEPT).unwrap();
        assert_eq!(history.generations.len(), 2);
        let text = render(&history);
        let text = std::str::from_utf8(text.expose()).unwrap();
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(text), value(KEPT));
        assert_eq!(parse(text).unwrap(), history);
    }

    #[test]
    fn why_a_history_cannot_be_read_holds_nothing_of_it() {
        for text in [
            "",
            "MARKER",
            r#"{"version":2,"profile":"MARKER"}"#,
            r#"{"version":1,"profile":"a","generations":{"x":"MARKER"}}"#,
            r#"{"version":1,"profile":"a","generations":{},"saved":{"credential":"MARKER"}}"#,
        ] {
            let fault = parse(text).unwrap_err();
            assert!(!fault.is_empty() && !fault.contains("MARKER"), "{fault}");
        }
    }
}
