//! What is known of every login, judged anew when something changed: `status` is answered from
//! memory, and whoever watches is told of changes.
//!
//! A thread looks several times a second whether a document or the configuration changed, and judges
//! then; every few seconds it judges anyway, for time passes and records of refusals are in no
//! document. The judgement is that of `models status`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use foldhash::HashMap;
use parking_lot::{Condvar, Mutex};
use serde::Serialize;
use tokio::sync::watch;

use super::engine::Engine;
use crate::app::context::Context;
use crate::app::credential::facts::Renewal;
use crate::app::credential::outlook::{Outlook, Used};
use crate::app::credential::state::{Actor, Trouble};
use crate::app::failure::Failure;
use crate::app::status::{self, ProfileHealth, Report};
use crate::model::credential::Kind;
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::time::Timestamp;
use crate::ports::host::Clock;

/// How often is looked whether something changed.
const LOOK: Duration = Duration::from_millis(250);
/// After how many looks is judged although nothing changed: 5 seconds.
const STALE_AFTER: u32 = 20;

/// After how many milliseconds without a look what is known is no longer relied on.
const ABANDONED: u64 = 10_000;

/// All logins at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Snapshot {
    /// Counts the changes.
    pub(super) revision: u64,
    /// Why nothing is known; what is in here is older then.
    pub(super) fault: Option<String>,
    /// The agent whose logins they are.
    pub(super) agent: Option<AgentId>,
    /// By id.
    pub(super) providers: Vec<ProviderState>,
    /// The ids that the catalogue has, sorted.
    pub(super) catalogue: Vec<ProviderId>,
}

impl Snapshot {
    pub(super) fn provider(&self, id: &ProviderId) -> Option<&ProviderState> {
        self.providers.iter().find(|state| state.provider == *id)
    }

    /// Whether the catalogue has a provider, or something is stored for it. One for which a program
    /// speaks is not in the catalogue.
    pub(super) fn knows(&self, id: &ProviderId) -> bool {
        self.catalogue.binary_search(id).is_ok() || self.provider(id).is_some()
    }
}

/// What a provider would give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProviderState {
    pub(super) provider: ProviderId,
    /// What `token --provider` would hand out.
    pub(super) given: Given,
    pub(super) profiles: Vec<ProfileState>,
}

impl ProviderState {
    /// One of which nothing is stored.
    pub(super) fn nothing(provider: ProviderId) -> Self {
        Self {
            provider,
            given: Given::Nothing,
            profiles: Vec::new(),
        }
    }
}

/// What `token --provider` would hand out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// The token of this profile, which ends then.
    Profile(ProfileId, Option<Timestamp>),
    /// A key that no document holds, or the provider's own software has it.
    Outside,
    /// Nothing, although something is stored: why.
    Unusable(String),
    /// Nothing: nothing is stored.
    Nothing,
}

impl Given {
    /// Whether it is a token, which may have to be refreshed first.
    pub(super) fn is_token(&self) -> bool {
        matches!(self, Self::Profile(..) | Self::Outside)
    }
}

/// What is known of a profile, in the words of `models status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct ProfileState {
    pub(super) profile: ProfileId,
    pub(super) agent: AgentId,
    pub(super) account: Option<String>,
    pub(super) kind: Kind,
    pub(super) state: &'static str,
    /// What is wrong with it, a sentence.
    pub(super) detail: Option<String>,
    #[serde(serialize_with = "super::time::rfc3339")]
    pub(super) expires_at: Option<Timestamp>,
    pub(super) refreshes: bool,
    /// `login` if only a person can mend it, `wait` if time does.
    pub(super) action: Option<&'static str>,
    /// Whether its token is the one that is handed out.
    pub(super) in_use: bool,
}

/// The board.
pub(super) struct Board {
    current: watch::Sender<Arc<Snapshot>>,
    /// What the store looked like when it was last looked at.
    mark: AtomicU64,
    /// When that was, in milliseconds by the monotonic clock.
    looked_at: AtomicU64,
    /// One judgement after the other: one that began earlier must not be published later.
    judging: Mutex<()>,
    bell: Bell,
}

/// Wakes the watcher before its time.
#[derive(Default)]
struct Bell {
    rung: Mutex<bool>,
    heard: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.rung.lock() = true;
        self.heard.notify_all();
    }

    /// Waits for the bell, or so long; whether it rang.
    fn wait(&self, limit: Duration) -> bool {
        let mut rung = self.rung.lock();
        if !*rung {
            self.heard.wait_for(&mut rung, limit);
        }
        std::mem::take(&mut *rung)
    }
}

impl Board {
    /// A board with what is known now.
    pub(super) fn new(engine: &dyn Engine, clock: &dyn Clock) -> Self {
        let board = Self {
            current: watch::Sender::new(Arc::default()),
            mark: AtomicU64::new(engine.revision()),
            looked_at: AtomicU64::new(millis(clock)),
            judging: Mutex::default(),
            bell: Bell::default(),
        };
        engine.with(&mut |cx, agent| board.judge(cx, agent));
        board
    }

    /// What is known.
    pub(super) fn current(&self) -> Arc<Snapshot> {
        Arc::clone(&self.current.borrow())
    }

    /// A number that differs if anything in the store may have changed, even what no view shows.
    pub(super) fn mark(&self) -> u64 {
        self.mark.load(Ordering::SeqCst)
    }

    /// Whether it was looked at lately: a disk that does not answer holds the watcher up.
    pub(super) fn is_kept(&self, clock: &dyn Clock) -> bool {
        let looked_at = self.looked_at.load(Ordering::SeqCst);
        millis(clock).saturating_sub(looked_at) < ABANDONED
    }

