//! A manifest: the TOML text that describes a provider.
//!
//! The invariant: what gets through here is safe to act on. Addresses are https (loopback
//! excepted), no parameter or header overrides one that the protocol sets, names cannot steer a
//! terminal, and an unknown key is an error, since a misspelt `required` would otherwise switch a
//! check off. `builtin/README.md` documents the format.

mod client;
mod fault;
mod flow;
mod probe;
mod tree;

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::model::id::printable;
use crate::model::provider::checked::{Checked as _, Id, Line, Schema, Variable};
use crate::model::provider::{
    Account, Ambient, Billing, DeviceScheme, Dialect, Flow, IdTokenCheck, Provider,
    RefreshSettings, Registration,
};
use crate::model::text::{decode, place};
use client::ClientTable;
use fault::Fault;
use flow::FlowAt;
use probe::ProbeTable;

/// What is wrong with a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}")]
pub struct ManifestError {
    /// The file, as a person knows it.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads a manifest; `file` names it in errors. The second value is whether it says that it
/// replaces a built-in one.
///
/// # Errors
/// Returns the first thing that is wrong with it.
pub fn parse(text: &str, file: &str) -> Result<(Provider, bool), ManifestError> {
    read(text).map_err(|fault| {
        let (line, column) = place(text, fault.span.start);
        ManifestError {
            file: file.to_owned(),
            line,
            column,
            // The parser quotes keys as they stand in the file.
            message: printable(&fault.message, 400),
        }
    })
}

/// Like [`parse`], of what a file holds.
///
/// # Errors
/// Also if it is no text.
pub fn parse_bytes(bytes: Vec<u8>, file: &str) -> Result<(Provider, bool), ManifestError> {
    let text = decode(bytes).map_err(|(line, column)| ManifestError {
        file: file.to_owned(),
        line,
        column,
        message: "this is not UTF-8 text: save the file as UTF-8".to_owned(),
    })?;
    parse(&text, file)
}

fn read(text: &str) -> Result<(Provider, bool), Fault> {
    let whole = 0..text.len();
    let tree = DeTable::parse(text).map_err(|fault| Fault::of(&fault, whole))?;
    let span = tree.span();
    let mut tree = tree.into_inner();
    let flows = tree.remove("flow");
    let spans = ["client", "id_token", "probe"].map(|key| {
        let value = tree.get(key);
        value.map_or(0..0, Spanned::span)
    });
    let manifest: Manifest = tree::read(Spanned::new(span, DeValue::Table(tree)))?;
    let flows = flows.map_or_else(|| Ok(Vec::new()), flow::flows)?;
    let replaces = manifest.replaces;
    Ok((manifest.provider(flows, spans)?, replaces))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    #[serde(rename = "schema")]
    _schema: Schema,
    id: Id,
    name: Line,
    #[serde(default)]
    replaces: bool,
    #[serde(default)]
    aliases: Vec<Id>,
    #[serde(default)]
    env: Vec<Variable>,
    #[serde(default)]
    tool_env: Vec<Variable>,
    #[serde(default)]
    ambient: Vec<Ambient>,
    policy: Option<Line>,
    default_model: Option<Line>,
    #[serde(default)]
    billing: Billing,
    client: Option<ClientTable>,
    // Read by itself, for its tables depend on their kind; here to be named among the known keys.
    #[serde(default, rename = "flow")]
    _flow: IgnoredAny,
    #[serde(default)]
    dialect: Dialect,
    #[serde(default)]
    account: Account,
    id_token: Option<IdTokenCheck>,
    #[serde(default)]
    refresh: RefreshSettings,
    probe: Option<ProbeTable>,
}

impl Manifest {
    /// Checks what concerns several tables. The spans are those of `client`, `id_token` and `probe`.
    fn provider(
        self,
        flows: Vec<FlowAt>,
        [client, id_token, probe]: [Range<usize>; 3],
    ) -> Result<Provider, Fault> {
        let registration = self.client.map(|table| {
            let registration = table.registration();
            registration.map_err(|why| Fault::at(client, why))
        });
        let registration = registration.transpose()?;
        for FlowAt { flow, span } in &flows {
            suits(flow, registration.as_ref()).map_err(|why| Fault::at(span.clone(), why))?;
        }
        Ok(Provider {
            id: self.id.plain(),
            name: self.name.plain(),
            aliases: self.aliases.plain(),
            env: self.env.plain(),
            tool_env: self.tool_env.plain(),
            ambient: self.ambient,
            policy: self.policy.plain(),
            default_model: self.default_model.plain(),
            billing: self.billing,
            id_token: id_token_check(self.id_token, registration.as_ref())
                .map_err(|why| Fault::at(id_token, why))?,
            registration,
            flows: flows.into_iter().map(|at| at.flow).collect(),
            dialect: self.dialect,
            account: self.account,
            refresh: self.refresh,
            probe: (self.probe)
                .map(|table| probe::probe(table, probe))
                .transpose()?,
        })
    }
}

/// Whether the registration has what a flow speaks to. What metadata may tell is asked for later.
fn suits(flow: &Flow, registration: Option<&Registration>) -> Result<(), &'static str> {
    if matches!(flow, Flow::Browser(flow) if flow.key_exchange.is_some()) {
        return Ok(());
    }
    let Some(registration) = registration else {
        return match flow {
            Flow::Browser(_) => Err("a browser flow needs a [client] with id, authorize and token"),
            Flow::Device(_) => Err("a device flow needs a [client] with id, device and token"),
            Flow::ClientCredentials(_) => {
                Err("a client_credentials flow needs a [client] with id, secret and token")
            }
            _ => Ok(()),
        };
    };
    match flow {
        Flow::ClientCredentials(_) if registration.secret.is_empty() => Err(
            "a client_credentials flow needs a secret: write secret = \"${secret:NAME}\" or \
             secret_env = [\"NAME\"] in [client]",
        ),
        _ if registration.needs_metadata() => Ok(()),
        Flow::Browser(_) if registration.authorize.is_none() => Err(
            "a browser flow needs the authorization endpoint: write authorize = \"https://...\" \
             in [client]",
        ),
        Flow::Device(device)
            if registration.device.is_none()
                && !matches!(device.scheme, DeviceScheme::ServerPkce { .. }) =>
        {
            Err(
                "a device flow needs the device authorization endpoint: write \
                 device = \"https://...\" in [client]",
            )
        }
        _ => Ok(()),
    }
}

/// What is asked for, else as much as the issuer lets us check.
fn id_token_check(
    asked: Option<IdTokenCheck>,
    registration: Option<&Registration>,
) -> Result<IdTokenCheck, &'static str> {
    let issuer = registration.and_then(|registration| registration.issuer.as_ref());
    match (asked, issuer) {
        (Some(IdTokenCheck::Claims | IdTokenCheck::Signature), None) => Err(
            "an ID token can only be verified if its issuer is known: write \
             issuer = \"https://...\" in [client]",
        ),
        (Some(check), _) => Ok(check),
        (None, Some(_)) => Ok(IdTokenCheck::Claims),
        (None, None) => Ok(IdTokenCheck::None),
    }
}

#[cfg(test)]
mod tests;
