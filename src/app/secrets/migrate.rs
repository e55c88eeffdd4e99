//! `secrets migrate`: where the secrets of profiles lie from now on.
//!
//! First the vault says so, then everything is written anew, document by document. Both forms are
//! read at any time, so whoever is killed in between has lost nothing, what is stored meanwhile is
//! stored as it is meant to be, and a second run does the rest.

use std::path::PathBuf;

use super::openclaw;
use super::reseal::{self, Resealed};
use super::set::KeyPlace;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::model::credential::Credential;
use crate::model::env_reference;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::model::secret::Secret;
use crate::model::vault::{SealedPart, TokenStore};
use crate::ports::lock;
use crate::ports::store::{Detail, Scope};
use crate::ports::vault_keys::{NewSlot, SlotStatus};

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// Where secrets lie from now on.
    pub to: TokenStore,
    /// Which of them are sealed.
    pub part: SealedPart,
    /// A key file, in which a key lies from now on.
    pub key_file: Option<PathBuf>,
    /// Whether a passphrase opens the vault, too; from this file descriptor or a prompt.
    pub passphrase: Option<Option<u32>>,
    /// Whether one slot is enough.
    pub no_recovery: bool,
    /// Where this program lies, if OpenClaw is to get from it what is sealed.
    pub openclaw: Option<PathBuf>,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// How many profiles hold a secret that lies otherwise than it should.
    pub profiles: usize,
    /// What became of the files; `None` where nothing was changed.
    pub done: Option<Resealed>,
    /// The slots that were added, in words.
    pub slots: Vec<String>,
    /// How many keys and tokens OpenClaw gets from this program, if it was told to.
    pub referred: Option<usize>,
    /// The profiles of which OpenClaw can name none to this program.
    pub unnamed: Vec<ProfileId>,
}

/// Carries it out.
///
/// # Errors
/// [`Kind::Usage`] if one slot alone would open the secrets; what the vault and the store say. A
/// failure in the middle loses nothing.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    if request.to == TokenStore::Env {
        let message = "`env` stores nothing; secrets come from variables then, and there is nothing to migrate";
        return Err(Failure::new(Kind::Usage, message).hint(Command::list()));
    }
    if cx.store_files.document(&AgentId::main()).is_none() {
        let message = "the credentials are in a database, where each is sealed under its key";
        let hint = Hint::from("for another key use ").run(Command::new("gateway rekey"));
        return Err(Failure::new(Kind::Usage, message).hint(hint));
    }
    if request.openclaw.is_some() {
        check_usable(request)?;
    }
    let mut outcome = Outcome {
        profiles: count(cx, request)?,
        done: None,
        slots: Vec::new(),
        referred: None,
        unnamed: Vec::new(),
    };
    let status = cx.vault_keys.status()?;
    if status.is_none() && request.to == TokenStore::Plain {
        outcome.done = Some(Resealed::default());
        return Ok(outcome);
    }
    let there = status.as_ref().map(|status| status.slots.as_slice());
    let places = places(cx, request, there.unwrap_or_default());
    if request.to.seals() {
        require_recovery(request, there.map_or(0, <[_]>::len) + places.len())?;
    }
    if request.dry_run {
        return Ok(outcome);
    }
    outcome.slots = match there {
        None => begin(cx, request, &places)?,
        Some(_) => go_on(cx, request, &places)?,
    };
    outcome.done = Some(reseal::all(cx)?);
    match &request.openclaw {
        Some(program) => {
            let (referred, unnamed) = openclaw::connect(cx, program)?;
            (outcome.referred, outcome.unnamed) = (Some(referred), unnamed);
        }
        None if !seals_keys(request) => openclaw::disconnect(cx)?,
        None => {}
    }
    Ok(outcome)
}

/// Whether keys and tokens are sealed from then on.
fn seals_keys(request: &Request) -> bool {
    request.to.seals() && request.part == SealedPart::All
}

/// Fails where OpenClaw can use what is stored as it is.
fn check_usable(request: &Request) -> Result<(), Failure> {
    if seals_keys(request) {
        return Ok(());
    }
    let message = "--openclaw is for keys and tokens that are sealed, and these would lie in the clear, where OpenClaw finds them; nothing was changed";
    Err(Failure::new(Kind::Usage, message).hint("leave --openclaw out"))
}