    /// Tells of changes.
    pub(super) fn subscribe(&self) -> watch::Receiver<Arc<Snapshot>> {
        self.current.subscribe()
    }

    /// Has it looked at again at once: something of ours changed.
    pub(super) fn touch(&self) {
        self.bell.ring();
    }

    /// Tells of a change that is none of a credential, such as a step of a login.
    pub(super) fn announce(&self) {
        self.current.send_modify(|current| {
            let mut next = Snapshot::clone(current);
            next.revision += 1;
            *current = Arc::new(next);
        });
    }

    /// Judges all logins, and publishes what is new.
    pub(super) fn judge(&self, cx: Context<'_>, agent: &AgentId) {
        let _judging = self.judging.lock();
        let judged = judge(cx, agent);
        self.current.send_if_modified(|current| {
            let mut next = match judged {
                Ok((providers, catalogue)) => Snapshot {
                    providers,
                    catalogue,
                    agent: Some(agent.clone()),
                    ..Snapshot::default()
                },
                Err(failure) => Snapshot {
                    fault: Some(failure.to_string()),
                    ..Snapshot::clone(current)
                },
            };
            next.revision = current.revision;
            let is_new = next != **current;
            if is_new {
                next.revision += 1;
                *current = Arc::new(next);
            }
            is_new
        });
    }

    /// Keeps it true on a thread of its own, until `over`.
    pub(super) fn keep(
        self: &Arc<Self>,
        engine: Arc<dyn Engine>,
        clock: Arc<dyn Clock>,
        over: Arc<AtomicBool>,
    ) -> std::io::Result<JoinHandle<()>> {
        let board = Arc::clone(self);
        let builder = thread::Builder::new().name("board".to_owned());
        builder.spawn(move || {
            let mut looks = 0;
            while !over.load(Ordering::SeqCst) {
                let is_rung = board.bell.wait(LOOK);
                let revision = engine.revision();
                looks += 1;
                let is_new = board.mark.swap(revision, Ordering::SeqCst) != revision;
                if is_rung || is_new || looks >= STALE_AFTER {
                    engine.with(&mut |cx, agent| board.judge(cx, agent));
                    looks = 0;
                }
                board.looked_at.store(millis(&*clock), Ordering::SeqCst);
            }
        })
    }
}

fn millis(clock: &dyn Clock) -> u64 {
    u64::try_from(clock.monotonic().as_millis()).unwrap_or(u64::MAX)
}

fn judge(
    cx: Context<'_>,
    agent: &AgentId,
) -> Result<(Vec<ProviderState>, Vec<ProviderId>), Failure> {
    let request = status::Request {
        agent: agent.clone(),
        agent_named: false,
    };
    let report = status::run(cx, &request)?;
    Ok((providers(&report), cx.catalogue.ids()?))
}

fn providers(report: &Report) -> Vec<ProviderState> {
    // Grouped once: a store has thousands of profiles, and this runs every few seconds.
    let mut groups: HashMap<ProviderId, Vec<&ProfileHealth>> = HashMap::default();
    let all = &report.health.profiles;
    for same in all.chunk_by(|one, next| one.provider == next.provider) {
        if let Ok(id) = ProviderId::parse(&same[0].provider) {
            groups.entry(id).or_default().extend(same);
        }
    }
    let of = |outlook: &Outlook| {
        let own = groups.get(&outlook.provider);
        provider(own.map_or(&[], Vec::as_slice), outlook)
    };
    report.outlooks.iter().map(of).collect()
}

/// What is told of a provider, whose profiles are `own`.
fn provider(own: &[&ProfileHealth], outlook: &Outlook) -> ProviderState {
    ProviderState {
        provider: outlook.provider.clone(),
        given: given(own, outlook),
        profiles: own.iter().map(|health| profile(health, outlook)).collect(),
    }
}

fn given(own: &[&ProfileHealth], outlook: &Outlook) -> Given {
    match (&outlook.used, &outlook.failure) {
        (Some(Used::Profile(id)), _) => {
            let health = own.iter().find(|health| health.facts.profile == *id);
            let expires = health.and_then(|health| health.facts.expires_at());
            Given::Profile(id.clone(), expires)
        }
        (Some(Used::Outside(_) | Used::Software), _) => Given::Outside,
        (None, Some(failure)) if outlook.has_candidates || outlook.is_unreadable => {
            Given::Unusable(failure.to_string())
        }
        (None, _) => Given::Nothing,
    }
}

fn profile(health: &ProfileHealth, outlook: &Outlook) -> ProfileState {
    let (facts, assessment) = (&health.facts, &health.assessment);
    let obstacle = assessment.obstacle.as_deref();
    let action = match (assessment.trouble(), assessment.actor) {
        (Some(Trouble::Broken), Actor::Person) => Some("login"),
        (Some(_), Actor::Command | Actor::Nobody) => Some("wait"),
        _ if assessment.needs_somebody() => Some("login"),
        _ => None,
    };
    ProfileState {
        profile: facts.profile.clone(),
        agent: facts.owner.clone(),
        account: health.email.clone(),
        kind: facts.kind,
        state: assessment.state.label(),
        detail: obstacle.map(|obstacle| obstacle.failure(&facts.profile).message),
        expires_at: facts.expires_at(),
        refreshes: facts.renewal == Renewal::Automatic && assessment.is_refreshed(facts),
        action,
        in_use: outlook.profile() == Some(&facts.profile),
    }
}
