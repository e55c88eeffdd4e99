//! `models auth paste-token` and `setup-token`: a long-lived token, made elsewhere and pasted here.
//!
//! Everything that can be wrong is checked before the token is asked for, or before it is stored;
//! what is shown afterwards is a fingerprint. A terminal that wraps lines puts white space into a
//! token, so all of it is removed.

use std::time::Duration;

use crate::config::edit::Edit;
use crate::model::credential::{Credential, Token};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::json::Extra;
use crate::model::provider::TokenFlow;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::dialog::{Answer, DialogError, Notice, Question};
use crate::ports::store::{Change, Scope};

use super::Ports;
use super::failure::{Failure, Kind, Touched, login_command};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// For which agent.
    pub agent: AgentId,
    /// Whose token it is.
    pub provider: ProviderId,
    /// Under which name; `<provider>:manual` by default, as in the reference release.
    pub profile: Option<ProfileId>,
    /// How long it lives from now; `None` if it has no end.
    pub expires_in: Option<Duration>,
    /// `setup-token`: only where the manifest knows how such a token looks, and after a person has
    /// said that it was made.
    pub setup: bool,
    /// Without asking whether the token was made.
    pub yes: bool,
}

/// What was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// Under which profile.
    pub profile: ProfileId,
    /// For which provider.
    pub provider: ProviderId,
    /// A short name of the token that tells nothing about it.
    pub fingerprint: String,
    /// Its length in characters.
    pub length: usize,
    /// When it ends, if it does.
    pub expires: Option<Timestamp>,
    /// Whether a profile of that name held something else before.
    pub replaced: bool,
}

/// Asks for a token, checks its shape, stores it.
///
/// # Errors
/// [`Kind::Usage`] if the token is not what it should be or nobody is there to paste it;
/// [`Kind::Cancelled`]; what the store says. Nothing is stored then.
pub fn run(ports: Ports<'_>, request: &Request) -> Result<Outcome, Failure> {
    let manifest = ports.catalogue.get(&request.provider).ok();
    let shape = manifest
        .as_ref()
        .and_then(|manifest| manifest.token_shape());
    if request.setup && shape.is_none() {
        let by_paste = !ports.catalogue.get(&request.provider)?.logs_in();
        let message = format!("{} has no setup-token", request.provider);
        let hint = login_command(&request.provider, None, by_paste);
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    let profile = match &request.profile {
        Some(profile) => profile.clone(),
        None => ProfileId::of(&request.provider, "manual")?,
    };
    if request.setup && !request.yes && ports.dialog.can_ask() {
        confirm_made(ports, shape)?;
    }
    let token = ask(ports, request)?;
    check(&token, shape, &request.provider)?;
    let expires = request.expires_in.map(|life| ports.clock.now().after(life));
    let outcome = Outcome {
        fingerprint: token.fingerprint(),
        length: token.expose().chars().count(),
        replaced: ports
            .store
            .load(&request.agent, Scope::Profile(&profile))
            .is_ok_and(|document| document.get(&profile).is_some()),
        provider: request.provider.clone(),
        profile,
        expires,
    };
    store_token(
        ports,
        &request.agent,
        &Kept {
            profile: &outcome.profile,
            provider: &outcome.provider,
            token,
            expires,
        },
    )?;
    Ok(outcome)
}

fn confirm_made(ports: Ports<'_>, shape: Option<&TokenFlow>) -> Result<(), Failure> {
    let Some(help) = shape.and_then(|shape| shape.help.as_deref()) else {
        return Ok(());
    };
    let question = Question::Confirm {
        prompt: format!("Have you run `{help}` and copied the token?"),
        default: true,
    };
    match ports.dialog.ask(&question, &|| false)? {
        Answer::No => Err(Failure::new(Kind::Usage, "nothing was stored")
            .hint(format!("run `{help}` first, on any machine"))),
        Answer::Yes | Answer::Text(_) => Ok(()),
    }
}

fn ask(ports: Ports<'_>, request: &Request) -> Result<Secret<String>, Failure> {
    let provider = &request.provider;
    let question = Question::Secret {
        prompt: format!("Paste the token for {provider} (it is not shown)"),
    };
    let verb = match request.setup {
        true => "setup-token",
        false => "paste-token",
    };
    let pipe = format!("printf %s \"$TOKEN\" | openclaw models auth {verb} --provider {provider}");
    let answer = ports.dialog.ask(&question, &|| false).map_err(|error| {
        let failure = Failure::from(error.clone());
        match error {
            DialogError::Cancelled => failure,
            DialogError::Failed(why) => {
                Failure::new(Kind::Usage, format!("no token was given: {why}")).hint(pipe.clone())
            }
            _ => failure.hint(pipe.clone()),
        }
    })?;
    let Answer::Text(text) = answer else {
        return Err(Failure::new(Kind::Usage, "no token was given").hint(pipe));
    };
    let token: String = text
        .expose()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    if token.is_empty() {
        return Err(Failure::new(Kind::Usage, "no token was given").hint(pipe));
    }
    Ok(Secret::new(token))
}

fn check(
    token: &Secret<String>,
    shape: Option<&TokenFlow>,
    provider: &ProviderId,
) -> Result<(), Failure> {
    let wrong = |what: String| {
        let hint = shape.and_then(|shape| shape.help.as_ref()).map_or_else(
            || "copy the token again, whole".to_owned(),
            |help| format!("run `{help}` and copy the token again, whole"),
        );
        let message = format!("{what}; nothing was stored");
        Err(Failure::new(Kind::Usage, message).hint(hint))
    };
    let text = token.expose();
    if let Some(odd) = text.chars().find(|c| !c.is_ascii_graphic()) {
        return wrong(format!("a token cannot hold the character {odd:?}"));
    }
    let Some(shape) = shape else { return Ok(()) };
    if let Some(prefix) = &shape.prefix
        && !text.starts_with(prefix)
    {
        return wrong(format!(
            "a token for {provider} starts with {prefix}; this one does not"
        ));
    }
    let length = text.chars().count();
    if length < shape.min_length {
        return wrong(format!(
            "a token for {provider} has at least {} characters; this one has {length}, so it was probably cut",
            shape.min_length
        ));
    }
    Ok(())
}

/// A token, and where it goes.
pub(super) struct Kept<'a> {
    pub(super) profile: &'a ProfileId,
    pub(super) provider: &'a ProviderId,
    pub(super) token: Secret<String>,
    pub(super) expires: Option<Timestamp>,
}

