//! What a bundle is sealed by: a passphrase, or the program `age`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::content::Content;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::secrets::input;
use crate::model::hint::Command;
use crate::model::moved::Moved;
use crate::model::secret::Secret;
use crate::ports::bundle::{BundleFault, LONGEST};
use crate::ports::dialog::{DialogError, Notice, Question};
use crate::ports::program::{AskedProgram, ProgramAnswer};

/// So often a person is asked for the passphrase.
const TRIES: usize = 3;

/// So long `age` may take.
const AGE_LIMIT: Duration = Duration::from_secs(120);

/// The option of the passphrase of a bundle, beside that of the passphrase of the vault.
const PASSPHRASE_FD: &str = "--bundle-passphrase-fd";

/// What files begin with that `age` wrote.
const BY_AGE: [&[u8]; 2] = [b"age-encryption.org/v1", b"-----BEGIN AGE ENCRYPTED FILE"];

/// What is to open a new bundle.
pub(super) enum Closing {
    /// This passphrase.
    Passphrase(Secret<String>),
    /// The identities of these recipients of `age`.
    Recipients(Vec<String>),
}

/// What opens a bundle that is there.
#[derive(Clone, Debug, Default)]
pub struct Opening {
    /// The file descriptor that the passphrase comes from, instead of a prompt.
    pub passphrase_fd: Option<u32>,
    /// The identity file of `age`.
    pub identity: Option<PathBuf>,
    /// The passphrase itself, if nobody need be asked.
    pub passphrase: Option<Secret<String>>,
}

impl Closing {
    /// Reads or asks for what is to open the bundle.
    ///
    /// # Errors
    /// If a recipient is none, or no passphrase was given, or one that is too short.
    pub(super) fn choose(
        cx: Context<'_>,
        recipients: &[String],
        passphrase_fd: Option<u32>,
    ) -> Result<Self, Failure> {
        if recipients.is_empty() {
            let prompt = "Passphrase of the bundle (input is hidden)";
            let passphrase = input::new_passphrase(cx, (PASSPHRASE_FD, passphrase_fd), prompt)?;
            return Ok(Self::Passphrase(passphrase));
        }
        let is_one = |text: &&String| text.starts_with("age1") || text.starts_with("ssh-");
        if !recipients.iter().all(|text| is_one(&text)) {
            let message = "a recipient of age begins with age1 or ssh-";
            return Err(Failure::new(Kind::Usage, message)
                .hint("age-keygen -y prints the recipient of an identity file"));
        }
        age(cx)?;
        Ok(Self::Recipients(recipients.to_vec()))
    }

    /// Seals the content.
    ///
    /// # Errors
    /// If it is too long, or cannot be sealed.
    pub(super) fn seal(&self, cx: Context<'_>, content: &Content) -> Result<Vec<u8>, Failure> {
        let text = content.write(cx).map_err(|error| {
            Failure::new(
                Kind::Storage,
                format!("the bundle could not be written: {error}"),
            )
        })?;
        let bytes = match self {
            Self::Passphrase(passphrase) => {
                cx.bundles.seal_bundle(&content.head, &text, passphrase)?
            }
            Self::Recipients(recipients) => {
                let options = recipients
                    .iter()
                    .flat_map(|to| ["-r".to_owned(), to.clone()]);
                let sealed = ask_age(cx, &options.collect::<Vec<_>>(), text.expose().clone())?;
                let sealed = sealed.map_err(|why| {
                    let message =
                        format!("age did not seal the bundle: {why}; nothing was written");
                    Failure::new(Kind::Usage, message)
                })?;
                sealed.expose().clone()
            }
        };
        match bytes.len() as u64 <= LONGEST {
            true => Ok(bytes),
            false => Err(Failure::new(
                Kind::Usage,
                "the bundle would be longer than 64 MiB; nothing was written",
            )
            .hint("export the agents one by one, with --agent")),
        }
    }
}

impl Opening {
    /// Opens a bundle that was read from a file.
    ///
    /// # Errors
    /// [`Kind::Locked`] if what opens it is not there or another one, [`Kind::Storage`] if it is
    /// damaged, and [`Kind::Usage`] if a later release wrote it.
    pub(super) fn open(
        &self,
        cx: Context<'_>,
        path: &Path,
        bytes: Vec<u8>,
    ) -> Result<Content, Failure> {
        let told = |fault: &BundleFault| failure(path, fault);
        let by_age = BY_AGE.iter().any(|start| bytes.starts_with(start));
        let text = match (&self.identity, by_age) {
            (Some(identity), true) => open_by_age(cx, path, identity, bytes)?,
            (None, true) => {
                let message = format!("{} was sealed by age", path.display());
                let hint = "name the file that opens it: --identity FILE";
                return Err(Failure::new(Kind::Locked, message).hint(hint));
            }
            (Some(_), false) => {
                let message = format!("{} was not sealed by age", path.display());
                let hint = "leave out --identity; a passphrase opens it";
                return Err(Failure::new(Kind::Usage, message).hint(hint));
            }
            (None, false) => {
                let head = cx
                    .bundles
                    .bundle_head(&bytes)
                    .map_err(|fault| told(&fault))?;
                let text = self.open_by_passphrase(cx, path, &bytes)?;
                let content = Content::read(cx, &text).map_err(|fault| told(&fault))?;
                if content.head != head {
                    let fault = BundleFault::Damaged("it holds another bundle".to_owned());
                    return Err(told(&fault));
                }
                return Ok(content);
            }
        };
        Content::read(cx, &text).map_err(|fault| told(&fault))
    }

