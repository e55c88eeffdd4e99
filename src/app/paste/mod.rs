//! `models auth paste-token`, `setup-token` and `paste-api-key`: a long-lived secret, made elsewhere
//! and pasted here.
//!
//! Everything that can be wrong is checked before the secret is asked for, or before it is stored;
//! what is shown afterwards is a fingerprint.

mod shape;

pub use shape::Form;

use serde_json::{Map, Value};

use crate::config::edit::Edit;
use crate::model::credential::{self, ApiKey, Credential, Token};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::json::{Extra, Verbatim};
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::dialog::{Answer, DialogError, Notice, Question};
use crate::ports::store::Change;
use crate::providers::catalogue::CatalogueError;

use super::context::Context;
use super::failure::{Failure, Kind, StoreEffect};
use shape::{Shape, cleaned};

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent to store it for.
    pub agent: AgentId,
    /// The provider.
    pub provider: ProviderId,
    /// The profile; `<provider>:manual` by default, as in the reference release.
    pub profile: Option<ProfileId>,
    /// The kind of secret.
    pub form: Form,
    /// The secret; if `None` it is asked for.
    pub given: Option<Secret<String>>,
    /// Members that are stored beside a key, such as `accountId` of a Cloudflare gateway.
    pub metadata: Vec<(String, String)>,
}

/// A secret that was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The profile.
    pub profile: ProfileId,
    /// The provider.
    pub provider: ProviderId,
    /// The kind of credential.
    pub kind: credential::Kind,
    /// A fingerprint of the secret, which reveals nothing of it.
    pub fingerprint: String,
    /// Its length in characters.
    pub length: usize,
    /// When it expires, if it does.
    pub expires: Option<Timestamp>,
    /// Whether the profile held something else before.
    pub replaced: bool,
}

/// Asks for a secret, checks its shape, and stores it.
///
/// # Errors
/// [`Kind::Usage`] if it is not what it should be or nobody is there to paste it;
/// [`Kind::Cancelled`]; what the store says. Nothing is stored then.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    let manifest = match cx.catalogue.get(&request.provider) {
        Ok(manifest) => Some(manifest),
        Err(CatalogueError::Unknown { .. }) => None,
        // It may say what the secret must look like.
        Err(faulty) => return Err(faulty.into()),
    };
    suits(cx, request, manifest.as_ref())?;
    let profile = match &request.profile {
        Some(profile) => profile.clone(),
        None => ProfileId::of(&request.provider, "manual")?,
    };
    if request.given.is_none() && cx.dialog.can_ask() {
        prepare(cx, request.form, manifest.as_ref())?;
    }
    let pasted = match &request.given {
        Some(given) => given.clone(),
        None => ask(cx, request)?,
    };
    let secret = cleaned(&request.form, pasted.expose());
    if secret.is_blank() {
        let (noun, pipe) = words(request);
        return Err(Failure::new(Kind::Usage, format!("no {noun} was given")).hint(pipe));
    }
    Shape::of(&request.form, &request.provider, manifest.as_ref()).check(&secret)?;
    let outcome = Outcome {
        fingerprint: secret.fingerprint(),
        length: secret.expose().chars().count(),
        replaced: cx.is_taken(&request.agent, &profile),
        provider: request.provider.clone(),
        profile,
        kind: request.form.kind(),
        expires: match request.form {
            Form::Token { expires_in } => expires_in.map(|life| cx.clock.now().after(life)),
            Form::SetupToken { .. } | Form::Key => None,
        },
    };
    store(cx, request, &outcome, &secret)?;
    Ok(outcome)
}

/// Checks that the provider has such secrets. Without a manifest only a setup token is refused,
/// because the manifest defines it.
fn suits(cx: Context<'_>, request: &Request, manifest: Option<&Provider>) -> Result<(), Failure> {
    let provider = &request.provider;
    let (what, is_there) = match request.form {
        Form::Token { .. } => return Ok(()),
        Form::SetupToken { .. } => (
            "setup-token",
            manifest.and_then(Provider::token_shape).is_some(),
        ),
        Form::Key => (
            "API keys",
            manifest.is_none_or(|known| known.key_shape().is_some()),
        ),
    };
    if is_there {
        return Ok(());
    }
    let message = format!("{provider} has no {what}");
    let by_paste = request.form != Form::Key && !cx.catalogue.get(provider)?.logs_in();
    let kind = match by_paste {
        true => credential::Kind::Token,
        false => credential::Kind::OAuth,
    };
    Err(Failure::new(Kind::Usage, message).hint(Command::store(provider, None, kind)))
}

/// Tells or asks what the user should know before the prompt.
fn prepare(cx: Context<'_>, form: Form, manifest: Option<&Provider>) -> Result<(), Failure> {
    match form {
        Form::SetupToken { yes: false } => confirm_made(cx, manifest),
        Form::SetupToken { yes: true } | Form::Token { .. } => Ok(()),
        Form::Key => {
            let page = manifest
                .and_then(Provider::key_shape)
                .and_then(|key| key.help.as_ref());
            if let (Some(page), Some(provider)) = (page, manifest) {
                let text = format!("Keys for {} are made at {page}", provider.name);
                cx.info(text);
            }
            Ok(())
        }
    }
}

fn confirm_made(cx: Context<'_>, manifest: Option<&Provider>) -> Result<(), Failure> {
    let shape = manifest.and_then(Provider::token_shape);
    let Some(help) = shape.and_then(|shape| shape.help.as_deref()) else {
        return Ok(());
    };
    match cx.confirm(format!("Have you run `{help}` and copied the token?"), true)? {
        true => Ok(()),
        false => Err(Failure::new(Kind::Usage, "nothing was stored")
            .hint(format!("run `{help}` first, on any machine"))),
    }
}

