//! The core's only way to a person.
//!
//! An implementation owes: notices that go where they do not disturb the answer of the command
//! (stderr, or a JSON line under `--json`); questions only where somebody can answer; secrets read
//! without echo, whole whatever their length; the terminal restored on every way out.

use serde::Serialize;

use crate::model::hint::Hint;
use crate::model::id::{ProfileId, ProviderId};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// Something a person should know, while it happens; serialised, the event that a program is told.
#[derive(Clone, Debug, Serialize)]
#[serde(
    tag = "event",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Notice {
    /// Open this URL to log in.
    #[serde(rename = "url")]
    AuthorizeUrl(AuthorizeUrl),
    /// Type this code in at this address, on any machine.
    DeviceCode(DeviceCode),
    /// What an external program has for the person: a sentence, a page to open, a code to enter
    /// there.
    Program {
        /// The provider's name.
        provider: String,
        /// The sentence.
        #[serde(rename = "message")]
        text: Option<String>,
        /// The page; shown on one unbroken line.
        url: Option<String>,
        /// The code.
        code: Option<String>,
    },
    /// The policy note of a manifest.
    #[serde(skip)]
    Policy(String),
    /// The login waits until then.
    Waiting {
        /// The deadline.
        until: Timestamp,
    },
    /// Why the answer to [`Question::Paste`] is none of this login, the end of a sentence; it is
    /// asked for another one.
    #[serde(skip)]
    NotAccepted(String),
    /// The login has a code and exchanges it.
    Exchanging,
    /// Who logged in, before anything is saved.
    Identity {
        /// E-mail, if known.
        email: Option<String>,
        /// Account id, if known.
        account_id: Option<String>,
        /// Plan, if known.
        plan: Option<String>,
        /// The profile it will be stored under.
        #[serde(rename = "profileId")]
        profile: ProfileId,
        /// Whether that profile exists and is replaced.
        replaces: bool,
    },
    /// A credential was stored.
    Saved {
        /// Under which profile.
        #[serde(rename = "profileId")]
        profile: ProfileId,
        /// For which provider.
        provider: ProviderId,
        /// Until when its token lives.
        #[serde(rename = "expiresAt")]
        expires: Option<Timestamp>,
    },
    /// Anything else worth a line that is not wrong.
    #[serde(skip)]
    Info(Hint),
    /// Something that is wrong, and does not stop the command.
    #[serde(skip)]
    Warning(Hint),
}

/// Where to log in. The URL holds `state`, which is no secret once the login is over.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AuthorizeUrl {
    /// The provider's name.
    pub provider: String,
    /// The URL; shown on one unbroken line.
    pub url: String,
    /// The port that the callback listens on; `None` if it could not be bound.
    pub port: Option<u16>,
    /// Whether the user's browser is probably on another machine.
    pub remote: bool,
    /// The command that, run on that machine, brings the callback here; where an SSH session
    /// tells enough for it.
    pub ssh_forward: Option<String>,
    /// Whether the terminal is asked to put the URL in the clipboard, if it can. That is nothing to
    /// a program, whose terminal is its own.
    #[serde(skip)]
    pub copy: bool,
}

/// A code to type in (RFC 8628 section 3.3). Whoever shows it also warns of codes that somebody else
/// sent (section 5.4).
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceCode {
    /// The provider's name.
    pub provider: String,
    /// The code; printable, and no secret once the login is over.
    pub user_code: String,
    /// Where it is typed in.
    pub verification_uri: String,
    /// The same with the code in it, for a QR code, if the server gave one.
    pub verification_uri_complete: Option<String>,
    /// When the code ends.
    #[serde(rename = "expiresAt")]
    pub expires: Timestamp,
    /// Whether it is offered beside another way to log in, whose URL is to stay on the screen.
    #[serde(skip)]
    pub beside: bool,
}

impl DeviceCode {
    /// The page to open, with the code in it if the server gave such a one.
    pub fn url(&self) -> &str {
        let complete = self.verification_uri_complete.as_deref();
        complete.unwrap_or(&self.verification_uri)
    }
}

/// A text that a person can be asked for.
#[derive(Clone, Debug)]
pub enum Question {
    /// A secret, by a prompt without a colon; read without echo.
    Secret(String),
    /// The redirect URL or code of a login that runs, likewise; read without echo, for it holds a
    /// code.
    Paste(String),
    /// A passphrase, likewise; asked at the terminal of this process even where standard input is a
    /// pipe, which holds something else.
    Passphrase(String),
}

/// One of several, to be chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The prompt, without a colon.
    pub prompt: String,
    /// What there is to choose from, one line each; never empty.
    pub options: Vec<String>,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialogError {
    /// Nobody is there to ask.
    #[error("there is no terminal for questions")]
    NobodyThere,
    /// The person pressed Ctrl-C or Ctrl-D, or the process was told to stop.
    #[error("cancelled")]
    Cancelled,
    /// `stop` became true before there was an answer.
    #[error("no longer asked")]
    Withdrawn,
    /// The terminal or pipe failed.
    #[error("could not read the answer: {0}")]
    Failed(String),
}

/// The person at the other end.
pub trait Dialog: Send + Sync {
    /// Tells something.
    fn notice(&self, notice: &Notice);

    /// Asks on a terminal, or reads standard input where it is a pipe: for `Secret` all of it, for
    /// `Paste` one line.
    ///
    /// `stop` is looked at every few milliseconds; once it says true the question is withdrawn.
    ///
    /// # Errors
    /// If there is no answer.
    fn ask(
        &self,
        question: &Question,
        stop: &dyn Fn() -> bool,
    ) -> Result<Secret<String>, DialogError>;

    /// Asks for yes or no, with `prompt` without a question mark's brackets; Enter alone means
    /// `default`, and `stop` is as for [`Dialog::ask`].
    ///
    /// # Errors
    /// If there is no answer. A dialog with a program has nobody who could give one.
    fn confirm(
        &self,
        _prompt: &str,
        _default: bool,
        _stop: &dyn Fn() -> bool,
    ) -> Result<bool, DialogError> {
        Err(DialogError::NobodyThere)
    }

    /// Lets a person choose, with the arrow keys or by typing a part of it: the index of the option.
    ///
    /// # Errors
    /// If nothing was chosen. A dialog with a program has nobody who could.
    fn choose(&self, _choice: &Choice) -> Result<usize, DialogError> {
        Err(DialogError::NobodyThere)
    }

    /// Whether a [`Dialog::confirm`] or a [`Choice`] could be answered: both ends are a terminal.
    fn can_ask(&self) -> bool;
}
