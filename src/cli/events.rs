//! The dialog with a program: one JSON object a line on standard output.
//!
//! Every line is written whole and flushed at once, so that a program that drives a login can act
//! on it. Field names and event names are a contract; new ones may come, none changes its meaning.

use std::io::{self, IsTerminal};
use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use super::hint::Renderer;
use super::input::{Input, Patience};
use super::printer::Printer;
use super::terminal::answer_from_pipe;
use super::view::escape::one_line;
use crate::app::failure::Failure;
use crate::model::secret::Secret;
use crate::ports::dialog::{Dialog, DialogError, Notice, Question};
use crate::ports::host::Interrupt;

/// Tells a program, and takes answers from its pipe.
pub struct JsonDialog {
    printer: Arc<Printer>,
    interrupt: Arc<dyn Interrupt>,
    input: LazyLock<Input<io::Stdin>>,
    hints: Renderer,
}

impl JsonDialog {
    /// A dialog over standard input and standard output; `hints` repeats the options of this call.
    pub fn new(printer: Arc<Printer>, interrupt: Arc<dyn Interrupt>, hints: Renderer) -> Self {
        Self {
            printer,
            interrupt,
            input: LazyLock::new(|| Input::new(io::stdin())),
            hints,
        }
    }
}

impl Dialog for JsonDialog {
    fn notice(&self, notice: &Notice) {
        // A program that no longer reads must not stop a login half way; the command's own result
        // is written last, and reports a failure to write.
        let event = one_line(&event_of(notice, &self.hints));
        if let Err(error) = self.printer.line_out(&event) {
            self.printer.note_lost(error);
        }
    }

    fn ask(
        &self,
        question: &Question,
        stop: &dyn Fn() -> bool,
    ) -> Result<Secret<String>, DialogError> {
        if io::stdin().is_terminal() {
            return Err(DialogError::NobodyThere);
        }
        let patience = Patience::new(stop, &*self.interrupt);
        answer_from_pipe(&self.input, question, &patience)
    }

    fn can_ask(&self) -> bool {
        false
    }
}

/// The event of a notice.
fn event_of(notice: &Notice, hints: &Renderer) -> Value {
    let (event, message) = match notice {
        Notice::Policy(message) => ("policy", message.clone()),
        Notice::Info(message) => ("info", hints.text(message)),
        Notice::Warning(message) => ("warning", hints.text(message)),
        Notice::NotAccepted(why) => ("warning", format!("not accepted: {why}")),
        // A tagged enum of texts and numbers always has a value.
        notice => return serde_json::to_value(notice).unwrap_or_default(),
    };
    json!({ "event": event, "message": message })
}

/// Why a command failed, as its last event tells it.
pub fn error_event(failure: &Failure, hints: &Renderer) -> Value {
    json!({
        "event": "error",
        "kind": failure.kind.as_ref(),
        "code": failure.code,
        "message": failure.to_string(),
        "hint": failure.hint.as_ref().map(|hint| hints.text(hint)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::failure::Kind;
    use crate::model::id::{ProfileId, ProviderId};
    use crate::model::time::Timestamp;
    use crate::ports::dialog::{AuthorizeUrl, DeviceCode};

    #[test]
    fn events_keep_their_shape() {
        let line = |notice| event_of(&notice, &Renderer::default()).to_string();
        let profile = || ProfileId::parse("anthropic:default").unwrap();
        assert_eq!(
            line(Notice::AuthorizeUrl(AuthorizeUrl {
                provider: "OpenAI Codex".to_owned(),
                url: "https://issuer.example/?a=b\n".to_owned(),
                port: None,
                remote: true,
                ssh_forward: None,
                copy: true,
            })),
            r#"{"event":"url","provider":"OpenAI Codex","url":"https://issuer.example/?a=b\n","port":null,"remote":true,"sshForward":null}"#
        );
        assert_eq!(
            line(Notice::DeviceCode(DeviceCode {
                provider: "GitHub".to_owned(),
                user_code: "WDJB-MJHT".to_owned(),
                verification_uri: "https://issuer.example/device".to_owned(),
                verification_uri_complete: None,
                expires: Timestamp(9),
                beside: false,
            })),
            r#"{"event":"device_code","provider":"GitHub","userCode":"WDJB-MJHT","verificationUri":"https://issuer.example/device","verificationUriComplete":null,"expiresAt":9}"#
        );
        assert_eq!(
            line(Notice::Waiting {
                until: Timestamp(5)
            }),
            r#"{"event":"waiting","until":5}"#
        );
        assert_eq!(
            line(Notice::Identity {
                email: None,
                account_id: Some("acc".to_owned()),
                plan: None,
                profile: profile(),
                replaces: false,
            }),
            r#"{"event":"identity","email":null,"accountId":"acc","plan":null,"profileId":"anthropic:default","replaces":false}"#
        );
        assert_eq!(
            line(Notice::Saved {
                profile: profile(),
                provider: ProviderId::parse("anthropic").unwrap(),
                expires: Some(Timestamp(7)),
            }),
            r#"{"event":"saved","profileId":"anthropic:default","provider":"anthropic","expiresAt":7}"#
        );
        let failure = Failure::new(Kind::NeedsLogin, "no").code("access_denied");
        assert_eq!(
            error_event(&failure, &Renderer::default()).to_string(),
            r#"{"event":"error","kind":"needs_login","code":"access_denied","message":"no","hint":null}"#
        );
    }
}
