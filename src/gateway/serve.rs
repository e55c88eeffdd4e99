//! Connections: how many, for how long, and how they end.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::extract::connect_info::ConnectInfo;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_io_timeout::TimeoutStream;

use super::address::{counted, is_proxy};
use super::front::Front;
use super::places::Places;
use crate::model::access::Network;

/// How long a client may leave an answer unread.
const UNREAD_LIMIT: Duration = Duration::from_secs(30);
/// How long the head of a request may take, and how long a connection may be idle before one.
const HEAD_LIMIT: Duration = Duration::from_secs(5);
/// The largest head.
const MAX_HEAD: usize = 16 * 1024;
/// Rest after a failed accept, which may be for want of descriptors.
const ACCEPT_REST: Duration = Duration::from_millis(50);
/// How long requests may take to end once the gateway is to end.
const DRAIN_LIMIT: Duration = Duration::from_secs(10);

/// Serves until `over` says so, then until the last request has been answered, or its time is over.
/// A proxy has as many connections as there are places.
pub(super) async fn serve(
    listener: TcpListener,
    front: Arc<Front>,
    proxies: &[Network],
    mut over: watch::Receiver<bool>,
) {
    let places = Arc::new(Places::default());
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = over.wait_for(|over| *over) => break,
        };
        while connections.try_join_next().is_some() {}
        let Ok((stream, peer)) = accepted else {
            tokio::time::sleep(ACCEPT_REST).await;
            continue;
        };
        let client = (!is_proxy(peer.ip(), proxies)).then(|| counted(peer.ip()));
        let Some(place) = places.take(client) else {
            refuse(&stream);
            continue;
        };
        let (front, over) = (Arc::clone(&front), over.clone());
        connections.spawn(async move {
            let _place = place;
            connection(stream, ConnectInfo(peer), front, over).await;
        });
    }
    drop(listener);
    let waited = tokio::time::timeout(DRAIN_LIMIT, async {
        while connections.join_next().await.is_some() {}
    });
    if waited.await.is_err() {
        tracing::warn!(target: "openclaw::gateway", "requests were still open and were cut off");
    }
}

async fn connection(
    stream: TcpStream,
    peer: ConnectInfo<std::net::SocketAddr>,
    front: Arc<Front>,
    mut over: watch::Receiver<bool>,
) {
    let service = hyper::service::service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(peer);
        let front = Arc::clone(&front);
        async move { Ok::<_, Infallible>(front.answer(request).await) }
    });
    // A head has at most a hundred fields, which is a limit of its own: one that is set here has it clear
    // tables of that size for every request.
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(patient(stream)), service);
    let mut served = std::pin::pin!(served);
    // What goes wrong on a connection is its client's business.
    tokio::select! {
        _ = served.as_mut() => return,
        _ = over.wait_for(|over| *over) => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}

/// Tells a client that there is no place for it, without waiting for its request.
fn refuse(stream: &TcpStream) {
    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\n\
        Content-Length: 0\r\nConnection: close\r\n\r\n";
    let _ = stream.try_write(ANSWER);
}

/// A stream that ends if what is written to it is not taken.
fn patient(stream: TcpStream) -> Pin<Box<TimeoutStream<TcpStream>>> {
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(UNREAD_LIMIT));
    Box::pin(stream)
}