/// Stores a token in the place of what its profile held.
pub(super) fn store_token(
    ports: Ports<'_>,
    agent: &AgentId,
    kept: &Kept<'_>,
) -> Result<(), Failure> {
    let mut new = Token {
        provider: kept.provider.to_string(),
        token: Some(kept.token.clone()),
        expires: kept.expires,
        email: None,
        extra: Extra::default(),
    };
    let written = ports.store.update(agent, &mut |document| {
        if let Some(Credential::Token(old)) = document.get(kept.profile) {
            new.extra = old.extra.clone();
            // Where there is a reference, later releases use it in the place of the token.
            new.extra.0.retain(|(name, _)| name != "tokenRef");
        }
        document.put(kept.profile.clone(), Credential::Token(new.clone()));
        Change::Write
    })?;
    ports.tell_faults(&written);
    make_selectable(ports, kept.profile, kept.provider, "token", None)?;
    ports.dialog.notice(&Notice::Saved {
        profile: kept.profile.clone(),
        provider: kept.provider.clone(),
        expires: kept.expires,
    });
    Ok(())
}

/// Names a new profile in `openclaw.json` where that is needed for it to be chosen: once
/// `auth.profiles` names any profile of a provider, those it does not name are never selected, and
/// an `auth.order` excludes what it does not list. Otherwise the configuration is left alone.
pub(super) fn make_selectable(
    ports: Ports<'_>,
    profile: &ProfileId,
    provider: &ProviderId,
    mode: &str,
    email: Option<String>,
) -> Result<(), Failure> {
    let same = |text: &str| ProviderId::parse(text).as_ref() == Ok(provider);
    let mut edits = Vec::new();
    let named = &ports.settings.profiles;
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
    if ports.settings.order_of(provider).is_some() {
        edits.push(Edit::OrderFirst {
            provider: provider.clone(),
            id: profile.clone(),
        });
    }
    if edits.is_empty() {
        return Ok(());
    }
    ports.config.apply(&edits).map(|_| ()).map_err(|error| {
        let mut failure = Failure::from(error).touched(Touched::Changed);
        failure.message = format!(
            "{profile} is stored, and could not be named in the configuration, so it may not be chosen: {}",
            failure.message
        );
        failure
    })
}
