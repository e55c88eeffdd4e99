//! How a connection comes to be, and how long anything on it may take.
//!
//! A server that is gone says so at once. One that says nothing (a machine that vanished, a network
//! that swallows packets, a process that is stopped) is waited for only so long, wherever that happens.

use std::future::{Future, poll_fn};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::address::{Address, CONNECT};
use super::fault::Fault;
use super::settings::Tls;

/// How often somebody who waits looks up.
const TICK: Duration = Duration::from_millis(50);

/// Drives a connection as far as it goes now: what the server said by itself.
type Driver = Box<dyn FnMut(&mut Context<'_>) -> Poll<Option<Result<AsyncMessage, Error>>> + Send>;

/// What is to be driven for as long as a client is in use.
pub(super) struct Line(Driver);

impl Line {
    fn of<S, T>(mut connection: Connection<S, T>) -> Self
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        Self(Box::new(move |cx| connection.poll_message(cx)))
    }

    /// What the server said by itself; `None` once the connection is over.
    pub(super) async fn hear(&mut self) -> Option<AsyncMessage> {
        poll_fn(|cx| (self.0)(cx)).await?.ok()
    }
}

/// Connects to the first of the hosts that can be used. Each has its share of [`CONNECT`], so that one
/// that says nothing does not keep the next from being asked.
pub(super) async fn dial(address: &Address, tls: &Tls) -> Result<(Client, Line), Fault> {
    let hosts = u32::try_from(address.hosts.len()).unwrap_or(u32::MAX);
    let share = CONNECT / hosts.max(1);
    let mut failed = Fault::Gone("it has no host".to_owned());
    for host in &address.hosts {
        match within(share, open(host, address.needs_tls, tls)).await {
            Ok(opened) => return Ok(opened),
            // That one was waited for is what the next who asks has to know.
            Err(_) if matches!(failed, Fault::Silent(_)) => {}
            Err(fault) => failed = fault,
        }
    }
    Err(failed)
}

async fn open(host: &Config, needs_tls: bool, tls: &Tls) -> Result<(Client, Line), Fault> {
    // Certificates are read where one is to be verified, and not for a socket of this machine.
    if !needs_tls {
        let (client, connection) = host.connect(NoTls).await?;
        return Ok((client, Line::of(connection)));
    }
    let tls = MakeRustlsConnect::new(tls().map_err(Fault::Gone)?);
    let (client, connection) = host.connect(tls).await?;
    Ok((client, Line::of(connection)))
}

/// Waits for an answer. The time during which this process was stopped does not count: the answer may
/// have come meanwhile.
///
/// # Errors
/// What `asked` says; [`Fault::Silent`] when the limit has passed.
pub(super) async fn within<T, E: Into<Fault>>(
    limit: Duration,
    asked: impl Future<Output = Result<T, E>>,
) -> Result<T, Fault> {
    let mut asked = std::pin::pin!(asked);
    let mut left = limit;
    while !left.is_zero() {
        match tokio::time::timeout(TICK.min(left), asked.as_mut()).await {
            Ok(answered) => return answered.map_err(Into::into),
            Err(_) => left = left.saturating_sub(TICK),
        }
    }
    let seconds = limit.as_secs();
    Err(Fault::Silent(format!("no answer within {seconds} seconds")))
}
