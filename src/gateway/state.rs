//! What all requests share.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use super::audit::Audit;
use super::board::{Board, Snapshot};
use super::counters::Counters;
use super::flow::Flows;
use super::known_keys::KnownKeys;
use super::options::Options;
use super::problem::Problem;
use super::rate::RateLimit;
use super::sessions::Sessions;
use super::standing::Samples;
use super::token_cache::{Source, Token, TokenCache, Wanted};
use super::work::Workers;
use crate::app::context::Context;
use crate::model::access_key::BearerDigest;
use crate::model::id::{AgentId, ProviderId};
use crate::ports::host::{Clock, Random};
use crate::ports::login_attempts::LoginAttempts;
use crate::ports::page_passes::PagePasses;

/// How long a person has for a login.
const LOGIN_LIMIT: Duration = Duration::from_secs(360);
/// Wrong bearers, logins, and sign-ins to the page, a minute.
const A_MINUTE: u32 = 10;

/// One running gateway.
pub(super) struct Gateway {
    pub(super) options: Options,
    /// Where it listens.
    pub(super) address: SocketAddr,
    pub(super) workers: Workers,
    pub(super) board: Arc<Board>,
    /// What is known of the database, if the store is in one.
    pub(super) samples: Option<Arc<Samples>>,
    pub(super) flows: Arc<Flows>,
    pub(super) audit: Arc<Audit>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) counters: Arc<Counters>,
    pub(super) tokens: TokenCache,
    /// The digest of its own token.
    pub(super) token: BearerDigest,
    pub(super) keys: Arc<KnownKeys>,
    /// Wrong bearers, by the address that they come from.
    pub(super) wrong_bearers: RateLimit<IpAddr>,
    /// Logins that are started or completed, by caller.
    pub(super) logins: RateLimit<String>,
    /// Sessions and links that are asked for with a bearer, by caller.
    pub(super) sign_ins: RateLimit<String>,
    /// Who is signed in to the page.
    pub(super) sessions: Arc<Sessions>,
    /// Whether it is about to end: it takes no new requests.
    pub(super) over: watch::Sender<bool>,
    /// Differs between two runs, so that ids of requests do.
    seed: u32,
    requests: AtomicU64,
}

impl Gateway {
    pub(super) fn new(
        options: Options,
        address: SocketAddr,
        workers: Workers,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
        seed: u32,
        (attempts, passes): (Arc<dyn LoginAttempts>, Arc<dyn PagePasses>),
    ) -> Self {
        let board = Arc::new(Board::new(workers.engine().as_ref(), &*clock));
        let database = workers.engine().database();
        let samples = database.map(|database| Samples::new(database, Arc::clone(&clock)));
        let listener = {
            let board = Arc::clone(&board);
            move || {
                board.touch();
                board.announce();
            }
        };
        let names = samples.is_some().then(|| Arc::clone(&random));
        let audit = Arc::new(Audit::new(Arc::clone(&clock), names));
        let flows = Flows::new(
            Arc::clone(workers.engine()),
            Arc::clone(&audit),
            attempts,
            LOGIN_LIMIT,
            listener,
        );
        Self {
            token: BearerDigest::of(&options.token),
            keys: Arc::new(KnownKeys::new(samples.is_some())),
            wrong_bearers: RateLimit::per_minute(A_MINUTE),
            logins: RateLimit::per_minute(A_MINUTE),
            sign_ins: RateLimit::per_minute(A_MINUTE),
            options,
            address,
            board,
            samples: samples.map(Arc::new),
            flows: Arc::new(flows),
            audit,
            workers,
            sessions: Arc::new(Sessions::new(random, Arc::clone(&clock), passes)),
            clock,
            counters: Arc::default(),
            tokens: TokenCache::default(),
            over: watch::Sender::new(false),
            seed,
            requests: AtomicU64::default(),
        }
    }

    /// The id of the next request.
    pub(super) fn request_id(&self) -> String {
        let number = self.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:08x}-{number:06x}", self.seed)
    }

    /// Refuses a provider that nothing describes and nothing is stored of.
    ///
    /// # Errors
    /// 404.
    pub(super) async fn require_known(&self, provider: &ProviderId) -> Result<(), Problem> {
        match self.board.current().knows(provider) || self.knows(provider).await? {
            true => Ok(()),
            false => Err(Problem::unknown_provider(provider)),
        }
    }

    /// Whether the catalogue describes a provider.
    async fn knows(&self, provider: &ProviderId) -> Result<bool, Problem> {
        let id = provider.clone();
        self.workers
            .look(move |cx, _| cx.catalogue.get(&id).is_ok())
            .await
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.over.borrow()
    }

    /// Makes what is known true again after a request changed the store, before it is answered: whoever
    /// is told that a login is gone must not be handed its token.
    pub(super) async fn changed(&self) {
        self.tokens.clear();
        let board = Arc::clone(&self.board);
        let judge = move |cx: Context<'_>, agent: &AgentId| board.judge(cx, agent);
        if self.workers.look(judge).await.is_err() {
            self.board.touch();
        }
    }

    /// A token, from memory if that is good enough.
    ///
    /// # Errors
    /// As [`TokenCache::get`].
    pub(super) async fn token_of(
        &self,
        wanted: Wanted,
        least: Option<Duration>,
    ) -> Result<Arc<Token>, Problem> {
        let source = Source {
            board: &self.board,
            workers: &self.workers,
            clock: &*self.clock,
            samples: self.samples.as_deref(),
        };
        self.tokens.get(source, wanted, least).await
    }

    /// The error of a store that cannot be read.
    pub(super) fn unreadable(&self, snapshot: &Snapshot) -> Problem {
        let why = snapshot
            .fault
            .as_deref()
            .unwrap_or("the store cannot be read");
        Problem::unavailable(why)
    }

    /// The origin that our page has: that of the public URL, or the one we listen at.
    pub(super) fn base_url(&self) -> String {
        match &self.options.public_url {
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None => format!("http://{}", self.address),
        }
    }
}
