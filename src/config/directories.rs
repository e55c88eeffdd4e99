//! `<state>/directories.json`: which profile of a provider is used in a directory and below it.
//!
//! It lies in the state directory and nowhere else: what a repository brings along must not choose
//! whose account is used and whose bill it is. A file that is not understood is never written over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::id::{ProfileId, ProviderId};
use crate::model::state_files::{DIRECTORIES, LOCKS};
use crate::model::text::without_mark;
use crate::ports::files::{Files, Sharing};
use crate::ports::host::Clock;
use crate::ports::lock::{Wait, lock_within};

use super::error::ConfigError;

const VERSION: u32 = 1;

/// The profiles of a directory, by provider.
type Profiles = BTreeMap<ProviderId, ProfileId>;

/// What is bound where.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Directories {
    version: u32,
    directories: BTreeMap<String, Profiles>,
}

/// One binding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The directory; it holds for what lies below, too.
    pub directory: PathBuf,
    /// The provider.
    pub provider: ProviderId,
    /// The profile that is used there.
    pub profile: ProfileId,
}

impl Directories {
    /// Reads the file; without one nothing is bound.
    ///
    /// # Errors
    /// Fails if it is there and cannot be read or understood.
    pub fn load(files: &dyn Files, state: &Path) -> Result<Self, ConfigError> {
        let path = state.join(DIRECTORIES);
        match files.read_settings(&path)? {
            None => Ok(Self {
                version: VERSION,
                directories: BTreeMap::new(),
            }),
            Some(bytes) => parse(without_mark(&bytes), &path),
        }
    }

    /// Binds a directory; the profile of that provider to which it was bound before.
    ///
    /// # Errors
    /// Fails if its path is no Unicode text, another process holds the lock for longer than `wait`,
    /// or the file cannot be understood or written; it is as it was then.
    pub fn bind(
        (files, clock): (&dyn Files, &dyn Clock),
        state: &Path,
        new: &Bound,
        wait: &Wait<'_>,
    ) -> Result<Option<ProfileId>, ConfigError> {
        let name = new.directory.to_str().ok_or_else(|| ConfigError::Shape {
            path: state.join(DIRECTORIES),
            member: new.directory.display().to_string(),
            fault: "is not valid Unicode and cannot be bound".to_owned(),
        })?;
        let mut before = None;
        change((files, clock), state, wait, &mut |bound| {
            let profiles = bound.directories.entry(name.to_owned()).or_default();
            before = profiles.insert(new.provider.clone(), new.profile.clone());
        })?;
        Ok(before)
    }

    /// Takes away the binding of one provider to a directory, or all of them; what they were.
    ///
    /// # Errors
    /// Fails if another process holds the lock for longer than `wait`, or the file cannot be
    /// understood or written; it is as it was then.
    pub fn unbind(
        (files, clock): (&dyn Files, &dyn Clock),
        state: &Path,
        (directory, provider): (&Path, Option<&ProviderId>),
        wait: &Wait<'_>,
    ) -> Result<Vec<Bound>, ConfigError> {
        let mut gone = Vec::new();
        if Self::load(files, state)?.at(directory).next().is_none() {
            return Ok(gone);
        }
        change((files, clock), state, wait, &mut |bound| {
            let is_it = |other: &ProviderId| provider.is_none_or(|provider| provider == other);
            gone = bound
                .at(directory)
                .filter(|old| is_it(&old.provider))
                .collect();
            let name = directory.to_str().unwrap_or_default();
            if let Some(profiles) = bound.directories.get_mut(name) {
                profiles.retain(|other, _| !is_it(other));
            }
            bound.directories.retain(|_, profiles| !profiles.is_empty());
        })?;
        Ok(gone)
    }

    /// Every binding, by directory and provider.
    pub fn all(&self) -> Vec<Bound> {
        let names = self.directories.keys();
        names.flat_map(|name| self.at(Path::new(name))).collect()
    }

    /// The binding of a provider that holds in `directory`: its own, else that of the nearest
    /// directory above.
    pub fn nearest(&self, directory: &Path, provider: &ProviderId) -> Option<Bound> {
        let mut above = directory.ancestors();
        above.find_map(|above| self.at(above).find(|bound| bound.provider == *provider))
    }

    /// The bindings of one directory.
    fn at(&self, directory: &Path) -> impl Iterator<Item = Bound> {
        let profiles = directory
            .to_str()
            .and_then(|name| self.directories.get(name));
        let profiles = profiles.into_iter().flatten();
        profiles.map(move |(provider, profile)| Bound {
            directory: directory.to_owned(),
            provider: provider.clone(),
            profile: profile.clone(),
        })
    }
}

