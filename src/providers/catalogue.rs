//! All providers that can be named: the built-in ones and the user's own files.
//!
//! Only the manifest that is asked for is read and parsed, so one faulty file harms nobody else.
//! The user's directory is given from outside and is never the working directory: a checked-out
//! project must not be able to say where a token is sent.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use parking_lot::Mutex;

use super::manifest::{self, ManifestError};
use super::{builtin, overlay};
use crate::model::alert::Hooks;
use crate::model::declared::{Declared, Finding, Severity, SourceLocation};
use crate::model::id::ProviderId;
use crate::model::near::near;
use crate::model::provider::Provider;
use crate::ports::declarations::{Declarations, DeclareError};
use crate::ports::files::{FileError, Files};

/// Where a provider is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In this program.
    BuiltIn,
    /// In a file of the user's.
    File(PathBuf),
    /// In the user's configuration, there.
    Declared(SourceLocation),
    /// Nowhere: this program on `PATH` speaks for it.
    Program(PathBuf),
}

/// Every provider, and what is wrong with the user's files.
#[derive(Debug)]
pub struct Listing {
    /// Those that can be used, by name, and where each is described.
    pub providers: Vec<(Provider, Source)>,
    /// Files that describe none.
    pub faults: Vec<CatalogueError>,
}

/// Why a provider cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// There is none of that name.
    #[error("unknown provider {id}{}", near.suggestion())]
    Unknown {
        /// What was asked for.
        id: ProviderId,
        /// Names that look like it.
        near: Near,
    },
    /// Its manifest is faulty.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Its manifest cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// What the user declared is wrong.
    #[error(transparent)]
    Declared(#[from] DeclareError),
    /// A user's file has the id of a built-in provider and does not say `replaces = true`.
    #[error("{} has the id of a built-in provider; set replaces = true to override it", path.display())]
    Shadows {
        /// The file.
        path: PathBuf,
    },
    /// The id in a user's file is not its file name.
    #[error("{} defines {found}; its name must be {found}.toml", path.display())]
    WrongName {
        /// The file.
        path: PathBuf,
        /// The id in it.
        found: ProviderId,
    },
}

impl CatalogueError {
    /// Returns whether a file could not be read, so that what it says is not known.
    pub fn is_unreadable(&self) -> bool {
        matches!(self, Self::File(_) | Self::Declared(DeclareError::File(_)))
    }
}

/// Names that look like one that is unknown. A report asks for a thousand providers that have no manifest and
/// tells of none of them, so they are looked for only where somebody is told.
pub struct Near(LazyLock<Vec<ProviderId>, Box<dyn FnOnce() -> Vec<ProviderId> + Send>>);

impl Near {
    fn new(find: impl FnOnce() -> Vec<ProviderId> + Send + 'static) -> Self {
        Self(LazyLock::new(Box::new(find)))
    }

    /// The names, the likeliest first; may be empty.
    pub fn names(&self) -> &[ProviderId] {
        let all = &**self.0;
        &all[..all.len().min(3)]
    }

    fn suggestion(&self) -> String {
        let names: Vec<&str> = self.names().iter().map(ProviderId::as_str).collect();
        match names.is_empty() {
            true => String::new(),
            false => format!("; did you mean {}?", names.join(" or ")),
        }
    }
}

impl std::fmt::Debug for Near {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Near").field(&self.names()).finish()
    }
}

/// The providers.
#[derive(Clone)]
pub struct Catalogue {
    files: Arc<dyn Files>,
    user_dir: PathBuf,
    declarations: Option<Arc<dyn Declarations>>,
    /// Those that were read before: a report asks for the same ones again and again.
    known: Arc<Mutex<HashMap<ProviderId, Provider>>>,
}

impl Catalogue {
    /// A catalogue of the built-in providers and those in `user_dir`, which need not exist.
    pub fn new(files: Arc<dyn Files>, user_dir: PathBuf) -> Self {
        Self {
            files,
            user_dir,
            declarations: None,
            known: Arc::default(),
        }
    }

    /// With the providers that a user declares, which stand on the others.
    #[must_use]
    pub fn declaring(mut self, declarations: Arc<dyn Declarations>) -> Self {
        self.declarations = Some(declarations);
        self
    }

