//! The context of a use case: the ports, and what was read once at the start.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::config::edit::Edit;
use crate::config::file::{Applied, ConfigError, ConfigFile};
use crate::model::clean;
use crate::model::credential::SecretFault;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::inheritance::Inheritance;
use crate::model::near::near;
use crate::model::pairs;
use crate::model::profiles::{AuthProfiles, Effective, VisibleProfile};
use crate::model::secret::Secret;
use crate::model::settings::Settings;
use crate::model::text::hexadecimal;
use crate::model::vault::VaultFault;
use crate::ports::access_keys::AccessKeyStore;
use crate::ports::browser::{Browser, BrowserError, OpenedPage};
use crate::ports::bundle::Bundles;
use crate::ports::callback::Callback;
use crate::ports::dialog::{Dialog, Notice};
use crate::ports::files::Files;
use crate::ports::host::{Clock, Env, Interrupt, LoginShell, Random};
use crate::ports::http::Http;
use crate::ports::listeners::Listeners;
use crate::ports::lock::{self, Wait};
use crate::ports::login_attempts::LoginAttempts;
use crate::ports::program::Programs;
use crate::ports::secrets::NamedSecrets;
use crate::ports::store::{Detail, Scope, Store, StoreError};
use crate::ports::store_files::StoreFiles;
use crate::ports::vault::{Sealer, Vault};
use crate::ports::vault_keys::VaultKeys;
use crate::providers::catalogue::Catalogue;

use super::credential::answered::Answered;
pub use super::dirs::Dirs;
use super::failure::{Failure, Kind};
use super::gateway::lease::Lease;
use super::hooks::queue::Alerts;

/// The ports, and what was read once at the start; the first argument of each use case.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Randomness for `state` and the PKCE verifier.
    pub random: &'a dyn Random,
    /// The environment, `<state>/.env` below it.
    pub env: &'a dyn Env,
    /// The login shell.
    pub shell: &'a dyn LoginShell,
    /// Signals that ask to stop.
    pub interrupt: &'a dyn Interrupt,
    /// The user's browser.
    pub browser: &'a dyn Browser,
    /// The one HTTP client.
    pub http: &'a dyn Http,
    /// Who listens on the ports of this machine.
    pub listeners: &'a dyn Listeners,
    /// External programs that speak for a provider.
    pub programs: &'a dyn Programs,
    /// The loopback redirect endpoint.
    pub callback: &'a dyn Callback,
    /// Questions to the user, and notices.
    pub dialog: &'a dyn Dialog,
    /// The file system, for what is neither store nor configuration: an agent's directory.
    pub files: &'a dyn Files,
    /// The credential store.
    pub store: &'a dyn Store,
    /// The files of the store, for `doctor` and `status`.
    pub store_files: &'a dyn StoreFiles,
    /// The keys to the gateway.
    pub access_keys: &'a dyn AccessKeyStore,
    /// The logins under way at the gateways of a database, if the store is in one.
    pub attempts: Option<&'a dyn LoginAttempts>,
    /// What opens what is sealed.
    pub vault: &'a dyn Vault,
    /// The key of the vault, for the commands that are about it.
    pub vault_keys: &'a dyn VaultKeys,
    /// The secrets that have names.
    pub secrets: &'a dyn NamedSecrets,
    /// What seals the bundles that go to another machine.
    pub bundles: &'a dyn Bundles,
    /// `openclaw.json`.
    pub config: &'a ConfigFile,
    /// The content of `openclaw.json` when the command began.
    pub settings: &'a Settings,
    /// The catalogue of providers.
    pub catalogue: &'a Catalogue,
    /// The directories of this run.
    pub dirs: &'a Dirs,
    /// Events of this command, for the hooks that run after it.
    pub alerts: &'a Alerts,
    /// What programs answered that references to secrets name.
    pub answered: &'a Answered,
    /// The gateway that tokens come from, if this machine keeps no credentials.
    pub lease: Option<&'a Lease>,
}

impl<'a> Context<'a> {
    /// Whether documents are rows of a database, which are always sealed.
    pub(in crate::app) fn is_in_database(self) -> bool {
        self.store_files.document(&AgentId::main()).is_none()
    }

    /// Where an agent's document lies, for a report whose places are mostly paths.
    pub(in crate::app) fn place_of(self, agent: &AgentId) -> PathBuf {
        let words = || self.store.location(agent).to_string().into();
        self.store_files.document(agent).unwrap_or_else(words)
    }

