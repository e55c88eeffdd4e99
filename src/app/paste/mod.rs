//! `models auth paste-token`, `setup-token` and `paste-api-key`: a long-lived secret, made elsewhere
//! and pasted here.
//!
//! Everything that can be wrong is checked before the secret is asked for, or before it is stored;
//! what is shown afterwards is a fingerprint.

mod recognise;
mod shape;

pub use shape::Form;

use serde_json::{Map, Value};

use crate::model::clean;
use crate::model::credential::{self, ApiKey, Credential, Token};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::json::{Extra, Verbatim};
use crate::model::provider::Provider;
use crate::model::secret::Secret;
use crate::ports::dialog::{DialogError, Question};
use crate::providers::catalogue::{self, CatalogueError};

use super::context::Context;
use super::deposit::{Destination, StoredProfile};
use super::failure::{Failure, Kind};
use shape::Shape;

/// Parameters of [`run`].
#[derive(Clone, Debug)]
pub struct Request {
    /// The agent to store it for.
    pub agent: AgentId,
    /// The provider.
    pub provider: ProviderId,
    /// Whether a provider that nothing describes is meant, however much it looks like another.
    pub is_new_provider: bool,
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
    pub stored: StoredProfile,
    /// A fingerprint of the secret, which reveals nothing of it.
    pub fingerprint: String,
    /// Its length in characters.
    pub length: usize,
}

/// Asks for a secret, checks its shape, and stores it.
///
/// # Errors
/// [`Kind::Usage`] if it is not what it should be or nobody is there to paste it;
/// [`Kind::Cancelled`]; what the store says. Nothing is stored then.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    cx.require_agent(&request.agent)?;
    let manifest = match cx.catalogue.get(&request.provider) {
        Ok(manifest) => Some(manifest),
        Err(CatalogueError::Unknown { .. }) => {
            require_meant(cx, request)?;
            None
        }
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
    let cleaned = clean::key(pasted.expose());
    if cleaned.is_blank() {
        let (noun, pipe) = words(request);
        return Err(Failure::new(Kind::Usage, format!("no {noun} provided")).hint(pipe));
    }
    let shape = Shape::of(&request.form, &request.provider, manifest.as_ref());
    let secret = shape.single(&pasted, cleaned)?;
    require_own(cx, request, manifest.as_ref(), &secret)?;
    shape.check(&secret)?;
    let fingerprint = secret.fingerprint().unwrap_or_default();
    let length = secret.expose().chars().count();
    let new = credential(cx, request, secret);
    let to = Destination {
        provider: &request.provider,
        profile,
        named: None,
        issued_by: None,
    };
    let stored = StoredProfile::store(cx, &request.agent, &to, None, &new)?;
    stored.finish(cx, &request.agent, None, None)?;
    Ok(Outcome {
        stored,
        fingerprint,
        length,
    })
}