    fn open_by_passphrase(
        &self,
        cx: Context<'_>,
        path: &Path,
        bytes: &[u8],
    ) -> Result<Secret<Vec<u8>>, Failure> {
        if let Some(descriptor) = self.passphrase_fd {
            let passphrase = input::passphrase_from(cx, descriptor)?;
            let opened = cx.bundles.open_bundle(bytes, &passphrase);
            return opened.map_err(|fault| failure(path, &fault));
        }
        if let Some(passphrase) = &self.passphrase {
            let opened = cx.bundles.open_bundle(bytes, passphrase);
            return opened.map_err(|fault| failure(path, &fault));
        }
        for left in (0..TRIES).rev() {
            let passphrase = ask(cx, path)?;
            match cx.bundles.open_bundle(bytes, &passphrase) {
                Err(BundleFault::WrongPassphrase) if left > 0 => {
                    let text = "the passphrase is wrong; try again";
                    cx.dialog.notice(&Notice::Warning(text.into()));
                }
                other => return other.map_err(|fault| failure(path, &fault)),
            }
        }
        Err(failure(path, &BundleFault::WrongPassphrase))
    }
}

fn ask(cx: Context<'_>, path: &Path) -> Result<Secret<String>, Failure> {
    if Moved::is_for_database(path) {
        let message = format!("{} is sealed under the key of a database", path.display());
        let hint = "name the file of that key in GOCLAW_ENCRYPTION_KEY_FILE";
        return Err(Failure::new(Kind::Locked, message).hint(hint));
    }
    let question = Question::Passphrase(format!("Passphrase of {}", path.display()));
    cx.dialog
        .ask(&question, &|| false)
        .map_err(|error| match error {
            DialogError::NobodyThere => {
                let message = "no terminal is there to ask for the passphrase of the bundle";
                Failure::new(Kind::Locked, message).hint(format!("give it by {PASSPHRASE_FD}"))
            }
            other => Failure::from(other),
        })
}

/// The failure of a bundle that does not open; nothing was changed by it.
pub(super) fn failure(path: &Path, fault: &BundleFault) -> Failure {
    let message = format!("cannot open {}: {fault}", path.display());
    match fault {
        BundleFault::Damaged(_) => {
            Failure::new(Kind::Storage, message).hint("copy it again from where it came from")
        }
        BundleFault::Newer => Failure::new(Kind::Usage, message).hint("use that release"),
        BundleFault::WrongPassphrase if Moved::is_for_database(path) => {
            let message = format!("{} is sealed under another key", path.display());
            let hint = "name the key of its database in GOCLAW_ENCRYPTION_KEY_FILE";
            Failure::new(Kind::Locked, message).hint(hint)
        }
        BundleFault::WrongPassphrase => Failure::new(Kind::Locked, message)
            .hint("run the command again with the passphrase that the bundle was made with"),
    }
}

fn open_by_age(
    cx: Context<'_>,
    path: &Path,
    identity: &Path,
    bytes: Vec<u8>,
) -> Result<Secret<Vec<u8>>, Failure> {
    let identity = cx.dirs.cwd.join(identity).display().to_string();
    let options = ["-d".to_owned(), "-i".to_owned(), identity];
    ask_age(cx, &options, bytes)?.map_err(|why| {
        let message = format!("age did not open {}: {why}", path.display());
        Failure::new(Kind::Locked, message).hint("name the identity that the bundle was made for")
    })
}

/// Has `age` seal or open what it gets; the inner error says how it ended.
fn ask_age(
    cx: Context<'_>,
    args: &[String],
    input: Vec<u8>,
) -> Result<Result<Secret<Vec<u8>>, String>, Failure> {
    let path = age(cx)?;
    let asked = AskedProgram {
        path: &path,
        args,
        variables: &[],
        input,
        limit: AGE_LIMIT,
        longest: usize::try_from(LONGEST).unwrap_or(usize::MAX),
        stop: &|| cx.interrupt.pending().is_some(),
    };
    let answer = cx
        .programs
        .ask(&asked)
        .map_err(|error| Failure::new(Kind::Usage, error.to_string()))?;
    Ok(match answer {
        ProgramAnswer::Output(text) => Ok(text),
        ProgramAnswer::Failure(why) => Err(format!("it {why}")),
        ProgramAnswer::TimedOut => Err("it did not end".to_owned()),
        ProgramAnswer::TooLong => Err("it wrote more than 64 MiB".to_owned()),
        ProgramAnswer::Stopped => {
            cx.uninterrupted()?;
            Err("it was stopped".to_owned())
        }
    })
}

fn age(cx: Context<'_>) -> Result<PathBuf, Failure> {
    let found = cx.programs.on_path("age").into_iter().next();
    found.ok_or_else(|| {
        let message = "age is not installed: no program of that name is on PATH";
        let again = Command::new("secrets export --to FILE");
        Failure::new(Kind::Usage, message).hint(again)
    })
}