    /// One provider: what the user declares if they do, else the user's file if there is one, else
    /// the built-in one. A file that is changed later counts for the next process.
    ///
    /// # Errors
    /// Fails if there is none of them, or what the user wrote is faulty. That never falls back to
    /// the built-in one, whose endpoints the user meant to replace.
    pub fn get(&self, id: &ProviderId) -> Result<Provider, CatalogueError> {
        if let Some(known) = self.known.lock().get(id) {
            return Ok(known.clone());
        }
        let provider = self.read(id)?;
        self.known.lock().insert(id.clone(), provider.clone());
        Ok(provider)
    }

    fn read(&self, id: &ProviderId) -> Result<Provider, CatalogueError> {
        let Some(declared) = self.declared(id)? else {
            return self.manifest(id);
        };
        let wrong = |message: String| {
            CatalogueError::Declared(DeclareError::Wrong(vec![Finding {
                severity: Severity::Error,
                place: declared.place.clone(),
                message,
                instead: None,
            }]))
        };
        let base = match self.manifest(&declared.base) {
            Err(error @ CatalogueError::Unknown { .. }) => return Err(wrong(error.to_string())),
            other => other?,
        };
        overlay::overlay(base, &declared).map_err(wrong)
    }

    /// What the user declares of a provider, if they do.
    ///
    /// # Errors
    /// Fails if it cannot be read or used.
    pub fn declared(&self, id: &ProviderId) -> Result<Option<Declared>, DeclareError> {
        let declarations = self.declarations.as_ref();
        declarations.map_or(Ok(None), |declarations| declarations.get(id))
    }

    /// What there is to say about all that the user declares.
    ///
    /// # Errors
    /// Fails if it cannot be read.
    pub fn findings(&self) -> Result<Vec<Finding>, FileError> {
        let declarations = self.declarations.as_ref();
        declarations.map_or(Ok(Vec::new()), |declarations| declarations.findings())
    }

    /// The hooks that are declared beside the providers.
    ///
    /// # Errors
    /// If the declarations cannot be read.
    pub fn hooks(&self) -> Result<(Hooks, Vec<Finding>), DeclareError> {
        let declarations = self.declarations.as_ref();
        declarations.map_or_else(|| Ok(Default::default()), |all| all.hooks())
    }

    fn manifest(&self, id: &ProviderId) -> Result<Provider, CatalogueError> {
        let path = self.path(id);
        match self.files.read_settings(&path)? {
            Some(bytes) => from_file(id, path, bytes),
            None => match builtin::manifest(id) {
                Some(text) => Ok(manifest::parse(text, &format!("built-in {id}.toml"))?.0),
                None => {
                    let (all, asked) = (self.clone(), id.clone());
                    // Without a look into the files: one of them may be what asks for it.
                    let near = Near::new(move || near_ids(&asked, &all.ids().unwrap_or_default()));
                    Err(CatalogueError::Unknown {
                        id: id.clone(),
                        near,
                    })
                }
            },
        }
    }

    /// Every provider, sorted by name; a faulty file is told of and harms nobody else.
    ///
    /// # Errors
    /// Fails if the user's directory is there and cannot be read.
    pub fn list(&self) -> Result<Listing, CatalogueError> {
        let own = self.files.list(&self.user_dir)?;
        let misnamed = own.iter().filter(|name| name.ends_with(".toml"));
        let misnamed = misnamed.filter(|name| id_of_file(name).is_none());
        let mut listing = Listing {
            providers: Vec::new(),
            faults: misnamed.filter_map(|name| self.misnamed(name)).collect(),
        };
        for id in self.ids()? {
            let declared = self.declared(&id).ok().flatten();
            let source = match declared {
                Some(declared) => Source::Declared(declared.place),
                None if own.contains(&format!("{id}.toml")) => Source::File(self.path(&id)),
                None => Source::BuiltIn,
            };
            match self.get(&id) {
                Ok(provider) => listing.providers.push((provider, source)),
                Err(fault) => listing.faults.push(fault),
            }
        }
        Ok(listing)
    }

    /// What is wrong with a file whose name is no provider's, so that nobody ever asks for it.
    fn misnamed(&self, name: &str) -> Option<CatalogueError> {
        let path = self.user_dir.join(name);
        let read = self
            .files
            .read_settings(&path)
            .map_err(CatalogueError::from);
        let read = read.transpose()?.and_then(|bytes| {
            let parsed = manifest::parse_bytes(bytes, &path.display().to_string());
            Ok(parsed?.0.id)
        });
        Some(match read {
            Ok(found) => CatalogueError::WrongName { path, found },
            Err(error) => error,
        })
    }