/// Makes the vault; returns its slots in words.
fn begin(cx: Context<'_>, request: &Request, places: &[KeyPlace]) -> Result<Vec<String>, Failure> {
    let slots = places.iter().map(|place| place.slot(cx));
    let slots: Vec<NewSlot> = slots.collect::<Result<_, _>>()?;
    let store = (request.to, request.part);
    cx.vault_keys.create(store, &slots, &cx.wait(lock::SHORT))?;
    let made = cx.vault_keys.status()?.into_iter();
    let slots = made.flat_map(|status| status.slots);
    Ok(slots.map(|slot| slot.words).collect())
}

/// Changes what the vault says; returns the slots that were added, in words.
fn go_on(cx: Context<'_>, request: &Request, places: &[KeyPlace]) -> Result<Vec<String>, Failure> {
    cx.vault.unlock()?;
    let mut added = Vec::new();
    for place in places {
        let slot = place.slot(cx)?;
        added.push(cx.vault_keys.add_slot(&slot, &cx.wait(lock::SHORT))?);
    }
    let store = (request.to, request.part);
    cx.vault_keys.set_store(store, &cx.wait(lock::SHORT))?;
    Ok(added)
}

/// The places for the key that are to be added to these slots. A second run adds none twice.
fn places(cx: Context<'_>, request: &Request, there: &[SlotStatus]) -> Vec<KeyPlace> {
    let mut places = Vec::new();
    let has = |kind: &str| there.iter().any(|slot| slot.kind == kind);
    match request.to {
        TokenStore::Keychain if !has("keyring") => places.push(KeyPlace::Keyring),
        TokenStore::EncryptedFile => {
            let by_passphrase = request.passphrase.is_some() && request.no_recovery;
            let is_enough = has("key_file") || has("passphrase") || by_passphrase;
            if request.key_file.is_none() && !is_enough {
                places.push(KeyPlace::KeyFile(None));
            }
        }
        TokenStore::Keychain | TokenStore::Plain | TokenStore::Env => {}
    }
    let is_slot = |path: &PathBuf| {
        let path = cx.dirs.cwd.join(path);
        there.iter().any(|slot| slot.path.as_ref() == Some(&path))
    };
    if let Some(path) = request.key_file.as_ref().filter(|path| !is_slot(path)) {
        places.push(KeyPlace::KeyFile(Some(path.clone())));
    }
    if let Some(descriptor) = request.passphrase.filter(|_| !has("passphrase")) {
        places.push(KeyPlace::Passphrase(descriptor));
    }
    places
}

/// Fails if the loss of one key would lose every login.
fn require_recovery(request: &Request, slots: usize) -> Result<(), Failure> {
    if slots > 1 || request.no_recovery {
        return Ok(());
    }
    let message = "the key would lie in one place alone, and with it every login would be lost; nothing was changed";
    let again = Command::new("secrets migrate").option("--to", request.to.as_ref());
    let hint =
        Hint::from("add a passphrase, or say --no-recovery: ").run(again.arg("--passphrase"));
    Err(Failure::new(Kind::Usage, message).hint(hint))
}

/// Counts the profiles of all agents that are to be written anew.
fn count(cx: Context<'_>, request: &Request) -> Result<usize, Failure> {
    let mut count = 0;
    for agent in cx.store.agents()? {
        let document = cx.store.look(&agent, Scope::All, Detail::Masked)?;
        let profiles = document.profiles();
        count += profiles
            .filter(|(_, credential)| lies_otherwise(credential, request))
            .count();
    }
    Ok(count)
}

/// Whether a secret of a profile is sealed that is to lie in the clear, or the other way round.
fn lies_otherwise(credential: &Credential, request: &Request) -> bool {
    let seals_rest = request.to.seals() && request.part == SealedPart::All;
    let refresh = credential.as_oauth().and_then(|it| it.refresh.as_ref());
    let secrets = [
        (credential.secret(), seals_rest),
        (refresh, request.to.seals()),
    ];
    secrets.into_iter().any(|(secret, seals)| {
        let is_sealed = |secret: &Secret<String>| secret.as_sealed().is_some();
        // A reference is no secret.
        let is_one = |secret: &&Secret<String>| {
            let is_reference = || env_reference::variable(secret.expose()).is_some();
            is_sealed(secret)
                || !(secret.is_blank() || secret.as_reference().is_some() || is_reference())
        };
        secret
            .filter(is_one)
            .is_some_and(|secret| is_sealed(secret) != seals)
    })
}
