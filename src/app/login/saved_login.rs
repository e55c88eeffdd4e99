//! What a token endpoint answered to a login, saved before anybody understands it: the code is spent
//! by then, and the answer cannot be had again.
//!
//! A file per login, `<state>/rescue/<name>.login`, 0600: a line that tells whose it is, written
//! before the code is sent; then, once the answer has come, a line about it, and its bytes. It goes
//! when the login is stored or was no grant. Whoever holds the kernel lock of the same name may touch
//! it; every command that may write takes in what a killed process left. It is `<name>.unconfirmed`, and
//! that before the code is sent, where the person may have to say first that the login is theirs: such
//! a one is not stored without that word, whatever ends the process. It is `<name>.undecided` where others
//! may end a login with a device code while it is polled for, until it is decided that they have not.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::hint::{Command, Hint, shell_word};
use crate::model::id::{AgentId, ProfileId, ProviderId};
use crate::model::provider::Client;
use crate::model::saved_response;
use crate::model::seal::Seal;
use crate::model::secret::Secret;
use crate::model::state_digest::StateDigest;
use crate::model::state_files::RESCUE;
use crate::model::time::Timestamp;
use crate::model::vault::{About, VaultFault};
use crate::ports::http::Response;
use crate::ports::vault::Sealer;

use super::file_name;
use super::request::Login;
use crate::app::context::Context;
use crate::app::failure::Failure;

/// How the name of a file ends that any command may store.
const CONFIRMED: &str = "login";
/// How it ends where nobody has said yet that the login is theirs.
const UNCONFIRMED: &str = "unconfirmed";
/// How it ends where others know of the login and may end it before its answer comes, until it is decided
/// that they have not.
const UNDECIDED: &str = "undecided";
/// How it ends where the person did not want it.
pub(super) const DECLINED: &str = "declined";

/// What the answer brings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Awaited {
    /// A grant that can be refreshed.
    Grant,
    /// A token that is never refreshed, and the name of its profile.
    Token(Option<String>),
    /// An API key.
    Key,
}

/// What an answer is awaited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sent {
    /// A code, once.
    Code {
        /// Else a login of which nothing tells whose it is is stored only if the person says that it is
        /// theirs.
        is_own: bool,
    },
    /// One poll after the other, while a person has a device code to enter.
    Polls,
}

/// Whose answer it is. No secret, unless the id of the client is one: without it no ID token could be
/// checked, and the file goes as soon as the login is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Head {
    pub(super) awaited: Awaited,
    pub(super) provider: ProviderId,
    pub(super) agent: AgentId,
    pub(super) profile: Option<ProfileId>,
    pub(super) set_default: bool,
    /// What the person calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) display_name: Option<String>,
    pub(super) begun_at: Timestamp,
    /// The attempt of `--start` whose code is spent.
    #[serde(default)]
    pub(super) attempt: Option<String>,
    /// Whether most of what was sent is answered with nothing yet, while a person has a code to enter.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) is_polled: bool,
    /// Which login it is to others, who wait for what becomes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    noted: Option<String>,
    /// No secret: it was part of a URL.
    pub(super) nonce: Option<String>,
    client_id: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    is_client_id_secret: bool,
    token_endpoint: String,
    issuer: Option<String>,
    revocation_endpoint: Option<String>,
    jwks: Option<String>,
    userinfo: Option<String>,
}

impl Head {
    pub(super) fn new(
        login: Login<'_>,
        client: &Client,
        awaited: Awaited,
        sent: Sent,
        nonce: Option<&Secret<String>>,
    ) -> Self {
        let Login {
            cx,
            request,
            provider,
            ..
        } = login;
        Self {
            awaited,
            provider: provider.id.clone(),
            agent: request.agent.clone(),
            profile: request.profile.clone(),
            set_default: request.set_default,
            display_name: request.display_name.clone(),
            begun_at: cx.clock.now(),
            attempt: request.attempt.clone(),
            is_polled: sent == Sent::Polls,
            noted: login
                .relay
                .and_then(|relay| Some(relay.state()?.as_str().to_owned())),
            nonce: nonce.map(|nonce| nonce.expose().clone()),
            client_id: client.id.clone(),
            is_client_id_secret: client.is_id_secret,
            token_endpoint: client.token.clone(),
            issuer: client.issuer.clone(),
            revocation_endpoint: client.revoke.clone(),
            jwks: client.jwks.clone(),
            userinfo: client.userinfo.clone(),
        }
    }