/// Changes the file under a lock. When nothing is bound any more it goes, and looking for a binding
/// costs nothing again.
fn change(
    (files, clock): (&dyn Files, &dyn Clock),
    state: &Path,
    wait: &Wait<'_>,
    change: &mut dyn FnMut(&mut Directories),
) -> Result<(), ConfigError> {
    let path = state.join(DIRECTORIES);
    let locks = state.join(LOCKS).join("openclaw-rs");
    files.create_dirs(&locks)?;
    let lock = locks.join("directories.lock");
    let _lock = lock_within(files, clock, &lock, Sharing::Exclusive, wait)?;
    let mut bound = Directories::load(files, state)?;
    let before = bound.directories.clone();
    change(&mut bound);
    if bound.directories == before {
        return Ok(());
    }
    if bound.directories.is_empty() {
        return Ok(files.remove(&path)?);
    }
    let mut bytes = serde_json::to_vec_pretty(&bound).expect("texts and a number");
    bytes.push(b'\n');
    Ok(files.replace(&path, &bytes)?)
}

fn parse(bytes: &[u8], path: &Path) -> Result<Directories, ConfigError> {
    let document: Directories =
        serde_json::from_slice(bytes).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            message: match error.is_data() {
                true => {
                    "expected version, directories, and the profile of each provider".to_owned()
                }
                false => "not valid JSON".to_owned(),
            },
        })?;
    if document.version != VERSION {
        return Err(ConfigError::Shape {
            path: path.to_owned(),
            member: "version".to_owned(),
            fault: format!("is {}, but only {VERSION} is supported", document.version),
        });
    }
    // What cannot be followed must not be passed over: another account would be used.
    let mut directories = document.directories.keys();
    match directories.find(|directory| !Path::new(directory).is_absolute()) {
        None => Ok(document),
        Some(directory) => Err(ConfigError::Shape {
            path: path.to_owned(),
            member: directory.clone(),
            fault: "needs an absolute path with provider and profile names".to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use crate::ports::lock::SHORT;
    use crate::testing::clock::FakeClock;
    use crate::testing::files::MemoryFiles;

    const STATE: &str = "/s";

    fn bind(files: &MemoryFiles, new: &Bound) -> Result<Option<ProfileId>, ConfigError> {
        let doors: (&dyn Files, &dyn Clock) = (files, &FakeClock::new(Timestamp(0)));
        Directories::bind(doors, Path::new(STATE), new, &Wait::uninterrupted(SHORT))
    }

    fn unbind(files: &MemoryFiles, path: &str, provider: Option<&ProviderId>) -> Vec<Bound> {
        let doors: (&dyn Files, &dyn Clock) = (files, &FakeClock::new(Timestamp(0)));
        let what = (Path::new(path), provider);
        let wait = Wait::uninterrupted(SHORT);
        Directories::unbind(doors, Path::new(STATE), what, &wait).unwrap()
    }

    fn bound(directory: &str, profile: &str) -> Bound {
        let provider = profile.split(':').next().unwrap();
        Bound {
            directory: PathBuf::from(directory),
            provider: ProviderId::parse(provider).unwrap(),
            profile: ProfileId::parse(profile).unwrap(),
        }
    }

    fn at(files: &MemoryFiles, directory: &str, provider: &str) -> Option<Bound> {
        let directories = Directories::load(files, Path::new("/s")).unwrap();
        let provider = ProviderId::parse(provider).unwrap();
        directories.nearest(Path::new(directory), &provider)
    }

    #[test]
    fn the_nearest_directory_wins_provider_by_provider() {
        let (files, state) = (MemoryFiles::default(), Path::new(STATE));
        for one in [
            bound("/w", "a:above"),
            bound("/w/p", "a:near"),
            bound("/w", "b:above"),
        ] {
            assert_eq!(bind(&files, &one).unwrap(), None);
        }
        assert_eq!(at(&files, "/w/p/q", "a"), Some(bound("/w/p", "a:near")));
        assert_eq!(at(&files, "/w/p/q", "b"), Some(bound("/w", "b:above")));
        assert_eq!(at(&files, "/w/pq", "a"), Some(bound("/w", "a:above")));
        assert_eq!(at(&files, "/", "a"), None);
        let again = bound("/w", "a:other");
        let before = bind(&files, &again).unwrap();
        assert_eq!(before, Some(ProfileId::parse("a:above").unwrap()));
        let gone = unbind(&files, "/w", None);
        assert_eq!(gone, [again, bound("/w", "b:above")]);
        let a = ProviderId::parse("a").unwrap();
        unbind(&files, "/w/p", Some(&a));
        assert!(files.read(&state.join(DIRECTORIES)).unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_not_understood_is_never_written_over() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"version":2,"directories":{}}"#,
            r#"{"version":1,"directories":{},"new":1}"#,
            r#"{"version":1,"directories":{"w":{"a":"a:b"}}}"#,
            r#"{"version":1,"directories":{"/w":{"a":""}}}"#,
        ] {
            let (files, state) = (MemoryFiles::default(), Path::new(STATE));
            files.create_dirs(state).unwrap();
            files
                .replace(&state.join(DIRECTORIES), text.as_bytes())
                .unwrap();
            assert!(Directories::load(&files, state).is_err(), "{text}");
            assert!(bind(&files, &bound("/w", "a:b")).is_err());
            let kept = files.read(&state.join(DIRECTORIES)).unwrap().unwrap();
            assert_eq!(kept, text.as_bytes());
        }
    }
}
