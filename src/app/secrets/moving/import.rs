//! `secrets import FILE`: takes in what another machine exported.
//!
//! Every step can be done again with the same end, and that the bundle was imported is written down
//! last: whoever is killed in between runs the command once more.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::admission::{bind, grant_fault, is_back, is_superseded, moves};
use super::collect::SEALED;
use super::content::{AgentContent, Content};
pub use super::envelope::Opening;
use super::ledger::{self, Fate};
pub use super::merge::Replacing;
use super::merge::{Verdict, brought, judge};
use super::ordering::{select, take_orders, take_usage};
use super::origin::is_from_here;
use super::reading::open;
use super::turn;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::secrets::{require_declared_store, set};
use crate::model::bundle::BundleHead;
use crate::model::credential::{Credential, OAuth};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId};
use crate::model::profiles::AuthProfiles;
use crate::model::time::Timestamp;
use crate::model::vault::SecretName;
use crate::ports::store::Scope;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request {
    /// The bundle.
    pub file: PathBuf,
    /// What opens it.
    pub opening: Opening,
    /// Which other credentials and secrets are replaced.
    pub replacing: Replacing,
    /// The profiles that may be replaced so; all without.
    pub only: Vec<ProfileId>,
    /// Agents whose profiles stay in the bundle.
    pub without: HashSet<AgentId>,
    /// Whether the configuration says already which of them are used, and is left alone.
    pub is_configured: bool,
    /// Whether nothing is to be changed.
    pub dry_run: bool,
}

/// What became of a profile or a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", content = "reason", rename_all = "camelCase")]
pub enum Action {
    /// It was not there.
    Added,
    /// It took the place of another one.
    Replaced,
    /// It was there already.
    Unchanged,
    /// Another one is there, and stays.
    Kept(String),
    /// It would not work.
    Refused(String),
}

/// What became of a profile.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// Its agent.
    #[serde(rename = "agentId")]
    pub agent: AgentId,
    /// Its name.
    #[serde(rename = "profileId")]
    pub profile: ProfileId,
    /// What became of it.
    #[serde(flatten)]
    pub action: Action,
    /// Whether it can be refreshed; `None` for what never is.
    pub refresh_token: Option<bool>,
    /// When its token ends.
    pub expires: Option<Timestamp>,
}

/// What became of a secret that has a name.
#[derive(Clone, Debug, Serialize)]
pub struct SecretRow {
    /// Its name.
    pub name: SecretName,
    /// What became of it.
    #[serde(flatten)]
    pub action: Action,
}

/// What was done, or would be.
#[derive(Debug)]
pub struct Outcome {
    /// The bundle.
    pub head: BundleHead,
    /// The profiles of it.
    pub rows: Vec<Row>,
    /// The secrets of it.
    pub secrets: Vec<SecretRow>,
}

/// Takes it in.
///
/// # Errors
/// If the bundle does not open, or was imported before; if something cannot be written, a second run
/// does the rest.
pub fn run(cx: Context<'_>, request: &Request) -> Result<Outcome, Failure> {
    run_to_end(cx, request, &|_| true)
}

/// The same, and the bundle counts as imported only if `is_end` says so of what was done.
///
/// # Errors
/// As [`run`].
pub(super) fn run_to_end(
    cx: Context<'_>,
    request: &Request,
    is_end: &dyn Fn(&Outcome) -> bool,
) -> Result<Outcome, Failure> {
    let (path, content) = open(cx, &request.file, &request.opening)?;
    let is_forced = request.replacing == Replacing::Everything;
    check(cx, &path, &content, is_forced)?;
    open_store(cx, &content)?;
    let _turn = turn::take(cx)?;
    // Another process may have imported it meanwhile.
    check(cx, &path, &content, is_forced)?;
    let mut outcome = Outcome {
        head: content.head.clone(),
        rows: Vec::new(),
        secrets: Vec::new(),
    };
    let all = content.agents.iter();
    for one in all.filter(|one| !request.without.contains(&one.agent)) {
        outcome.rows.extend(import_agent(cx, request, one)?);
    }
    for (name, value) in &content.secrets {
        let there = cx.secrets.get(name)?;
        let action = match &there {
            None => Action::Added,
            Some(there) if there == value => Action::Unchanged,
            Some(_) if is_forced && request.only.is_empty() => Action::Replaced,
            Some(_) => Action::Kept("another value is stored here".to_owned()),
        };
        if !request.dry_run && matches!(action, Action::Added | Action::Replaced) {
            set::put(cx, name, value)?;
        }
        outcome.secrets.push(SecretRow {
            name: name.clone(),
            action,
        });
    }
    if !request.dry_run && is_end(&outcome) {
        ledger::note(cx, &content.head.id, Fate::Imported)?;
    }
    Ok(outcome)
}

/// Fails for a bundle that must not be imported here.
fn check(cx: Context<'_>, path: &Path, content: &Content, force: bool) -> Result<(), Failure> {
    let local = cx.clock.local();
    let refused =
        |message: String| Failure::new(Kind::Usage, format!("{message}; nothing was changed"));
    if content.head.is_move && is_from_here(cx, content)? {
        let shown = path.display();
        let failure = refused(format!(
            "this machine itself handed its logins over in {shown}"
        ));
        let hint = Hint::from("if no other machine imported it, run: ");
        return Err(failure.hint(hint.run(Command::new("secrets take-back").name(&shown))));
    }
    match ledger::look(cx, &content.head.id)? {
        None | Some((Fate::Begun, _)) => Ok(()),
        Some((Fate::Imported, _)) if force => Ok(()),
        Some((Fate::Imported, at)) => {
            let (path, at) = (path.display(), local.spoken_past(at));
            if is_superseded(cx, content)? {
                let on = "and a login of it was moved on from here since";
                return Err(refused(format!("{path} was imported here {at}, {on}")));
            }
            let failure = refused(format!("{path} was imported here {at}"));
            let again = Command::new("secrets import").name(&path).arg("--force");
            let hint = Hint::from("to have it replace what is here: ").run(again);
            Err(failure.hint(hint))
        }
        Some((Fate::TakenBack, at)) => {
            let (path, at) = (path.display(), local.spoken_past(at));
            Err(refused(format!(
                "{path} was taken back {at}, so its logins are here; delete it"
            )))
        }
    }
}