    /// Which login it is to others.
    pub(super) fn noted(&self) -> Option<StateDigest> {
        self.noted.as_deref().map(StateDigest::written)
    }

    /// Returns the client that the grant was issued to, as far as storing it needs that.
    pub(super) fn client(&self) -> Client {
        Client {
            is_id_secret: self.is_client_id_secret,
            issuer: self.issuer.clone(),
            revoke: self.revocation_endpoint.clone(),
            jwks: self.jwks.clone(),
            userinfo: self.userinfo.clone(),
            ..Client::public(&self.client_id, &self.token_endpoint)
        }
    }
}

/// What is said of the answer in front of it.
#[derive(Serialize, Deserialize)]
struct AnswerLine {
    /// The length of what follows, in bytes.
    length: usize,
    date: Option<String>,
    /// Whether what follows is sealed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    sealed: bool,
}

/// What is appended to the file of a login when the answer has come; sealed in a sealed store.
///
/// # Errors
/// If it is to be sealed, and cannot be.
pub(super) fn lines(
    path: &Path,
    answer: &Response,
    sealer: Option<&Sealer>,
) -> Result<Secret<Vec<u8>>, VaultFault> {
    let plain = answer.body.expose();
    let sealed = sealer.map(|sealer| sealer.seal(about(path), plain));
    let sealed = sealed.transpose()?.map(|seal| seal.to_bytes());
    let body = sealed.as_ref().unwrap_or(plain);
    let line = AnswerLine {
        length: body.len(),
        date: answer.header("date").map(str::to_owned),
        sealed: sealed.is_some(),
    };
    let line = serde_json::to_string(&line);
    let line = line.map_err(|error| VaultFault::Failed(error.to_string()))?;
    Ok(saved_response::response(&line, body))
}

/// The name of the login of a file: what its name begins with, however it ends.
pub(super) fn login_of(path: &Path) -> &str {
    path.file_stem().and_then(OsStr::to_str).unwrap_or_default()
}

/// What a seal in the file of a login is about.
pub(super) fn about(path: &Path) -> About<'_> {
    About::Login(login_of(path))
}

/// Opens the answer in the file of a login; `None` if it is damaged.
///
/// # Errors
/// If the vault does not open.
pub(super) fn open(
    cx: Context<'_>,
    path: &Path,
    sealed: Response,
) -> Result<Option<Response>, VaultFault> {
    let sealer = cx.vault.unlock()?;
    let seal = Seal::from_bytes(sealed.body.expose());
    let body = seal.and_then(|seal| sealer.open(about(path), &seal).ok());
    Ok(body.map(|body| Response { body, ..sealed }))
}

/// What a file holds.
pub(super) enum Content {
    /// The answer has not come, as far as this file knows.
    Unanswered(Option<Box<Head>>),
    /// It is torn, or was written by a later release.
    Unreadable,
    /// It belongs to another state directory.
    Foreign,
    /// Whose answer it is, and the answer.
    Answer(Box<Head>, Response),
    /// The same, with a body that is sealed.
    Sealed(Box<Head>, Response),
}

pub(super) fn understand(cx: Context<'_>, bytes: &Secret<Vec<u8>>) -> Content {
    let (head, line, body): (Box<Head>, _, _) =
        match saved_response::read(bytes.expose(), &cx.dirs.state) {
            saved_response::Content::Foreign => return Content::Foreign,
            saved_response::Content::Unanswered(head) => return Content::Unanswered(head),
            saved_response::Content::Unknown => return Content::Unreadable,
            saved_response::Content::Response { whose, line, body } => (whose, line, body),
        };
    let line = serde_json::from_slice::<AnswerLine>(line).ok();
    let whole = line.and_then(|line| Some((body.get(..line.length)?, line)));
    let Some((body, AnswerLine { date, sealed, .. })) = whole else {
        return Content::Unreadable;
    };
    let date = date.map(|date| ("date".to_owned(), date));
    let answer = Response {
        status: 200,
        headers: date.into_iter().collect(),
        body: Secret::new(body.to_vec()),
    };
    match sealed {
        true => Content::Sealed(head, answer),
        false => Content::Answer(head, answer),
    }
}

