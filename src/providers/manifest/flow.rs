//! The `[[flow]]` tables.

use std::time::Duration;

use serde::Deserialize;

use super::super::checked::{
    AbsolutePath, Address, HeaderName, HostPattern, Line, Params, Ports, ProfileName, RedirectHost,
    RedirectPath, Span, Variable,
};
use super::texts;
use crate::model::provider::{
    BrowserFlow, ClientCredentialsFlow, DeviceFlow, DeviceScheme, Flow, KeyExchangeFlow, KeyFlow,
    Loopback, ProgramFlow, Redirect, Stored, TokenFlow,
};

/// The wait between two polls where nobody names one (RFC 8628 section 3.2).
const USUAL_INTERVAL: Duration = Duration::from_secs(5);

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum FlowTable {
    Browser {
        host: Option<RedirectHost>,
        ports: Option<Ports>,
        path: Option<RedirectPath>,
        redirect_uri: Option<Address>,
        redirect_env: Option<Variable>,
        #[serde(default)]
        scopes: Vec<Line>,
        scopes_env: Option<Variable>,
        #[serde(default)]
        params: Params,
        #[serde(default)]
        nonce: bool,
    },
    KeyExchange {
        authorize: Address,
        exchange: Address,
        host: RedirectHost,
        ports: Ports,
        path: RedirectPath,
    },
    Device {
        #[serde(default)]
        scheme: SchemeName,
        #[serde(default)]
        scopes: Vec<Line>,
        #[serde(default)]
        params: Params,
        #[serde(default)]
        pkce: bool,
        #[serde(default)]
        hosts: Vec<HostPattern>,
        interval: Option<Span>,
        #[serde(default)]
        stores: StoredName,
        profile: Option<ProfileName>,
        request_id: Option<HeaderName>,
        code: Option<Address>,
        poll: Option<Address>,
        verification: Option<Address>,
        redirect: Option<Address>,
    },
    ClientCredentials {
        #[serde(default)]
        scopes: Vec<Line>,
        #[serde(default)]
        params: Params,
    },
    Program {
        path: Option<AbsolutePath>,
    },
    Token {
        prefix: Option<Line>,
        #[serde(default)]
        min_length: usize,
        help: Option<Line>,
    },
    Key {
        prefix: Option<Line>,
        help: Option<Line>,
    },
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum SchemeName {
    #[default]
    Rfc8628,
    UserCode,
    ServerPkce,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum StoredName {
    #[default]
    OAuth,
    Token,
}

impl FlowTable {
    pub(super) fn flow(self) -> Result<Flow, &'static str> {
        let text = |line: Option<Line>| line.map(|line| line.0);
        Ok(match self {
            Self::Browser {
                host,
                ports,
                path,
                redirect_uri,
                redirect_env,
                scopes,
                scopes_env,
                params,
                nonce,
            } => Flow::Browser(BrowserFlow {
                redirect: redirect(host, ports, path, redirect_uri)?,
                redirect_env: redirect_env.map(Into::into),
                scopes: texts(scopes),
                scopes_env: scopes_env.map(Into::into),
                params: params.0.into_iter().collect(),
                nonce,
            }),
            Self::KeyExchange {
                authorize,
                exchange,
                host,
                ports,
                path,
            } => Flow::KeyExchange(KeyExchangeFlow {
                authorize: authorize.0,
                exchange: exchange.0,
                redirect: Loopback {
                    host: host.0,
                    ports: ports.0,
                    path: path.0,
                },
            }),
            Self::Device {
                scheme,
                scopes,
                params,
                pkce,
                hosts,
                interval,
                stores,
                profile,
                request_id,
                code,
                poll,
                verification,
                redirect,
            } => Flow::Device(DeviceFlow {
                scheme: scheme.scheme([code, poll, verification, redirect])?,
                scopes: texts(scopes),
                params: params.0.into_iter().collect(),
                pkce,
                hosts: hosts.into_iter().map(|host| host.0).collect(),
                interval: interval.map_or(USUAL_INTERVAL, |span| span.0),
                stores: match stores {
                    StoredName::OAuth => Stored::OAuth,
                    StoredName::Token => Stored::Token,
                },
                profile: profile.map(|name| name.0),
                request_id: request_id.map(|name| name.0),
            }),
            Self::ClientCredentials { scopes, params } => {
                Flow::ClientCredentials(ClientCredentialsFlow {
                    scopes: texts(scopes),
                    params: params.0.into_iter().collect(),
                })
            }
            Self::Program { path } => Flow::Program(ProgramFlow {
                path: path.map(|path| path.0),
            }),
            Self::Token {
                prefix,
                min_length,
                help,
            } => Flow::Token(TokenFlow {
                prefix: text(prefix),
                min_length,
                help: text(help),
            }),
            Self::Key { prefix, help } => Flow::Key(KeyFlow {
                prefix: text(prefix),
                help: text(help),
            }),
        })
    }
}

fn redirect(
    host: Option<RedirectHost>,
    ports: Option<Ports>,
    path: Option<RedirectPath>,
    elsewhere: Option<Address>,
) -> Result<Redirect, &'static str> {
    match (host, ports, path, elsewhere) {
        (Some(host), Some(ports), Some(path), None) => Ok(Redirect::Loopback(Loopback {
            host: host.0,
            ports: ports.0,
            path: path.0,
        })),
        (None, None, None, Some(page)) => Ok(Redirect::Elsewhere(page.0)),
        _ => Err("a browser flow needs host, ports and path, or redirect_uri alone"),
    }
}

impl SchemeName {
    /// Only OpenAI's own scheme has addresses in the flow; the others take them from `[client]`.
    fn scheme(self, addresses: [Option<Address>; 4]) -> Result<DeviceScheme, &'static str> {
        match (self, addresses) {
            (Self::Rfc8628, [None, None, None, None]) => Ok(DeviceScheme::Rfc8628),
            (Self::UserCode, [None, None, None, None]) => Ok(DeviceScheme::UserCode),
            (Self::ServerPkce, [Some(code), Some(poll), Some(verification), Some(redirect)]) => {
                Ok(DeviceScheme::ServerPkce {
                    code: code.0,
                    poll: poll.0,
                    verification: verification.0,
                    redirect: redirect.0,
                })
            }
            _ => Err(
                "a device flow of the scheme server_pkce needs code, poll, verification and redirect; the others have none of them",
            ),
        }
    }
}
