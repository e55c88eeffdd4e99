//! The shape of pasted tokens and keys, and the removal of what people copy along with them.

use std::time::Duration;

use super::recognise;
use crate::app::failure::{Failure, Kind as FailureKind};
use crate::model::clean;
use crate::model::credential::Kind;
use crate::model::hint::{Command, Hint};
use crate::model::id::ProviderId;
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
                again: token.and_then(|token| token.help.as_ref()).map_or_else(
                    || "copy the whole token again".to_owned(),
                    |help| format!("run `{help}` and copy the whole token again"),
                ),
                token: None,
            },
        }
    }

    /// Checks that one secret was pasted, once.
    ///
    /// # Errors
    /// [`FailureKind::Usage`], with what to do about it; the secret is not repeated.
    pub(super) fn check_count(
        &self,
        pasted: &Secret<String>,
        secret: &Secret<String>,
    ) -> Result<(), Failure> {
        let what = recognise::joined(pasted.expose(), secret.expose(), self.prefix);
        let Some(what) = what else {
            return Ok(());
        };
        let message = format!("the {} {what}; nothing was saved", self.noun);
        Err(Failure::new(FailureKind::Usage, message).hint("paste one, once"))
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
        let is_odd = |c: &char| !c.is_ascii_graphic() || (noun == "key" && "\"'`".contains(*c));
        if let Some(odd) = text.chars().find(is_odd) {
            let what = format!("a {noun} cannot contain the character {odd:?}");
            return wrong(what, self.again.as_str().into());
        }
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
        Ok(())
    }
}

/// Removes what was copied along.
pub(super) fn cleaned(form: &Form, pasted: &str) -> Secret<String> {
    match form {
        Form::Key => clean::key(pasted),
        Form::Token { .. } | Form::SetupToken { .. } => clean::token(pasted),
    }
}
