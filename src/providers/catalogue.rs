//! All providers that can be named: the built-in ones and the user's own files.
//!
//! Only the manifest that is asked for is read and parsed, so one faulty file harms nobody else.
//! The user's directory is given from outside and is never the working directory: a checked-out
//! project must not be able to say where a token is sent.

use std::path::PathBuf;
use std::sync::Arc;

use super::manifest::{self, ManifestError};
use crate::model::id::ProviderId;
use crate::model::provider::Provider;
use crate::ports::files::{FileError, Files};

macro_rules! builtin {
    ($id:literal) => {
        ($id, include_str!(concat!("builtin/", $id, ".toml")))
    };
}

/// The built-in manifests by id.
const BUILTIN: &[(&str, &str)] = &[
    builtin!("alibaba"),
    builtin!("amazon-bedrock"),
    builtin!("anthropic"),
    builtin!("arcee"),
    builtin!("azure-speech"),
    builtin!("byteplus"),
    builtin!("cerebras"),
    builtin!("chutes"),
    builtin!("cloudflare-ai-gateway"),
    builtin!("comfy"),
    builtin!("deepgram"),
    builtin!("deepinfra"),
    builtin!("deepseek"),
    builtin!("elevenlabs"),
    builtin!("exa"),
    builtin!("fal"),
    builtin!("firecrawl"),
    builtin!("fireworks"),
    builtin!("github-copilot"),
    builtin!("google"),
    builtin!("google-gemini-cli"),
    builtin!("google-vertex"),
    builtin!("gradium"),
    builtin!("groq"),
    builtin!("huggingface"),
    builtin!("inworld"),
    builtin!("kilocode"),
    builtin!("kimi-coding"),
    builtin!("litellm"),
    builtin!("lmstudio"),
    builtin!("microsoft-foundry"),
    builtin!("minimax"),
    builtin!("minimax-portal"),
    builtin!("mistral"),
    builtin!("moonshot"),
    builtin!("nvidia"),
    builtin!("ollama"),
    builtin!("openai"),
    builtin!("openai-codex"),
    builtin!("opencode"),
    builtin!("opencode-go"),
    builtin!("openrouter"),
    builtin!("perplexity"),
    builtin!("qianfan"),
    builtin!("qwen-portal"),
    builtin!("runway"),
    builtin!("senseaudio"),
    builtin!("sglang"),
    builtin!("stepfun"),
    builtin!("stepfun-plan"),
    builtin!("synthetic"),
    builtin!("tavily"),
    builtin!("tencent-tokenhub"),
    builtin!("together"),
    builtin!("venice"),
    builtin!("vercel-ai-gateway"),
    builtin!("vllm"),
    builtin!("volcengine"),
    builtin!("voyage"),
    builtin!("vydra"),
    builtin!("xai"),
    builtin!("xiaomi"),
    builtin!("zai"),
];

/// Where a provider is described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In this program.
    BuiltIn,
    /// In a file of the user's.
    File(PathBuf),
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
}

impl Catalogue {
    /// A catalogue of the built-in providers and those in `user_dir`, which need not exist.
    pub fn new(files: Arc<dyn Files>, user_dir: PathBuf) -> Self {
        Self { files, user_dir }
    }

    /// One provider: the user's file if there is one, else the built-in one.
    ///
    /// # Errors
    /// If there is neither, or the user's file is faulty. A faulty file never falls back to the
    /// built-in one, whose endpoints the user meant to replace.
    pub fn get(&self, id: &ProviderId) -> Result<Provider, CatalogueError> {
        let path = self.path(id);
        match self.files.read(&path)? {
            Some(bytes) => from_file(id, path, bytes),
            None => match builtin(id) {
                Some(text) => Ok(manifest::parse(text, &format!("built-in {id}.toml"))?.0),
                None => Err(self.unknown(id)),
            },
        }
    }

    /// Every provider, sorted by name; a faulty file is told of and harms nobody else.
    ///
    /// # Errors
    /// If the user's directory is there and cannot be read.
    pub fn list(&self) -> Result<Listing, CatalogueError> {
        let own = self.files.list(&self.user_dir)?;
        let misnamed = own.iter().filter(|name| name.ends_with(".toml"));
        let misnamed = misnamed.filter(|name| id_of_file(name).is_none());
        let mut listing = Listing {
            providers: Vec::new(),
            faults: misnamed.filter_map(|name| self.misnamed(name)).collect(),
        };
        for id in self.ids()? {
            let source = match own.contains(&format!("{id}.toml")) {
                true => Source::File(self.path(&id)),
                false => Source::BuiltIn,
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
        let read = self.files.read(&path).map_err(CatalogueError::from);
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
    /// If the user's directory is there and cannot be read.
    pub fn ids(&self) -> Result<Vec<ProviderId>, CatalogueError> {
        let own = self.files.list(&self.user_dir)?;
        let own = own.iter().filter_map(|name| id_of_file(name));
        let known = BUILTIN
            .iter()
            .filter_map(|(id, _)| ProviderId::parse(id).ok());
        let mut ids: Vec<ProviderId> = known.chain(own).collect();
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

/// Whether this program describes a provider of that name itself.
pub fn is_built_in(id: &ProviderId) -> bool {
    builtin(id).is_some()
}

fn builtin(id: &ProviderId) -> Option<&'static str> {
    let found = BUILTIN.iter().find(|(known, _)| *known == id.as_str());
    found.map(|(_, text)| *text)
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
