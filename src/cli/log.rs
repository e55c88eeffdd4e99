//! The log: off by default, on stderr with `--verbose`.

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::layer::SubscriberExt;

/// Starts the log at a level: 0 nothing, 1 info, 2 debug, 3 and more trace.
///
/// Only our own events are shown. What HTTP and TLS crates log at their lowest level may hold
/// headers and bodies, and those hold tokens.
pub fn start(verbose: u8) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = FilterFn::new(|metadata: &Metadata<'_>| metadata.target().starts_with("openclaw"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .without_time();
    let subscriber = tracing_subscriber::registry()
        .with(level)
        .with(ours)
        .with(lines);
    set(subscriber);
}

fn set(subscriber: impl Subscriber + Send + Sync) {
    // A second start in one process, as in tests, keeps the first log.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