/// Checks that a provider that nothing describes is no misspelt one: what is stored for that would
/// never be used.
fn require_meant(cx: Context<'_>, request: &Request) -> Result<(), Failure> {
    let provider = &request.provider;
    if request.is_new_provider || cx.knows_provider(&request.agent, provider) {
        return Ok(());
    }
    let Some(nearest) = cx.catalogue.near(provider).into_iter().next() else {
        return Ok(());
    };
    let message = format!("unknown provider {provider}; did you mean {nearest}? Nothing was saved");
    let hint = Hint::from(command(request.form, &nearest));
    let hint = hint.then(format!(
        " (or add --provider-new, if {provider} is what you mean)"
    ));
    Err(Failure::new(Kind::NotFound, message).hint(hint))
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
    let keys = manifest.filter(|_| request.form == Form::Key);
    if let Some(other) = keys.and_then(|known| recognise::provider_of_keys(cx, known)) {
        let message = format!("{message}; those of {other} are stored for {other}");
        let hint = Command::store(&other, None, credential::Kind::ApiKey);
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    let by_paste = request.form != Form::Key && !cx.catalogue.get(provider)?.logs_in();
    let kind = match by_paste {
        true => credential::Kind::Token,
        false => credential::Kind::OAuth,
    };
    Err(Failure::new(Kind::Usage, message).hint(Command::store(provider, None, kind)))
}

/// Checks that the secret is not another one: a key where a token is asked for, or one of another
/// provider.
fn require_own(
    cx: Context<'_>,
    request: &Request,
    manifest: Option<&Provider>,
    secret: &Secret<String>,
) -> Result<(), Failure> {
    // A gateway of one's own may take whatever key it wants.
    let Some(known) = manifest.filter(|known| catalogue::is_built_in(&known.id)) else {
        return Ok(());
    };
    let kind = request.form.kind();
    let asked = (known, kind);
    let Some(origin) = recognise::other_origin(cx, secret.expose(), asked) else {
        return Ok(());
    };
    let of = &origin.provider;
    let asked = &request.provider;
    let message = match origin.kind {
        credential::Kind::ApiKey if kind == credential::Kind::ApiKey => {
            format!("this is an API key of {of}, not of {asked}; nothing was saved")
        }
        credential::Kind::ApiKey => {
            let shape = known.token_shape();
            let begins = shape.and_then(|shape| shape.prefix.as_deref());
            let begins = begins.map_or_else(String::new, |prefix| {
                format!(", which starts with {prefix}")
            });
            format!("this is an API key of {of}, not a token of {asked}{begins}; nothing was saved")
        }
        _ if kind == credential::Kind::ApiKey && of == asked => {
            format!("this is a token of {of}, not an API key; nothing was saved")
        }
        _ => format!("this is a token of {of}; nothing was saved"),
    };
    Err(Failure::new(Kind::Usage, message).hint(Command::store(of, None, origin.kind)))
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
                let text = format!("Create an API key for {} at {page}", provider.name);
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
    match cx.confirm(&format!("Did you run `{help}` and copy the token?"), true)? {
        true => Ok(()),
        false => Err(Failure::new(Kind::Usage, "nothing was saved")
            .hint(format!("run `{help}` on any machine first"))),
    }
}

/// Returns the command that stores such a secret.
fn command(form: Form, provider: &ProviderId) -> Command {
    let verb = match form {
        Form::Token { .. } => "paste-token",
        Form::SetupToken { .. } => "setup-token",
        Form::Key => "paste-api-key",
    };
    let command = Command::new("models auth").arg(verb);
    command.option("--provider", provider)
}

/// Returns the noun for the secret, and the command that takes it from a pipe.
fn words(request: &Request) -> (&'static str, Hint) {
    let (noun, variable) = match request.form {
        Form::Token { .. } | Form::SetupToken { .. } => ("token", "TOKEN"),
        Form::Key => ("key", "KEY"),
    };
    let command = command(request.form, &request.provider);
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
    let question = Question::Secret(format!(
        "Paste the {what} for {} (input is hidden)",
        request.provider
    ));
    cx.dialog.ask(&question, &|| false).map_err(|error| {
        let failure = Failure::from(error.clone());
        match error {
            DialogError::Cancelled => failure,
            DialogError::Failed(why) => {
                Failure::new(Kind::Usage, format!("no {noun} provided: {why}")).hint(pipe)
            }
            _ => failure.hint(pipe),
        }
    })
}

/// Makes the new credential.
fn credential(cx: Context<'_>, request: &Request, secret: Secret<String>) -> Credential {
    let provider = request.provider.to_string();
    let mut extra = Extra::default();
    if request.form != Form::Key {
        let expires = match request.form {
            Form::Token { expires_in } => expires_in.map(|life| cx.clock.now().after(life)),
            Form::SetupToken { .. } | Form::Key => None,
        };
        return Credential::Token(Token {
            provider,
            token: Some(secret),
            expires,
            email: None,
            extra,
        });
    }
    if !request.metadata.is_empty() {
        let pairs = request.metadata.iter().cloned();
        let text = Map::from_iter(pairs.map(|(name, value)| (name, Value::from(value))));
        extra.set("metadata", Verbatim::new(Value::from(text).to_string()));
    }
    Credential::ApiKey(ApiKey {
        provider,
        key: Some(secret),
        email: None,
        extra,
    })
}
