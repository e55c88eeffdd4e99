//! What is noted of a login for other gateways: first what completes it, then for whom that is done, and
//! then what became of it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::ending::{Connected, Ending, State};
use super::order::Order;
use crate::app::failure::{Failure, Kind};
use crate::app::login::relay::{Attempt, UserCode};
use crate::model::secret::Secret;
use crate::ports::login_attempts::{LoginAttempt, Step};

/// A login that waits.
#[derive(Serialize, Deserialize)]
pub struct Waiting {
    /// Who wants it.
    pub order: Order,
    /// What for.
    #[serde(flatten)]
    pub waits: Waits,
}

/// What a login waits for.
#[derive(Serialize, Deserialize)]
pub enum Waits {
    /// The answer of a browser. Whoever has this can complete it.
    #[serde(rename = "attempt")]
    ForRedirect(Box<Attempt>),
    /// That this code is entered. Nobody but the gateway that polls completes it.
    #[serde(rename = "code")]
    ForCode(UserCode),
}

/// A login whose answer a gateway has.
#[derive(Serialize, Deserialize)]
pub struct Taken {
    /// Who wants it.
    pub order: Order,
    /// Whether it came with a device code.
    #[serde(default)]
    pub is_polled: bool,
}

/// What became of one.
#[derive(Serialize, Deserialize)]
struct Outcome {
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    connected: Option<Connected>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<Failed>,
}

#[derive(Serialize, Deserialize)]
struct Failed {
    kind: String,
    message: String,
    code: Option<String>,
}

impl Ending {
    /// As it is noted.
    pub fn written(&self) -> Secret<String> {
        write(&Outcome {
            state: self.state(),
            connected: match self {
                Self::Connected(connected) => Some(connected.clone()),
                _ => None,
            },
            failed: self.failure().map(|failure| Failed {
                kind: failure.kind.as_ref().to_owned(),
                message: failure.to_string(),
                code: failure.code.as_deref().map(str::to_owned),
            }),
        })
    }

    /// Reads one; `None` if another release wrote it.
    pub fn read(content: &Secret<String>) -> Option<Self> {
        let outcome: Outcome = read(content)?;
        let failure = || outcome.failed.map(Failed::failure);
        match outcome.state {
            State::Connected => outcome.connected.map(Self::Connected),
            State::Refused => failure().map(Self::Refused),
            State::TimedOut => failure().map(Self::TimedOut),
            State::Failed => failure().map(Self::Failed),
            State::Cancelled => Some(Self::Cancelled),
            State::Idle | State::Waiting | State::Exchanging => None,
        }
    }
}

impl Failed {
    fn failure(self) -> Failure {
        let kinds = [
            Kind::Usage,
            Kind::NotFound,
            Kind::Config,
            Kind::NeedsLogin,
            Kind::Locked,
            Kind::Storage,
            Kind::Busy,
            Kind::UnknownOutcome,
        ];
        let kind = kinds.into_iter().find(|kind| kind.as_ref() == self.kind);
        let failure = Failure::new(kind.unwrap_or(Kind::Temporary), self.message);
        match self.code {
            Some(code) => failure.code(&code),
            None => failure,
        }
    }
}

/// As it is noted.
pub fn write(value: &impl Serialize) -> Secret<String> {
    Secret::new(serde_json::to_string(value).expect("texts and numbers"))
}

fn read<T: DeserializeOwned>(content: &Secret<String>) -> Option<T> {
    serde_json::from_str(content.expose()).ok()
}

/// How far a login is that has not ended.
pub enum Unfinished {
    /// It waits.
    Waits(Waits),
    /// Somebody has its answer.
    Taken {
        /// Whether it came with a device code.
        is_polled: bool,
    },
}

/// Reads who wants a login that has not ended, and how far it is; `None` if it has ended, another release
/// wrote it, or its provider is not the one that stands beside what is sealed.
pub fn unfinished(attempt: &LoginAttempt) -> Option<(Order, Unfinished)> {
    let content = attempt.content.as_ref()?;
    let (order, how) = match attempt.step {
        Step::Waiting => {
            let Waiting { order, waits } = read(content)?;
            (order, Unfinished::Waits(waits))
        }
        Step::Taken => {
            let Taken { order, is_polled } = read(content)?;
            (order, Unfinished::Taken { is_polled })
        }
        Step::Ended => return None,
    };
    (order.provider == attempt.provider).then_some((order, how))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_a_login_is_read_as_it_was_written() {
        let failure = || Failure::new(Kind::NeedsLogin, "login denied").code("access_denied");
        let connected = Connected {
            provider: crate::model::id::ProviderId::parse("openai-codex").unwrap(),
            profile: crate::model::id::ProfileId::parse("openai-codex:me").unwrap(),
        };
        for ending in [
            Ending::Connected(connected),
            Ending::Refused(failure()),
            Ending::TimedOut(Failure::new(Kind::Temporary, "late")),
            Ending::Failed(failure()),
            Ending::Cancelled,
        ] {
            let read = Ending::read(&ending.written()).unwrap();
            // A failure has no equal.
            assert_eq!(format!("{read:?}"), format!("{ending:?}"));
        }
        assert!(Ending::read(&Secret::from("{\"state\":\"connected\"}")).is_none());
    }
}
