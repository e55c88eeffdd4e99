//! `secrets resolve`: hands secrets to a program that asks by exec protocol 1.
//!
//! Nothing is refreshed, so nothing waits for a server; nobody is asked, because nobody is there; and
//! a refresh token never leaves by this way.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::credential::Credential;
use crate::model::exec_id::ExecId;
use crate::model::hint::Hint;
use crate::model::id::ProfileId;
use crate::model::secret::Secret;
use crate::model::secret_exchange::{SecretErrorCode, SecretRequest, VERSION};
use crate::ports::dialog::Question;
use crate::ports::store::Scope;

/// What came of one id.
pub struct Resolved {
    /// It.
    pub id: String,
    /// Its secret, or why there is none, for a program and in words.
    pub value: Result<Secret<String>, (SecretErrorCode, String)>,
}

/// Reads a request from standard input, and resolves each of its ids once.
///
/// # Errors
/// If what is read is no request. An id that has no secret is no failure of the others.
pub fn run(cx: Context<'_>) -> Result<Vec<Resolved>, Failure> {
    let request = read_request(cx)?;
    cx.vault_keys.ask_nobody();
    let mut ids = request.ids;
    ids.sort_unstable();
    ids.dedup();
    let resolved = ids.into_iter().map(|id| {
        let value = resolve(cx, &id);
        Resolved { id, value }
    });
    Ok(resolved.collect())
}

fn read_request(cx: Context<'_>) -> Result<SecretRequest, Failure> {
    let question = Question::Secret("Request".to_owned());
    let text = cx.dialog.ask(&question, &|| false).map_err(Failure::from)?;
    let request: Option<SecretRequest> = serde_json::from_str(text.expose()).ok();
    let request = request.filter(|request| request.version == VERSION);
    request.ok_or_else(|| {
        let message = "standard input holds no request of exec protocol 1";
        let hint = r#"send {"protocolVersion":1,"provider":"NAME","ids":["main/PROFILE"]}"#;
        Failure::new(Kind::Usage, message).hint(Hint::from(hint))
    })
}

type Refused = (SecretErrorCode, String);

fn resolve(cx: Context<'_>, id: &str) -> Result<Secret<String>, Refused> {
    let not_found = || (SecretErrorCode::NotFound, "no such secret".to_owned());
    let (agent, profile) = match ExecId::parse(id).ok_or_else(not_found)? {
        ExecId::Profile(agent, profile) => (agent, profile),
        ExecId::Named(name) => {
            let value = cx.secrets.get(&name);
            let value = value.map_err(|fault| refused(&fault.into()));
            return value?.ok_or_else(not_found);
        }
    };
    cx.require_agent(&agent)
        .map_err(|failure| refused(&failure))?;
    let effective = cx.effective(&agent, Scope::Profile(&profile));
    let effective = effective.map_err(|error| refused(&error.into()))?;
    let seen = effective.get(&profile).ok_or_else(not_found)?;
    bearer(cx, &profile, seen.credential)
}

/// The key, or a token that is still valid.
fn bearer(
    cx: Context<'_>,
    profile: &ProfileId,
    credential: &Credential,
) -> Result<Secret<String>, Refused> {
    let says = |code, words: &str| (code, format!("{profile} {words}"));
    let secret = credential
        .judged_secret()
        .map_err(|fault| says(SecretErrorCode::Unavailable, &fault.words()))?;
    // Followed from here, a reference might lead to this very command.
    let elsewhere = || says(SecretErrorCode::NotFound, "has no secret of its own");
    let secret = secret.filter(|secret| secret.is_held());
    let secret = secret.ok_or_else(elsewhere)?;
    let is_due = |end| cx.clock.now() >= end;
    let has_ended = match credential {
        Credential::ApiKey(_) => false,
        Credential::Token(token) => token.expires.is_some_and(is_due),
        Credential::OAuth(oauth) => match oauth.expires {
            Some(end) => is_due(end),
            None => oauth.refresh_token().is_some(),
        },
    };
    match has_ended {
        true => Err(says(SecretErrorCode::Expired, "has expired")),
        false => Ok(Secret::from(secret.expose().trim())),
    }
}

fn refused(failure: &Failure) -> Refused {
    let code = match failure.kind {
        Kind::NotFound => SecretErrorCode::NotFound,
        Kind::Locked => SecretErrorCode::Locked,
        _ => SecretErrorCode::Unavailable,
    };
    (code, failure.to_string())
}
