//! The secret that a reference names: looked for only where it is handed out, and never written.
//!
//! What fails is a failure of the credential that refers to it, of a kind after which no other account
//! is tried: somebody chose where this one comes from.

use serde_json::Value;

use super::absolute_path::absolute;
use super::secret_program;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::credential::SecretFault;
use crate::model::hint::Command;
use crate::model::secret::Secret;
use crate::model::secret_ref::{SecretPlace, SecretRef};
use crate::model::secret_source::{EnvSource, FileMode, FileSource, SecretSource};
use crate::model::vault::SecretName;

/// Resolves a reference as it is written. The message of a failure follows the name of what refers.
///
/// # Errors
/// [`Kind::Config`] if it is none, or names what is not configured or not there; [`Kind::Locked`] if
/// what it names is sealed; [`Kind::Storage`] if a file or a program fails.
pub(in crate::app) fn resolve(cx: Context<'_>, text: &str) -> Result<Secret<String>, Failure> {
    let reference = read(cx, text).map_err(|failure| Failure {
        message: format!("refers to a secret, and the reference {}", failure.message),
        ..failure
    })?;
    find(cx, &reference).map_err(|failure| Failure {
        message: format!("refers to the secret {reference}: {}", failure.message),
        ..failure
    })
}

/// Reads a reference as it is written.
///
/// # Errors
/// [`Kind::Config`] if it is none; the message follows "the reference".
pub(in crate::app) fn read(cx: Context<'_>, text: &str) -> Result<SecretRef, Failure> {
    let sources = &cx.settings.secrets;
    let reference = SecretRef::read(text, &|place| sources.usual(place));
    reference.map_err(|fault| {
        Failure::new(Kind::Config, fault.to_string())
            .hint("correct the reference, or store the secret itself")
    })
}

/// Fails if what a reference names is not configured. Follows it no further.
///
/// # Errors
/// [`Kind::Config`].
pub(in crate::app) fn check(cx: Context<'_>, reference: &SecretRef) -> Result<(), Failure> {
    configured(cx, reference).map(|_| ())
}

/// Asks each program that these references name, once for all of its secrets.
pub(in crate::app) fn ask_programs(cx: Context<'_>, references: &[SecretRef]) {
    let is_open = |it: &&SecretRef| it.place == SecretPlace::Exec && cx.answered.get(it).is_none();
    let mut left: Vec<&SecretRef> = references.iter().filter(is_open).collect();
    while let Some(first) = left.first().copied() {
        let (same, others): (Vec<_>, _) = left
            .into_iter()
            .partition(|it| it.provider == first.provider);
        left = others;
        let mut ids: Vec<String> = same.iter().map(|it| it.id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        let Ok(Some(SecretSource::Exec(source))) = configured(cx, first) else {
            continue;
        };
        let answers = secret_program::ask(cx, source, &first.provider, &ids);
        let answers = answers.unwrap_or_else(|failure| {
            let failed = ids.into_iter().map(|id| (id, Err(failure.clone())));
            failed.collect()
        });
        let answers = answers.into_iter().map(|(id, answer)| {
            (
                SecretRef {
                    id,
                    ..first.clone()
                },
                answer,
            )
        });
        cx.answered.extend(answers);
    }
}

/// Finds the secret that a reference leads to.
///
/// # Errors
/// As [`resolve`], and if it is blank or no header can hold it; the message says why, and not what
/// refers.
pub(in crate::app) fn find(
    cx: Context<'_>,
    reference: &SecretRef,
) -> Result<Secret<String>, Failure> {
    let value = follow(cx, reference)?;
    let secret = Secret::from(value.expose().trim());
    let fault = match secret.is_blank() {
        true => Some("it is empty".to_owned()),
        false => SecretFault::of(&secret).map(|fault| format!("it {}", fault.words())),
    };
    match fault {
        None => Ok(secret),
        Some(words) => Err(Failure::new(Kind::Config, words)),
    }
}

fn follow(cx: Context<'_>, reference: &SecretRef) -> Result<Secret<String>, Failure> {
    let source = configured(cx, reference)?;
    match (reference.place, source) {
        (SecretPlace::Env, Some(SecretSource::Env(source))) => variable(cx, source, &reference.id),
        (SecretPlace::Env, _) => variable(cx, &EnvSource::default(), &reference.id),
        (SecretPlace::Store, _) => stored(cx, &reference.id),
        (_, Some(SecretSource::File(source))) => in_file(cx, source, &reference.id),
        (_, Some(SecretSource::Exec(_))) => {
            ask_programs(cx, std::slice::from_ref(reference));
            let answer = cx.answered.get(reference);
            answer.unwrap_or_else(|| Err(unknown(cx, reference, "gave no answer")))
        }
        _ => Err(unknown(cx, reference, "is not configured")),
    }
}

/// The source that it names; none where none has to be configured.
fn configured<'a>(
    cx: Context<'a>,
    reference: &SecretRef,
) -> Result<Option<&'a SecretSource>, Failure> {
    let mut providers = cx.settings.secrets.providers.iter();
    let found = providers.find(|(alias, _)| *alias == reference.provider);
    let is_usual = || reference.provider == cx.settings.secrets.usual(reference.place);
    match (found, reference.place) {
        (Some((_, Some(source))), place) if source.place() == place => Ok(Some(source)),
        (Some((_, Some(_))), _) => Err(unknown(cx, reference, "is one of another source")),
        (Some((_, None)), _) => Err(unknown(cx, reference, "cannot be understood")),
        (None, SecretPlace::Store) => Ok(None),
        (None, SecretPlace::Env) if is_usual() => Ok(None),
        (None, _) => Err(unknown(cx, reference, "is not configured")),
    }
}

