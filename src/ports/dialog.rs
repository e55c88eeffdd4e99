//! The core's only way to a person.
//!
//! An implementation owes: notices that go where they do not disturb the answer of the command
//! (stderr, or a JSON line under `--json`); questions only where somebody can answer; secrets read
//! without echo, whole whatever their length; the terminal restored on every way out.

use crate::model::id::{ProfileId, ProviderId};
use crate::model::secret::Secret;
use crate::model::time::Timestamp;

/// Something a person should know, while it happens.
#[derive(Clone, Debug)]
pub enum Notice {
    /// Open this URL to log in. It holds `state`, which is no secret once the login is over.
    AuthorizeUrl {
        /// The provider's name.
        provider: String,
        /// The URL; shown on one unbroken line.
        url: String,
        /// The port that the callback listens on; `None` if it could not be bound.
        port: Option<u16>,
        /// Whether the user's browser is probably on another machine.
        remote: bool,
        /// The command that, run on that machine, brings the callback here; where an SSH session
        /// tells enough for it.
        ssh_forward: Option<String>,
        /// Whether the terminal is asked to put the URL in the clipboard, if it can.
        copy: bool,
    },
    /// Type this code in at this address, on any machine (RFC 8628 section 3.3). Whoever shows it
    /// also warns of codes that somebody else sent (section 5.4).
    DeviceCode {
        /// The provider's name.
        provider: String,
        /// The code; printable, and no secret once the login is over.
        user_code: String,
        /// Where it is typed in.
        verification_uri: String,
        /// The same with the code in it, for a QR code, if the server gave one.
        verification_uri_complete: Option<String>,
        /// When the code ends.
        expires: Timestamp,
    },
    /// What an external program has for the person: a sentence, a page to open, a code to enter
    /// there.
    Program {
        /// The provider's name.
        provider: String,
        /// The sentence.
        text: Option<String>,
        /// The page; shown on one unbroken line.
        url: Option<String>,
        /// The code.
        code: Option<String>,
    },
    /// The policy note of a manifest.
    Policy(String),
    /// The login waits until then.
    Waiting {
        /// The deadline.
        until: Timestamp,
    },
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
        profile: ProfileId,
        /// Whether that profile exists and is of the same identity.
        replaces: bool,
    },
    /// A credential was stored.
    Saved {
        /// Under which profile.
        profile: ProfileId,
        /// For which provider.
        provider: ProviderId,
        /// Until when its token lives.
        expires: Option<Timestamp>,
    },
    /// Anything else worth a line that is not wrong.
    Info(String),
    /// Something that is wrong, and does not stop the command.
    Warning(String),
}

/// What a person can be asked.
#[derive(Clone, Debug)]
pub enum Question {
    /// A secret, read without echo.
    Secret {
        /// The prompt, without a colon.
        prompt: String,
    },
    /// The redirect URL or code of a login that runs; read without echo, for it holds a code.
    Paste {
        /// The prompt, without a colon.
        prompt: String,
    },
    /// Yes or no.
    Confirm {
        /// The prompt, without a question mark's brackets.
        prompt: String,
        /// What Enter alone means.
        default: bool,
    },
}

/// One of several, to be chosen.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The prompt, without a colon.
    pub prompt: String,
    /// What there is to choose from, one line each; never empty.
    pub options: Vec<String>,
}

/// What a person answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A text; to `Secret` and `Paste`.
    Text(Secret<String>),
    /// Yes; to `Confirm`.
    Yes,
    /// No; to `Confirm`.
    No,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DialogError {
    /// Nobody is there to ask.
    #[error("there is no terminal to ask on")]
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
    fn ask(&self, question: &Question, stop: &dyn Fn() -> bool) -> Result<Answer, DialogError>;

    /// Lets a person choose, with the arrow keys or by typing a part of it: the index of the option.
    ///
    /// # Errors
    /// If nothing was chosen. A dialog with a program has nobody who could.
    fn choose(&self, _choice: &Choice) -> Result<usize, DialogError> {
        Err(DialogError::NobodyThere)
    }

    /// Whether a `Confirm` or a [`Choice`] could be answered: both ends are a terminal.
    fn can_ask(&self) -> bool;
}
