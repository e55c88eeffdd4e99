//! A manifest: the TOML text that describes a provider.
//!
//! The invariant: what gets through here is safe to act on. Addresses are https (loopback
//! excepted), no parameter or header overrides one that the protocol sets, names cannot steer a
//! terminal, and an unknown key is an error, since a misspelt `required` would otherwise switch a
//! check off. `builtin/README.md` documents the format.

mod billing;
mod client;
mod fault;
mod flow;
mod probe;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use toml::Spanned;
use toml::de::{DeTable, Deserializer};

use super::checked::{Address, Claim, Headers, Id, Line, Schema, Span, Variable, texts};
use crate::model::id::printable;
use crate::model::provider::{
    Account, Ambient, AmbientFile, Body, DeviceScheme, Dialect, Flow, IdTokenCheck, Provider,
    RefreshPolicy, Registration,
};
use billing::BillingTable;
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
/// The first thing that is wrong with it.
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
    match String::from_utf8(bytes) {
        Ok(text) => parse(&text, file),
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let (line, column) = place(&String::from_utf8_lossy(valid), valid.len());
            Err(ManifestError {
                file: file.to_owned(),
                line,
                column,
                message: "this is not UTF-8 text: save the file as UTF-8".to_owned(),
            })
        }
    }
}

fn read(text: &str) -> Result<(Provider, bool), Fault> {
    let whole = 0..text.len();
    let tree = DeTable::parse(text).map_err(|fault| Fault::of(&fault, whole.clone()))?;
    let flows = tree.get_ref().get("flow").cloned();
    let manifest = Manifest::deserialize(Deserializer::from(tree));
    let manifest = manifest.map_err(|fault| Fault::of(&fault, whole))?;
    let flows = flows.map_or_else(|| Ok(Vec::new()), flow::flows)?;
    let replaces = manifest.replaces;
    Ok((manifest.provider(flows)?, replaces))
}

/// Line and column of a byte offset, both from 1.
fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
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
    env: Vec<Variable>,
    #[serde(default)]
    tool_env: Vec<Variable>,
    #[serde(default)]
    ambient: Vec<AmbientTable>,
    policy: Option<Line>,
    default_model: Option<Line>,
    #[serde(default)]
    billing: BillingTable,
    client: Option<Spanned<ClientTable>>,
    // Read by itself, for its tables depend on their kind.
    #[serde(default, rename = "flow")]
    _flow: IgnoredAny,
    #[serde(default)]
    dialect: DialectTable,
    #[serde(default)]
    account: AccountTable,
    id_token: Option<Spanned<IdTokenName>>,
    #[serde(default)]
    refresh: RefreshTable,
    probe: Option<Spanned<ProbeTable>>,
}

impl Manifest {
    fn provider(self, flows: Vec<FlowAt>) -> Result<Provider, Fault> {
        let registration = self.client.map(|table| {
            let span = table.span();
            let registration = table.into_inner().registration();
            registration.map_err(|why| Fault::at(span, why))
        });
        let registration = registration.transpose()?;
        for FlowAt { flow, span } in &flows {
            suits(flow, registration.as_ref()).map_err(|why| Fault::at(span.clone(), why))?;
        }
        Ok(Provider {
            id: self.id.0,
            name: self.name.0,
            env: texts(self.env),
            tool_env: texts(self.tool_env),
            ambient: self
                .ambient
                .into_iter()
                .map(AmbientTable::ambient)
                .collect(),
            policy: self.policy.map(|line| line.0),
            default_model: self.default_model.map(|line| line.0),
            billing: self.billing.billing(),
            id_token: id_token_check(self.id_token, registration.as_ref())?,
            registration,
            flows: flows.into_iter().map(|at| at.flow).collect(),
            dialect: self.dialect.dialect(),
            account: self.account.account(),
            refresh: self.refresh.policy(),
            probe: self.probe.map(probe::probe).transpose()?,
        })
    }
}