/// Opens what is to be written to, before anything is locked.
fn open_store(cx: Context<'_>, content: &Content) -> Result<(), Failure> {
    for one in &content.agents {
        for (_, credential) in one.document.profiles() {
            if let Some(provider) = credential.provider() {
                require_declared_store(cx, &provider)?;
            }
        }
    }
    cx.sealer()?;
    if !content.secrets.is_empty() && cx.vault_keys.status()?.is_some() {
        cx.vault.unlock()?;
    }
    Ok(())
}

/// A profile of the bundle, and what is known of its grant here.
struct Planned<'a> {
    id: &'a ProfileId,
    new: &'a Credential,
    fault: Option<String>,
    is_back: bool,
}

impl Planned<'_> {
    fn decide(&self, there: Option<&Credential>, replacing: Replacing) -> Action {
        if let Some(why) = &self.fault {
            return Action::Refused(why.clone());
        }
        match judge(there, self.new, replacing) {
            Verdict::Add => Action::Added,
            // Its refresh token lies here still, and is not used unless it comes back.
            Verdict::Same if self.is_back => Action::Replaced,
            Verdict::Replace => Action::Replaced,
            Verdict::Same => Action::Unchanged,
            Verdict::Keep(why) => Action::Kept(why.to_owned()),
        }
    }
}

pub(super) fn import_agent(
    cx: Context<'_>,
    request: &Request,
    one: &AgentContent,
) -> Result<Vec<Row>, Failure> {
    let agent = &one.agent;
    let planned = plan(cx, one)?;
    let present = cx.store.load(agent, Scope::All)?;
    let decide = |document: &AuthProfiles| decide_all(agent, &planned, document, request);
    let mut told = decide(&present);
    let logins: Vec<&OAuth> = (told.iter().zip(&planned))
        .filter(|(row, _)| is_new(row))
        .filter_map(|(_, it)| it.new.as_oauth())
        .collect();
    if request.dry_run || !told.iter().any(is_new) {
        return Ok(told);
    }
    bind(cx, one, &logins)?;
    cx.change(agent, |document| {
        told = decide(document);
        put(document, &planned, &mut told);
        let added = told.iter().filter(|row| row.action == Action::Added);
        let added = added.map(|row| row.profile.clone()).collect();
        take_orders(document, &one.document, &added);
        take_usage(document, &one.document, &added);
        told.iter().any(is_new)
    })?;
    if request.is_configured {
        return Ok(told);
    }
    let new = (told.iter().zip(&planned)).filter(|(row, _)| is_new(row));
    let new: Vec<_> = new.map(|(row, it)| (&row.profile, it.new)).collect();
    select(cx, agent, &new)?;
    Ok(told)
}

fn is_new(row: &Row) -> bool {
    matches!(row.action, Action::Added | Action::Replaced)
}

fn plan<'a>(cx: Context<'_>, one: &'a AgentContent) -> Result<Vec<Planned<'a>>, Failure> {
    let all = one.document.profiles().map(|(id, new)| {
        // A bundle of another release may hold what did not open where it was made.
        let fault = match new.is_held() && !new.is_sealed() {
            true => grant_fault(cx, new, Some(moves(one, new)))?,
            false => Some(SEALED.to_owned()),
        };
        Ok(Planned {
            id,
            new,
            fault,
            is_back: is_back(cx, new)?,
        })
    });
    all.collect()
}

/// What becomes of each profile that is planned, in the same order.
fn decide_all(
    agent: &AgentId,
    planned: &[Planned<'_>],
    document: &AuthProfiles,
    request: &Request,
) -> Vec<Row> {
    let replacing = |id: &ProfileId| match request.only.is_empty() || request.only.contains(id) {
        true => request.replacing,
        false => Replacing::Nothing,
    };
    let there: HashMap<&ProfileId, &Credential> = document.profiles().collect();
    let rows = planned.iter().map(|it| Row {
        agent: agent.clone(),
        profile: it.id.clone(),
        action: it.decide(there.get(it.id).copied(), replacing(it.id)),
        refresh_token: (it.new.as_oauth()).map(|login| login.refresh_token().is_some()),
        expires: it.new.expires(),
    });
    rows.collect()
}

/// Puts in what is new.
fn put(document: &mut AuthProfiles, planned: &[Planned<'_>], told: &mut [Row]) {
    let there: HashMap<&ProfileId, &Credential> = document.profiles().collect();
    let new = told.iter().zip(planned).filter(|(row, _)| is_new(row));
    let new = new.map(|(_, it)| (it.id.clone(), brought(there.get(it.id).copied(), it.new)));
    let new: Vec<_> = new.collect();
    let left: HashSet<ProfileId> = document.put_all(new).into_iter().collect();
    for row in told.iter_mut().filter(|row| left.contains(&row.profile)) {
        row.action = Action::Refused(SEALED.to_owned());
    }
}
