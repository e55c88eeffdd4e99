//! `models auth providers`: the known providers, and a check of a manifest.

use std::path::{Path, PathBuf};

use crate::model::id::ProviderId;
use crate::model::provider::{DeviceScheme, Flow, Provider, Registration};
use crate::providers::catalogue::{self, CatalogueError, Source};
use crate::providers::manifest::{self, ManifestError};

use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::issuer::plugin;

/// The providers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The usable providers, by name.
    pub rows: Vec<Row>,
    /// Faulty manifests, one sentence each, with their paths.
    pub faults: Vec<String>,
}

/// A provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its manifest.
    pub provider: Provider,
    /// The source of the manifest.
    pub source: Source,
}

/// A manifest that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The file.
    pub path: PathBuf,
    /// The provider that it describes.
    pub provider: Provider,
    /// Warnings, one sentence each.
    pub warnings: Vec<String>,
}

/// Lists one provider, or all.
///
/// # Errors
/// [`Kind::NotFound`] if the one that is asked for is unknown, [`Kind::Config`] if its manifest is
/// faulty, [`Kind::Storage`] if the user's directory cannot be read.
pub fn run(cx: Context<'_>, only: Option<&ProviderId>) -> Result<Outcome, Failure> {
    if let Some(id) = only {
        // For its error, which knows near names.
        cx.provider(id)?;
    }
    let listing = cx.catalogue.list()?;
    let wanted = |provider: &Provider| only.is_none_or(|only| *only == provider.id);
    let programs = plugin::without_manifest(cx).into_iter();
    let programs = programs.map(|(provider, path)| (provider, Source::Program(path)));
    let rows = listing.providers.into_iter().chain(programs);
    let rows = rows.filter(|(provider, _)| wanted(provider));
    let rows = rows.map(|(provider, source)| Row { provider, source });
    let mut rows: Vec<Row> = rows.collect();
    rows.sort_by(|a, b| a.provider.id.cmp(&b.provider.id));
    Ok(Outcome {
        rows,
        faults: match only {
            Some(_) => Vec::new(),
            None => listing.faults.iter().map(ToString::to_string).collect(),
        },
    })
}

/// Parses a manifest as `login` would, and returns what it describes.
///
/// # Errors
/// [`Kind::Config`] with line and column if it is faulty, [`Kind::NotFound`] if there is none.
pub fn check(cx: Context<'_>, path: &Path) -> Result<Checked, Failure> {
    let Some(bytes) = cx.files.read_input(&cx.dirs.cwd.join(path))? else {
        let message = format!("no such file: {}", path.display());
        return Err(Failure::new(Kind::NotFound, message).hint("check the path"));
    };
    let parsed = manifest::parse_bytes(bytes, &path.display().to_string());
    let (provider, replaces) = parsed.map_err(|fault: ManifestError| {
        let failure = Failure::from(CatalogueError::from(fault));
        failure.hint(format!("correct {}, then check it again", path.display()))
    })?;
    let warnings = warnings(path, &provider, replaces);
    Ok(Checked {
        path: path.to_owned(),
        provider,
        warnings,
    })
}

/// Lists the values for `--method`, the preferred one first, without duplicates.
pub fn methods(provider: &Provider) -> Vec<&'static str> {
    let mut methods: Vec<&'static str> = Vec::new();
    for flow in &provider.flows {
        if !methods.contains(&flow.method()) {
            methods.push(flow.method());
        }
    }
    methods
}

/// Lists each URL that requests would go to, and its purpose.
pub fn endpoints(provider: &Provider) -> Vec<(&'static str, &str)> {
    let mut found: Vec<(&'static str, Option<&str>)> = Vec::new();
    if let Some(registration) = &provider.registration {
        found.extend([
            ("issuer", registration.issuer.as_deref()),
            ("authorize", registration.authorize.as_deref()),
            ("token", registration.token.as_deref()),
            ("device", registration.device.as_deref()),
            ("revoke", registration.revoke.as_deref()),
        ]);
    }
    for flow in &provider.flows {
        match flow {
            Flow::Browser(browser) => {
                if let Some(keys) = &browser.key_exchange {
                    let (authorize, exchange) = (keys.authorize.as_str(), keys.exchange.as_str());
                    found.extend([("authorize", Some(authorize)), ("exchange", Some(exchange))]);
                }
            }
            Flow::Device(device) => {
                if let DeviceScheme::ServerPkce { code, poll, .. } = &device.scheme {
                    found.extend([("device", Some(code.as_str())), ("poll", Some(poll))]);
                }
            }
            _ => {}
        }
    }
    found.push(("userinfo", provider.account.userinfo.as_deref()));
    if let Some(probe) = &provider.probe {
        let key = probe.key.as_ref().map(|way| way.url.as_str());
        let token = probe.token.as_ref().map(|way| way.url.as_str());
        found.push(("probe", key));
        found.push(("probe", token.filter(|_| token != key)));
    }
    let found = found.into_iter();
    found
        .filter_map(|(name, address)| Some((name, address?)))
        .collect()
}

/// Lists what is allowed but rarely intended.
fn warnings(path: &Path, provider: &Provider, replaces: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let id = &provider.id;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if catalogue::id_of_file(&name).as_ref() != Some(id) {
        warnings.push(format!(
            "the file is named {name}: rename it to {id}.toml, or it will not be found"
        ));
    }
    match (catalogue::is_built_in(id), replaces) {
        (true, false) => warnings.push(format!(
            "{id} is a built-in provider: set replaces = true to override it"
        )),
        (false, true) => warnings.push(format!(
            "replaces = true has no effect: there is no built-in provider {id}"
        )),
        _ => {}
    }
    for (what, address) in endpoints(provider) {
        if address.starts_with("http:") {
            warnings.push(format!(
                "{what} is plain http, which only works with a server on this machine"
            ));
        }
    }
    if provider.flows.is_empty() && provider.env.is_empty() && provider.ambient.is_empty() {
        warnings.push("it has no [[flow]] and no env, so it cannot be used yet".to_owned());
    }
    let methods = provider.flows.iter().map(Flow::method).collect::<Vec<_>>();
    for (at, method) in methods.iter().enumerate() {
        if methods[..at].contains(method) {
            warnings.push(format!(
                "two flows are named {method}: only the first can be selected"
            ));
        }
    }
    if let Some(registration) = &provider.registration {
        client_warnings(provider, registration, &mut warnings);
    }
    warnings
}

fn client_warnings(provider: &Provider, registration: &Registration, warnings: &mut Vec<String>) {
    if !registration.id.is_empty() && provider.policy.is_none() {
        warnings.push(
            "the client id has no policy that says whose it is: set policy = \"...\"".to_owned(),
        );
    }
    for flow in &provider.flows {
        let scopes = match flow {
            Flow::Browser(flow) => &flow.scopes,
            Flow::Device(flow) => &flow.scopes,
            _ => continue,
        };
        let has = |name: &str| scopes.iter().any(|scope| scope == name);
        if has("openid") && !has("offline_access") {
            warnings.push(format!(
                "{} requests openid without offline_access: most servers then issue no \
                 refresh token, and the login expires within hours",
                flow.method()
            ));
        }
    }
}
