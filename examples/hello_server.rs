//! A bare axum server with one answer: what `benches/gateway.sh` measures the gateway against.

use std::io::Write as _;
use std::net::Ipv4Addr;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;

const ANSWER: &str = r#"{"authenticated":true,"provider_name":"openai-codex"}"#;

fn main() -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
        let hello = || async { ([(CONTENT_TYPE, "application/json")], ANSWER) };
        axum::serve(listener, Router::new().route("/hello", get(hello))).await
    })
}
