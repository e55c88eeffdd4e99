//! `openclaw.json` as a file: one reader, one writer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::state_files::LOCKS;
use crate::model::text::split_mark;
use crate::ports::files::{Displaced, Files, Replaced, Sharing};
use crate::ports::host::{Clock, Env};
use crate::ports::lock::{Wait, lock_within};
use crate::ports::swap;
use jsonc_parser::cst::CstRootNode;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::edit::{self, Counts, Edit};
pub use super::error::ConfigError;
use super::json5;
use super::read::{self, Loaded};

/// How many old versions are kept: `.bak`, `.bak.1` … `.bak.4`, as in the reference release.
const BACKUPS: usize = 5;

/// The configuration file.
pub struct ConfigFile {
    files: Arc<dyn Files>,
    env: Arc<dyn Env>,
    path: PathBuf,
    locks: PathBuf,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// The file.
    pub path: PathBuf,
    /// Whether it is any different now.
    pub changed: bool,
    /// What went besides.
    pub counts: Counts,
}

/// Parses the content of a JSON or JSON5 file as it stands: nothing is included or resolved.
///
/// # Errors
/// If it is neither.
pub fn parse_tree(bytes: &[u8], path: &Path) -> Result<serde_json::Value, ConfigError> {
    json5::read(bytes, path)
}