    /// Limits a wait for another process; a signal ends it, too.
    pub(in crate::app) fn wait(self, limit: Duration) -> Wait<'a> {
        Wait {
            limit,
            interrupt: Some(self.interrupt),
            dialog: Some(self.dialog),
        }
    }

    /// What seals that which a command is about to write; `None` in a plain store. Opens the vault,
    /// which may ask a person.
    ///
    /// # Errors
    /// If it is sealed and does not open.
    pub(in crate::app) fn sealer(self) -> Result<Option<Arc<Sealer>>, VaultFault> {
        let policy = self.vault.policy()?.filter(|policy| policy.store.seals());
        policy.map(|_| self.vault.unlock()).transpose()
    }

    /// Changes `openclaw.json`.
    ///
    /// # Errors
    /// As [`ConfigFile::apply`].
    pub fn edit_config(self, edits: &[Edit]) -> Result<Applied, ConfigError> {
        self.config
            .apply(edits, self.clock, &self.wait(lock::SHORT))
    }
}

impl Context<'_> {
    /// Loads what an agent sees: its own document, and below it what it inherits from the main
    /// agent.
    ///
    /// # Errors
    /// If one of the documents cannot be read.
    pub fn effective(&self, agent: &AgentId, scope: Scope<'_>) -> Result<Effective, StoreError> {
        self.overlay(agent, &mut |agent| self.load(agent, scope))
    }

    /// Loads the same for a view, with no more of each secret than that shows.
    ///
    /// # Errors
    /// As [`Self::effective`].
    pub(in crate::app) fn overview(
        &self,
        agent: &AgentId,
        scope: Scope<'_>,
        detail: Detail,
    ) -> Result<Effective, StoreError> {
        self.overlay(agent, &mut |agent| self.look(agent, scope, detail))
    }

    /// Loads an agent's own document for looking at: a reference to a variable is resolved.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(in crate::app) fn load(
        &self,
        agent: &AgentId,
        scope: Scope<'_>,
    ) -> Result<AuthProfiles, StoreError> {
        let mut document = self.store.load(agent, scope)?;
        document.resolve(&|name| self.variable(name));
        Ok(document)
    }

    /// Loads the same for a view.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(in crate::app) fn look(
        &self,
        agent: &AgentId,
        scope: Scope<'_>,
        detail: Detail,
    ) -> Result<AuthProfiles, StoreError> {
        let mut document = self.store.look(agent, scope, detail)?;
        document.resolve(&|name| self.variable(name));
        Ok(document)
    }

    /// Returns the secret in a variable of the environment or of `env` in the configuration, unless
    /// it is none that anybody could use.
    pub(in crate::app) fn variable(&self, name: &str) -> Option<Secret<String>> {
        let configured = || pairs::get(&self.settings.env, |other| other == name).cloned();
        let value = self.env.var(name).or_else(configured)?;
        let secret = clean::variable(name, value.expose());
        let fault = SecretFault::of_variable(value.expose(), &secret, None);
        let is_usable = match fault {
            // They say more by themselves.
            None | Some(SecretFault::Bearer(_) | SecretFault::Unset(_)) => true,
            Some(SecretFault::Malformed(_) | SecretFault::Sealed(_)) => false,
        };
        (is_usable && !secret.is_blank()).then_some(secret)
    }

    /// Loads what an agent sees by `load`, for documents that are read in another way.
    pub(in crate::app) fn overlay<E: From<StoreError>>(
        &self,
        agent: &AgentId,
        load: &mut dyn FnMut(&AgentId) -> Result<AuthProfiles, E>,
    ) -> Result<Effective, E> {
        let own = load(agent)?;
        if agent.is_main() {
            return Ok(Effective::new(agent.clone(), own, None));
        }
        let inheritance = self.store.inheritance(agent)?;
        let main = match &inheritance {
            Inheritance::Isolated => None,
            Inheritance::Inherit => Some(load(&AgentId::main())?),
            Inheritance::Linked(links) => Some(load(&AgentId::main())?.narrowed(links)),
        };
        Ok(Effective::new(agent.clone(), own, main))
    }

    /// Fails for an agent that is neither configured nor has a directory: a misspelt name would
    /// look like an agent that inherits everything from main. Main is there always, because the
    /// others inherit from it.
    pub(in crate::app) fn require_agent(&self, agent: &AgentId) -> Result<(), Failure> {
        if agent.is_main() || self.settings.knows_agent(agent) {
            return Ok(());
        }
        let mut known = self.store.agents().unwrap_or_default();
        if known.contains(agent) {
            return Ok(());
        }
        known.extend(self.settings.agent_ids());
        let mut message = format!("Unknown agent id \"{agent}\"");
        let near = near(agent.as_str(), known.iter().map(AgentId::as_str), 0.85);
        if let Some(nearest) = near.first() {
            message.push_str(&format!("; did you mean {nearest}?"));
        }
        Err(Failure::new(Kind::NotFound, message).hint(Command::list_agents()))
    }

    /// Lists the agents to go through: the named one, which must exist, or all.
    pub(in crate::app) fn agents(&self, named: Option<&AgentId>) -> Result<Vec<AgentId>, Failure> {
        let Some(agent) = named else {
            return Ok(self.store.agents()?);
        };
        self.require_agent(agent)?;
        Ok(vec![agent.clone()])
    }

    /// Loads an agent's own document to look at its names before a write. A document that is not
    /// JSON counts as empty, because the write quarantines it.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(in crate::app) fn names(&self, agent: &AgentId) -> Result<AuthProfiles, StoreError> {
        match self.store.look(agent, Scope::All, Detail::Masked) {
            Err(StoreError::Corrupt { .. }) => Ok(AuthProfiles::default()),
            other => other,
        }
    }

    /// Whether an agent's own document holds a profile of this name.
    pub(in crate::app) fn is_taken(&self, agent: &AgentId, profile: &ProfileId) -> bool {
        let document = self
            .store
            .look(agent, Scope::Profile(profile), Detail::Masked);
        document.is_ok_and(|document| document.get(profile).is_some())
    }

    /// Opens the user's browser, or tells the user to; does nothing on a remote machine, unless
    /// the user named a program that opens URLs. The page leads on while it is kept.
    pub(in crate::app) fn open_browser(&self, url: &str) -> Option<Box<dyn OpenedPage>> {
        if self.env.is_remote() && !self.browser.is_named() {
            return None;
        }
        let error = match self.browser.open(url) {
            Ok(page) => return Some(page),
            Err(error) => error,
        };
        let text = format!("could not open a browser ({error}); open the URL yourself");
        let hint = match error {
            BrowserError::Refused(error) => Failure::from(error).hint,
            BrowserError::NotOpened(_) => None,
        };
        self.info(match hint {
            Some(hint) => Hint::from(text).then(". To have it opened: ").then(hint),
            None => text.into(),
        });
        None
    }

    /// Fails with [`Kind::Cancelled`] once a signal asked to stop.
    pub(in crate::app) fn uninterrupted(&self) -> Result<(), Failure> {
        let signal = self.interrupt.pending();
        signal.map_or(Ok(()), |signal| Err(Failure::cancelled(signal)))
    }

    /// Returns so many random bytes, in hexadecimal.
    ///
    /// # Errors
    /// If the system has no randomness.
    pub(in crate::app) fn random_hex<const BYTES: usize>(&self) -> Result<String, Failure> {
        let mut bytes = [0; BYTES];
        let filled = self.random.fill(&mut bytes);
        filled.map_err(|error| Failure::new(Kind::Storage, error.to_string()))?;
        Ok(hexadecimal(&bytes))
    }

    /// Asks the user a question with the answers yes and no.
    pub(in crate::app) fn confirm(&self, prompt: &str, default: bool) -> Result<bool, Failure> {
        Ok(self.dialog.confirm(prompt, default, &|| false)?)
    }

    /// Asks for a confirmation; without one it fails with the message `unasked` or `refused`.
    pub(in crate::app) fn require_yes(
        &self,
        prompt: &str,
        (unasked, refused): (String, String),
        command: Command,
    ) -> Result<(), Failure> {
        let message = match self.dialog.can_ask() {
            true if self.confirm(prompt, false)? => return Ok(()),
            true => refused,
            false => unasked,
        };
        Err(Failure::new(Kind::Usage, message).hint(command))
    }

    /// Shows a warning; the command goes on.
    pub fn warn(&self, text: impl Into<Hint>) {
        self.dialog.notice(&Notice::Warning(text.into()));
    }

    /// Shows a line of information.
    pub(in crate::app) fn info(&self, text: impl Into<Hint>) {
        self.dialog.notice(&Notice::Info(text.into()));
    }

    /// Warns of a wrong system clock.
    pub(in crate::app) fn tell_skew(&self, warning: Option<Hint>) {
        if let Some(warning) = warning {
            self.warn(warning);
        }
    }

    /// Changes an agent's own document if `change` returns true, and warns as [`Self::tell_faults`].
    pub(in crate::app) fn change(
        &self,
        agent: &AgentId,
        mut change: impl FnMut(&mut AuthProfiles) -> bool,
    ) -> Result<AuthProfiles, StoreError> {
        let written = self.store.update(agent, &mut change)?;
        self.tell_faults(&written);
        Ok(written)
    }

    /// Warns of entries of a document that could not be read, and of the name under which a
    /// document was quarantined by the last write.
    pub(in crate::app) fn tell_faults(&self, document: &AuthProfiles) {
        for fault in &document.faults {
            self.warn(fault.as_str());
        }
    }
}

/// Returns a profile that the agent sees.
pub(in crate::app) fn look_up<'a>(
    effective: &'a Effective,
    id: &ProfileId,
) -> Result<VisibleProfile<'a>, Failure> {
    let seen = effective.get(id);
    seen.ok_or_else(|| Failure::not_seen(effective, id))
}

/// Returns the provider of a profile that the agent sees.
pub(in crate::app) fn look_up_provider(
    effective: &Effective,
    id: &ProfileId,
) -> Result<ProviderId, Failure> {
    let provider = look_up(effective, id)?.credential.provider();
    provider.ok_or_else(|| Failure::names_no_provider(id))
}
