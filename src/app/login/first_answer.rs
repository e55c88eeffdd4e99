//! Several ways to one answer at once: each is a thread, and the first to bring an answer wins.
//!
//! The invariant: there is one winner. Whatever another source brings afterwards is dropped unseen,
//! each source is told to stop, and those that hold the terminal or the port have stopped before
//! the winner's answer is used.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::ports::host::{Clock, Interrupt};

use crate::app::failure::Failure;

/// The interval at which the threads of a race look whether it is over.
pub(in crate::app) const TICK: Duration = Duration::from_millis(50);

/// The sender of an entrant's answer.
pub(in crate::app) struct RaceSender<'r, T> {
    events: Sender<Result<T, Failure>>,
    over: &'r AtomicBool,
}

impl<T> RaceSender<'_, T> {
    /// Whether the race is over. An entrant asks every [`TICK`] and then stops.
    pub(in crate::app) fn is_over(&self) -> bool {
        self.over.load(Ordering::SeqCst)
    }

    /// Sends an answer; the first wins.
    pub(in crate::app) fn answer(&self, answer: T) {
        // Nobody listens any more: another one was first, and this one is dropped.
        let _ = self.events.send(Ok(answer));
    }

    /// Ends the race without an answer.
    pub(in crate::app) fn end(&self, failure: Failure) {
        let _ = self.events.send(Err(failure));
    }
}

type Run<'s, T> = dyn FnOnce(RaceSender<'_, T>) + Send + 's;

/// An entrant of the race. It returns when it has sent an answer, has none to send, or the race is
/// over.
pub(in crate::app) struct RaceEntrant<'s, T> {
    run: Box<Run<'s, T>>,
    waited_for: bool,
}

