//! The shape of pasted tokens and keys.

use std::time::Duration;

use super::recognise;
use crate::app::failure::{Failure, Kind as FailureKind};
use crate::model::credential::Kind;
use crate::model::hint::{Command, Hint};
use crate::model::id::ProviderId;
use crate::model::malformed::Malformed;
use crate::model::provider::Provider;
use crate::model::secret::Secret;

/// The kind of a pasted secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A token.
    Token {
        /// The lifetime from now; `None` if it does not expire.
        expires_in: Option<Duration>,
    },
    /// A token whose shape the manifest defines, and whose creation the user confirms.
    SetupToken {
        /// Whether to skip the question whether it was made.
        yes: bool,
    },
    /// An API key.
    Key,
}

impl Form {
    /// Returns the kind of credential that it becomes.
    pub(super) fn kind(self) -> Kind {
        match self {
            Self::Key => Kind::ApiKey,
            Self::Token { .. } | Self::SetupToken { .. } => Kind::Token,
        }
    }
}

/// The shape of a provider's secrets, as far as its manifest defines it.
pub(super) struct Shape<'a> {
    provider: &'a ProviderId,
    noun: &'static str,
    prefix: Option<&'a str>,
    min_length: usize,
    max_length: Option<usize>,
    again: String,
    /// The prefix of the provider's tokens, if a key is wanted.
    token: Option<&'a str>,
}

impl<'a> Shape<'a> {
    /// Reads the shape from a manifest.
    pub(super) fn of(
        form: &Form,
        provider: &'a ProviderId,
        manifest: Option<&'a Provider>,
    ) -> Self {
        let token = manifest.and_then(Provider::token_shape);
        let prefix = token.and_then(|token| token.prefix.as_deref());
        match form {
            Form::Key => {
                let key = manifest.and_then(Provider::key_shape);
                let page = key.and_then(|key| key.help.as_ref());
                Self {
                    provider,
                    noun: "key",
                    prefix: key.and_then(|key| key.prefix.as_deref()),
                    min_length: 0,
                    max_length: None,
                    again: page.map_or_else(
                        || "copy the whole key again".to_owned(),
                        |page| format!("copy the whole key again, or create one at {page}"),
                    ),
                    token: prefix,
                }
            }
            Form::Token { .. } | Form::SetupToken { .. } => Self {
                provider,
                noun: "token",
                prefix,
                min_length: token.map_or(0, |token| token.min_length),
                max_length: match form {
                    Form::SetupToken { .. } => token.and_then(|token| token.max_length),
                    _ => None,
                },
                again: token.and_then(|token| token.help.as_ref()).map_or_else(
                    || "copy the whole token again".to_owned(),
                    |help| format!("run `{help}` and copy the whole token again"),
                ),
                token: None,
            },
        }
    }

    /// Returns the secret in `pasted`, of which `cleaned` is what is left if nothing but a secret was
    /// pasted.
    ///
    /// # Errors
    /// [`FailureKind::Usage`] if it is not one secret, with what to do about it; it is not repeated.
    pub(super) fn single(
        &self,
        pasted: &Secret<String>,
        cleaned: Secret<String>,
    ) -> Result<Secret<String>, Failure> {
        let (noun, text) = (self.noun, pasted.expose());
        let refused = |fault: &Malformed, hint: Hint| {
            let message = match fault {
                Malformed::Character(odd) => {
                    format!("a {noun} cannot contain the character {odd:?}")
                }
                Malformed::Other(words) => format!("the {noun} {words}"),
            };
            let message = format!("{message}; nothing was saved");
            Err(Failure::new(FailureKind::Usage, message).hint(hint))
        };
        if let Some(several) = Malformed::of_several(text, cleaned.expose(), self.prefix) {
            return refused(&several, "paste one, once".into());
        }
        let known = self.prefix.zip(self.max_length);
        let found = known.and_then(|(head, length)| recognise::find_whole(text, head, length));
        let secret = found.unwrap_or(cleaned);
        // Some programs call JSON a token.
        let is_json = noun == "token"
            && secret.expose().starts_with('{')
            && secret.expose().bytes().all(|c| c.is_ascii_graphic());
        match Malformed::of(secret.expose()).filter(|_| !is_json) {
            Some(fault) => refused(&fault, self.again.as_str().into()),
            None => Ok(secret),
        }
    }

    /// Checks the shape of `secret`.
    ///
    /// # Errors
    /// [`FailureKind::Usage`], with what to do about it; the secret is not repeated.
    pub(super) fn check(&self, secret: &Secret<String>) -> Result<(), Failure> {
        let (noun, provider) = (self.noun, self.provider);
        let wrong = |what: String, hint: Hint| {
            let message = format!("{what}; nothing was saved");
            Err(Failure::new(FailureKind::Usage, message).hint(hint))
        };
        let text = secret.expose();
        if let Some(prefix) = self.token.filter(|prefix| text.starts_with(prefix)) {
            let what =
                format!("this is a token of {provider} (it starts with {prefix}), not an API key");
            return wrong(what, Command::paste_token(provider, None).into());
        }
        if let Some(prefix) = self.prefix.filter(|prefix| !text.starts_with(prefix)) {
            let what = format!("a {noun} for {provider} starts with {prefix}; this one does not");
            return wrong(what, self.again.as_str().into());
        }
        let length = text.chars().count();
        if length < self.min_length {
            let least = self.min_length;
            let what = format!(
                "a {noun} for {provider} has at least {least} characters; this one has {length}, so it was probably cut"
            );
            return wrong(what, self.again.as_str().into());
        }
        if let Some(most) = self.max_length.filter(|most| length > *most) {
            let what = format!(
                "a {noun} for {provider} has {most} characters; this one has {length}, so something was copied along"
            );
            return wrong(what, self.again.as_str().into());
        }
        Ok(())
    }
}