/// Whether the registration has what a flow speaks to. What metadata may tell is asked for later.
fn suits(flow: &Flow, registration: Option<&Registration>) -> Result<(), &'static str> {
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
    asked: Option<Spanned<IdTokenName>>,
    registration: Option<&Registration>,
) -> Result<IdTokenCheck, Fault> {
    let issuer = registration.and_then(|registration| registration.issuer.as_ref());
    let span = asked.as_ref().map_or(0..0, Spanned::span);
    match (asked.map(Spanned::into_inner), issuer) {
        (Some(IdTokenName::Claims | IdTokenName::Signature), None) => {
            let why = "an ID token can only be checked where its issuer is known: write \
                       issuer = \"https://...\" in [client]";
            Err(Fault::at(span, why))
        }
        (Some(IdTokenName::None), _) | (None, None) => Ok(IdTokenCheck::None),
        (Some(IdTokenName::Claims) | None, Some(_)) => Ok(IdTokenCheck::Claims),
        (Some(IdTokenName::Signature), Some(_)) => Ok(IdTokenCheck::Signature),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmbientTable {
    source: Option<Line>,
    needs: Vec<Vec<Variable>>,
    file: Option<AmbientFileTable>,
    help: Option<Line>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AmbientFileTable {
    variable: Variable,
    home: Line,
}

impl AmbientTable {
    fn ambient(self) -> Ambient {
        Ambient {
            source: self.source.map(|line| line.0),
            needs: self.needs.into_iter().map(texts).collect(),
            file: self.file.map(|file| AmbientFile {
                variable: file.variable.0,
                home: file.home.0,
            }),
            help: self.help.map(|line| line.0),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct DialectTable {
    body: BodyName,
    headers: Headers,
    state_in_token_request: bool,
    revocation_body: BodyName,
    expiry_member: Option<Line>,
}

impl DialectTable {
    fn dialect(self) -> Dialect {
        Dialect {
            body: self.body.body(),
            headers: self.headers.0.into_iter().collect(),
            state_in_token_request: self.state_in_token_request,
            revocation_body: self.revocation_body.body(),
            expiry_member: self.expiry_member.map(|line| line.0),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BodyName {
    #[default]
    Form,
    Json,
}

impl BodyName {
    fn body(self) -> Body {
        match self {
            Self::Form => Body::Form,
            Self::Json => Body::Json,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum IdTokenName {
    None,
    Claims,
    Signature,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AccountTable {
    id: Vec<Claim>,
    email: Vec<Claim>,
    plan: Vec<Claim>,
    required: bool,
    userinfo: Option<Address>,
    keep: BTreeMap<String, Claim>,
    client_id_as: Option<Line>,
}

impl AccountTable {
    fn account(self) -> Account {
        let paths = |claims: Vec<Claim>| claims.into_iter().map(|at| at.0).collect();
        Account {
            id: paths(self.id),
            email: paths(self.email),
            plan: paths(self.plan),
            required: self.required,
            userinfo: self.userinfo.map(|address| address.0),
            keep: self
                .keep
                .into_iter()
                .map(|(name, at)| (name, at.0))
                .collect(),
            client_id_as: self.client_id_as.map(|line| line.0),
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RefreshTable {
    margin: Option<Span>,
    idle: Option<Span>,
    baked_margin: Option<Span>,
    keeps_refresh_token: Option<bool>,
    idle_limit: Option<Span>,
}

impl RefreshTable {
    fn policy(self) -> RefreshPolicy {
        let usual = RefreshPolicy::default();
        let keeps = self.keeps_refresh_token;
        RefreshPolicy {
            automatic: usual.automatic,
            margin: self.margin.map_or(usual.margin, |span| span.0),
            idle: self.idle.map_or(usual.idle, |span| span.0),
            baked_margin: self.baked_margin.map_or(usual.baked_margin, |span| span.0),
            keeps_refresh_token: keeps.unwrap_or(usual.keeps_refresh_token),
            idle_limit: self.idle_limit.map(|span| span.0),
        }
    }
}

#[cfg(test)]
mod tests;
