//! Tokens that were handed out, kept in memory until five minutes before their end, or until anything
//! in the store changed. Many callers who come at once for one that is due are one refresh.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use super::board::Board;
use super::problem::Problem;
use super::standing::Samples;
use super::work::Workers;
use crate::app::context::Context;
use crate::app::credential::selector::Selector;
use crate::app::failure::{Failure, Kind};
use crate::app::refresh::outcome::RefreshResult;
use crate::app::usecase::token::{self, Outcome, Request};
use crate::model::credential::Kind as CredentialKind;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::named::ProfileName;
use crate::model::secret::Secret;
use crate::model::time::Timestamp;
use crate::ports::host::Clock;

/// How long before its end a token is no longer handed out from memory.
const TOKEN_MARGIN: Duration = Duration::from_secs(300);
/// How long a refresh is waited for while the token that is there may still live.
const PATIENCE: Duration = Duration::from_secs(10);
/// The most entries; who asks for ever new names gets none of them kept.
const MOST: usize = 4_096;

/// Which token is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wanted {
    pub(super) agent: AgentId,
    pub(super) provider: ProviderId,
    pub(super) profile: Option<ProfileId>,
}

/// A token that can be handed out.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) profile: Option<ProfileId>,
    pub(super) kind: CredentialKind,
    pub(super) bearer: Secret<String>,
    pub(super) expires: Option<Timestamp>,
    pub(super) warning: Option<String>,
}

/// Where tokens come from.
#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    pub(super) board: &'a Board,
    pub(super) workers: &'a Workers,
    pub(super) clock: &'a dyn Clock,
    /// What is known of the database, if the store is in one.
    pub(super) samples: Option<&'a Samples>,
}

impl Source<'_> {
    /// Whether the store is in a database that cannot be reached.
    fn is_cut_off(self) -> bool {
        self.samples
            .is_some_and(|samples| samples.current().is_none())
    }
}

/// What is kept of one.
#[derive(Default)]
struct Entry {
    known: Mutex<Option<Known>>,
    /// Whoever gets it holds this meanwhile.
    fetching: AsyncMutex<()>,
}

#[derive(Clone)]
struct Known {
    token: Arc<Token>,
    /// The mark of the store when it was read.
    mark: u64,
}

/// The tokens.
#[derive(Default)]
pub(super) struct TokenCache(Mutex<HashMap<Wanted, Arc<Entry>>>);

impl TokenCache {
    /// A token that is valid for `least`, or for five minutes; without `least` one that cannot be
    /// refreshed now is handed out while it lives, with a warning, and with it one that the provider gave
    /// a moment ago.
    ///
    /// # Errors
    /// What `models auth token` would say, and 503 if too many are waiting.
    pub(super) async fn get(
        &self,
        source: Source<'_>,
        wanted: Wanted,
        least: Option<Duration>,
    ) -> Result<Arc<Token>, Problem> {
        let entry = self.entry(&wanted);
        if let Some(token) = entry.fresh(source, least) {
            return Ok(token);
        }
        // A server that does not answer is not waited for again.
        if let Some(token) = entry.living(source, least).filter(|_| source.is_cut_off()) {
            return Ok(token);
        }
        let _fetching = entry.fetching.lock().await;
        // Whoever was before us may have brought it.
        if let Some(token) = entry.fresh(source, least) {
            return Ok(token);
        }
        // Before the store is read: what changes meanwhile is read again next time.
        let mark = source.board.mark();
        let fetch = || {
            let wanted = wanted.clone();
            let provider = wanted.provider.clone();
            let work = move |cx: Context<'_>, _: &AgentId| fetch(cx, &wanted, least);
            async move { source.workers.ask(&provider, work).await }
        };
        let got = match tokio::time::timeout(PATIENCE, fetch()).await {
            Ok(got) => got,
            // Who comes second, while the first is still on the wire, gets the token that still lives.
            Err(_) => fetch().await,
        };
        let outcome = match got? {
            Ok(outcome) => outcome,
            // Until its end it is good as far as anybody can tell.
            Err(failure) if failure.kind == Kind::Storage && source.samples.is_some() => {
                let kept = entry.living(source, least);
                return kept.ok_or_else(|| Problem::from(failure));
            }
            Err(failure) => return Err(failure.into()),
        };
        source.board.touch();
        let token = Arc::new(Token {
            profile: outcome.profile,
            kind: outcome.kind,
            bearer: outcome.bearer,
            expires: outcome.expires,
            warning: outcome
                .warning
                .map(|hint| source.workers.engine().text(&hint)),
        });
        let known = Known { token, mark };
        *entry.known.lock() = Some(known.clone());
        Ok(known.token)
    }

    /// Forgets all of them: something of ours changed the store.
    pub(super) fn clear(&self) {
        self.0.lock().clear();
    }

    fn entry(&self, wanted: &Wanted) -> Arc<Entry> {
        let mut entries = self.0.lock();
        if let Some(entry) = entries.get(wanted) {
            return Arc::clone(entry);
        }
        if entries.len() >= MOST {
            entries.clear();
        }
        Arc::clone(entries.entry(wanted.clone()).or_default())
    }
}

impl Entry {
    /// The token that was handed out before, if it lives.
    fn living(&self, source: Source<'_>, least: Option<Duration>) -> Option<Arc<Token>> {
        let known = self.known.lock().clone()?;
        let now = source.clock.now();
        let least = least.unwrap_or_default();
        has_left(known.token.expires, least, now).then_some(known.token)
    }

    fn fresh(&self, source: Source<'_>, least: Option<Duration>) -> Option<Arc<Token>> {
        let known = self.known.lock().clone()?;
        let now = source.clock.now();
        let is_same = known.mark == source.board.mark() && known.token.warning.is_none();
        let is_fresh = is_fresh(known.token.expires, least, now);
        (is_same && is_fresh).then_some(known.token)
    }
}

fn fetch(cx: Context<'_>, wanted: &Wanted, least: Option<Duration>) -> Result<Outcome, Failure> {
    let outcome = token::run_of(cx, &request(wanted, least), &wanted.provider)?;
    let is_longest = matches!(
        outcome.how,
        RefreshResult::Refreshed
            | RefreshResult::RefreshedElsewhere
            | RefreshResult::NoneLivesLonger
    );
    match least.and_then(|least| outcome.falls_short(least, cx.clock.now())) {
        None => Ok(outcome),
        // It is all that the provider gives.
        Some(_) if is_longest => Ok(Outcome {
            warning: Some("a new token ends earlier than min_valid asks for".into()),
            ..outcome
        }),
        // Its own words are those of an option.
        Some(failure) => Err(Failure {
            message: "the token ends earlier than min_valid asks for".to_owned(),
            ..failure
        }),
    }
}

fn request(wanted: &Wanted, least: Option<Duration>) -> Request {
    Request {
        agent: wanted.agent.clone(),
        want: match &wanted.profile {
            Some(profile) => Selector::Profile(ProfileName::from(profile.clone())),
            None => Selector::Provider(wanted.provider.clone()),
        },
        min_valid: least,
    }
}

/// Whether a token with so much time left is handed out without another look.
fn is_fresh(expires: Option<Timestamp>, least: Option<Duration>, now: Timestamp) -> bool {
    has_left(expires, least.unwrap_or_default().max(TOKEN_MARGIN), now)
}

/// Whether a token has more than so much time left.
fn has_left(expires: Option<Timestamp>, least: Duration, now: Timestamp) -> bool {
    let least = i64::try_from(least.as_millis()).unwrap_or(i64::MAX);
    expires.is_none_or(|end| now.until(end) > least)
}
