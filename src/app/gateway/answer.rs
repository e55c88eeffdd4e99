//! What a gateway answered, and what else may have answered in its place: a proxy, the page of a
//! hotel, another program on that port. The body of those is never shown.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::address::Address;
use super::naming::Naming;
use super::token::{Token, VARIABLE};
use crate::app::failure::{Failure, Kind, StoreEffect};
use crate::model::hint::{Command, Hint, shell_word};
use crate::oauth::redaction;
use crate::ports::http::{Method, Response};

/// The longest text of a gateway that is shown, in characters.
const LONGEST: usize = 200;

/// An answer, and to what.
pub(super) struct Answer<'a> {
    pub(super) response: &'a Response,
    pub(super) method: Method,
    pub(super) address: &'a Address,
    pub(super) token: &'a Token,
    pub(super) naming: Naming,
}

/// The body of an answer that is an error. Servers differ in what else is in it.
#[derive(Default, Deserialize)]
struct Problem {
    error: Option<String>,
    code: Option<String>,
}

impl Answer<'_> {
    /// Reads an answer with status 200.
    ///
    /// # Errors
    /// For any other one, or one that no gateway gives.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        match self.response.status {
            200 => self.body().ok_or_else(|| self.not_a_gateway()),
            401 | 403 => Err(self.refused()),
            300..=399 => Err(self.not_a_gateway()),
            _ => Err(match self.body() {
                Some(problem) => self.failed(&problem),
                None => self.not_a_gateway(),
            }),
        }
    }

    fn body<T: DeserializeOwned>(&self) -> Option<T> {
        serde_json::from_slice(self.response.body.expose()).ok()
    }

    /// The token was not accepted, or not for this.
    fn refused(&self) -> Failure {
        let what = self.naming.credential();
        let why = match (self.token, self.response.status) {
            (Token::Found(found), 401) => format!("does not accept the {what} of {}", found.source),
            (Token::Found(found), _) => {
                let problem: Problem = self.body().unwrap_or_default();
                let why = problem.error.map(|text| format!(": {}", self.clean(&text)));
                let why = why.unwrap_or_default();
                format!(
                    "does not allow this with the {what} of {}{why}",
                    found.source
                )
            }
            (Token::Missing, _) => format!("requires a token, and {VARIABLE} is not set"),
            (Token::Withheld { path, why }, _) => format!(
                "requires a token, {VARIABLE} is not set, and that of {} was not sent: {why}",
                path.display()
            ),
        };
        let hint = match self.token {
            Token::Withheld { path, .. } => {
                let path = shell_word(&path.display().to_string());
                format!("if that gateway is yours, add --token-file {path}").into()
            }
            _ => self.naming.replace_credential(VARIABLE),
        };
        let message = format!("the gateway at {} {why}", self.address);
        Failure::new(Kind::Config, message).hint(hint)
    }

    /// The gateway says why it did not do it.
    fn failed(&self, problem: &Problem) -> Failure {
        let status = self.response.status;
        let kind = match (problem.code.as_deref(), status) {
            (Some("database_unavailable"), _) => Kind::Storage,
            (Some("outcome_unknown"), _) => Kind::UnknownOutcome,
            (Some("login_needed"), _) => Kind::NeedsLogin,
            (_, 404) => Kind::NotFound,
            (_, 429 | 500..) => Kind::Temporary,
            _ => Kind::Usage,
        };
        let why = match &problem.error {
            Some(text) => self.clean(text),
            None => format!("status {status}"),
        };
        let message = format!("the gateway at {} answered: {why}", self.address);
        let touched = match kind {
            Kind::UnknownOutcome => StoreEffect::MaybeSpent,
            _ => self.touched(),
        };
        let hint = match kind {
            Kind::Usage if problem.code.as_deref() == Some("ambiguous") => {
                Some("add --provider and the name of one of them".into())
            }
            Kind::Usage | Kind::NotFound => None,
            Kind::NeedsLogin => Some(self.log_in()),
            _ => Some(self.later()),
        };
        let failure = Failure::new(kind, message).touched(touched);
        Failure { hint, ..failure }
    }

    fn log_in(&self) -> Hint {
        let page = format!("connect the provider on the page {}, or run ", self.address);
        Hint::from(page)
            .run(Command::new("models auth login"))
            .then(" where the gateway runs")
    }

    fn later(&self) -> Hint {
        let after = self.response.header("retry-after");
        let seconds = after.and_then(|text| text.trim().parse::<u32>().ok());
        match seconds {
            Some(seconds) => format!("run the command again in {seconds}s").into(),
            None => "run the command again later".into(),
        }
    }

    /// What answered is no gateway.
    fn not_a_gateway(&self) -> Failure {
        let message = format!(
            "what answered at {} is not a gateway (status {})",
            self.address, self.response.status
        );
        Failure::new(Kind::Temporary, message)
            .hint(format!("check {}", self.naming.of_address()))
            .touched(self.touched())
    }

    /// Where something was to be changed, only who refused it has certainly not done so.
    fn touched(&self) -> StoreEffect {
        match (self.method, self.response.status) {
            (Method::Post, 200..300 | 500..) => StoreEffect::Unclear,
            _ => StoreEffect::Nothing,
        }
    }

    fn clean(&self, text: &str) -> String {
        clean(text, self.token)
    }
}

/// Makes words of a gateway fit to print: without what could steer a terminal, and without the token.
pub(super) fn clean(text: &str, token: &Token) -> String {
    let sent = match token {
        Token::Found(found) => Some(&found.token),
        Token::Missing | Token::Withheld { .. } => None,
    };
    redaction::clean(text, LONGEST, sent.into_iter())
}
