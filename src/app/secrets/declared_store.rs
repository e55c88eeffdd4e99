//! `token_store` in `config.yaml`: where a user wants secrets to lie. What the vault says counts;
//! nothing is stored in the clear that a declaration wants sealed.

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::hint::Command;
use crate::model::id::ProviderId;
use crate::model::vault::TokenStore;
use crate::providers::catalogue::CatalogueError;

/// The first sealed store that a declaration asks for.
pub(super) fn wanted(cx: Context<'_>) -> Option<TokenStore> {
    let ids = cx.catalogue.ids().unwrap_or_default().into_iter();
    let mut stores = ids.filter_map(|id| cx.catalogue.declared(&id).ok()??.store);
    stores.find(|store| store.seals())
}

/// Fails before anything is asked for or sent whose result would lie elsewhere than a declaration
/// says; warns where another sealed store counts.
///
/// # Errors
/// [`Kind::Config`] if nothing may be stored, or it would be stored in the clear.
pub(in crate::app) fn require(cx: Context<'_>, provider: &ProviderId) -> Result<(), Failure> {
    let declared = cx.catalogue.declared(provider);
    let declared = declared.map_err(CatalogueError::from)?;
    let Some(wanted) = declared.and_then(|declared| declared.store) else {
        return Ok(());
    };
    if wanted == TokenStore::Env {
        let message = format!(
            "config.yaml says token_store: env for {provider}, so nothing is stored; give its token in a variable, or change that line"
        );
        return Err(Failure::new(Kind::Config, message));
    }
    if cx.is_in_database() {
        return Ok(());
    }
    let there = cx
        .vault
        .policy()?
        .map_or(TokenStore::Plain, |policy| policy.store);
    if wanted.seals() && !there.seals() {
        let message = format!(
            "config.yaml asks for token_store: {} for {provider}, and nothing is sealed here yet",
            wanted.as_ref()
        );
        let command = Command::new("secrets migrate").option("--to", wanted.as_ref());
        return Err(Failure::new(Kind::Config, message).hint(command.arg("--passphrase")));
    }
    if wanted != there {
        let (wanted, there) = (wanted.as_ref(), there.as_ref());
        cx.warn(format!(
            "config.yaml asks for token_store: {wanted}; secrets.enc says {there}, and that counts"
        ));
    }
    Ok(())
}
