use super::*;
use crate::app::login::noted::{State, Unfinished};
use crate::gateway::flow::AttemptsInMemory;
use crate::model::id::{AgentId, ProviderId};
use crate::model::secret::Secret;
use crate::ports::host::Signal;
use crate::ports::store::Location;

/// A login that others find, of a database whose answers may get lost.
struct Row {
    step: Mutex<(Step, Duration)>,
    is_silent: Mutex<bool>,
    outcome: Mutex<Option<Secret<String>>>,
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

    fn end(&self, _: &StateDigest, at: Step, outcome: &Secret<String>) -> Result<bool, StoreError> {
        self.answer()?;
        let mut now = self.step.lock();
        // Ended before by this gateway, or now.
        let is_there = [at, Step::Ended].contains(&now.0);
        if is_there {
            now.0 = Step::Ended;
            *self.outcome.lock() = Some(outcome.clone());
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

/// A login that waits.
fn waiting(is_polled: bool) -> (Arc<Row>, Flow) {
    let row = Arc::new(Row {
        step: Mutex::new((Step::Waiting, Duration::from_secs(360))),
        is_silent: Mutex::new(false),
        outcome: Mutex::default(),
    });
    let flow = Flow {
        order: Order {
            caller: "anna".to_owned(),
            provider: provider(),
            agent: AgentId::main(),
            profile: None,
            display_name: None,
        },
        method: Method::begun_elsewhere(&Unfinished::Taken { is_polled }),
        progress: Progress::new(Arc::new(|| {})),
        limit: Duration::from_secs(360),
        resumed: None,
        attempts: Arc::clone(&row) as Arc<dyn LoginAttempts>,
        held: Arc::default(),
        noted: Mutex::new(Noted::Waiting(state())),
    };
    (row, flow)
}

/// A login that waits, and was taken without a word of that.
fn undecided(is_polled: bool) -> (Arc<Row>, Flow) {
    let (row, flow) = waiting(is_polled);
    *row.is_silent.lock() = true;
    flow.take().unwrap_err();
    *row.is_silent.lock() = false;
    (row, flow)
}

#[test]
fn a_login_whose_code_was_not_sent_goes_on_waiting_however_late_that_is_known() {
    let (row, flow) = undecided(false);
    row.step.lock().1 = Duration::ZERO;
    flow.learn(Some(&row.attempt()));
    assert!(!flow.progress.has_ended());
    assert!(flow.take().unwrap());
}

#[test]
fn a_login_that_was_taken_without_a_word_is_ended_by_whoever_took_it() {
    let (row, flow) = undecided(false);
    flow.cancel().unwrap();
    assert_eq!(row.attempt().step, Step::Ended);
    let (row, flow) = undecided(false);
    assert!(flow.finish(Err(Failure::new(Kind::NeedsLogin, "too late"))));
    assert_eq!(row.attempt().step, Step::Ended);
}

#[test]
fn a_login_that_was_cancelled_stays_so_whatever_came_of_its_answer() {
    let (row, flow) = undecided(true);
    assert_eq!(flow.cancel().unwrap(), GivenUp::Here);
    let away = Failure::new(Kind::Storage, "the database is gone");
    assert!(flow.finish(Err(away)));
    assert_eq!(flow.progress.view().state, State::Cancelled);
    let told = row.outcome.lock().clone().unwrap();
    assert_eq!(Ending::read(&told).unwrap().state(), State::Cancelled);
}

#[test]
fn a_login_that_has_ended_is_not_cancelled() {
    let (row, flow) = waiting(false);
    let late = Failure::new(Kind::Temporary, "login timed out");
    assert!(flow.finish(Err(late)));
    let view = flow.progress.view();
    assert_eq!(flow.cancel().unwrap(), GivenUp::Here);
    assert_eq!(flow.progress.view(), view);
    assert_eq!(row.attempt().step, Step::Ended);
}

#[test]
fn others_are_told_later_how_a_login_ended_that_nobody_polls_for_any_more() {
    let (row, flow) = waiting(true);
    *row.is_silent.lock() = true;
    flow.finish(Err(Failure::new(Kind::Temporary, "the code expired")));
    assert_eq!(row.attempt().step, Step::Waiting);
    *row.is_silent.lock() = false;
    flow.learn(Some(&row.attempt()));
    assert_eq!(row.attempt().step, Step::Ended);
}

#[test]
fn a_login_of_one_gateway_that_is_cancelled_twice_ends_once() {
    let (_, flow) = waiting(true);
    let attempts = AttemptsInMemory::default();
    let content = Secret::from("{}");
    assert!(
        attempts
            .begin(&provider(), &state(), &content, Life::Held)
            .unwrap()
    );
    let flow = Flow {
        attempts: Arc::new(attempts),
        ..flow
    };
    for _ in 0..2 {
        assert_eq!(flow.cancel().unwrap(), GivenUp::Here);
    }
    assert!(flow.finish(Err(Failure::cancelled(Signal::TERMINATE))));
    assert_eq!(flow.progress.view().state, State::Cancelled);
}