/// Whose the answer in the file of this name is or would be; `None` if the file is gone or tells nothing, or
/// its login waits for a person.
///
/// # Errors
/// What the disk says.
pub(super) fn head(cx: Context<'_>, name: &str) -> Result<Option<Box<Head>>, Failure> {
    let bytes = cx.files.read_settings(&directory(cx).join(name))?;
    Ok(
        match bytes.map(|bytes| understand(cx, &Secret::new(bytes))) {
            Some(Content::Unanswered(head)) => head.filter(|head| !head.is_polled),
            Some(Content::Answer(head, _) | Content::Sealed(head, _)) => Some(head),
            Some(Content::Unreadable | Content::Foreign) | None => None,
        },
    )
}

/// Lists the files of logins that a command may store, by their names.
///
/// # Errors
/// What the disk says.
pub(super) fn names(cx: Context<'_>) -> Result<Vec<String>, Failure> {
    ending(cx, &directory(cx), &[CONFIRMED, UNCONFIRMED, UNDECIDED])
}

/// Lists all files of logins, whatever store of this state directory they are for.
///
/// # Errors
/// What the disk says.
pub(super) fn all(cx: Context<'_>) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for directory in cx.of_every_store(RESCUE) {
        let names = ending(
            cx,
            &directory,
            &[CONFIRMED, UNCONFIRMED, UNDECIDED, DECLINED],
        )?;
        all.extend(names.iter().map(|name| directory.join(name)));
    }
    Ok(all)
}

fn ending(cx: Context<'_>, directory: &Path, endings: &[&str]) -> Result<Vec<String>, Failure> {
    let names = cx.files.list(directory)?.into_iter();
    let names = names.filter(|name| {
        let parts = name.split_once('.');
        parts.is_some_and(|(login, ending)| file_name::is_one(login) && endings.contains(&ending))
    });
    Ok(names.collect())
}

/// Lists the files with an answer that no profile holds. Takes no lock.
pub(in crate::app) fn waiting(cx: Context<'_>) -> Vec<PathBuf> {
    let paths = names(cx).unwrap_or_default().into_iter();
    let paths = paths.map(|name| directory(cx).join(name));
    let holds_answer = |path: &PathBuf| {
        let bytes = cx.files.read_settings(path).ok().flatten();
        let content = bytes.map(|bytes| understand(cx, &Secret::new(bytes)));
        let holds = |content| !matches!(content, Content::Unanswered(_) | Content::Foreign);
        content.is_some_and(holds)
    };
    paths.filter(holds_answer).collect()
}

pub(super) fn directory(cx: Context<'_>) -> PathBuf {
    cx.own(RESCUE)
}

/// Returns the path of the file of a new login; `is_known` if others know of it.
pub(super) fn new_path(cx: Context<'_>, login: &str, sent: Sent, is_known: bool) -> PathBuf {
    let ending = match sent {
        Sent::Code { is_own: false } => UNCONFIRMED,
        Sent::Polls if is_known => UNDECIDED,
        // Its code is sent only where it is decided.
        Sent::Code { is_own: true } | Sent::Polls => CONFIRMED,
    };
    directory(cx).join(login).with_extension(ending)
}

/// Whether others may have ended the login of this file before its answer came.
pub(super) fn is_undecided(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == UNDECIDED)
}

/// Whether nobody has said yet that the login of this file is theirs.
pub(in crate::app) fn is_unconfirmed(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending == UNCONFIRMED)
}

/// Returns the path at which the next command stores it.
pub(super) fn confirmed(path: &Path) -> PathBuf {
    path.with_extension(CONFIRMED)
}

/// Returns the command that has it stored.
pub(in crate::app) fn to_store(path: &Path) -> Hint {
    let word = |path: &Path| shell_word(&path.display().to_string());
    let (from, to) = (word(path), word(&confirmed(path)));
    // Else it may rest for a while, as one that was tried a moment ago.
    let told = format!("if it was yours after all: mv {from} {to} && touch {to} && ");
    Hint::from(told).run(Command::list())
}