impl ConfigFile {
    /// The configuration at `path`, which need not exist. Its lock lies in the state directory,
    /// wherever the file is: that may be in somebody's repository.
    pub fn new(files: Arc<dyn Files>, env: Arc<dyn Env>, path: PathBuf, state: &Path) -> Self {
        Self {
            files,
            env,
            path,
            locks: state.join(LOCKS).join("openclaw-rs"),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Lists the file and those that it includes, as far as they can be read.
    pub fn sources(&self) -> Vec<PathBuf> {
        json5::sources(&*self.files, &self.path)
    }

    /// Reads it.
    ///
    /// # Errors
    /// See [`read::read`].
    pub fn load(&self) -> Result<Loaded, ConfigError> {
        read::read(&self.path, self.files.as_ref(), self.env.as_ref())
    }

    /// Makes changes in the text that is there now, under a lock, after a backup.
    ///
    /// # Errors
    /// Fails if another process holds the lock for longer than `wait`, the file cannot be read or
    /// written, or a member to change lies in an included file. The file is as it was, unless a
    /// [`FileError`](crate::ports::files::FileError) says `is_in_place`.
    pub fn apply(
        &self,
        edits: &[Edit],
        clock: &dyn Clock,
        wait: &Wait<'_>,
    ) -> Result<Applied, ConfigError> {
        let directory = self.path.parent().unwrap_or(Path::new("/"));
        self.files.create_dirs(directory)?;
        let lock = self.lock()?;
        let _lock = lock_within(&*self.files, clock, &lock, Sharing::Exclusive, wait)?;

        let left = swap::left(&*self.files, &self.path)?;
        let mut done = left.needless;
        for Displaced { path, bytes } in left.foreign {
            // Nobody knows what it was to become: a person may find it there.
            self.back_up(&bytes)?;
            done.push(path);
        }
        let mut old = self.files.read_settings(&self.path)?;
        let mut there = old.clone();
        let mut is_ours_there = false;
        let (changed, counts) = loop {
            let is_new = old.is_none();
            let text = json5::editable(old.unwrap_or_default(), &self.path)?;
            self.refuse_included(&text, edits)?;
            let (new, counts) = self.edited(&text, edits)?;
            if new == text && !is_ours_there {
                break (false, counts);
            }
            if !is_new {
                self.back_up(text.as_bytes())?;
            }
            let new = new.into_bytes();
            match self
                .files
                .replace_over(&self.path, there.as_deref(), &new)?
            {
                Replaced::Done => break (true, counts),
                // Another program has changed it: the edits are made in what it wrote.
                Replaced::Displaced(Displaced { path, bytes }) => {
                    done.push(path);
                    is_ours_there = true;
                    (old, there) = (Some(bytes), Some(new));
                }
                Replaced::Changed(now) => (old, there) = (now.clone(), now),
            }
        };
        for path in done {
            self.files.remove(&path)?;
        }
        Ok(Applied {
            path: self.path.clone(),
            changed,
            counts,
        })
    }

    /// The lock of the file that the path leads to: links to one file have one lock.
    fn lock(&self) -> Result<PathBuf, ConfigError> {
        self.files.create_dirs(&self.locks)?;
        let file = self.files.resolve(&self.path)?;
        let mut name = format!("{:x}", Sha256::digest(file.as_os_str().as_encoded_bytes()));
        name.truncate(32);
        Ok(self.locks.join(format!("config-{name}.lock")))
    }

    fn edited(&self, text: &str, edits: &[Edit]) -> Result<(String, Counts), ConfigError> {
        // Parsed the strict way first and last, so that a broken file is never edited by guesses,
        // and never written.
        json5::parse(text, &self.path)?;
        let (mark, text) = split_mark(text);
        let start = if text.trim().is_empty() { "{}\n" } else { text };
        let root = CstRootNode::parse(start, &json5::options());
        let root = root.map_err(|error| ConfigError::Syntax {
            path: self.path.clone(),
            line: error.line_display(),
            column: error.column_display(),
            message: error.kind().to_string(),
        })?;
        let mut counts = Counts::default();
        for change in edits {
            let more =
                edit::apply(&root, change).map_err(|(member, fault)| ConfigError::Shape {
                    path: self.path.clone(),
                    member,
                    fault: fault.to_owned(),
                })?;
            counts.removed_bindings += more.removed_bindings;
            counts.removed_allow += more.removed_allow;
        }
        let new = format!("{mark}{root}");
        json5::parse(&new, &self.path)?;
        Ok((new, counts))
    }

    /// A member that an included file defines is not changed here: the change would hide the
    /// included value, or be hidden by it. Our own mark in `meta` may hide an included one.
    fn refuse_included(&self, text: &str, edits: &[Edit]) -> Result<(), ConfigError> {
        let value = json5::parse(text, &self.path)?;
        let mut trail = vec![self.path.clone()];
        let foreign = json5::included_members(self.files.as_ref(), &value, &self.path, &mut trail)?;
        let Some(foreign) = foreign else {
            return Ok(());
        };
        let edits = edits.iter();
        let ours = edits.filter(|change| !matches!(change, Edit::Touch { .. }));
        for names in ours.flat_map(Edit::members) {
            let mut place = &foreign;
            for (depth, name) in names.iter().enumerate() {
                match place.get(name) {
                    None => break,
                    Some(next) if next.is_object() && depth + 1 < names.len() => place = next,
                    Some(_) => {
                        return Err(ConfigError::Included {
                            path: self.path.clone(),
                            member: names[..=depth].join("."),
                            included: included(&value, &names[..=depth]),
                        });
                    }
                }
            }
        }
        Ok(())
    }

    /// Shifts the older backups by one and keeps the current text as `.bak`.
    fn back_up(&self, current: &[u8]) -> Result<(), ConfigError> {
        let name = |number: usize| {
            let suffix = if number == 0 {
                ".bak".to_owned()
            } else {
                format!(".bak.{number}")
            };
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            PathBuf::from(path)
        };
        for number in (0..BACKUPS - 1).rev() {
            if self.files.stat(&name(number))?.is_some() {
                self.files.rename(&name(number), &name(number + 1))?;
            }
        }
        self.files.replace(&name(0), current)?;
        Ok(())
    }
}

/// What the innermost object on the way to a member includes, as it is written.
fn included(value: &Value, names: &[&str]) -> String {
    let mut place = Some(value);
    let mut found = None;
    for name in names {
        found = place.and_then(|object| object.get("$include")).or(found);
        place = place.and_then(|object| object.get(name));
    }
    found.map(Value::to_string).unwrap_or_default()
}
