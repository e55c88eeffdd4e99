//! Plugins: which external program speaks for a provider, and for a grant.
//!
//! What is run is for a manifest and for `PATH` to say, never for a stored credential: that only
//! says where it came from, and so to whom it may go.

use std::path::{Path, PathBuf};

use crate::model::credential::{Credential, OAuth};
use crate::model::hint::{Command, shell_word};
use crate::model::id::ProviderId;
use crate::model::json::Verbatim;
use crate::model::provider::{ProgramFlow, Provider};
use crate::oauth::plugin::{ORIGIN, Program};
use crate::ports::files::Untrusted;
use crate::ports::program::{Fault, ProgramError};
use crate::providers::catalogue::CatalogueError;

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};

/// The prefix of every plugin's name.
const PREFIX: &str = "openclaw-auth-";

/// Returns the program name for a provider.
fn name(provider: &ProviderId) -> String {
    format!("{PREFIX}{provider}")
}

/// Lists the providers that only a plugin on `PATH` describes, and its path.
pub(in crate::app) fn without_manifest(cx: Context<'_>) -> Vec<(Provider, PathBuf)> {
    let id = |path: &Path| {
        let name = path.file_name()?.to_str()?.strip_prefix(PREFIX)?;
        ProviderId::parse(name)
            .ok()
            .filter(|id| id.as_str() == name)
    };
    let all = cx.programs.with_prefix(PREFIX).into_iter();
    all.filter_map(|path| Some((id(&path)?, path)))
        .filter(|(id, _)| matches!(cx.catalogue.get(id), Err(CatalogueError::Unknown { .. })))
        .map(|(id, path)| (Provider::of_program(id), path))
        .collect()
}

impl Context<'_> {
    /// Returns a provider as its manifest describes it, or one that a plugin on `PATH` speaks for.
    ///
    /// # Errors
    /// As [`Catalogue::get`](crate::providers::catalogue::Catalogue::get).
    pub fn provider(&self, id: &ProviderId) -> Result<Provider, CatalogueError> {
        match self.catalogue.get(id) {
            Err(CatalogueError::Unknown { .. }) if !self.programs.on_path(&name(id)).is_empty() => {
                Ok(Provider::of_program(id.clone()))
            }
            other => other,
        }
    }

    /// Returns the provider of a stored login. A login that a plugin issued needs no manifest, so
    /// that a valid token is handed out wherever the plugin is.
    ///
    /// # Errors
    /// As [`Context::provider`].
    pub fn provider_of(
        &self,
        id: &ProviderId,
        credential: &Credential,
    ) -> Result<Provider, CatalogueError> {
        let by_program = credential.as_oauth().is_some_and(is_origin_of);
        match self.catalogue.get(id) {
            Err(CatalogueError::Unknown { .. }) if by_program => {
                Ok(Provider::of_program(id.clone()))
            }
            other => other,
        }
    }
}

/// Whether a plugin issued the login.
pub(in crate::app) fn is_origin_of(login: &OAuth) -> bool {
    login.extra.get(ORIGIN).is_some()
}

/// Prepares the program at `path` for requests that no signal may interrupt: a token may be spent.
pub(in crate::app) fn speaker<'a>(
    cx: Context<'a>,
    provider: &'a Provider,
    path: &'a Path,
) -> Program<'a> {
    let flow = provider.program();
    Program {
        programs: cx.programs,
        clock: cx.clock,
        path,
        provider: &provider.id,
        variables: flow.map_or(&[], |flow| &flow.program_env),
        stop: &|| None,
    }
}

/// Chooses the plugin for a login.
///
/// # Errors
/// [`Kind::NotFound`] if there is none, and what is wrong with it.
pub(in crate::app) fn choose(
    cx: Context<'_>,
    provider: &Provider,
    flow: &ProgramFlow,
) -> Result<PathBuf, Failure> {
    let name = name(&provider.id);
    let path = match &flow.path {
        Some(path) => Some(PathBuf::from(path)),
        None => cx.programs.on_path(&name).into_iter().next(),
    };
    let path = path.ok_or_else(|| {
        let message = format!("{name} was not found in any absolute directory of PATH");
        Failure::new(Kind::NotFound, message).hint(format!(
            "install {name}, or set its path in the manifest of {}",
            provider.id
        ))
    })?;
    cx.programs.check_permissions(&path)?;
    Ok(path)
}

/// Returns the plugin that issued a login; `None` if a token endpoint did.
pub(in crate::app) fn origin(login: &OAuth) -> Option<PathBuf> {
    let written = login.extra.get(ORIGIN)?;
    // What cannot be read is no path that anything has, and no token endpoint's grant either.
    let path: String = serde_json::from_str(written).unwrap_or_default();
    Some(PathBuf::from(path))
}

/// Returns the stored form of [`origin`].
pub(in crate::app) fn written(path: &Path) -> Verbatim {
    let path = serde_json::Value::from(path.to_string_lossy());
    Verbatim::new(path.to_string())
}

/// Checks that a login may go back to the plugin that issued it: a manifest or `PATH` must still
/// lead there, and it must be trustworthy.
///
/// # Errors
/// [`Kind::Config`], and what is wrong with the program.
pub(in crate::app) fn check(
    cx: Context<'_>,
    provider: &Provider,
    origin: &Path,
) -> Result<(), Failure> {
    let shown = origin.display();
    let id = &provider.id;
    let wrong = |why: String| {
        let message = format!(
            "this login of {id} was issued through {shown}, but {why}; a refresh token is only sent to its issuer"
        );
        Failure::new(Kind::Config, message)
    };
    let again = Command::login(id, None);
    let Some(flow) = provider.program() else {
        let why = format!("the manifest of {id} does not name a program");
        return Err(wrong(why).hint(again));
    };
    match &flow.path {
        Some(path) if Path::new(path) != origin => {
            let why = format!("the manifest of {id} now names {path}");
            Err(wrong(why).hint(again))
        }
        Some(_) => Ok(cx.programs.check_permissions(origin)?),
        None if !cx
            .programs
            .on_path(&name(id))
            .iter()
            .any(|path| path == origin) =>
        {
            let directory = origin.parent().unwrap_or(origin).display().to_string();
            Err(wrong("it is not on PATH".to_owned()).hint(format!(
                "PATH={}:\"$PATH\" openclaw …, or set its path in the manifest of {id}",
                shell_word(&directory)
            )))
        }
        None => Ok(cx.programs.check_permissions(origin)?),
    }
}

impl From<ProgramError> for Failure {
    fn from(error: ProgramError) -> Self {
        let failure = Self::new(Kind::Config, error.to_string());
        let ProgramError::Refused { path, fault } = error else {
            return failure.hint("correct the program, then run the command again");
        };
        let word = |path: &Path| shell_word(&path.display().to_string());
        match fault {
            Fault::NotExecutable { at } => failure.hint(format!("chmod +x {}", word(&at))),
            Fault::Untrusted(Untrusted::Foreign { at, .. }) => failure.hint(format!(
                "install it where only you and root can write, or take ownership if you trust it: chown \"$USER\" {}",
                word(&at)
            )),
            Fault::Untrusted(untrusted) => failure.hint(untrusted.remedy()),
            Fault::NotAbsolute | Fault::NotThere { .. } | Fault::NotAFile { .. } => {
                failure.hint(format!("install a program at {}", word(&path)))
            }
        }
    }
}
