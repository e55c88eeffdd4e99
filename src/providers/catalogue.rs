//! All providers that can be named: the built-in ones and the user's own files.
//!
//! Only the manifest that is asked for is read and parsed, so one faulty file harms nobody else.
//! The user's directory is given from outside and is never the working directory: a checked-out
//! project must not be able to say where a token is sent.

use std::path::PathBuf;
use std::sync::Arc;

use super::manifest::{self, ManifestError};
use super::overlay;
use crate::model::declared::{Declared, Finding, Severity};
use crate::model::id::ProviderId;
use crate::model::provider::Provider;
use crate::ports::declarations::{Declarations, DeclareError};
use crate::ports::files::{FileError, Files};

macro_rules! builtin {
    ($id:literal) => {
        ($id, include_str!(concat!("builtin/", $id, ".toml")))
    };
}

/// The built-in manifests by id.
const BUILTIN: &[(&str, &str)] = &[
    builtin!("amazon-bedrock"),
    builtin!("anthropic"),
    builtin!("cerebras"),
    builtin!("chutes"),
    builtin!("cloudflare-ai-gateway"),
    builtin!("deepgram"),
    builtin!("github-copilot"),
    builtin!("google"),
    builtin!("google-gemini-cli"),
    builtin!("google-vertex"),
    builtin!("groq"),
    builtin!("kimi-coding"),
    builtin!("minimax"),
    builtin!("minimax-portal"),
    builtin!("mistral"),
    builtin!("moonshot"),
    builtin!("ollama"),
    builtin!("openai"),
    builtin!("openai-codex"),
    builtin!("opencode"),
    builtin!("openrouter"),
    builtin!("qianfan"),
    builtin!("qwen-portal"),
    builtin!("synthetic"),
    builtin!("venice"),
    builtin!("vercel-ai-gateway"),
    builtin!("voyage"),
    builtin!("xai"),
    builtin!("xiaomi"),
    builtin!("zai"),
];

/// Why a provider cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// There is none of that name.
    #[error("unknown provider {id}{}", suggest(near))]
    Unknown {
        /// What was asked for.
        id: ProviderId,
        /// Names that look like it, the likeliest first; may be empty.
        near: Vec<String>,
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
    #[error("{} has the id of a built-in provider; write replaces = true if it is to take its place", path.display())]
    Shadows {
        /// The file.
        path: PathBuf,
    },
    /// The id in a user's file is not its file name.
    #[error("{} describes {found}; its name must be {found}.toml", path.display())]
    WrongName {
        /// The file.
        path: PathBuf,
        /// The id in it.
        found: ProviderId,
    },
}

fn suggest(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean {}?", near.join(" or ")),
    }
}

/// The providers.
#[derive(Clone)]
pub struct Catalogue {
    files: Arc<dyn Files>,
    user_dir: PathBuf,
    declarations: Option<Arc<dyn Declarations>>,
}

impl Catalogue {
    /// A catalogue of the built-in providers and those in `user_dir`, which need not exist.
    pub fn new(files: Arc<dyn Files>, user_dir: PathBuf) -> Self {
        Self {
            files,
            user_dir,
            declarations: None,
        }
    }

    /// With the providers that a user declares, which stand on the others.
    #[must_use]
    pub fn declaring(mut self, declarations: Arc<dyn Declarations>) -> Self {
        self.declarations = Some(declarations);
        self
    }

    /// One provider: what the user declares if they do, else the user's file if there is one, else
    /// the built-in one.
    ///
    /// # Errors
    /// If there is none of them, or what the user wrote is faulty. That never falls back to the
    /// built-in one, whose endpoints the user meant to replace.
    pub fn get(&self, id: &ProviderId) -> Result<Provider, CatalogueError> {
        let Some(declared) = self.declared(id)? else {
            return self.manifest(id);
        };
        let wrong = |message: String| {
            CatalogueError::Declared(DeclareError::Wrong(vec![Finding {
                severity: Severity::Error,
                place: declared.place.clone(),
                message,
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
    /// If it cannot be read or used.
    pub fn declared(&self, id: &ProviderId) -> Result<Option<Declared>, DeclareError> {
        match &self.declarations {
            Some(declarations) => declarations.get(id),
            None => Ok(None),
        }
    }

    /// What there is to say about all that the user declares.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn findings(&self) -> Result<Vec<Finding>, FileError> {
        match &self.declarations {
            Some(declarations) => declarations.findings(),
            None => Ok(Vec::new()),
        }
    }

    /// Whether a token of the provider that is due is renewed when somebody asks for it. Only a
    /// declaration can say no, so no manifest is read for it.
    pub fn renews_by_itself(&self, id: &ProviderId) -> bool {
        let declared = self.declared(id).ok().flatten();
        declared.is_none_or(|declared| declared.automatic)
    }

    fn manifest(&self, id: &ProviderId) -> Result<Provider, CatalogueError> {
        let path = self.user_dir.join(format!("{id}.toml"));
        let builtin = BUILTIN.iter().find(|(known, _)| *known == id.as_str());
        let Some(bytes) = self.files.read(&path)? else {
            return match builtin {
                Some((_, text)) => Ok(manifest::parse(text, &format!("built-in {id}.toml"))?.0),
                None => Err(self.unknown(id)),
            };
        };
        let text = String::from_utf8(bytes).map_err(|_| ManifestError {
            file: path.display().to_string(),
            line: 0,
            column: 0,
            message: "this is not UTF-8 text".to_owned(),
        })?;
        let (provider, replaces) = manifest::parse(&text, &path.display().to_string())?;
        if provider.id != *id {
            let found = provider.id;
            return Err(CatalogueError::WrongName { path, found });
        }
        if builtin.is_some() && !replaces {
            return Err(CatalogueError::Shadows { path });
        }
        Ok(provider)
    }

    /// Every name there is, sorted, without a look into the files.
    ///
    /// # Errors
    /// If the user's directory or declarations are there and cannot be read.
    pub fn ids(&self) -> Result<Vec<ProviderId>, CatalogueError> {
        let declared = match &self.declarations {
            Some(declarations) => declarations.ids()?,
            None => Vec::new(),
        };
        let own = self.files.list(&self.user_dir)?;
        let own = own.iter().filter_map(|name| name.strip_suffix(".toml"));
        let known = BUILTIN.iter().map(|(id, _)| *id);
        let ids = known.chain(own);
        let mut ids: Vec<ProviderId> = ids.filter_map(|id| ProviderId::parse(id).ok()).collect();
        ids.extend(declared);
        ids.sort();
        ids.dedup();
        Ok(ids)
    }

    fn unknown(&self, id: &ProviderId) -> CatalogueError {
        let likeness = |known: &ProviderId| strsim::jaro_winkler(known.as_str(), id.as_str());
        let known = self.ids().unwrap_or_default();
        let mut near: Vec<(f64, ProviderId)> = known
            .into_iter()
            .map(|known| (likeness(&known), known))
            .collect();
        near.retain(|(likeness, _)| *likeness > 0.85);
        near.sort_by(|a, b| b.0.total_cmp(&a.0));
        CatalogueError::Unknown {
            id: id.clone(),
            near: near
                .into_iter()
                .take(3)
                .map(|(_, id)| id.to_string())
                .collect(),
        }
    }
}

#[cfg(test)]
mod tests;
