//! The gateway: one place for a team's logins, asked over HTTP.
//!
//! Everything that it does to a credential is a use case of `app`, run on threads of its own; in here
//! is what HTTP needs: who may ask, from where, how much at once, and how answers are written.

mod address;
mod audit;
mod auth;
mod board;
mod body;
mod caller;
mod counters;
mod credentials;
pub mod engine;
mod events;
mod flow;
mod front;
mod health;
mod hear;
mod keeper;
mod keys;
mod known_keys;
mod metrics;
mod openapi;
pub mod options;
mod page;
mod passes_in_memory;
mod places;
mod problem;
mod provider;
mod rate;
mod routes;
mod serve;
mod session;
mod sessions;
mod standing;
mod state;
mod time;
mod token;
mod token_cache;
mod work;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::app::failure::{Failure, Kind};
use crate::model::hint::{Command, Hint};
use crate::model::secret::Secret;
use crate::ports::host::{Clock, Interrupt, Random, ServiceState, Supervisor};
use crate::ports::login_attempts::LoginAttempts;
use crate::ports::page_passes::PagePasses;
pub use flow::AttemptsInMemory;
pub use passes_in_memory::PassesInMemory;

use engine::Engine;
use front::Front;
use hear::Ears;
use options::Options;
use sessions::SessionError;
use state::Gateway;
use work::Workers;

/// Threads that answer from memory.
const THREADS: usize = 2;
/// How often is looked whether a signal came.
const LOOK: Duration = Duration::from_millis(50);
/// How long a refresh that is on the wire is waited for: its request, and what storing its answer may
/// take.
const REFRESH_LIMIT: Duration = Duration::from_secs(35);

/// The ports of a gateway, beside those that its use cases get from the [`Engine`].
pub struct Ports {
    /// Runs the use cases.
    pub engine: Arc<dyn Engine>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Signals that ask to stop.
    pub interrupt: Arc<dyn Interrupt>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Where logins under way are noted.
    pub attempts: Arc<dyn LoginAttempts>,
    /// Where sessions of the page are kept.
    pub passes: Arc<dyn PagePasses>,
    /// Hears when it answers, and when it ends.
    pub supervisor: Arc<dyn Supervisor>,
}

/// What is told of a gateway once it answers.
#[derive(Clone, Debug)]
pub struct Ready {
    /// Where it listens.
    pub address: SocketAddr,
    /// The URL of its page.
    pub url: String,
    /// A URL that signs a browser in to it: once, and within a minute. None while there can be none.
    pub link: Option<Secret<String>>,
}

/// Runs a gateway until a signal asks to stop; `ready` is called once it answers.
///
/// # Errors
/// [`Kind::Usage`] if it would be open to others, or where it is to listen cannot be had.
pub fn run(
    options: Options,
    ports: &Ports,
    ready: impl FnOnce(&Ready) -> Result<(), Failure>,
) -> Result<(), Failure> {
    options
        .check()
        .map_err(|why| Failure::new(Kind::Usage, why.to_string()))?;
    ports.interrupt.defer();
    let listener = std::net::TcpListener::bind(options.listen)
        .map_err(|error| cannot_listen(options.listen, &error))?;
    let runtime = runtime().map_err(|error| cannot_start(&error))?;
    let served = start(&runtime, options, ports, listener, ready);
    // What still runs may have a refresh token on the wire.
    runtime.shutdown_timeout(REFRESH_LIMIT);
    served
}

fn start(
    runtime: &Runtime,
    options: Options,
    ports: &Ports,
    listener: std::net::TcpListener,
    ready: impl FnOnce(&Ready) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let address = listener
        .local_addr()
        .map_err(|error| cannot_start(&error))?;
    listener
        .set_nonblocking(true)
        .map_err(|error| cannot_start(&error))?;
    let mut seed = [0; 4];
    ports
        .random
        .fill(&mut seed)
        .map_err(|error| cannot_start(&error))?;
    let gateway = Arc::new(Gateway::new(
        options,
        address,
        Workers::new(Arc::clone(&ports.engine)),
        Arc::clone(&ports.clock),
        Arc::clone(&ports.random),
        u32::from_ne_bytes(seed),
        (Arc::clone(&ports.attempts), Arc::clone(&ports.passes)),
    ));
    let over = Arc::new(AtomicBool::default());
    let board = gateway.board.keep(
        Arc::clone(&ports.engine),
        Arc::clone(&ports.clock),
        Arc::clone(&over),
    );
    let board = board.map_err(|error| cannot_start(&error))?;
    match &gateway.samples {
        Some(samples) => {
            let ears = || Ears {
                engine: Arc::clone(&ports.engine),
                clock: Arc::clone(&ports.clock),
                over: Arc::clone(&over),
            };
            let kept = samples.keep(Arc::clone(&over));
            kept.and_then(|()| gateway.flows.keep(ears()))
                .and_then(|()| gateway.keys.keep(ears()))
                .map_err(|error| cannot_start(&error))?;
        }
        // What is wrong is told at once, and not when the first key is shown.
        None => {
            gateway.keys.read(&*ports.engine);
        }
    }
    let audit = gateway
        .audit
        .keep(Arc::clone(&ports.engine), Arc::clone(&over))
        .map_err(|error| cannot_start(&error))?;
    let keeper = keeper::keep(&gateway, Arc::clone(&over)).map_err(|error| cannot_start(&error))?;
    // Not in there: it may take a database, which waits.
    let link = gateway.one_time_link(gateway.token.clone());
    let link = match link {
        Ok(link) => Some(link),
        Err(SessionError::Store(_)) => None,
        Err(error @ SessionError::Random(_)) => return Err(cannot_start(&error)),
    };
    let served = runtime.block_on(async {
        let listener = TcpListener::from_std(listener).map_err(|error| cannot_start(&error))?;
        let receiver = gateway.over.subscribe();
        let routes = routes::routes(Arc::clone(&gateway));
        let front = Arc::new(Front::new(Arc::clone(&gateway), routes));
        ready(&Ready {
            address,
            url: gateway.base_url(),
            link,
        })?;
        ports.supervisor.notify(ServiceState::Ready);
        let signals = watch_signals(&gateway, ports);
        let proxies = &gateway.options.trusted_proxies;
        tokio::join!(signals, serve::serve(listener, front, proxies, receiver));
        Ok(())
    });
    gateway.flows.close();
    over.store(true, Ordering::SeqCst);
    gateway.board.touch();
    let _ = board.join();
    // It may have a refresh token on the wire, and stops for a signal by itself.
    let _ = keeper.join();
    audit.map(JoinHandle::join);
    served
}

/// Begins the end when a signal comes.
async fn watch_signals(gateway: &Gateway, ports: &Ports) {
    while ports.interrupt.pending().is_none() {
        tokio::time::sleep(LOOK).await;
    }
    ports.supervisor.notify(ServiceState::Stopping);
    gateway.over.send_replace(true);
    gateway.flows.cancel_all();
}

fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(work::THREADS)
        .thread_name("gateway")
        .enable_io()
        .enable_time()
        .build()
}

fn cannot_listen(at: SocketAddr, error: &io::Error) -> Failure {
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => Hint::from("if that is a gateway of yours, sign in to it: ")
            .run(Command::new("gateway link"))
            .then("; else choose another port with --listen"),
        _ => Hint::from("choose an address of this machine with --listen"),
    };
    Failure::new(Kind::Usage, format!("cannot listen at {at}: {error}")).hint(hint)
}

fn cannot_start(error: &dyn std::error::Error) -> Failure {
    Failure::new(Kind::Storage, format!("cannot start the gateway: {error}"))
}
