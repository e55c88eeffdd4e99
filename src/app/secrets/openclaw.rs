//! What lets OpenClaw use keys and tokens that are sealed: a reference in each of their profiles, and
//! in `openclaw.json` the program that the references name, which is this one.
//!
//! A reference stands beside a seal alone: OpenClaw 2026.5 removes what lies in the clear beside one.
//! The store keeps to that whatever is written, so nothing here has to.

use std::path::Path;

use super::references::refers_to_provider;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::config::edit::{Edit, SecretProgram};
use crate::model::credential::Credential;
use crate::model::env_reference;
use crate::model::exec_id::{ExecId, OWN_PROVIDER};
use crate::model::id::{AgentId, ProfileId};
use crate::model::json::Verbatim;
use crate::model::profiles::AuthProfiles;
use crate::model::secret_source::SecretSource;
use crate::model::vault::SealedPart;
use crate::ports::store::{Detail, Scope};

/// What OpenClaw runs. It passes on nothing of its environment but what is named here: where the
/// state and its key lie.
const OWN_PROGRAM: SecretProgram = SecretProgram {
    alias: OWN_PROVIDER,
    args: &["secrets", "resolve"],
    pass_env: &[
        "HOME",
        "OPENCLAW_HOME",
        "OPENCLAW_STATE_DIR",
        "OPENCLAW_CONFIG_PATH",
        "OPENCLAW_AGENT_DIR",
        "OPENCLAW_SECRETS_KEY_FILE",
        "CREDENTIALS_DIRECTORY",
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR",
    ],
};

/// Lets OpenClaw use what is sealed; returns how many profiles refer to this program, which lies at
/// `program`, and those that OpenClaw has no id for.
///
/// # Errors
/// If the configuration or a document cannot be changed. What is sealed stays so, and a second run
/// does the rest.
pub(super) fn connect(cx: Context<'_>, program: &Path) -> Result<(usize, Vec<ProfileId>), Failure> {
    let path = program.to_str().ok_or_else(|| {
        let message = "the path of this program is not UTF-8, and openclaw.json takes no other";
        Failure::new(Kind::Config, message)
    })?;
    // First, so that no reference names what is not there.
    let put = Edit::PutSecretProgram {
        program: OWN_PROGRAM,
        path: path.to_owned(),
    };
    let changed = |failure: Failure| failure.touched(StoreEffect::Changed);
    cx.edit_config(&[put])
        .map_err(|error| changed(error.into()))?;
    let (mut count, mut unnamed) = (0, Vec::new());
    for agent in cx.store.agents().map_err(|error| changed(error.into()))? {
        let written = cx.change(&agent, |document| refer_all(&agent, document));
        let written = written.map_err(|error| changed(error.into()))?;
        for (id, credential) in written.profiles() {
            match own_reference(id, credential) {
                true => count += 1,
                false if is_to_refer(credential) => unnamed.push(id.clone()),
                false => {}
            }
        }
    }
    Ok((count, unnamed))
}

/// Takes the program out of the configuration again, if it is as it was made and nothing refers to
/// it. The references to it went when their profiles were stored in the clear.
///
/// # Errors
/// If something cannot be read or changed.
pub(super) fn disconnect(cx: Context<'_>) -> Result<(), Failure> {
    let is_there = |(alias, _): &(String, _)| alias == OWN_PROVIDER;
    if !cx.settings.secrets.providers.iter().any(is_there) || is_referred_to(cx)? {
        return Ok(());
    }
    cx.edit_config(&[Edit::RemoveSecretProgram(OWN_PROGRAM)])?;
    Ok(())
}

fn is_referred_to(cx: Context<'_>) -> Result<bool, Failure> {
    if refers_to_provider(cx, OWN_PROVIDER) {
        return Ok(true);
    }
    for agent in cx.store.agents()? {
        let document = cx.store.look(&agent, Scope::All, Detail::Masked)?;
        let quoted = format!("\"{OWN_PROVIDER}\"");
        let mut members = document.profiles().flat_map(|(_, it)| &it.extra().0);
        if members.any(|(name, value)| name.ends_with("Ref") && value.as_str().contains(&quoted)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Refers OpenClaw to this program for a new credential, if it is so for those that are there.
pub(in crate::app) fn refer_new(
    cx: Context<'_>,
    agent: &AgentId,
    id: &ProfileId,
    credential: &mut Credential,
) {
    let mut providers = cx.settings.secrets.providers.iter();
    let is_own = |(alias, source): &(String, Option<SecretSource>)| {
        let is_program = |source: &SecretSource| match source {
            SecretSource::Exec(source) => source.args == OWN_PROGRAM.args,
            _ => false,
        };
        alias == OWN_PROVIDER && source.as_ref().is_some_and(is_program)
    };
    let policy = || cx.vault.policy().ok().flatten();
    let seals =
        |it: crate::ports::vault::VaultPolicy| it.store.seals() && it.part == SealedPart::All;
    if providers.any(is_own) && policy().is_some_and(seals) {
        refer(agent, id, credential);
    }
}

/// Adds the references that are missing; whether there were any.
fn refer_all(agent: &AgentId, document: &mut AuthProfiles) -> bool {
    let mut missing = Vec::new();
    for (id, credential) in document.profiles() {
        let mut credential = credential.clone();
        if refer(agent, id, &mut credential) {
            missing.push((id.clone(), credential));
        }
    }
    let is_any = !missing.is_empty();
    for (id, credential) in missing {
        document.put_same_secret(id, credential);
    }
    is_any
}

/// Adds the reference; whether it was missing.
fn refer(agent: &AgentId, id: &ProfileId, credential: &mut Credential) -> bool {
    let reference = ExecId::reference_to(agent, id).filter(|_| is_to_refer(credential));
    let Some(reference) = reference else {
        return false;
    };
    match credential {
        Credential::ApiKey(one) => one.extra.set("keyRef", Verbatim::new(reference)),
        Credential::Token(one) => one.extra.set("tokenRef", Verbatim::new(reference)),
        Credential::OAuth(_) => return false,
    }
    true
}

/// Whether a credential has a secret that is sealed when it is written, and no reference yet. OpenClaw
/// takes none for a login.
fn is_to_refer(credential: &Credential) -> bool {
    let (secret, reference) = match credential {
        Credential::ApiKey(one) => (&one.key, one.extra.get("keyRef")),
        Credential::Token(one) => (&one.token, one.extra.get("tokenRef")),
        Credential::OAuth(_) => return false,
    };
    let secret = secret.as_ref().filter(|secret| !secret.is_blank());
    secret.is_some_and(|secret| {
        secret.is_held() && env_reference::variable(secret.expose()).is_none()
    }) && reference.is_none_or(|text| text == "null")
}

fn own_reference(id: &ProfileId, credential: &Credential) -> bool {
    let mut members = credential.extra().0.iter();
    members
        .any(|(name, value)| name.ends_with("Ref") && ExecId::is_reference_to(id, value.as_str()))
}
