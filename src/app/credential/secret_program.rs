//! Programs that are asked for a secret, by exec protocol 1 of OpenClaw.

use std::path::Path;

use serde_json::Value;

use super::absolute_path::absolute;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Hint;
use crate::model::secret::Secret;
use crate::model::secret_exchange::{SecretErrorCode, SecretRequest, SecretResponse, VERSION};
use crate::model::secret_source::ExecSource;
use crate::ports::program::{AskedProgram, ProgramAnswer};

/// The secret for each id that a program was asked for, or why there is none.
pub(super) type Answers = Vec<(String, Result<Secret<String>, Failure>)>;

/// Asks a program, once, for the secrets that these ids name.
///
/// # Errors
/// If it gives no answer that can be read: then there is a secret for none of them.
pub(super) fn ask(
    cx: Context<'_>,
    source: &ExecSource,
    provider: &str,
    ids: &[String],
) -> Result<Answers, Failure> {
    let path = absolute(cx, &source.command)?;
    check_place(cx, source, &path)?;
    let request = SecretRequest {
        version: VERSION,
        provider: provider.to_owned(),
        ids: ids.to_vec(),
    };
    let input = serde_json::to_vec(&request);
    let input = input.map_err(|error| Failure::new(Kind::Config, error.to_string()))?;
    let passed = source.pass_env.iter();
    let passed = passed.filter_map(|name| Some((name.clone(), cx.env.var(name)?)));
    let answered = cx.programs.ask(&AskedProgram {
        path: &path,
        args: &source.args,
        variables: &passed.chain(source.env.iter().cloned()).collect::<Vec<_>>(),
        input,
        limit: source.timeout(),
        longest: usize::try_from(source.longest()).unwrap_or(usize::MAX),
        stop: &|| cx.interrupt.pending().is_some(),
    });
    let shown = path.display();
    let failed = |what: String| {
        let hint = format!("run {shown} by hand to see what it says");
        Failure::new(Kind::Storage, what).hint(hint)
    };
    let answered = answered.map_err(|error| failed(error.to_string()))?;
    let output = match answered {
        ProgramAnswer::Output(output) => output,
        ProgramAnswer::Stopped => {
            cx.uninterrupted()?;
            return Err(failed(format!("{shown} was stopped")));
        }
        ProgramAnswer::Failure(how) => return Err(failed(format!("{shown} {how}"))),
        ProgramAnswer::TimedOut => {
            let seconds = source.timeout().as_secs_f32();
            return Err(failed(format!("{shown} gave no answer within {seconds} s")));
        }
        ProgramAnswer::TooLong => {
            let most = source.longest();
            return Err(failed(format!("{shown} answered more than {most} bytes")));
        }
    };
    let unanswered = |why| match why {
        Unanswered::Locked => Failure::new(Kind::Locked, format!("{shown} says that it is locked"))
            .hint(Hint::from(
                "unlock what it reads, then run the command again",
            )),
        Unanswered::Because(why) => failed(format!("{shown} {why}")),
    };
    let mut answer = read(source, ids, &output).map_err(unanswered)?;
    let of_each = ids.iter().map(|id| {
        let value = answer.take(id).map_err(unanswered);
        (id.clone(), value)
    });
    Ok(of_each.collect())
}

/// Checks what the configuration itself demands of the place of the program. Whether others could
/// have put it there is judged where it is run.
fn check_place(cx: Context<'_>, source: &ExecSource, path: &Path) -> Result<(), Failure> {
    let wrong = |what: &str| {
        let message = format!("{} {what}", path.display());
        let hint = format!("correct its provider in {}", cx.config.path().display());
        Failure::new(Kind::Config, message).hint(hint)
    };
    if !source.allow_symlink_command && is_link(cx, path) {
        return Err(wrong("is a symbolic link"));
    }
    let mut trusted = source.trusted_dirs.iter();
    let is_within = trusted.len() == 0
        || trusted.any(|one| absolute(cx, one).is_ok_and(|one| path.starts_with(one)));
    match is_within {
        true => Ok(()),
        false => Err(wrong("lies in none of trustedDirs")),
    }
}

fn is_link(cx: Context<'_>, path: &Path) -> bool {
    let (Some(directory), Some(name)) = (path.parent(), path.file_name()) else {
        return false;
    };
    let (directory, there) = (cx.files.resolve(directory), cx.files.resolve(path));
    matches!((directory, there), (Ok(directory), Ok(there)) if directory.join(name) != there)
}

enum Unanswered {
    Locked,
    Because(String),
}

/// An answer.
enum Read {
    /// The secret and nothing else, to a question for one.
    Alone(Secret<String>),
    Response(SecretResponse<Value>),
}

/// Reads an answer; its own words are not repeated, because they may hold a secret.
fn read(source: &ExecSource, ids: &[String], output: &Secret<Vec<u8>>) -> Result<Read, Unanswered> {
    let text = std::str::from_utf8(output.expose()).map_err(|_| because("answered no UTF-8"))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(because("answered nothing"));
    }
    let may_be_alone = !source.json_only && ids.len() == 1;
    let tree: Option<Value> = serde_json::from_str(text).ok();
    let tree = match tree {
        None if may_be_alone => return Ok(Read::Alone(Secret::from(text))),
        Some(Value::String(text)) if may_be_alone => return Ok(Read::Alone(Secret::new(text))),
        tree => tree.filter(Value::is_object),
    };
    let response: Option<SecretResponse<Value>> =
        tree.and_then(|tree| serde_json::from_value(tree).ok());
    let response = response.filter(|response| response.version == VERSION);
    let response = response.ok_or_else(|| because("answered no response of exec protocol 1"))?;
    Ok(Read::Response(response))
}

impl Read {
    /// Takes the secret of an id.
    fn take(&mut self, id: &str) -> Result<Secret<String>, Unanswered> {
        let response = match self {
            Self::Alone(secret) => return Ok(secret.clone()),
            Self::Response(response) => response,
        };
        if let Some(error) = response.errors.get(id) {
            let code = error.code.as_deref().filter(|code| is_code(code));
            return Err(match code {
                Some(code) if code == SecretErrorCode::Locked.as_ref() => Unanswered::Locked,
                Some(code) => Unanswered::Because(format!("has no such secret ({code})")),
                None => because("has no such secret"),
            });
        }
        match response.values.remove(id) {
            Some(Value::String(text)) => Ok(Secret::new(text)),
            Some(_) => Err(because("answered something that is no text")),
            None => Err(because("left that id out of its answer")),
        }
    }
}

fn because(why: &str) -> Unanswered {
    Unanswered::Because(why.to_owned())
}

/// Whether it is a code and nothing else: `NOT_FOUND`.
fn is_code(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
    (1..=40).contains(&text.len()) && text.bytes().all(allowed)
}
