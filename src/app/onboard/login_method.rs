//! Methods of onboarding: from a choice to a stored credential.

use crate::model::credential::{self, Credential};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::{Flow, Provider};
use crate::model::secret::Secret;
use crate::ports::store::Scope;

use super::choices::{API_KEY, Meaning, SETUP_TOKEN, TOKEN, not_interactive};
use super::request::{Given, Request};
use crate::app::context::Context;
use crate::app::credential::env_keys::Keys;
use crate::app::credential::profile_id;
use crate::app::failure::{Failure, Kind};
use crate::app::login;
use crate::app::paste::{self, Form};

/// The method that needs neither a person nor a flag.
const CLIENT_CREDENTIALS: &str = "client-credentials";

/// The credential of the choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredCredential {
    /// The profile.
    pub profile: ProfileId,
    /// The provider.
    pub provider: ProviderId,
    /// The login method.
    pub method: String,
    /// Whether it was stored now, not before.
    pub stored: bool,
    /// Whether it replaced another credential.
    pub replaced: bool,
}

/// A choice that is carried out.
pub(super) struct LoginMethod<'a> {
    pub(super) cx: Context<'a>,
    pub(super) request: &'a Request,
    pub(super) agent: &'a AgentId,
    pub(super) meaning: &'a Meaning,
    pub(super) provider: ProviderId,
}

