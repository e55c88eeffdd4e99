//! The person and the signals, as the thread of a login knows them.

use std::time::Duration;

use super::{Announced, Paste, Phase, Progress};
use crate::app::login::BARE_CODE;
use crate::gateway::flow::view::sentence;
use crate::model::secret::Secret;
use crate::ports::dialog::{Dialog, DialogError, Notice, Question};
use crate::ports::host::{Interrupt, Signal};

/// How often a withdrawn question is noticed.
const LOOK: Duration = Duration::from_millis(50);

impl Progress {
    fn next_paste(&self, stop: &dyn Fn() -> bool) -> Result<Secret<String>, DialogError> {
        let mut now = self.now.lock();
        if matches!(now.paste, Paste::Taken) {
            // Whether to use a code without its `state` is for a person at a terminal to decide (RFC 6749
            // section 10.12).
            now.paste = Paste::NotAccepted(BARE_CODE.to_owned());
            self.changed.notify_all();
        }
        while !stop() {
            match std::mem::replace(&mut now.paste, Paste::Taken) {
                Paste::Offered(text) => return Ok(text),
                other => now.paste = other,
            }
            self.changed.wait_for(&mut now, LOOK);
        }
        Err(DialogError::Withdrawn)
    }
}

impl Dialog for Progress {
    fn notice(&self, notice: &Notice) {
        match notice {
            Notice::AuthorizeUrl(authorize) => self.change(|now| {
                now.announced = Some(Announced {
                    url: Secret::new(authorize.url.clone()),
                    port: authorize.port,
                    user_code: None,
                });
            }),
            Notice::DeviceCode(code) => self.change(|now| {
                now.announced = Some(Announced {
                    url: Secret::from(code.url()),
                    port: None,
                    user_code: Some(Secret::new(code.user_code.clone())),
                });
            }),
            Notice::Waiting { until } => {
                self.change(|now| now.phase = Phase::Waiting { until: *until });
            }
            Notice::NotAccepted(why) => {
                self.change(|now| {
                    if matches!(now.paste, Paste::Taken) {
                        now.paste = Paste::NotAccepted(why.clone());
                    }
                });
            }
            Notice::Exchanging => self.change(|now| now.phase = Phase::Exchanging),
            Notice::Warning(text) => {
                let Some(text) = sentence(text) else { return };
                self.change(|now| now.warning = Some(text));
            }
            Notice::Program { .. }
            | Notice::Policy(_)
            | Notice::Identity { .. }
            | Notice::Saved { .. }
            | Notice::Info(_) => {}
        }
    }

    fn ask(
        &self,
        question: &Question,
        stop: &dyn Fn() -> bool,
    ) -> Result<Secret<String>, DialogError> {
        match question {
            Question::Paste(_) => self.next_paste(stop),
            Question::Secret(_) | Question::Passphrase(_) => Err(DialogError::NobodyThere),
        }
    }

    fn can_ask(&self) -> bool {
        false
    }
}

impl Interrupt for Progress {
    /// Signals are the server's, which cancels its logins.
    fn defer(&self) {}

    /// None once there is a code for this gateway: the exchange and the store go on to their end.
    fn pending(&self) -> Option<Signal> {
        let now = self.now.lock();
        let waits = matches!(now.phase, Phase::Starting | Phase::Waiting { .. });
        let may_stop = waits && !now.is_held;
        let is_over = now.is_withdrawn || now.is_cancelled && may_stop;
        is_over.then_some(Signal::TERMINATE)
    }
}