impl<'s, T> RaceEntrant<'s, T> {
    /// Makes an entrant that stops within a tick. The answer is used only after it has stopped,
    /// because it holds the terminal or the port.
    pub(in crate::app) fn prompt(run: impl FnOnce(RaceSender<'_, T>) + Send + 's) -> Self {
        Self {
            run: Box::new(run),
            waited_for: true,
        }
    }

    /// Makes an entrant that may be in a request when the race ends. The answer is used meanwhile
    /// and the entrant's own is dropped, but [`run`] returns only when the request has ended.
    pub(in crate::app) fn slow(run: impl FnOnce(RaceSender<'_, T>) + Send + 's) -> Self {
        Self {
            run: Box::new(run),
            waited_for: false,
        }
    }
}

/// When a race ends without an answer, and the failure then.
pub(in crate::app) struct Limits<'l> {
    pub(in crate::app) clock: &'l dyn Clock,
    /// A signal ends it, or …
    pub(in crate::app) interrupt: &'l dyn Interrupt,
    /// … the time, after this long …
    pub(in crate::app) timeout: Duration,
    /// … with these words.
    pub(in crate::app) timed_out: &'l dyn Fn() -> Failure,
    /// Ends it, too, as soon as it returns a failure, unless there is an answer already.
    pub(in crate::app) spoiled: &'l dyn Fn() -> Option<Failure>,
    /// The failure if every entrant has stopped without an answer.
    pub(in crate::app) exhausted: &'l dyn Fn() -> Failure,
}

/// Runs the entrants, and calls `then` with the first answer. Signals are deferred from here on;
/// the wait ends on one.
pub(in crate::app) fn run<'s, T: Send, R>(
    limits: &Limits<'_>,
    sources: Vec<RaceEntrant<'s, T>>,
    then: impl FnOnce(Result<T, Failure>) -> R,
) -> R {
    limits.interrupt.defer();
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (sender, events) = channel();
        let mut prompt = Vec::new();
        for source in sources {
            let own_sender = RaceSender {
                events: sender.clone(),
                over: &over,
            };
            let run = source.run;
            let thread = scope.spawn(move || run(own_sender));
            if source.waited_for {
                prompt.push(thread);
            }
        }
        drop(sender);
        let first = wait(limits, &events);
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

fn wait<T>(limits: &Limits<'_>, events: &Receiver<Result<T, Failure>>) -> Result<T, Failure> {
    let deadline = limits.clock.monotonic() + limits.timeout;
    loop {
        if let Some(signal) = limits.interrupt.pending() {
            return Err(Failure::cancelled(signal));
        }
        if let Some(failure) = (limits.spoiled)() {
            return events.try_recv().unwrap_or(Err(failure));
        }
        if limits.clock.monotonic() >= deadline {
            return Err((limits.timed_out)());
        }
        match events.recv_timeout(TICK) {
            Ok(ended) => return ended,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err((limits.exhausted)()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::failure::Kind;
    use crate::model::time::Timestamp;
    use crate::ports::host::Signal;
    use crate::testing::clock::FakeClock;

    /// No test passes because of it.
    const PATIENCE: Duration = Duration::from_secs(60);

    struct Told(Option<Signal>);

    impl Interrupt for Told {
        fn defer(&self) {}

        fn pending(&self) -> Option<Signal> {
            self.0
        }
    }

    fn race(
        sources: Vec<RaceEntrant<'_, u8>>,
        signal: Option<Signal>,
        timeout: Duration,
        then: impl FnOnce(Result<u8, Failure>) -> Result<u8, String>,
    ) -> Result<u8, String> {
        let limits = Limits {
            clock: &FakeClock::new(Timestamp(0)),
            interrupt: &Told(signal),
            timeout,
            timed_out: &|| Failure::new(Kind::Temporary, "timed out"),
            spoiled: &|| None,
            exhausted: &|| Failure::new(Kind::Usage, "exhausted"),
        };
        run(&limits, sources, then)
    }

    #[test]
    fn what_spoils_a_race_after_its_answer_does_not_end_it() {
        let answered = AtomicBool::new(false);
        let winner = RaceEntrant::prompt(|sender: RaceSender<'_, u8>| {
            sender.answer(1);
            answered.store(true, Ordering::SeqCst);
        });
        let limits = Limits {
            clock: &FakeClock::new(Timestamp(0)),
            interrupt: &Told(None),
            timeout: PATIENCE,
            timed_out: &|| Failure::new(Kind::Temporary, "timed out"),
            spoiled: &|| {
                while !answered.load(Ordering::SeqCst) {
                    std::thread::yield_now();
                }
                Some(Failure::new(Kind::NeedsLogin, "visited twice"))
            },
            exhausted: &|| Failure::new(Kind::Usage, "exhausted"),
        };
        assert_eq!(run(&limits, vec![winner], words), Ok(1));
    }

    fn words(ended: Result<u8, Failure>) -> Result<u8, String> {
        ended.map_err(|failure| failure.to_string())
    }

    /// A source that waits until it is withdrawn, and tells `gone` then.
    fn patient(gone: &AtomicBool) -> RaceEntrant<'_, u8> {
        RaceEntrant::prompt(move |sender| {
            while !sender.is_over() {
                std::thread::yield_now();
            }
            sender.answer(2);
            gone.store(true, Ordering::SeqCst);
        })
    }

    #[test]
    fn the_first_answer_wins_and_the_others_have_stopped_before_it_is_used() {
        let gone = AtomicBool::new(false);
        let winner = RaceEntrant::prompt(|sender: RaceSender<'_, u8>| sender.answer(1));
        let ended = race(vec![patient(&gone), winner], None, PATIENCE, |first| {
            assert!(gone.load(Ordering::SeqCst));
            words(first)
        });
        assert_eq!(ended, Ok(1));
    }

    #[test]
    fn a_source_that_sits_in_a_request_does_not_hold_up_the_winner() {
        let (used, is_used) = channel();
        let slow = RaceEntrant::slow(move |sender: RaceSender<'_, u8>| {
            is_used
                .recv_timeout(PATIENCE)
                .expect("the winner waited for this");
            sender.answer(2);
        });
        let winner = RaceEntrant::prompt(|sender: RaceSender<'_, u8>| sender.answer(1));
        let ended = race(vec![slow, winner], None, PATIENCE, |first| {
            used.send(()).unwrap();
            words(first)
        });
        assert_eq!(ended, Ok(1));
    }

    #[test]
    fn a_race_without_a_winner_says_why() {
        let nothing = || RaceEntrant::prompt(|_: RaceSender<'_, u8>| ());
        let failed = |signal, timeout| {
            let gone = AtomicBool::new(false);
            race(vec![patient(&gone), nothing()], signal, timeout, words)
        };
        let ended = race(vec![nothing(), nothing()], None, PATIENCE, words);
        assert_eq!(ended.unwrap_err(), "exhausted");
        assert_eq!(failed(None, Duration::ZERO).unwrap_err(), "timed out");
        let signal = Some(Signal::INTERRUPT);
        assert_eq!(failed(signal, PATIENCE).unwrap_err(), "cancelled");
        let over = |sender: RaceSender<'_, u8>| sender.end(Failure::new(Kind::Usage, "canceled"));
        let ended = race(vec![RaceEntrant::prompt(over)], None, PATIENCE, words);
        assert_eq!(ended.unwrap_err(), "canceled");
    }
}
