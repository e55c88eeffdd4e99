//! `<state>/directories.json`: which profile of a provider is used in a directory and below it.
//!
//! It lies in the state directory and nowhere else: what a repository brings along must not choose
//! whose account is used and whose bill it is. A file that is not understood is never written over.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::model::id::{ProfileId, ProviderId};
use crate::ports::files::Files;

use super::error::ConfigError;

const NAME: &str = "directories.json";
const VERSION: u32 = 1;

/// The profiles of a directory, by provider.
type Profiles = BTreeMap<String, String>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    directories: BTreeMap<String, Profiles>,
}

/// What is bound where.
#[derive(Debug)]
pub struct Directories {
    bound: BTreeMap<String, Profiles>,
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
    /// If it is there and cannot be read or understood.
    pub fn load(files: &dyn Files, state: &Path) -> Result<Self, ConfigError> {
        let path = state.join(NAME);
        let bound = match files.read(&path)? {
            None => BTreeMap::new(),
            Some(bytes) => parse(&bytes, &path)?,
        };
        Ok(Self { bound })
    }

    /// The binding of a provider that holds in `directory`: its own, else that of the nearest
    /// directory above.
    pub fn nearest(&self, directory: &Path, provider: &ProviderId) -> Option<Bound> {
        let mut above = directory.ancestors();
        above.find_map(|above| self.at(above).find(|bound| bound.provider == *provider))
    }

    /// The bindings of one directory.
    fn at(&self, directory: &Path) -> impl Iterator<Item = Bound> {
        let profiles = directory.to_str().and_then(|name| self.bound.get(name));
        let profiles = profiles.into_iter().flatten();
        profiles.filter_map(move |(provider, profile)| {
            Some(Bound {
                directory: directory.to_owned(),
                provider: ProviderId::parse(provider).ok()?,
                profile: ProfileId::parse(profile).ok()?,
            })
        })
    }
}

fn parse(bytes: &[u8], path: &Path) -> Result<BTreeMap<String, Profiles>, ConfigError> {
    let document: Document =
        serde_json::from_slice(bytes).map_err(|error| ConfigError::Syntax {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            message: match error.is_data() {
                true => {
                    "expected version, directories, and the profile of each provider".to_owned()
                }
                false => "it is not valid JSON".to_owned(),
            },
        })?;
    if document.version != VERSION {
        return Err(ConfigError::Shape {
            path: path.to_owned(),
            member: "version".to_owned(),
            fault: format!("is {}, and only {VERSION} is known", document.version),
        });
    }
    Ok(document.directories)
}
