//! The dialog with a program: one JSON object a line on standard output.
//!
//! Every line is written whole and flushed at once, so that a program that drives a login can act
//! on it. Field names and event names are a contract; new ones may come, none changes its meaning.

use std::io::{self, IsTerminal};
use std::sync::Arc;

use serde_json::{Value, json};

use super::input::{Input, Patience};
use super::printer::Printer;
use super::terminal::answer_from_pipe;
use crate::ports::dialog::{Answer, Dialog, DialogError, Notice, Question};
use crate::ports::host::Interrupt;

/// Tells a program, and takes answers from its pipe.
pub struct JsonDialog {
    printer: Arc<Printer>,
    interrupt: Arc<dyn Interrupt>,
    input: Input<io::Stdin>,
}

impl JsonDialog {
    /// A dialog over standard input and standard output.
    pub fn new(printer: Arc<Printer>, interrupt: Arc<dyn Interrupt>) -> Self {
        Self {
            printer,
            interrupt,
            input: Input::new(io::stdin()),
        }
    }
}

impl Dialog for JsonDialog {
    fn notice(&self, notice: &Notice) {
        // A program that no longer reads must not stop a login half way; the command's own result
        // is written last, and reports a failure to write.
        let _ = self.printer.line_out(&event_of(notice).to_string());
    }

    fn ask(&self, question: &Question, stop: &dyn Fn() -> bool) -> Result<Answer, DialogError> {
        if io::stdin().is_terminal() {
            return Err(DialogError::NobodyThere);
        }
        let patience = Patience {
            stop,
            interrupt: &*self.interrupt,
        };
        answer_from_pipe(&self.input, question, &patience)
    }

    fn can_ask(&self) -> bool {
        false
    }
}

/// Why a command failed, as its last event tells it.
#[derive(Clone, Copy, Debug)]
pub struct ErrorEvent<'a> {
    /// The kind of failure, as in the table of exit codes.
    pub kind: &'a str,
    /// The provider's own error code, if it gave one.
    pub code: Option<&'a str>,
    /// What failed and why.
    pub message: &'a str,
    /// The one command that fixes it, if there is one.
    pub hint: Option<&'a str>,
}

impl ErrorEvent<'_> {
    /// Writes the event as the last line of a failed command.
    ///
    /// # Errors
    /// As [`Printer::out`].
    pub fn print(&self, printer: &Printer) -> io::Result<()> {
        printer.line_out(&self.value().to_string())
    }

    fn value(&self) -> Value {
        json!({
            "event": "error",
            "kind": self.kind,
            "code": self.code,
            "message": self.message,
            "hint": self.hint,
        })
    }
}

fn event_of(notice: &Notice) -> Value {
    match notice {
        Notice::AuthorizeUrl {
            provider,
            url,
            port,
            remote,
            ssh_forward,
            // The terminal is the program's, not ours.
            copy: _,
        } => json!({
            "event": "url",
            "provider": provider,
            "url": url,
            "port": port,
            "remote": remote,
            "sshForward": ssh_forward,
        }),
        Notice::DeviceCode {
            provider,
            user_code,
            verification_uri,
            verification_uri_complete,
            expires,
        } => json!({
            "event": "device_code",
            "provider": provider,
            "userCode": user_code,
            "verificationUri": verification_uri,
            "verificationUriComplete": verification_uri_complete,
            "expiresAt": expires.0,
        }),
        Notice::Program {
            provider,
            text,
            url,
            code,
        } => json!({
            "event": "program",
            "provider": provider,
            "message": text,
            "url": url,
            "code": code,
        }),
        Notice::Policy(message) => json!({ "event": "policy", "message": message }),
        Notice::Waiting { until } => json!({ "event": "waiting", "until": until.0 }),
        Notice::Exchanging => json!({ "event": "exchanging" }),
        Notice::Identity {
            email,
            account_id,
            plan,
            profile,
            replaces,
        } => json!({
            "event": "identity",
            "email": email,
            "accountId": account_id,
            "plan": plan,
            "profileId": profile.to_string(),
            "replaces": replaces,
        }),
        Notice::Saved {
            profile,
            provider,
            expires,
        } => json!({
            "event": "saved",
            "profileId": profile.to_string(),
            "provider": provider.to_string(),
            "expiresAt": expires.map(|expires| expires.0),
        }),
        Notice::Info(message) => json!({ "event": "info", "message": message }),
        Notice::Warning(message) => json!({ "event": "warning", "message": message }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{ProfileId, ProviderId};
    use crate::model::time::Timestamp;

    #[test]
    fn events_keep_their_shape() {
        let line = |notice| event_of(&notice).to_string();
        let profile = || ProfileId::parse("anthropic:default").unwrap();
        assert_eq!(
            line(Notice::AuthorizeUrl {
                provider: "OpenAI Codex".to_owned(),
                url: "https://issuer.example/?a=b\n".to_owned(),
                port: None,
                remote: true,
                ssh_forward: None,
                copy: true,
            }),
            r#"{"event":"url","provider":"OpenAI Codex","url":"https://issuer.example/?a=b\n","port":null,"remote":true,"sshForward":null}"#
        );
        assert_eq!(
            line(Notice::DeviceCode {
                provider: "GitHub".to_owned(),
                user_code: "WDJB-MJHT".to_owned(),
                verification_uri: "https://issuer.example/device".to_owned(),
                verification_uri_complete: None,
                expires: Timestamp(9),
            }),
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
        assert_eq!(
            ErrorEvent {
                kind: "refused",
                code: Some("access_denied"),
                message: "no",
                hint: None,
            }
            .value()
            .to_string(),
            r#"{"event":"error","kind":"refused","code":"access_denied","message":"no","hint":null}"#
        );
    }
}
