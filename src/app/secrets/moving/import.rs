//! `secrets import FILE`: takes in what another machine exported.
//!
//! Every step can be done again with the same end, and that the bundle was imported is written down
//! last: whoever is killed in between runs the command once more.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::content::{AgentContent, Content};
pub use super::envelope::Opening;
use super::ledger::{self, Fate};
use super::merge::{Verdict, judge};
use super::origin::is_from_here;
use super::reading::open;
use super::turn;
use crate::app::context::Context;
use crate::app::deposit::{has_own_order, make_selectable};
use crate::app::failure::{Failure, Kind};
use crate::app::secrets::{require_declared_store, set};
use crate::app::usecase::order;
use crate::model::bundle::BundleHead;
use crate::model::credential::{Credential, OAuth};
use crate::model::grant::{GrantRecord, GrantStanding};
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId};
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
    /// Whether other credentials and secrets are replaced.
    pub force: bool,
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
    let (path, content) = open(cx, &request.file, &request.opening)?;
    check(cx, &path, &content, request.force)?;
    open_store(cx, &content)?;
    let _turn = turn::take(cx)?;
    // Another process may have imported it meanwhile.
    check(cx, &path, &content, request.force)?;
    let mut outcome = Outcome {
        head: content.head.clone(),
        rows: Vec::new(),
        secrets: Vec::new(),
    };
    for one in &content.agents {
        outcome.rows.extend(import_agent(cx, request, one)?);
    }
    for (name, value) in &content.secrets {
        let there = cx.secrets.get(name)?;
        let action = match &there {
            None => Action::Added,
            Some(there) if there == value => Action::Unchanged,
            Some(_) if request.force => Action::Replaced,
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
    if !request.dry_run {
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
        None => Ok(()),
        Some((Fate::Imported, _)) if force => Ok(()),
        Some((Fate::Imported, at)) => {
            let (path, at) = (path.display(), local.spoken_past(at));
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

fn import_agent(
    cx: Context<'_>,
    request: &Request,
    one: &AgentContent,
) -> Result<Vec<Row>, Failure> {
    let agent = &one.agent;
    let mut planned = Vec::new();
    let present = cx.store.load(agent, Scope::All)?;
    for (id, new) in one.document.profiles() {
        let fault = grant_fault(cx, new)?;
        planned.push((id, new, fault));
    }
    let decide =
        |document: &AuthProfiles, id: &ProfileId, new: &Credential, fault: &Option<String>| {
            match fault {
                Some(why) => Action::Refused(why.clone()),
                None => match judge(document.get(id), new, request.force) {
                    Verdict::Add => Action::Added,
                    Verdict::Replace => Action::Replaced,
                    Verdict::Same => Action::Unchanged,
                    Verdict::Keep(why) => Action::Kept(why.to_owned()),
                },
            }
        };
    let row = |id: &ProfileId, new: &Credential, action| Row {
        agent: agent.clone(),
        profile: id.clone(),
        action,
        refresh_token: new.as_oauth().map(|login| login.refresh_token().is_some()),
        expires: new.expires(),
    };
    let mut rows: Vec<Row> = planned
        .iter()
        .map(|(id, new, fault)| row(id, new, decide(&present, id, new, fault)))
        .collect();
    let is_new = |row: &Row| matches!(row.action, Action::Added | Action::Replaced);
    if request.dry_run || !rows.iter().any(is_new) {
        return Ok(rows);
    }
    bind(cx, one, &rows)?;
    cx.change(agent, |document| {
        rows.clear();
        for (id, new, fault) in &planned {
            let action = decide(document, id, new, fault);
            rows.push(row(id, new, action));
            if rows.last().is_some_and(is_new) {
                document.put((*id).clone(), (*new).clone());
            }
        }
        take_orders(document, &one.document, &rows);
        rows.iter().any(is_new)
    })?;
    for row in rows.iter().filter(|row| is_new(row)) {
        let Some(new) = one.document.get(&row.profile) else {
            continue;
        };
        if let Some(provider) = new.provider() {
            let is_ordered = has_own_order(cx, agent, &provider);
            make_selectable(
                cx,
                &row.profile,
                (&provider, new.kind()),
                new.email(),
                is_ordered,
            )?;
        }
    }
    Ok(rows)
}

/// Why a login would not work here, by what is known of its grant.
pub(in crate::app::secrets) fn grant_fault(
    cx: Context<'_>,
    new: &Credential,
) -> Result<Option<String>, Failure> {
    let Some(grant) = new.as_oauth().and_then(OAuth::grant) else {
        return Ok(None);
    };
    let record = cx.store.grant_record(&grant)?;
    let local = cx.clock.local();
    Ok(
        match record.map_or(GrantStanding::Good, |record| record.standing()) {
            GrantStanding::Spent { since, .. } | GrantStanding::NotUnderstood { since, .. } => {
                Some(format!(
                    "its refresh token was used {}, and works no more",
                    local.spoken_past(since)
                ))
            }
            GrantStanding::Revoked { at } => {
                Some(format!("it was revoked {}", local.spoken_past(at)))
            }
            _ => None,
        },
    )
}

/// Writes down where the grants came from before anybody can send them.
fn bind(cx: Context<'_>, one: &AgentContent, rows: &[Row]) -> Result<(), Failure> {
    let is_new = |row: &&Row| matches!(row.action, Action::Added | Action::Replaced);
    for row in rows.iter().filter(is_new) {
        let login = one
            .document
            .get(&row.profile)
            .and_then(Credential::as_oauth);
        let Some(grant) = login.and_then(OAuth::grant) else {
            continue;
        };
        let told = one.grants.iter().find(|record| record.grant == grant);
        let known = cx.store.grant_record(&grant)?;
        // It may have been handed over from here once, and comes back.
        let was_here = known.as_ref().is_some_and(GrantRecord::is_handed_over);
        let is_told = known.as_ref().is_some_and(|known| known.binding.is_some());
        if let Some(told) = told.filter(|_| was_here || !is_told) {
            cx.store.record_login(&renewed(told, known))?;
        }
    }
    Ok(())
}

/// What the bundle says of a grant, with what is known here of its last refresh.
fn renewed(told: &GrantRecord, known: Option<GrantRecord>) -> GrantRecord {
    GrantRecord {
        attempt: known
            .filter(|known| !known.is_handed_over())
            .and_then(|known| known.attempt),
        ..told.clone()
    }
}

/// Takes over in which order the profiles are used, where none is set here; where one is, it gets
/// those that it does not list, or they would never be used.
fn take_orders(document: &mut AuthProfiles, from: &AuthProfiles, rows: &[Row]) {
    for (key, ids) in &from.order {
        let Some(provider) = ProviderId::parse(key).ok() else {
            continue;
        };
        if document.order_of(&provider).is_none() {
            order::put(&mut document.order, &provider, Some(ids));
        }
    }
    for row in rows.iter().filter(|row| row.action == Action::Added) {
        let provider = document.get(&row.profile).and_then(Credential::provider);
        let Some(provider) = provider else {
            continue;
        };
        let id = row.profile.as_str();
        if let Some(ids) = document.order_of(&provider)
            && !ids.iter().any(|other| other.trim() == id)
        {
            let ids = [ids, &[id.to_owned()]].concat();
            order::put(&mut document.order, &provider, Some(&ids));
        }
    }
    for (key, id) in &from.last_good {
        if !document.last_good.iter().any(|(other, _)| other == key) {
            document.last_good.push((key.clone(), id.clone()));
        }
    }
}
