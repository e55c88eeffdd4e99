//! Pins that were stored earlier: of the session, of the directory.

use crate::config::directories::{Bound, Directories};
use crate::config::sessions::{self, Session};
use crate::model::credential::Kind as CredentialKind;
use crate::model::hint::{Command, Hint};
use crate::model::id::{AgentId, ProfileId, ProviderId, printable};
use crate::model::profile_index::ProfileIndex;
use crate::model::profiles::VisibleProfile;
use crate::model::selection::Verdict;
use crate::ports::store::Scope;

use super::model_ref::provider_named;
use super::reason_text::Reason;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::usecase::order::check_profile;

use super::selector::{Pin, PinReason, Resolved};

/// A session and its key.
pub(in crate::app) type Pinned<'a> = (&'a str, Session);

/// Whether a profile exists and is for the provider.
pub(in crate::app) fn require_profile_of(
    cx: Context<'_>,
    choice: &Resolved,
    id: &ProfileId,
) -> Result<(), Failure> {
    let provider = &choice.provider;
    let is_for = |seen: &VisibleProfile<'_>| seen.credential.is_for(provider);
    if choice.effective.get(id).as_ref().is_some_and(is_for) {
        return Ok(());
    }
    // Only what concerns the provider was read so far.
    let effective = cx.effective(&choice.effective.agent, Scope::Profile(id))?;
    check_profile(&effective, id, provider)
}

/// Loads what directories are bound to.
pub(in crate::app) fn load_bindings(cx: Context<'_>) -> Result<Directories, Failure> {
    Ok(Directories::load(cx.files, &cx.dirs.state)?)
}

/// Returns the pin of the directory. Fails if its profile does not exist: no other account may take
/// its place.
pub(in crate::app) fn find_binding(
    cx: Context<'_>,
    choice: &Resolved,
    directories: &Directories,
) -> Result<Option<Pin>, Failure> {
    let Some(bound) = directories.nearest(&cx.dirs.cwd, &choice.provider) else {
        return Ok(None);
    };
    if let Err(failure) = require_profile_of(cx, choice, &bound.profile) {
        return Err(explain_binding(cx, &bound, failure));
    }
    Ok(Some(Pin {
        profile: bound.profile,
        because: PinReason::Directory(bound.directory),
        locked: true,
    }))
}

fn explain_binding(cx: Context<'_>, bound: &Bound, failure: Failure) -> Failure {
    if !matches!(failure.kind, Kind::NotFound | Kind::Usage) {
        return failure;
    }
    let Bound {
        directory,
        provider,
        profile,
    } = bound;
    let directory = directory.display().to_string();
    let message = format!(
        "{} is bound to {profile}, which cannot be used: {}",
        printable(&directory, 400),
        failure
    );
    let kind = cx.provider(provider).map(|manifest| manifest.usual_kind());
    let login = Command::store(
        provider,
        Some(profile),
        kind.unwrap_or(CredentialKind::OAuth),
    );
    let unbind = Command::new("models auth use --clear").option("--provider", provider);
    let hint = Hint::from(login).then("; or unbind the directory: ");
    Failure::new(Kind::NeedsLogin, message).hint(hint.run(unbind.option("--dir", &directory)))
}

/// Reads a session of this agent.
pub(in crate::app) fn load_session<'a>(
    cx: Context<'_>,
    agent: &AgentId,
    key: &'a str,
) -> Result<Pinned<'a>, Failure> {
    let of = key
        .strip_prefix("agent:")
        .and_then(|rest| rest.split_once(':'));
    if let Some((other, _)) = of
        && AgentId::normalise(other) != *agent
    {
        let message = format!("{} is not a session of agent {agent}", printable(key, 120));
        let other = AgentId::normalise(other);
        return Err(Failure::new(Kind::Usage, message).hint(format!("add --agent {other}")));
    }
    let found = sessions::load(cx.files, &cx.dirs.state, agent, key)?;
    found.map(|session| (key, session)).ok_or_else(|| {
        let message = format!("agent {agent} has no session {}", printable(key, 120));
        let keys = sessions::path(&cx.dirs.state, agent);
        Failure::new(Kind::NotFound, message)
            .hint(format!("look up the session key in {}", keys.display()))
    })
}

/// Lists the keys of the sessions of this agent; none where they cannot be read.
pub fn sessions(cx: Context<'_>, agent: &AgentId) -> Vec<String> {
    sessions::keys(cx.files, &cx.dirs.state, agent).unwrap_or_default()
}

/// Returns the provider that a session names.
pub(in crate::app) fn provider_of_session(
    cx: Context<'_>,
    agent: &AgentId,
    session: &Session,
) -> Result<Option<ProviderId>, Failure> {
    Ok(match (&session.provider, &session.model) {
        (Some(provider), _) => Some(ProviderId::parse(provider)?),
        (None, Some(model)) => Some(provider_named(cx, agent, model)?),
        (None, None) => None,
    })
}

/// Returns the pin of a session. One that no longer has a meaning is skipped; OpenClaw removes it,
/// we only read.
pub(in crate::app) fn apply_session_pin(
    cx: Context<'_>,
    choice: &mut Resolved,
    (key, session): Pinned<'_>,
) -> Result<Option<Pin>, Failure> {
    let Some(name) = session.profile else {
        return Ok(None);
    };
    let Ok(id) = ProfileId::parse(&name) else {
        return Ok(None);
    };
    let passed_over = |why: &str| {
        let key = printable(key, 120);
        format!("ignoring the pin of session {key} to {id}: it {why}")
    };
    match require_profile_of(cx, choice, &id) {
        Ok(()) => {}
        Err(failure) if matches!(failure.kind, Kind::NotFound | Kind::Usage | Kind::Config) => {
            let why = match failure.kind {
                Kind::Usage => format!("is not for {}", choice.provider),
                _ => "is not stored".to_owned(),
            };
            choice.passed_over.push(passed_over(&why));
            return Ok(None);
        }
        Err(failure) => return Err(failure),
    }
    let decision = choice.decide(cx, &ProfileIndex::new(&choice.effective));
    let Some(candidate) = decision.order().find(|candidate| candidate.id == id) else {
        let mut all = decision.candidates.iter();
        let verdict = all.find(|candidate| candidate.id == id);
        let verdict = verdict.map_or(&Verdict::NotNamed, |candidate| &candidate.verdict);
        let why = Reason::of_verdict(verdict, cx.clock.local());
        choice.passed_over.push(passed_over(&why.words));
        return Ok(None);
    };
    // What OpenClaw pinned by itself lasts until the profile cools down.
    if !session.by_person && matches!(candidate.verdict, Verdict::CoolingDown(_)) {
        return Ok(None);
    }
    Ok(Some(Pin {
        profile: id,
        because: PinReason::Session(key.to_owned()),
        locked: session.by_person,
    }))
}
