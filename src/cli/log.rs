//! The log: off by default, on stderr with `--verbose`; a server has one always.

#[cfg(feature = "gateway")]
pub use dialog::LogDialog;

use tracing::level_filters::LevelFilter;
use tracing::{Metadata, Subscriber};
use tracing_subscriber::filter::FilterFn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;

#[cfg(feature = "gateway")]
use super::log_queue::{LogQueue, LogWriter};

/// Starts the log at a level: 0 nothing, 1 info, 2 debug, 3 and more trace.
///
/// Only our own events are shown. What HTTP and TLS crates log at their lowest level may hold
/// headers and bodies, and those hold tokens.
pub fn start(verbose: u8) {
    start_with(verbose, std::io::stderr);
}

/// Starts the log of a server; it is written to its end when the result is dropped.
///
/// # Errors
/// If there is no thread for it.
#[cfg(feature = "gateway")]
pub fn start_for_server(verbose: u8) -> std::io::Result<LogWriter> {
    let queue = LogQueue::default();
    let writer = queue.start(std::io::stderr())?;
    start_with(verbose.max(1), queue);
    Ok(writer)
}

fn start_with(verbose: u8, writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static) {
    let level = match verbose {
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let ours = FilterFn::new(|metadata: &Metadata<'_>| metadata.target().starts_with("openclaw"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
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

#[cfg(feature = "gateway")]
mod dialog {
    use crate::cli::hint::Renderer;
    use crate::cli::view::clean;
    use crate::model::secret::Secret;
    use crate::ports::dialog::{Dialog, DialogError, Notice, Question};

    /// Tells the log, and has nobody to ask.
    pub struct LogDialog {
        hints: Renderer,
    }

    impl LogDialog {
        /// A dialog whose advice is rendered by `hints`.
        pub fn new(hints: Renderer) -> Self {
            Self { hints }
        }
    }

    impl Dialog for LogDialog {
        fn notice(&self, notice: &Notice) {
            let text = |hint| clean(&self.hints.text(hint));
            match notice {
                Notice::Warning(hint) => tracing::warn!(target: "openclaw", "{}", text(hint)),
                Notice::Info(hint) => tracing::info!(target: "openclaw", "{}", text(hint)),
                // Steps of a login, which has a dialog of its own; a URL among them is for no log.
                _ => {}
            }
        }

        fn ask(
            &self,
            _question: &Question,
            _stop: &dyn Fn() -> bool,
        ) -> Result<Secret<String>, DialogError> {
            Err(DialogError::NobodyThere)
        }

        fn can_ask(&self) -> bool {
            false
        }
    }
}
