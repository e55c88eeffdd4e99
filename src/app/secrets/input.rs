//! What a person gives: the value of a secret, and passphrases.

use std::path::Path;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::{Command, Hint};
use crate::model::secret::Secret;
use crate::model::vault::SecretName;
use crate::ports::dialog::{DialogError, Question};
use crate::ports::secrets::LONGEST;

/// A new passphrase has at least so many characters.
const SHORTEST: usize = 10;

/// Refuses a value that was given as an argument, without repeating it.
///
/// # Errors
/// Always.
pub fn refuse_argument<T>() -> Result<T, Failure> {
    let message = "the value of a secret is never an argument: every user of this machine can read \
                   those, and it is in the history of your shell now. Replace it where it came from";
    Err(Failure::new(Kind::Usage, message).hint(pipe("NAME")))
}

/// Reads the value of a secret: from a file, a pipe or a hidden prompt. One end of a line at its end
/// is no part of it.
pub(super) fn value(
    cx: Context<'_>,
    name: &SecretName,
    file: Option<&Path>,
) -> Result<Secret<String>, Failure> {
    let given = match file {
        Some(path) => read(cx, path)?,
        None => {
            let question = Question::Secret(format!("Value of {name} (input is hidden)"));
            let answer = cx.dialog.ask(&question, &|| false);
            answer.map_err(|error| match error {
                DialogError::Failed(why) => {
                    let message = format!("no value was given: {why}");
                    Failure::new(Kind::Usage, message).hint(pipe(name.as_str()))
                }
                error => unanswered(&error, pipe(name.as_str())),
            })?
        }
    };
    let value = without_line_end(given);
    let message = match value.expose().len() {
        0 => "the value is empty",
        length if length > LONGEST => "the value is longer than 64 KiB",
        _ => return Ok(value),
    };
    Err(Failure::new(Kind::Usage, message).hint(pipe(name.as_str())))
}

/// Reads the passphrase from a file descriptor of this process.
///
/// # Errors
/// If nothing, or no text, comes from it.
pub fn passphrase_from(cx: Context<'_>, descriptor: u32) -> Result<Secret<String>, Failure> {
    let path = format!("/dev/fd/{descriptor}");
    let passphrase = without_line_end(read(cx, Path::new(&path))?);
    match passphrase.expose().is_empty() {
        false => Ok(passphrase),
        true => {
            let message = format!("no passphrase came from file descriptor {descriptor}");
            Err(Failure::new(Kind::Usage, message))
        }
    }
}

/// Asks for a new passphrase twice, or reads it once from the file descriptor that this option has.
pub(super) fn new_passphrase(
    cx: Context<'_>,
    (option, descriptor): (&str, Option<u32>),
    prompt: &str,
) -> Result<Secret<String>, Failure> {
    let passphrase = match descriptor {
        Some(descriptor) => passphrase_from(cx, descriptor)?,
        None => {
            let first = ask(cx, prompt, option)?;
            if long_enough(&first) && ask(cx, "The same once more", option)? != first {
                return Err(Failure::new(Kind::Usage, "the two passphrases differ"));
            }
            first
        }
    };
    match long_enough(&passphrase) {
        true => Ok(passphrase),
        false => {
            let message = format!("a passphrase has at least {SHORTEST} characters");
            Err(Failure::new(Kind::Usage, message))
        }
    }
}

fn long_enough(passphrase: &Secret<String>) -> bool {
    passphrase.expose().chars().count() >= SHORTEST
}

fn ask(cx: Context<'_>, prompt: &str, option: &str) -> Result<Secret<String>, Failure> {
    let question = Question::Passphrase(prompt.to_owned());
    let answer = cx.dialog.ask(&question, &|| false);
    answer.map_err(|error| {
        let hint = format!("give it by {option} where there is no terminal");
        unanswered(&error, hint.into())
    })
}

fn unanswered(error: &DialogError, hint: Hint) -> Failure {
    match error {
        DialogError::Cancelled => Failure::from(error.clone()),
        other => Failure::from(other.clone()).hint(hint),
    }
}

fn pipe(name: &str) -> Hint {
    let command = Command::new("secrets set").arg(name);
    Hint::from("printf %s \"$VALUE\" | ").run(command)
}

fn read(cx: Context<'_>, path: &Path) -> Result<Secret<String>, Failure> {
    let usage = |why: String| Failure::new(Kind::Usage, format!("{}: {why}", path.display()));
    let bytes = cx.files.read_input(path).map_err(Failure::from)?;
    let bytes = bytes.ok_or_else(|| usage("it is not there".to_owned()))?;
    String::from_utf8(bytes).map(Secret::new).map_err(|error| {
        drop(Secret::new(error.into_bytes()));
        usage("it is not UTF-8 text".to_owned())
    })
}

fn without_line_end(text: Secret<String>) -> Secret<String> {
    let Some(line) = text.expose().strip_suffix('\n') else {
        return text;
    };
    Secret::from(line.strip_suffix('\r').unwrap_or(line))
}
