//! The report of `models status`.

use foldhash::HashSet;
use std::path::PathBuf;

use super::health::{Health, ProfileHealth, Status};
use super::probe::Probes;
use super::rows::ProviderRow;
use crate::app::credential::forecast::ForecastEntry;
use crate::app::credential::model_ref::Models;
use crate::app::credential::outlook::Outlook;
use crate::model::credential::Kind;
use crate::model::hint::Hint;
use crate::model::id::{AgentId, ProfileId};
use crate::model::inheritance::Inheritance;
use crate::model::time::Timestamp;
use crate::ports::store::Location;

/// The report. No type in it can hold a secret.
#[derive(Clone, Debug)]
pub struct Report {
    /// The configuration file.
    pub config_path: PathBuf,
    /// The agent.
    pub agent: AgentId,
    /// True if the user named the agent.
    pub agent_named: bool,
    /// The agent's directory.
    pub agent_dir: PathBuf,
    /// The location of the agent's document.
    pub store_path: Location,
    /// How much of main's document it sees, and the location of that; `None` for main.
    pub inheritance: Option<(Inheritance, Location)>,
    /// When the report was made.
    pub at: Timestamp,
    /// The default model, fallbacks and aliases.
    pub models: Models,
    /// Whether variables of a login shell are enabled.
    pub shell_env: bool,
    /// The names of the variables that came from it.
    pub from_shell: Vec<String>,
    /// The providers that have a credential.
    pub providers: Vec<ProviderRow>,
    /// The providers that the models need and that have none.
    pub missing: Vec<String>,
    /// The health of each profile and provider.
    pub health: Health,
    /// What `token --provider` would do for each provider that a model in use needs, that is
    /// configured, or that has a login.
    pub outlooks: Vec<Outlook>,
    /// What does not work and what will stop within a week, the worst first.
    pub forecast: Vec<ForecastEntry>,
    /// Whether a document could not be read completely.
    pub unreadable: bool,
    /// Faults, one sentence each.
    pub faults: Vec<Hint>,
    /// The results of `--probe`.
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

    /// The profiles that `token --provider` hands out.
    pub fn in_use(&self) -> HashSet<&ProfileId> {
        self.outlooks.iter().filter_map(Outlook::profile).collect()
    }

    /// The exit status of `--check`: 1 if a provider that is needed, configured or logged in to
    /// gives no token before somebody acts; 2 if a login expires within a day; else 0.
    pub fn check(&self) -> u8 {
        let is_expiring = |profile: &ProfileHealth| {
            profile.facts.kind != Kind::ApiKey && profile.status == Status::Expiring
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
