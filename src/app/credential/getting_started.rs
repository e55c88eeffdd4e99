//! The advice where the default model needs a login and nobody has configured that model: every
//! command gives the same.

use super::model_ref::Models;
use super::outlook::Outlook;
use super::strays::{self, StrayFile};
use crate::app::context::Context;
use crate::model::hint::{Command, Hint};
use crate::model::profiles::Effective;

/// Returns the next step of somebody who has configured no model: to import what lies in a file
/// that is not read, to log in to anything, or to choose a model of what is there. `None` with a
/// configured model, whose provider is advised.
pub(in crate::app) fn advise(cx: Context<'_>, effective: &Effective) -> Option<Hint> {
    if cx.settings.model_of(&effective.agent).primary.is_some() {
        return None;
    }
    let profiles = effective.profiles();
    let mut providers = profiles
        .iter()
        .filter_map(|seen| seen.credential.provider());
    let Some(provider) = providers.next() else {
        let strays = strays::found_for(cx, effective);
        let import = strays.first().map(StrayFile::import);
        return Some(import.unwrap_or_else(|| Command::new("onboard")).into());
    };
    let manifest = cx.provider(&provider).ok();
    let model = manifest.and_then(|manifest| manifest.default_model);
    let model = model.unwrap_or_else(|| format!("{provider}/MODEL"));
    Some(Command::new("models set").arg(&model).into())
}

/// Puts that advice in the place of a login to the provider of the built-in default.
pub(in crate::app) fn replace(
    cx: Context<'_>,
    effective: &Effective,
    models: &Models,
    outlooks: &mut [Outlook],
) {
    let is_meant = |outlook: &&mut Outlook| {
        !outlook.has_candidates && models.needs_by_default(&outlook.provider)
    };
    for outlook in outlooks.iter_mut().filter(is_meant) {
        if let (Some(failure), Some(advice)) = (&mut outlook.failure, advise(cx, effective)) {
            failure.hint = Some(advice);
        }
    }
}
