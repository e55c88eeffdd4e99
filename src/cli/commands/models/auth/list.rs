//! `models auth list`.

use clap::Args;

use crate::app::credential::provider_name::Purpose;
use crate::app::usecase::list;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::named::ProviderName;

/// List stored profiles
///
/// Shows the provider, type, expiry and owning agent of each profile. Secrets are never shown.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models auth list
  openclaw models auth list --provider anthropic --json")]
pub struct List {
    /// Only list profiles of this provider
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    /// Output as JSON
    #[arg(long)]
    json: bool,
}

impl List {
    /// Lists them.
    pub fn run(&self, system: &System) -> Answer {
        let (cx, agent) = (system.context(), &system.agent);
        let named = |name| cx.known_provider(agent, name, Purpose::Any);
        let provider = self.provider.as_ref().map(named).transpose()?;
        let provider = provider.as_ref();
        let outcome = list::run(cx, agent, provider)?;
        if self.json {
            let place = view::list::Place {
                directory: cx.store_files.directory(agent),
                at: cx.store.location(agent),
                is_file: cx.store_files.document(agent).is_some(),
            };
            let document = view::list::document(agent, provider, &outcome, &place);
            return Ok(Output::json(&document));
        }
        let text = view::list::text(agent, &outcome, system.local());
        Ok(Output::text(text).warnings(outcome.faults))
    }
}
