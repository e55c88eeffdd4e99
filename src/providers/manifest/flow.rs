//! The `[[flow]]` tables: one struct for each kind, so that a key of another kind is an unknown one.
//!
//! They are read from the tree and not by a tagged enum: that would buffer the table and lose where
//! in the file its values stand.

use std::ops::Range;
use std::time::Duration;

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;

use super::fault::Fault;
use super::tree::read;
use crate::model::provider::checked::{
    Address, Checked as _, HeaderName, HostPattern, Line, Params, PortList, ProfileName,
    RedirectHost, RedirectPath, Span, Variable,
};
use crate::model::provider::{
    BrowserFlow, DeviceFlow, DeviceScheme, Flow, KeyExchange, Loopback, Redirect, Stored,
};

/// The wait between two polls where nobody names one (RFC 8628 section 3.2).
const USUAL_INTERVAL: Duration = Duration::from_secs(5);

/// The kinds, for messages.
const KINDS: &str = "\"browser\", \"key_exchange\", \"device\", \"client_credentials\", \
     \"program\", \"token\" or \"key\"";

/// A flow, and where its table begins.
pub(super) struct FlowAt {
    pub(super) flow: Flow,
    pub(super) span: Range<usize>,
}

/// Reads what stands under `flow`.
pub(super) fn flows(value: Spanned<DeValue<'_>>) -> Result<Vec<FlowAt>, Fault> {
    let span = value.span();
    let DeValue::Array(tables) = value.into_inner() else {
        return Err(Fault::at(span, "write [[flow]], in two pairs of brackets"));
    };
    tables.into_iter().map(flow).collect()
}

fn flow(mut value: Spanned<DeValue<'_>>) -> Result<FlowAt, Fault> {
    let span = value.span();
    let table = match value.get_mut() {
        DeValue::Table(table) => Some(table),
        _ => None,
    };
    let Some(kind) = table.and_then(|table| table.remove("kind")) else {
        let message = format!("a flow needs a kind: write kind = {KINDS}");
        return Err(Fault::at(span, message));
    };
    let flow = match kind.get_ref().as_str().unwrap_or_default() {
        "browser" => read::<BrowserTable>(value)?.flow(),
        "key_exchange" => Ok(read::<KeyExchangeTable>(value)?.flow()),
        "device" => read::<DeviceTable>(value)?.flow(),
        "client_credentials" => Ok(Flow::ClientCredentials(read(value)?)),
        "program" => Ok(Flow::Program(read(value)?)),
        "token" => Ok(Flow::Token(read(value)?)),
        "key" => Ok(Flow::Key(read(value)?)),
        _ => {
            let message = format!("unknown kind of flow: write kind = {KINDS}");
            return Err(Fault::at(kind.span(), message));
        }
    };
    match flow {
        Ok(flow) => Ok(FlowAt { flow, span }),
        Err(why) => Err(Fault::at(span, why)),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrowserTable {
    host: Option<RedirectHost>,
    ports: Option<PortList>,
    path: Option<RedirectPath>,
    redirect_uri: Option<Address>,
    redirect_env: Option<Variable>,
    #[serde(default)]
    scopes: Vec<Line>,
    scopes_env: Option<Variable>,
    params: Option<Params>,
    #[serde(default)]
    nonce: bool,
}

impl BrowserTable {
    fn flow(self) -> Result<Flow, &'static str> {
        let redirect = match (self.host, self.ports, self.path, self.redirect_uri) {
            (Some(host), Some(ports), Some(path), None) => {
                Redirect::Loopback(loopback(host, ports, path))
            }
            (None, None, None, Some(page)) => Redirect::Elsewhere(page.plain()),
            _ => {
                return Err(
                    "a browser flow needs host, ports and path of the registered loopback \
                     redirect, or redirect_uri alone",
                );
            }
        };
        Ok(Flow::Browser(BrowserFlow {
            key_exchange: None,
            redirect,
            redirect_env: self.redirect_env.plain(),
            scopes: self.scopes.plain(),
            scopes_env: self.scopes_env.plain(),
            params: self.params.plain().unwrap_or_default(),
            nonce: self.nonce,
        }))
    }
}

fn loopback(host: RedirectHost, ports: PortList, path: RedirectPath) -> Loopback {
    Loopback {
        host: host.plain(),
        ports: ports.plain(),
        path: path.plain(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyExchangeTable {
    authorize: Address,
    exchange: Address,
    host: RedirectHost,
    ports: PortList,
    path: RedirectPath,
}

impl KeyExchangeTable {
    fn flow(self) -> Flow {
        let redirect = Redirect::Loopback(loopback(self.host, self.ports, self.path));
        Flow::Browser(BrowserFlow {
            key_exchange: Some(KeyExchange {
                authorize: self.authorize.plain(),
                exchange: self.exchange.plain(),
            }),
            ..BrowserFlow::to(redirect)
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceTable {
    #[serde(default)]
    scheme: SchemeName,
    #[serde(default)]
    scopes: Vec<Line>,
    params: Option<Params>,
    #[serde(default)]
    pkce: bool,
    #[serde(default)]
    hosts: Vec<HostPattern>,
    interval: Option<Span>,
    #[serde(default)]
    stores: Stored,
    profile: Option<ProfileName>,
    request_id: Option<HeaderName>,
    code: Option<Address>,
    poll: Option<Address>,
    verification: Option<Address>,
    redirect: Option<Address>,
}

impl DeviceTable {
    fn flow(self) -> Result<Flow, &'static str> {
        let addresses = [self.code, self.poll, self.verification, self.redirect];
        Ok(Flow::Device(DeviceFlow {
            scheme: self.scheme.scheme(addresses)?,
            scopes: self.scopes.plain(),
            params: self.params.plain().unwrap_or_default(),
            pkce: self.pkce,
            hosts: self.hosts.plain(),
            interval: self.interval.plain().unwrap_or(USUAL_INTERVAL),
            stores: self.stores,
            profile: self.profile.plain(),
            request_id: self.request_id.plain(),
        }))
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SchemeName {
    #[default]
    Rfc8628,
    UserCode,
    ServerPkce,
}

impl SchemeName {
    /// Only OpenAI's own scheme has addresses in the flow; the others take them from `[client]`.
    fn scheme(self, addresses: [Option<Address>; 4]) -> Result<DeviceScheme, &'static str> {
        match (self, addresses) {
            (Self::Rfc8628, [None, None, None, None]) => Ok(DeviceScheme::Rfc8628),
            (Self::UserCode, [None, None, None, None]) => Ok(DeviceScheme::UserCode),
            (Self::ServerPkce, [Some(code), Some(poll), Some(verification), Some(redirect)]) => {
                Ok(DeviceScheme::ServerPkce {
                    code: code.plain(),
                    poll: poll.plain(),
                    verification: verification.plain(),
                    redirect: redirect.plain(),
                })
            }
            (Self::ServerPkce, _) => Err(
                "a device flow of the scheme server_pkce needs code, poll, verification and \
                 redirect",
            ),
            _ => Err(
                "code, poll, verification and redirect are for the scheme server_pkce; the \
                 others take `device` and `token` of [client]",
            ),
        }
    }
}
