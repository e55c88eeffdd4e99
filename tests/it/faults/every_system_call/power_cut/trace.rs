//! What a command asked of the file system, in the order in which the kernel did it, from the log
//! of `strace -f -y -xx`.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};

/// One system call that changes a file or a directory, or makes it durable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Create {
        path: PathBuf,
        truncates: bool,
    },
    MakeDirectory(PathBuf),
    Write {
        path: PathBuf,
        at: usize,
        bytes: Vec<u8>,
    },
    SetLength {
        path: PathBuf,
        length: usize,
        only_grows: bool,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
        exchanges: bool,
    },
    Remove(PathBuf),
    Sync(PathBuf),
    /// A request goes out.
    Send,
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { path, .. } => write!(f, "create {}", path.display()),
            Self::MakeDirectory(path) => write!(f, "mkdir {}", path.display()),
            Self::Write { path, bytes, .. } => {
                write!(f, "write {} {}", bytes.len(), path.display())
            }
            Self::SetLength { path, length, .. } => write!(f, "length {length} {}", path.display()),
            Self::Rename { from, to, .. } => {
                write!(f, "rename {} {}", from.display(), to.display())
            }
            Self::Remove(path) => write!(f, "remove {}", path.display()),
            Self::Sync(path) => write!(f, "sync {}", path.display()),
            Self::Send => f.write_str("a request"),
        }
    }
}

/// Reads the calls that concern files below `root`, and the requests.
pub(super) fn read(log: &str, root: &Path) -> Vec<Call> {
    let mut reader = Reader {
        root,
        positions: HashMap::new(),
    };
    let mut unfinished: HashMap<&str, &str> = HashMap::new();
    let mut calls = Vec::new();
    for line in log.lines() {
        let Some((thread, rest)) = line.split_once(' ') else {
            continue;
        };
        let rest = rest.trim_start();
        if let Some((begun, _)) = rest.split_once(" <unfinished ...>") {
            unfinished.insert(thread, begun);
            continue;
        }
        let whole = match rest.split_once(" resumed>") {
            Some((_, end)) => format!("{}{end}", unfinished.remove(thread).unwrap_or_default()),
            None => rest.to_owned(),
        };
        calls.extend(reader.call(&whole));
    }
    calls
}

struct Reader<'a> {
    root: &'a Path,
    /// Where the next write of a file descriptor goes.
    positions: HashMap<String, usize>,
}

impl Reader<'_> {
    fn call(&mut self, line: &str) -> Option<Call> {
        let (name, rest) = line.split_once('(')?;
        let (args, result) = rest.rsplit_once(" = ")?;
        if result.starts_with('-') {
            return None;
        }
        let strings = strings(args);
        let is_ours = |path: &PathBuf| path.starts_with(self.root);
        let named = |nth: usize| strings.get(nth).map(|bytes| path(bytes)).filter(is_ours);
        let opened = || descriptor(args).map(|(_, path)| path).filter(is_ours);
        Some(match name {
            "open" | "openat" => {
                self.positions.insert(descriptor(result)?.0, 0);
                if !args.contains("O_CREAT") && !args.contains("O_TRUNC") {
                    return None;
                }
                let truncates = args.contains("O_TRUNC");
                Call::Create {
                    path: named(0)?,
                    truncates,
                }
            }
            "mkdir" | "mkdirat" => Call::MakeDirectory(named(0)?),
            "write" | "writev" | "pwrite64" => {
                let (number, path) = descriptor(args)?;
                if args.contains("<socket:") || args.contains("<TCP") {
                    return Some(Call::Send);
                }
                let length: usize = number_of(result)?;
                let at = match name {
                    "pwrite64" => number_of(args.trim_end_matches(')').rsplit_once(", ")?.1)?,
                    _ => {
                        let position = self.positions.entry(number).or_default();
                        *position += length;
                        *position - length
                    }
                };
                let mut bytes = strings.concat();
                bytes.truncate(length);
                Some(path)
                    .filter(is_ours)
                    .map(|path| Call::Write { path, at, bytes })?
            }
            "sendto" | "sendmsg" => Call::Send,
            "lseek" => {
                let (number, _) = descriptor(args)?;
                self.positions.insert(number, number_of(result)?);
                return None;
            }
            "ftruncate" => {
                let length = number_of(args.trim_end_matches(')').rsplit_once(", ")?.1)?;
                Call::SetLength {
                    path: opened()?,
                    length,
                    only_grows: false,
                }
            }
            "fallocate" => {
                let mut numbers = args.trim_end_matches(')').rsplit(", ");
                let (size, start) = (number_of(numbers.next()?)?, number_of(numbers.next()?)?);
                Call::SetLength {
                    path: opened()?,
                    length: start + size,
                    only_grows: true,
                }
            }
            "rename" | "renameat" | "renameat2" => Call::Rename {
                from: named(0)?,
                to: named(1)?,
                exchanges: args.contains("RENAME_EXCHANGE"),
            },
            "unlink" | "unlinkat" | "rmdir" => Call::Remove(named(0)?),
            "fsync" | "fdatasync" => Call::Sync(opened()?),
            _ => return None,
        })
    }
}

fn number_of(text: &str) -> Option<usize> {
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    digits.parse().ok()
}

/// The first file descriptor in a text, and the path that it stands for.
fn descriptor(text: &str) -> Option<(String, PathBuf)> {
    let (number, rest) = text.split_once('<')?;
    let (path, _) = rest.split_once('>')?;
    Some((
        number.trim().to_owned(),
        PathBuf::from(text_of(&bytes(path))),
    ))
}

/// The contents of the quoted strings.
fn strings(args: &str) -> Vec<Vec<u8>> {
    let parts = args.split('"').skip(1).step_by(2);
    parts.map(bytes).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let digits = hex.split("\\x").skip(1);
    digits
        .filter_map(|pair| u8::from_str_radix(pair.get(..2)?, 16).ok())
        .collect()
}

fn path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(text_of(bytes))
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
