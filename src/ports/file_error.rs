//! The failure of a file operation, and what can be done about it.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::model::hint::shell_word;

/// A file operation failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {operation} {}: {source}", path.display())]
pub struct FileError {
    /// What was tried: `read`, `write`, `lock`, …
    pub operation: &'static str,
    /// On which path.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// The step that mends it.
    pub fn remedy(&self) -> String {
        let path = self.path.display();
        if let Some(untrusted) = self.untrusted() {
            return match untrusted {
                // Nobody should take over, or remove, what lies above.
                Untrusted::Foreign { at, owner } if *at != self.path => format!(
                    "use another state directory (--state-dir), or have uid {owner} or root give {} to root",
                    at.display()
                ),
                _ => untrusted.remedy(),
            };
        }
        match self.source.kind() {
            _ if self.is_in_place() => format!("check the disk of {path}"),
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                "free some disk space, then run the command again".to_owned()
            }
            ErrorKind::ReadOnlyFilesystem => format!(
                "{path} is on a read-only file system: mount it writable, or choose another \
                 state directory with --state-dir"
            ),
            _ if self.is_special() && self.is_of_system() => {
                format!("name a file instead of {path}")
            }
            _ if self.is_special() => {
                format!("move {path} out of the way, then run the command again")
            }
            _ if self.is_too_large() => format!(
                "remove what does not belong in {path}, or move it out of the way, then run the \
                 command again"
            ),
            ErrorKind::NotADirectory | ErrorKind::IsADirectory | ErrorKind::DirectoryNotEmpty => {
                format!("move whatever blocks {path} out of the way, then run the command again")
            }
            _ if self.is_of_limit() => {
                "allow more open files (ulimit -n 256), then run the command again".to_owned()
            }
            // No advice opens a file of the system.
            ErrorKind::PermissionDenied if self.is_of_system() => {
                format!("name another file than {path}, which is the system's")
            }
            _ => format!(
                "make {path} readable and writable for this user, then run the command again"
            ),
        }
    }

    /// Whether a file was not read because somebody else may have written it: nothing is wrong with
    /// the disk.
    pub fn is_refused(&self) -> bool {
        self.untrusted().is_some() && self.operation == "read"
    }

    /// Who else could decide what this program does, if that is why nothing was done.
    pub fn untrusted(&self) -> Option<&Untrusted> {
        self.source.get_ref()?.downcast_ref()
    }

    fn is_of_system(&self) -> bool {
        let roots = [
            "bin", "boot", "dev", "etc", "lib", "proc", "root", "sbin", "sys", "usr",
        ];
        (roots.iter()).any(|root| self.path.starts_with(Path::new("/").join(root)))
    }

    /// Whether the process, or the system, has too many open files (ENFILE, EMFILE), for which std
    /// has no kind.
    fn is_of_limit(&self) -> bool {
        matches!(self.source.raw_os_error(), Some(23 | 24))
    }

    fn is_special(&self) -> bool {
        matches!(self.source.get_ref(), Some(inner) if inner.is::<SpecialFile>())
    }

    fn is_too_large(&self) -> bool {
        matches!(self.source.get_ref(), Some(inner) if inner.is::<TooLarge>() || inner.is::<Outgrown>())
    }

    /// Whether the new content is in place although the operation failed.
    pub fn is_in_place(&self) -> bool {
        matches!(self.source.get_ref(), Some(inner) if inner.is::<InPlace>())
    }
}

/// Within a [`FileError`]: the new content is there for every reader, and only its name could not
/// be made durable.
#[derive(Debug, thiserror::Error)]
#[error("the new content is written, but may not survive a power failure: {0}")]
pub struct InPlace(#[source] pub io::Error);

/// Within a [`FileError`]: another user of this machine could decide what this program does, so
/// nothing was read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// Neither this user nor root owns it.
    #[error("{} belongs to another user (uid {owner})", at.display())]
    Foreign {
        /// The file or directory.
        at: PathBuf,
        /// Who owns it.
        owner: u32,
    },
    /// Others than this user and root may write to it.
    #[error("{} is writable by other users (mode {mode:04o})", at.display())]
    Writable {
        /// The file or directory.
        at: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It holds a secret, and others can do something with it.
    #[error("{} is open to other users (mode {mode:04o})", at.display())]
    Open {
        /// The file.
        at: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It leads out of the directory of the user for whom root works.
    #[error("{} leads out of the directory of the user whose logins these are", at.display())]
    Outside {
        /// The file or directory.
        at: PathBuf,
    },
    /// It is one of several names of a file, which may be anybody's.
    #[error("{} is one of several names of a file", at.display())]
    SeveralNames {
        /// The file.
        at: PathBuf,
    },
    /// A link of somebody else leads to it.
    #[error("{} is a link that another user made (uid {owner})", at.display())]
    ForeignLink {
        /// The link.
        at: PathBuf,
        /// Who owns it.
        owner: u32,
    },
}

impl From<Untrusted> for io::Error {
    fn from(why: Untrusted) -> Self {
        Self::new(ErrorKind::PermissionDenied, why)
    }
}

impl Untrusted {
    /// The step that mends it.
    pub fn remedy(&self) -> String {
        let word = |at: &PathBuf| shell_word(&at.display().to_string());
        match self {
            Self::Foreign { at, .. } => format!(
                "remove it, or take it over if its content is yours: sudo chown \"$(id -u)\" {}",
                word(at)
            ),
            Self::Writable { at, .. } => format!("chmod go-w {}", word(at)),
            Self::Open { at, .. } => format!("chmod go= {}", word(at)),
            Self::Outside { .. } => "run the command as that user".to_owned(),
            Self::ForeignLink { at, .. } | Self::SeveralNames { at } => format!("rm {}", word(at)),
        }
    }
}

/// Within a [`FileError`]: what is there is no file, and was left alone.
#[derive(Debug, thiserror::Error)]
#[error("it is {0} and not a file")]
pub struct SpecialFile(pub &'static str);

/// Within a [`FileError`]: a file of this many bytes is read by nobody, and was left alone.
#[derive(Debug, thiserror::Error)]
#[error("it is {} MiB long, and at most {} MiB are read", .0.div_ceil(1 << 20), .1 >> 20)]
pub struct TooLarge(pub u64, pub u64);

/// Within a [`FileError`]: a file that would have this many bytes is read by nobody, so it was not
/// written.
#[derive(Debug, thiserror::Error)]
#[error("it would become {} MiB long, and at most {} MiB are read", .0.div_ceil(1 << 20), .1 >> 20)]
pub struct Outgrown(pub u64, pub u64);
