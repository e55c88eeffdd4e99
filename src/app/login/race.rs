//! Several ways to one answer, all at once: each is a thread, and the first to bring an answer
//! wins.
//!
//! The invariant: there is one winner. Whatever another source brings afterwards is dropped unseen,
//! each source is told to stop, and those that hold the terminal or the port have stopped before
//! the winner's answer is used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use super::super::Ports;
use super::super::failure::Failure;

/// How often the threads of a race look whether it is over.
pub(super) const TICK: Duration = Duration::from_millis(50);

enum Event<T> {
    Answer(T),
    Over(Failure),
}

/// What a source is given: where its answer goes, and whether one is still wanted.
pub(super) struct Lane<'r, T> {
    events: Sender<Event<T>>,
    over: &'r AtomicBool,
}

impl<T> Lane<'_, T> {
    /// Whether the race is over. A source looks every [`TICK`] and then stops.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Brings an answer; the first wins.
    pub(super) fn answer(&self, answer: T) {
        // Nobody listens any more: another one was first, and this one is dropped.
        let _ = self.events.send(Event::Answer(answer));
    }

    /// Ends the race without an answer.
    pub(super) fn end(&self, failure: Failure) {
        let _ = self.events.send(Event::Over(failure));
    }
}

type Run<'s, T> = dyn FnOnce(Lane<'_, T>) + Send + 's;

/// One way to an answer. It returns when it has brought one, has none to bring, or is told to stop.
pub(super) struct Source<'s, T> {
    run: Box<Run<'s, T>>,
    waited_for: bool,
}

impl<'s, T> Source<'s, T> {
    /// A source that stops within a tick. It is waited for before the answer is used, for it holds
    /// the terminal or the port.
    pub(super) fn prompt(run: impl FnOnce(Lane<'_, T>) + Send + 's) -> Self {
        Self {
            run: Box::new(run),
            waited_for: true,
        }
    }

    /// A source that may sit in a request when the race ends. The answer is used meanwhile, and
    /// what the request still brings is dropped.
    pub(super) fn slow(run: impl FnOnce(Lane<'_, T>) + Send + 's) -> Self {
        Self {
            run: Box::new(run),
            waited_for: false,
        }
    }
}

/// When a race ends without a winner, and what is said then.
pub(super) struct Limits<'l> {
    /// After this long …
    pub(super) timeout: Duration,
    /// … with these words.
    pub(super) timed_out: &'l dyn Fn() -> Failure,
    /// When every source has stopped without an answer.
    pub(super) exhausted: &'l dyn Fn() -> Failure,
}

/// Runs the sources, and `then` with what came of them. Signals are deferred from here on, so the
/// wait heeds them.
pub(super) fn run<'s, T: Send, R>(
    ports: Ports<'_>,
    limits: &Limits<'_>,
    sources: Vec<Source<'s, T>>,
    then: impl FnOnce(Result<T, Failure>) -> R,
) -> R {
    ports.interrupt.defer();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (sender, events) = channel();
        let mut prompt = Vec::new();
        for source in sources {
            let lane = Lane {
                events: sender.clone(),
                over: &over,
            };
            let run = source.run;
            let thread = scope.spawn(move || run(lane));
            if source.waited_for {
                prompt.push(thread);
            }
        }
        drop(sender);
        let first = wait(ports, limits, &events);
        over.store(true, Ordering::SeqCst);
        for thread in prompt {
            // A panic has been told already, and ends the process where releases run.
            let _ = thread.join();
        }
        // Not before the others have stopped: what they sent too late is answered as late now.
        drop(events);
        then(first)
    })
}

fn wait<T>(
    ports: Ports<'_>,
    limits: &Limits<'_>,
    events: &Receiver<Event<T>>,
) -> Result<T, Failure> {
    let deadline = ports.clock.monotonic() + limits.timeout;
    loop {
        if let Some(signal) = ports.interrupt.pending() {
            return Err(Failure::cancelled(signal));
        }
        if ports.clock.monotonic() >= deadline {
            return Err((limits.timed_out)());
        }
        match events.recv_timeout(TICK) {
            Ok(Event::Answer(answer)) => return Ok(answer),
            Ok(Event::Over(failure)) => return Err(failure),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err((limits.exhausted)()),
        }
    }
}
