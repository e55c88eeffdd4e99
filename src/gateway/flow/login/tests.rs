use super::*;
use crate::app::login::noted::Unfinished;
use crate::model::id::{AgentId, ProviderId};
use crate::model::secret::Secret;
use crate::ports::store::Location;

/// A login that others find, of a database whose answers may get lost.
struct Row {
    step: Mutex<(Step, Duration)>,
    is_silent: Mutex<bool>,
}

impl Row {
    fn attempt(&self) -> LoginAttempt {
        let (step, left) = *self.step.lock();
        LoginAttempt {
            provider: provider(),
            state: state(),
            step,
            left,
            machine: None,
            content: None,
        }
    }

    fn answer(&self) -> Result<bool, StoreError> {
        match *self.is_silent.lock() {
            true => Err(StoreError::Conflict {
                at: Location::new("a silent database"),
            }),
            false => Ok(true),
        }
    }
}

impl LoginAttempts for Row {
    fn are_shared(&self) -> bool {
        true
    }

    fn attempts(&self) -> Result<Vec<LoginAttempt>, StoreError> {
        Ok(vec![self.attempt()])
    }

    fn begin(
        &self,
        _: &ProviderId,
        _: &StateDigest,
        _: &Secret<String>,
        _: Life,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }

    fn take(&self, _: &StateDigest, _: &Secret<String>) -> Result<bool, StoreError> {
        *self.step.lock() = (Step::Taken, Duration::from_secs(60));
        self.answer()
    }

    fn hold(&self, _: &[StateDigest]) -> Result<(), StoreError> {
        Ok(())
    }

    fn end(&self, _: &StateDigest, at: Step, _: &Secret<String>) -> Result<bool, StoreError> {
        let mut now = self.step.lock();
        let is_there = now.0 == at;
        if is_there {
            now.0 = Step::Ended;
        }
        Ok(is_there)
    }
}

fn provider() -> ProviderId {
    ProviderId::parse("openai-codex").unwrap()
}

fn state() -> StateDigest {
    StateDigest::of(&Secret::from("state"))
}

/// A login that waits, and was taken without a word of that.
fn undecided() -> (Arc<Row>, Flow) {
    let row = Arc::new(Row {
        step: Mutex::new((Step::Waiting, Duration::from_secs(360))),
        is_silent: Mutex::new(true),
    });
    let flow = Flow {
        order: Order {
            caller: "anna".to_owned(),
            provider: provider(),
            agent: AgentId::main(),
            profile: None,
            display_name: None,
        },
        method: Method::begun_elsewhere(&Unfinished::Taken { is_polled: false }),
        progress: Progress::new(Arc::new(|| {})),
        limit: Duration::from_secs(360),
        resumed: None,
        attempts: Arc::clone(&row) as Arc<dyn LoginAttempts>,
        held: Arc::default(),
        noted: Mutex::new(Noted::Waiting(state())),
    };
    flow.take().unwrap_err();
    *row.is_silent.lock() = false;
    (row, flow)
}

#[test]
fn a_login_whose_code_was_not_sent_goes_on_waiting_however_late_that_is_known() {
    let (row, flow) = undecided();
    row.step.lock().1 = Duration::ZERO;
    flow.learn(Some(&row.attempt()));
    assert!(!flow.progress.has_ended());
    assert!(flow.take().unwrap());
}

#[test]
fn a_login_that_was_taken_without_a_word_is_ended_by_whoever_took_it() {
    let (row, flow) = undecided();
    flow.cancel().unwrap();
    assert_eq!(row.attempt().step, Step::Ended);
    let (row, flow) = undecided();
    assert!(flow.finish(Err(Failure::new(Kind::NeedsLogin, "too late"))));
    assert_eq!(row.attempt().step, Step::Ended);
}
