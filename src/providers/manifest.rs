//! A manifest: the TOML text that describes a provider.
//!
//! The invariant: what gets through here is safe to act on. Addresses are https (loopback
//! excepted), no parameter or header overrides one that the protocol sets, names cannot steer a
//! terminal, and an unknown key is an error, since a misspelt `required` would otherwise switch a
//! check off. `builtin/README.md` documents the format.

mod client;
mod flow;

use std::collections::BTreeMap;

use serde::Deserialize;

use super::checked::{Address, Claim, Headers, Id, Line, Schema, Span, Variable};
use crate::model::id::printable;
use crate::model::provider::{
    Account, Ambient, AmbientFile, Body, DeviceScheme, Dialect, Flow, IdTokenCheck, Provider,
    RefreshPolicy, Registration,
};
use client::ClientTable;
use flow::FlowTable;

/// What is wrong with a manifest, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {message}", position(*.line, *.column))]
pub struct ManifestError {
    /// The file, as a person knows it.
    pub file: String,
    /// The line, from 1; 0 where the fault has no one place.
    pub line: usize,
    /// The column, from 1; 0 where the fault has no one place.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

fn position(line: usize, column: usize) -> String {
    match line {
        0 => String::new(),
        _ => format!(":{line}:{column}"),
    }
}

/// Reads a manifest; `file` names it in errors. The second value is whether it says that it
/// replaces a built-in one.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn parse(text: &str, file: &str) -> Result<(Provider, bool), ManifestError> {
    let error = |span: Option<std::ops::Range<usize>>, message: &str| {
        let (line, column) = span.map_or((0, 0), |span| place(text, span.start));
        ManifestError {
            file: file.to_owned(),
            line,
            column,
            // The parser quotes keys as they stand in the file.
            message: printable(message, 400),
        }
    };
    let manifest: Manifest =
        toml::from_str(text).map_err(|fault| error(fault.span(), fault.message()))?;
    let replaces = manifest.replaces;
    let provider = manifest.provider().map_err(|why| error(None, why))?;
    Ok((provider, replaces))
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
    ambient: Vec<AmbientTable>,
    policy: Option<Line>,
    default_model: Option<Line>,
    client: Option<ClientTable>,
    #[serde(default, rename = "flow")]
    flows: Vec<FlowTable>,
    #[serde(default)]
    dialect: DialectTable,
    #[serde(default)]
    account: AccountTable,
    id_token: Option<IdTokenName>,
    #[serde(default)]
    refresh: RefreshTable,
}

impl Manifest {
    fn provider(self) -> Result<Provider, &'static str> {
        let flows = self.flows.into_iter().map(FlowTable::flow);
        let flows = flows.collect::<Result<Vec<Flow>, _>>()?;
        let registration = self.client.map(ClientTable::registration).transpose()?;
        for flow in &flows {
            suits(flow, registration.as_ref())?;
        }
        Ok(Provider {
            id: self.id.0,
            name: self.name.0,
            env: texts(self.env),
            ambient: self
                .ambient
                .into_iter()
                .map(AmbientTable::ambient)
                .collect(),
            policy: self.policy.map(|line| line.0),
            default_model: self.default_model.map(|line| line.0),
            id_token: id_token_check(self.id_token, registration.as_ref())?,
            registration,
            flows,
            dialect: self.dialect.dialect(),
            account: self.account.account(),
            refresh: self.refresh.policy(),
        })
    }
}

/// Whether the registration has what a flow speaks to. What metadata may tell is asked for later.
fn suits(flow: &Flow, registration: Option<&Registration>) -> Result<(), &'static str> {
    let Some(registration) = registration else {
        return match flow {
            Flow::Browser(_) => Err("a browser flow needs a [client]"),
            Flow::Device(_) => Err("a device flow needs a [client]"),
            Flow::ClientCredentials(_) => Err("a client_credentials flow needs a [client]"),
            _ => Ok(()),
        };
    };
    if registration.needs_metadata() {
        return Ok(());
    }
    match flow {
        Flow::Browser(_) if registration.authorize.is_none() => {
            Err("a browser flow needs `authorize` in [client]")
        }
        Flow::Device(device)
            if registration.device.is_none()
                && !matches!(device.scheme, DeviceScheme::ServerPkce { .. }) =>
        {
            Err("a device flow needs `device` in [client]")
        }
        Flow::ClientCredentials(_) if registration.secret.is_empty() => {
            Err("a client_credentials flow needs `secret` or `secret_env` in [client]")
        }
        _ => Ok(()),
    }
}

/// What is asked for, else as much as the issuer lets us check.
fn id_token_check(
    asked: Option<IdTokenName>,
    registration: Option<&Registration>,
) -> Result<IdTokenCheck, &'static str> {
    let issuer = registration.and_then(|registration| registration.issuer.as_ref());
    match (asked, issuer) {
        (Some(IdTokenName::Claims | IdTokenName::Signature), None) => {
            Err("id_token can only be checked with an `issuer` in [client]")
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
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct RefreshTable {
    margin: Option<Span>,
    baked_margin: Option<Span>,
    keeps_refresh_token: Option<bool>,
}

impl RefreshTable {
    fn policy(self) -> RefreshPolicy {
        let usual = RefreshPolicy::default();
        let keeps = self.keeps_refresh_token;
        RefreshPolicy {
            automatic: usual.automatic,
            margin: self.margin.map_or(usual.margin, |span| span.0),
            baked_margin: self.baked_margin.map_or(usual.baked_margin, |span| span.0),
            keeps_refresh_token: keeps.unwrap_or(usual.keeps_refresh_token),
        }
    }
}

fn texts<T: Into<String>>(values: Vec<T>) -> Vec<String> {
    values.into_iter().map(Into::into).collect()
}

#[cfg(test)]
mod tests;