/// Returns the noun for the secret, and the command that takes it from a pipe.
fn words(request: &Request) -> (&'static str, Hint) {
    let (noun, verb, variable) = match request.form {
        Form::Token { .. } => ("token", "paste-token", "TOKEN"),
        Form::SetupToken { .. } => ("token", "setup-token", "TOKEN"),
        Form::Key => ("key", "paste-api-key", "KEY"),
    };
    let command = Command::new("models auth").arg(verb);
    let command = command.option("--provider", &request.provider);
    (
        noun,
        Hint::from(format!("printf %s \"${variable}\" | ")).run(command),
    )
}

fn ask(cx: Context<'_>, request: &Request) -> Result<Secret<String>, Failure> {
    let (noun, pipe) = words(request);
    let what = match request.form {
        Form::Key => "API key",
        Form::Token { .. } | Form::SetupToken { .. } => noun,
    };
    let question = Question::Secret {
        prompt: format!(
            "Paste the {what} for {} (it is not shown)",
            request.provider
        ),
    };
    let answer = cx.dialog.ask(&question, &|| false).map_err(|error| {
        let failure = Failure::from(error.clone());
        match error {
            DialogError::Cancelled => failure,
            DialogError::Failed(why) => {
                Failure::new(Kind::Usage, format!("no {noun} was given: {why}")).hint(pipe.clone())
            }
            _ => failure.hint(pipe.clone()),
        }
    })?;
    match answer {
        Answer::Text(text) => Ok(text),
        Answer::Yes | Answer::No => {
            Err(Failure::new(Kind::Usage, format!("no {noun} was given")).hint(pipe))
        }
    }
}

fn store(
    cx: Context<'_>,
    request: &Request,
    outcome: &Outcome,
    secret: &Secret<String>,
) -> Result<(), Failure> {
    let written = cx.store.update(&request.agent, &mut |document| {
        let old = document.get(&outcome.profile);
        let new = credential(request, outcome, secret.clone(), old);
        document.put(outcome.profile.clone(), new);
        Change::Write
    })?;
    cx.tell_faults(&written);
    let mode = outcome.kind.as_str();
    make_selectable(cx, &outcome.profile, &request.provider, mode, None)?;
    cx.dialog.notice(&Notice::Saved {
        profile: outcome.profile.clone(),
        provider: request.provider.clone(),
        expires: outcome.expires,
    });
    Ok(())
}

/// Makes the new credential, with the members that the old one of its kind had beside its secret.
fn credential(
    request: &Request,
    outcome: &Outcome,
    secret: Secret<String>,
    old: Option<&Credential>,
) -> Credential {
    let provider = request.provider.to_string();
    match outcome.kind {
        credential::Kind::ApiKey => {
            let mut extra = match old {
                Some(Credential::ApiKey(old)) => beside(&old.extra, "keyRef"),
                _ => Extra::default(),
            };
            if !request.metadata.is_empty() {
                let pairs = request.metadata.iter().cloned();
                let text = Map::from_iter(pairs.map(|(name, value)| (name, Value::from(value))));
                let text = Verbatim::new(Value::from(text).to_string());
                extra.set("metadata", text);
            }
            Credential::ApiKey(ApiKey {
                provider,
                key: Some(secret),
                email: None,
                extra,
            })
        }
        credential::Kind::Token | credential::Kind::OAuth => Credential::Token(Token {
            provider,
            token: Some(secret),
            expires: outcome.expires,
            email: None,
            extra: match old {
                Some(Credential::Token(old)) => beside(&old.extra, "tokenRef"),
                _ => Extra::default(),
            },
        }),
    }
}

/// Returns the members of an old credential that stay beside a new secret.
pub(super) fn beside(old: &Extra, reference: &str) -> Extra {
    let mut extra = old.clone();
    // Where there is a reference, later releases use it in the place of the secret. And this is no
    // token that a client got for itself, to be renewed by it.
    let stale = [reference, Token::GRANT_TYPE];
    extra.0.retain(|(name, _)| !stale.contains(&name.as_str()));
    extra
}

/// Adds a new profile to `openclaw.json` if it could not be selected otherwise: once
/// `auth.profiles` names any profile of a provider, those that it does not name are never selected,
/// and an `auth.order` excludes what it does not list. Otherwise the configuration is left alone.
pub(super) fn make_selectable(
    cx: Context<'_>,
    profile: &ProfileId,
    provider: &ProviderId,
    mode: &str,
    email: Option<String>,
) -> Result<(), Failure> {
    let same = |text: &str| ProviderId::parse(text).as_ref() == Ok(provider);
    let mut edits = Vec::new();
    let named = &cx.settings.profiles;
    if named
        .iter()
        .any(|other| same(&other.provider) || other.id == *profile)
    {
        edits.push(Edit::SetAuthProfile {
            id: profile.clone(),
            provider: provider.clone(),
            mode: mode.to_owned(),
            email,
        });
    }
    if cx.settings.order_of(provider).is_some() {
        edits.push(Edit::OrderFirst {
            provider: provider.clone(),
            id: profile.clone(),
        });
    }
    if edits.is_empty() {
        return Ok(());
    }
    cx.edit_config(&edits).map(|_| ()).map_err(|error| {
        let mut failure = Failure::from(error).touched(StoreEffect::Changed);
        failure.message = format!(
            "{profile} is stored, and could not be named in the configuration, so it may not be chosen: {}",
            failure.message
        );
        failure
    })
}
