//! Lines of a log on their way to standard error, several at once, so that no request of a server waits
//! for whoever reads them.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tracing_subscriber::fmt::MakeWriter;

/// With so many bytes on the way whoever logs waits: what was done must be on record.
const FULL: usize = 1 << 20;
/// How long lines gather before they are written: a thread that is woken for each costs more than the
/// request that it is about.
const GATHER: Duration = Duration::from_millis(20);

/// What waits to be written.
#[derive(Clone, Default)]
pub(super) struct LogQueue(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    is_over: bool,
}

/// Writes the lines until it is dropped, and then what is left of them.
pub struct LogWriter {
    queue: LogQueue,
    thread: Option<JoinHandle<()>>,
}

impl LogQueue {
    /// Starts the thread that writes.
    ///
    /// # Errors
    /// If there is no thread to be had.
    pub(super) fn start(&self, to: impl Write + Send + 'static) -> io::Result<LogWriter> {
        let queue = self.clone();
        let builder = thread::Builder::new().name("log".to_owned());
        let thread = builder.spawn(move || queue.write_all(to))?;
        Ok(LogWriter {
            queue: self.clone(),
            thread: Some(thread),
        })
    }

    fn write_all(&self, mut to: impl Write) {
        loop {
            let lines = {
                let mut waiting = self.0.waiting.lock();
                let is_idle = |waiting: &mut Waiting| waiting.lines.is_empty() && !waiting.is_over;
                self.0.changed.wait_while(&mut waiting, is_idle);
                let may_gather =
                    |waiting: &mut Waiting| waiting.lines.len() <= FULL && !waiting.is_over;
                let changed = &self.0.changed;
                changed.wait_while_for(&mut waiting, may_gather, GATHER);
                std::mem::take(&mut waiting.lines)
            };
            if lines.is_empty() {
                return;
            }
            self.0.changed.notify_all();
            // A log that nobody takes is no reason to stop serving.
            let _ = to.write_all(&lines).and_then(|()| to.flush());
        }
    }
}

impl Drop for LogWriter {
    fn drop(&mut self) {
        self.queue.0.waiting.lock().is_over = true;
        self.queue.0.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Write for LogQueue {
    /// Takes whole lines: the log makes each in a buffer of its own.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.waiting.lock();
        let is_full = |waiting: &mut Waiting| waiting.lines.len() > FULL && !waiting.is_over;
        self.0.changed.wait_while(&mut waiting, is_full);
        let was_empty = waiting.lines.is_empty();
        waiting.lines.extend_from_slice(line);
        let is_due = was_empty || waiting.lines.len() > FULL;
        drop(waiting);
        if is_due {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for LogQueue {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shares what was written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_in_order_and_whole() {
        let (queue, kept) = (LogQueue::default(), Kept::default());
        let writer = queue.start(kept.clone()).unwrap();
        thread::scope(|scope| {
            for name in ["a", "b", "c"] {
                let mut queue = queue.clone();
                scope.spawn(move || {
                    for number in 0..10_000 {
                        let line = format!("{name} {number:>100}\n");
                        Write::write_all(&mut queue, line.as_bytes()).unwrap();
                    }
                });
            }
        });
        drop(writer);
        let text = String::from_utf8(kept.0.lock().clone()).unwrap();
        for name in ["a", "b", "c"] {
            let lines = text.lines().filter_map(|line| line.strip_prefix(name));
            let numbers: Vec<u32> = lines.map(|line| line.trim().parse().unwrap()).collect();
            assert_eq!(numbers, (0..10_000).collect::<Vec<_>>());
        }
    }
}
