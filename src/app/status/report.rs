//! The report of `models status`.

use std::path::PathBuf;

use super::health::{Health, ProfileHealth, Status};
use super::probe::Probes;
use super::rows::{ProviderRow, UnusableRow};
use crate::app::credential::forecast::ForecastEntry;
use crate::app::credential::model_ref::Models;
use crate::app::credential::outlook::Outlook;
use crate::model::credential::Kind;
use crate::model::hint::Hint;
use crate::model::id::AgentId;
use crate::model::inheritance::Inheritance;
use crate::model::time::Timestamp;
use crate::ports::store::Location;

/// The whole report. No type in it can hold a secret.
#[derive(Clone, Debug)]
pub struct Report {
    /// The configuration file.
    pub config_path: PathBuf,
    /// The agent.
    pub agent: AgentId,
    /// Whether it was named.
    pub agent_named: bool,
    /// Its directory.
    pub agent_dir: PathBuf,
    /// Its document.
    pub store_path: Location,
    /// How much of main's document it sees, and where that lies; nothing to say of main itself.
    pub inheritance: Option<(Inheritance, Location)>,
    /// When it was made.
    pub at: Timestamp,
    /// Default model, fallbacks, aliases.
    pub models: Models,
    /// Whether variables of a login shell are asked for.
    pub shell_env: bool,
    /// The variables that were taken from it, by name.
    pub from_shell: Vec<String>,
    /// Providers with anything to show.
    pub providers: Vec<ProviderRow>,
    /// Providers that the models need and nothing speaks for.
    pub missing: Vec<String>,
    /// Profiles that are passed over for a while, the soonest to recover first.
    pub unusable: Vec<UnusableRow>,
    /// Health of each profile and provider.
    pub health: Health,
    /// What `token --provider` would do for each provider that a model in use needs, that is
    /// configured, or that has a login.
    pub outlooks: Vec<Outlook>,
    /// What has stopped working and what will within a week, the worst first.
    pub forecast: Vec<ForecastEntry>,
    /// Whether there is a document that could not be read whole.
    pub unreadable: bool,
    /// What is wrong, each a sentence.
    pub faults: Vec<Hint>,
    /// What the providers say to the credentials, if they were asked.
    pub probes: Option<Probes>,
}

impl Report {
    /// Where the document of the owner of a profile lies: the agent's own, or main's.
    pub fn location_of(&self, owner: &AgentId) -> &Location {
        match &self.inheritance {
            Some((_, main)) if *owner != self.agent => main,
            _ => &self.store_path,
        }
    }

    /// The exit status of `--check`: 1 if a provider that is needed, configured or logged in to
    /// gives no token before somebody acts; 2 if a login expires within a day; else 0.
    pub fn check(&self) -> u8 {
        let is_expiring = |profile: &ProfileHealth| {
            profile.kind != Kind::ApiKey && profile.status == Status::Expiring
        };
        if self.outlooks.iter().any(Outlook::needs_somebody) {
            1
        } else if self.health.profiles.iter().any(is_expiring) {
            2
        } else {
            0
        }
    }
}
