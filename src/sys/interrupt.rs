//! Signals that ask to stop, remembered instead of obeyed while a commit must not be cut off, and
//! the one after a stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};

use crate::ports::host::{Interrupt, Signal};

/// No signal has number 0.
const NONE: usize = 0;

/// SIGINT, SIGTERM, SIGHUP and SIGCONT of this process.
#[derive(Debug, Default)]
pub struct SystemInterrupt {
    came: Arc<AtomicUsize>,
    obeyed: Arc<AtomicBool>,
    continued: Arc<AtomicBool>,
    deferred: OnceLock<()>,
}

impl Interrupt for SystemInterrupt {
    fn defer(&self) {
        self.deferred.get_or_init(|| {
            let ignored = ignored();
            for signal in [SIGINT, SIGTERM, SIGHUP] {
                // Who started us with `nohup` wants a hang-up to end neither us nor what comes
                // after us; a handler would forget that.
                if ignored & (1 << (signal - 1)) != 0 {
                    continue;
                }
                let Ok(number) = usize::try_from(signal) else {
                    continue;
                };
                // Refused only for a signal that cannot be caught, and these three can. Should the
                // system refuse, the signal keeps killing us: the files are safe
                // against that, too.
                let _ = signal_hook::flag::register_usize(signal, Arc::clone(&self.came), number);
                let obeyed = Arc::clone(&self.obeyed);
                let _ = signal_hook::flag::register_conditional_default(signal, obeyed);
            }
            let _ = signal_hook::flag::register(SIGCONT, Arc::clone(&self.continued));
        });
    }

    fn pending(&self) -> Option<Signal> {
        match self.came.load(Ordering::SeqCst) {
            NONE => None,
            number => i32::try_from(number).ok().map(Signal),
        }
    }

    fn obey(&self) {
        self.obeyed.store(true, Ordering::SeqCst);
    }

    fn was_continued(&self) -> bool {
        self.continued.swap(false, Ordering::SeqCst)
    }
}

/// The signals that this process was told to ignore, a bit each; where the system does not tell,
/// none.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_which_signal_came_and_survives_it() {
        let interrupt = SystemInterrupt::default();
        assert_eq!(interrupt.pending(), None);
        interrupt.defer();
        interrupt.defer();
        assert_eq!(interrupt.pending(), None);
        signal_hook::low_level::raise(SIGTERM).unwrap();
        assert_eq!(interrupt.pending(), Some(Signal(SIGTERM)));
        assert_eq!(interrupt.pending().unwrap().exit_code(), 143);
    }

    #[test]
    fn tells_once_that_the_process_was_continued() {
        let interrupt = SystemInterrupt::default();
        interrupt.defer();
        assert!(!interrupt.was_continued());
        signal_hook::low_level::raise(SIGCONT).unwrap();
        assert!(interrupt.was_continued());
        assert!(!interrupt.was_continued());
        assert_eq!(interrupt.pending(), None);
    }
}
