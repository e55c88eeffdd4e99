//! `models list`.

use clap::Args;

use super::status::request_of;
use crate::app::credential::provider_name::Purpose;
use crate::app::models::list;
use crate::cli::output::{Answer, Output};
use crate::cli::system::System;
use crate::cli::view;
use crate::model::named::ProviderName;

/// List configured models and whether they have credentials
///
/// Lists the default model, the image model, their fallbacks and the models in
/// `agents.defaults.models`. Does not check whether the provider offers a model.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  openclaw models list
  openclaw models list --json | jq -r '.models[] | select(.available | not).key'")]
pub struct List {
    /// Only list models of this provider
    #[arg(long, value_name = "ID", value_parser = ProviderName::parse)]
    provider: Option<ProviderName>,
    #[command(flatten)]
    form: Form,
}

/// How a list is printed.
#[derive(Debug, Args)]
pub struct Form {
    /// Output as JSON
    #[arg(long, conflicts_with = "plain")]
    pub json: bool,
    /// Output one entry per line
    #[arg(long)]
    pub plain: bool,
}

impl List {
    /// Lists them.
    pub fn run(&self, system: &System) -> Answer {
        let cx = system.context();
        let named = |name| cx.known_provider(&system.agent, name, Purpose::Any);
        let provider = self.provider.as_ref().map(named).transpose()?;
        let outcome = list::run(cx, &request_of(system), provider.as_ref())?;
        let output = if self.form.json {
            Output::json(&view::models::list_document(&outcome))
        } else if self.form.plain {
            Output::text(view::models::list_plain(&outcome))
        } else {
            Output::text(view::models::list_text(&outcome))
        };
        Ok(output.warnings(outcome.faults))
    }
}