    fn path(&self, id: &ProviderId) -> PathBuf {
        self.user_dir.join(format!("{id}.toml"))
    }

    /// Every name there is, sorted, without a look into the files.
    ///
    /// # Errors
    /// Fails if the user's directory or declarations are there and cannot be read.
    pub fn ids(&self) -> Result<Vec<ProviderId>, CatalogueError> {
        let declared = match &self.declarations {
            Some(declarations) => declarations.ids()?,
            None => Vec::new(),
        };
        let own = self.files.list(&self.user_dir)?;
        let own = own.iter().filter_map(|name| id_of_file(name));
        let mut ids: Vec<ProviderId> = builtin::ids().chain(own).collect();
        ids.extend(declared);
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    /// The providers that people call by this name, which is the id of none.
    ///
    /// # Errors
    /// As [`Catalogue::list`].
    pub fn called(&self, name: &ProviderId) -> Result<Vec<Provider>, CatalogueError> {
        let all = self.list()?.providers.into_iter();
        let all = all.map(|(provider, _)| provider);
        Ok(all
            .filter(|provider| provider.aliases.contains(name))
            .collect())
    }

    /// Says that there is no such provider, and which are called almost so.
    pub fn unknown(&self, id: &ProviderId) -> CatalogueError {
        let (all, asked) = (self.clone(), id.clone());
        CatalogueError::Unknown {
            id: id.clone(),
            near: Near::new(move || all.near(&asked)),
        }
    }

    /// The providers whose id or everyday name looks like this, the likeliest first.
    pub fn near(&self, id: &ProviderId) -> Vec<ProviderId> {
        let listed = self.list().map(|listing| listing.providers);
        let mut names: Vec<(ProviderId, ProviderId)> = Vec::new();
        for (provider, _) in listed.unwrap_or_default() {
            let aliases = provider.aliases.into_iter();
            names.extend(aliases.map(|alias| (alias, provider.id.clone())));
            names.push((provider.id.clone(), provider.id));
        }
        let words = names.iter().map(|(name, _)| name.as_str());
        let mut found: Vec<ProviderId> = Vec::new();
        for word in near(id.as_str(), words, 0.85) {
            let meant = names.iter().filter(|(name, _)| name.as_str() == word);
            for (_, provider) in meant {
                if !found.contains(provider) {
                    found.push(provider.clone());
                }
            }
        }
        found
    }
}

/// Those of `all` that look like `id`, the likeliest first.
fn near_ids(id: &ProviderId, all: &[ProviderId]) -> Vec<ProviderId> {
    let words = near(id.as_str(), all.iter().map(ProviderId::as_str), 0.85);
    let id_of = |word: &str| all.iter().find(|id| id.as_str() == word).cloned();
    words.into_iter().filter_map(id_of).collect()
}

/// Whether this program describes a provider of that name itself.
pub fn is_built_in(id: &ProviderId) -> bool {
    builtin::manifest(id).is_some()
}

/// A provider as this program describes it itself, whatever the user's files say.
pub fn built_in(id: &ProviderId) -> Option<Provider> {
    // A report asks for that of each of its profiles.
    static KNOWN: LazyLock<Mutex<HashMap<ProviderId, Provider>>> = LazyLock::new(Mutex::default);
    let text = builtin::manifest(id)?;
    if let Some(known) = KNOWN.lock().get(id) {
        return Some(known.clone());
    }
    let (provider, _) = manifest::parse(text, "built-in").ok()?;
    KNOWN.lock().insert(id.clone(), provider.clone());
    Some(provider)
}

/// The provider that a file of that name describes, if it may describe one.
pub fn id_of_file(name: &str) -> Option<ProviderId> {
    let stem = name.strip_suffix(".toml")?;
    let id = ProviderId::parse(stem).ok()?;
    (id.as_str() == stem).then_some(id)
}

fn from_file(id: &ProviderId, path: PathBuf, bytes: Vec<u8>) -> Result<Provider, CatalogueError> {
    let (provider, replaces) = manifest::parse_bytes(bytes, &path.display().to_string())?;
    if provider.id != *id {
        let found = provider.id;
        return Err(CatalogueError::WrongName { path, found });
    }
    if is_built_in(id) && !replaces {
        return Err(CatalogueError::Shadows { path });
    }
    Ok(provider)
}

#[cfg(test)]
mod tests;