fn unknown(cx: Context<'_>, reference: &SecretRef, what: &str) -> Failure {
    let member = format!("secrets.providers.{}", reference.provider);
    let file = cx.config.path().display();
    Failure::new(Kind::Config, format!("{member} {what}"))
        .hint(format!("correct {member} in {file}"))
}

fn variable(cx: Context<'_>, source: &EnvSource, name: &str) -> Result<Secret<String>, Failure> {
    let is_allowed = source
        .allowlist
        .as_ref()
        .is_none_or(|names| names.iter().any(|one| one == name));
    if !is_allowed {
        let message = "the allowlist of its provider does not name that variable";
        let hint = format!("add {name} to it in {}", cx.config.path().display());
        return Err(Failure::new(Kind::Config, message).hint(hint));
    }
    cx.variable(name).ok_or_else(|| {
        let message = "the variable is not set, or holds no usable secret";
        Failure::new(Kind::Config, message).hint(format!("export {name}=…"))
    })
}

fn stored(cx: Context<'_>, id: &str) -> Result<Secret<String>, Failure> {
    let name =
        SecretName::parse(id).map_err(|error| Failure::new(Kind::Config, error.to_string()))?;
    cx.secrets.get(&name)?.ok_or_else(|| {
        let hint = Command::new("secrets set").arg(&name);
        Failure::new(Kind::Config, "no secret of that name is stored").hint(hint)
    })
}

fn in_file(cx: Context<'_>, source: &FileSource, id: &str) -> Result<Secret<String>, Failure> {
    let path = absolute(cx, &source.path)?;
    let bytes = cx.files.read_private(&path, source.longest());
    let bytes = bytes.map_err(|error| Failure {
        kind: Kind::Storage,
        ..Failure::from(error)
    })?;
    let wrong = |what: &str| {
        let message = format!("{} {what}", path.display());
        Failure::new(Kind::Storage, message).hint(format!("correct {}", path.display()))
    };
    let bytes = Secret::new(bytes.ok_or_else(|| wrong("is not there"))?);
    let text = std::str::from_utf8(bytes.expose()).map_err(|_| wrong("is not UTF-8 text"))?;
    let text = text.trim_start_matches('\u{feff}');
    match (source.mode, id) {
        (FileMode::SingleValue, "value") => Ok(Secret::from(text)),
        (FileMode::SingleValue, _) => {
            let message = "its provider is a file with one secret, whose id is \"value\"";
            Err(Failure::new(Kind::Config, message).hint("correct the id of the reference"))
        }
        (FileMode::Json, _) => {
            let tree: Option<Value> = serde_json::from_str(text).ok();
            let tree = tree.filter(Value::is_object);
            let tree = tree.ok_or_else(|| wrong("is not an object of JSON"))?;
            match tree.pointer(id) {
                Some(Value::String(text)) => Ok(Secret::from(text.as_str())),
                Some(_) => Err(wrong("has no text at that id")),
                None => Err(wrong("has nothing at that id")),
            }
        }
    }
}
