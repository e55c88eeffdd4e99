//! External programs whose lines a test has written down beforehand.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Mutex, MutexGuard};

use crate::model::secret::Secret;
use crate::ports::host::{Clock, Signal};
use crate::ports::program::{
    AskedProgram, Exit, HookCommand, ProgramAnswer, ProgramError, Programs, Received, Running,
};

use super::clock::FakeClock;

/// One program, whatever it is called: it says its lines one after the other, and after them
/// nothing, while the clock runs on; or it ends, if it was told to.
#[derive(Clone)]
pub struct ScriptedProgram(Arc<Mutex<Script>>, Arc<FakeClock>);

#[derive(Default)]
struct Script {
    says: VecDeque<Received>,
    last_words: VecDeque<Received>,
    told: Vec<String>,
    stopped: Option<Signal>,
}

impl ScriptedProgram {
    /// A program that says nothing yet, by this clock.
    pub fn new(clock: Arc<FakeClock>) -> Self {
        Self(Arc::default(), clock)
    }

    /// A program that says these lines.
    pub fn saying(clock: Arc<FakeClock>, lines: &[&str]) -> Self {
        let program = Self::new(clock);
        for line in lines {
            program.push(Received::Line(Secret::new(line.as_bytes().to_vec())));
        }
        program
    }

    /// Adds anything that can be heard of it.
    pub fn push(&self, heard: Received) {
        self.script().says.push_back(heard);
    }

    /// What is heard of it once it was stopped.
    pub fn push_last_words(&self, heard: Received) {
        self.script().last_words.push_back(heard);
    }

    /// The lines that were sent to it.
    pub fn told(&self) -> Vec<String> {
        self.script().told.clone()
    }

    /// The signal with which it was stopped.
    pub fn stopped(&self) -> Option<Signal> {
        self.script().stopped
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.0.lock()
    }
}

impl Programs for ScriptedProgram {
    fn on_path(&self, name: &str) -> Vec<PathBuf> {
        vec![Path::new("/usr/bin").join(name)]
    }

    fn with_prefix(&self, _: &str) -> Vec<PathBuf> {
        Vec::new()
    }

    fn check_permissions(&self, _: &Path) -> Result<(), ProgramError> {
        Ok(())
    }

    fn start(&self, _: &Path, _: &[String]) -> Result<Box<dyn Running>, ProgramError> {
        Ok(Box::new(self.clone()))
    }

    /// Ends well, at once.
    fn run(&self, hook: &HookCommand<'_>) -> Result<Exit, ProgramError> {
        let line = String::from_utf8_lossy(&hook.input).into_owned();
        self.script().told.push(line);
        Ok(Exit::Success)
    }

    /// Answers with its next line.
    fn ask(&self, asked: &AskedProgram<'_>) -> Result<ProgramAnswer, ProgramError> {
        let line = String::from_utf8_lossy(&asked.input).into_owned();
        let mut script = self.script();
        script.told.push(line);
        Ok(match script.says.pop_front() {
            Some(Received::Line(line)) => ProgramAnswer::Output(line),
            _ => ProgramAnswer::Failure("said nothing".to_owned()),
        })
    }
}

impl Running for ScriptedProgram {
    fn send(&mut self, line: Secret<Vec<u8>>) {
        let line = String::from_utf8_lossy(line.expose()).into_owned();
        self.script().told.push(line);
    }

    fn receive(&mut self, wait: Duration) -> Received {
        let next = self.script().says.pop_front();
        next.unwrap_or_else(|| {
            self.1.sleep(wait);
            Received::Nothing
        })
    }

    fn stop(&mut self, signal: Signal) {
        let mut script = self.script();
        script.stopped = Some(signal);
        script.says = std::mem::take(&mut script.last_words);
    }
}