impl LoginMethod<'_> {
    /// Runs the chosen login method; does nothing if the credential already exists.
    pub(super) fn go(&self) -> Result<StoredCredential, Failure> {
        match self.meaning.method.as_str() {
            API_KEY => self.key(),
            SETUP_TOKEN => self.token(),
            _ => self.login(),
        }
    }

    fn login(&self) -> Result<StoredCredential, Failure> {
        let (provider, method) = (&self.provider, &self.meaning.method);
        if !self.request.interactive && method != CLIENT_CREDENTIALS {
            let message = format!(
                "{provider} needs an interactive login ({method}): OAuth requires interactive mode."
            );
            let hint = Command::login(provider, None);
            return Err(Failure::new(Kind::Usage, message).hint(hint));
        }
        let manifest = self.cx.provider(provider)?;
        let is_usual = manifest.flows.first().map(Flow::method) == Some(method.as_str());
        let stored = login::run(
            self.cx,
            &login::Request {
                agent: self.agent.clone(),
                provider: provider.clone(),
                // Unnamed, so that on a remote machine the other ways run beside it.
                method: (!is_usual).then(|| method.clone()),
                profile: None,
                no_browser: self.request.no_browser,
                clipboard: true,
                timeout: self.request.timeout,
                set_default: false,
                yes: false,
                attempt: None,
                scopes: None,
                display_name: None,
            },
        )?;
        Ok(self.kept(stored.profile, true, stored.replaced))
    }

    fn token(&self) -> Result<StoredCredential, Failure> {
        let flags = &self.request.token;
        let given = self.given(flags.token.as_ref(), "token")?;
        if given.is_none() && !self.request.interactive {
            let choice = &self.meaning.name;
            let message = format!("Missing --token for --auth-choice {choice}.");
            return Err(Failure::new(Kind::Usage, message).hint(self.by_pipe()));
        }
        // Only what is asked for like that is asked for with the question whether it was made.
        let form = match (self.meaning.name.as_str(), &given, flags.expires_in) {
            (TOKEN, _, expires_in) | (_, Some(_), expires_in) | (_, _, expires_in @ Some(_)) => {
                Form::Token { expires_in }
            }
            (_, None, None) => Form::SetupToken { yes: false },
        };
        let profile = match &flags.profile {
            Some(profile) => profile.clone(),
            None => self.vacant(credential::Kind::Token)?,
        };
        self.paste(profile, form, given.and_then(Given::text), Vec::new())
    }

    fn key(&self) -> Result<StoredCredential, Failure> {
        let row = self.meaning.row;
        let flag = row.and_then(|row| row.flag);
        let mut keys = self.request.keys.iter();
        let by_flag = keys.find(|(name, _)| Some(*name) == flag);
        let flag_name = flag.unwrap_or("secret-stdin");
        let mut given = self.given(by_flag.map(|(_, given)| given), flag_name)?;
        if given.is_none() {
            given = self.key_of_environment()?;
        }
        if given.is_none() && !self.request.interactive {
            return match self.existing()? {
                Some(profile) => {
                    let text = format!("{profile} is already stored and was left unchanged");
                    self.cx.info(text);
                    Ok(self.kept(profile, false, false))
                }
                None => Err(self.no_key(flag)),
            };
        }
        if given.is_none() {
            self.tell_optional();
        }
        let beside = self.beside()?;
        let profile = self.vacant(credential::Kind::ApiKey)?;
        self.paste(profile, Form::Key, given.and_then(Given::text), beside)
    }

    /// Says of a server of one's own that it may need no key.
    fn tell_optional(&self) {
        let manifest = self.cx.catalogue.get(&self.provider).ok();
        let key = manifest.as_ref().and_then(Provider::key_shape);
        if let (Some(provider), true) = (&manifest, key.is_some_and(|key| key.optional)) {
            self.cx.info(format!(
                "{} needs a key only if your server asks for one; Ctrl-C leaves it as it is",
                provider.name
            ));
        }
    }

    /// Returns the secret that a flag brings.
    fn given(&self, by_flag: Option<&Given>, flag: &str) -> Result<Option<Given>, Failure> {
        let from_input = match by_flag {
            Some(Given::Argument(secret)) => return Ok(Some(Given::Argument(secret.clone()))),
            Some(Given::Input) => true,
            None => self.request.from_input,
        };
        if from_input && self.cx.dialog.can_ask() && !self.request.interactive {
            let message = format!("--{flag} reads standard input, but that is a terminal");
            return Err(Failure::new(Kind::Usage, message).hint(self.by_pipe()));
        }
        Ok(from_input.then_some(Given::Input))
    }

    /// Returns the key of the environment; in an interactive run the user is asked whether to store
    /// it.
    fn key_of_environment(&self) -> Result<Option<Given>, Failure> {
        let manifest = self.cx.catalogue.get(&self.provider)?;
        let keys = Keys::look(self.cx)?;
        let Some((source, key)) = keys.key_of(&manifest) else {
            return Ok(None);
        };
        if !self.request.interactive {
            let text = format!("Using the key from {source}");
            self.cx.info(text);
            return Ok(Some(Given::Argument(key)));
        }
        let prompt = format!("Store the existing key ({source}, {})?", key.masked());
        let is_meant = self.cx.confirm(&prompt, true)?;
        Ok(is_meant.then_some(Given::Argument(key)))
    }

    /// Returns a profile with an API key of this provider that the agent sees.
    fn existing(&self) -> Result<Option<ProfileId>, Failure> {
        let effective = self.cx.effective(self.agent, Scope::All)?;
        let has_key = |credential: &Credential| {
            let key = credential.bearer().is_some_and(|key| !key.is_blank());
            key && credential.kind() == credential::Kind::ApiKey
                && credential.is_for(&self.provider)
        };
        let profiles = effective.profiles();
        let found = profiles.iter().find(|seen| has_key(seen.credential));
        Ok(found.map(|seen| seen.id.clone()))
    }

    fn no_key(&self, flag: Option<&str>) -> Failure {
        let provider = &self.provider;
        let manifest = self.cx.catalogue.get(provider).ok();
        let variable = manifest
            .iter()
            .flat_map(|manifest| &manifest.env)
            .find(|name| !Keys::is_token(name));
        let flag = flag.unwrap_or("secret-stdin");
        let in_env = variable.map_or_else(String::new, |name| format!("{name} in env, or "));
        let message = format!("Missing --{flag} (or {in_env}existing {provider} API-key profile).");
        Failure::new(Kind::Usage, message).hint(self.by_pipe())
    }

    /// Returns what is stored beside the key. A missing value is an error, or a warning in an
    /// interactive run.
    fn beside(&self) -> Result<Vec<(String, String)>, Failure> {
        let mut beside = Vec::new();
        for (flag, member) in self.meaning.row.map_or(&[][..], |row| row.beside) {
            let given = self.request.beside.iter().find(|(name, _)| name == flag);
            match given {
                Some((_, value)) => beside.push(((*member).to_owned(), value.clone())),
                None if self.request.interactive => {
                    let text = format!("{member} is not stored with the key: pass --{flag}");
                    self.cx.warn(text);
                }
                None => {
                    let choice = &self.meaning.name;
                    let message = format!("Missing --{flag} for --auth-choice {choice}.");
                    return Err(Failure::new(Kind::Usage, message).hint(self.by_pipe()));
                }
            }
        }
        Ok(beside)
    }

    fn paste(
        &self,
        profile: ProfileId,
        form: Form,
        given: Option<Secret<String>>,
        metadata: Vec<(String, String)>,
    ) -> Result<StoredCredential, Failure> {
        let paste::Outcome { stored, .. } = paste::run(
            self.cx,
            &paste::Request {
                agent: self.agent.clone(),
                provider: self.provider.clone(),
                is_new_provider: false,
                profile: Some(profile),
                form,
                given,
                metadata,
            },
        )?;
        Ok(self.kept(stored.profile, true, stored.replaced))
    }

    /// Returns the default profile id, or a numbered one if a credential of another kind has it.
    fn vacant(&self, kind: credential::Kind) -> Result<ProfileId, Failure> {
        let document = self.cx.names(self.agent)?;
        Ok(profile_id::vacant(
            &document,
            &self.provider,
            kind,
            self.request.name,
        )?)
    }

    fn kept(&self, profile: ProfileId, stored: bool, replaced: bool) -> StoredCredential {
        StoredCredential {
            profile,
            provider: self.provider.clone(),
            method: self.meaning.method.clone(),
            stored,
            replaced,
        }
    }

    fn by_pipe(&self) -> Hint {
        let mut command = not_interactive().option("--auth-choice", &self.meaning.name);
        if self.meaning.provider.is_none() {
            command = command.option("--token-provider", &self.provider);
        }
        for (flag, member) in self.meaning.row.map_or(&[][..], |row| row.beside) {
            command = command.option(&format!("--{flag}"), &member.to_uppercase());
        }
        Hint::from("printf %s \"$SECRET\" | ").run(command.arg("--secret-stdin"))
    }
}
