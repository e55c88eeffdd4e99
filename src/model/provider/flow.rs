//! The ways to log in.

use std::time::Duration;

use serde::Deserialize;

use super::checked::{AbsolutePath, Line, Params, Variable, plain};
use super::client::Client;
use super::loopback::Loopback;

/// One way to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Authorization code with PKCE in a browser (RFC 8252).
    Browser(BrowserFlow),
    /// A code that is typed in on any other machine (RFC 8628, and its relatives).
    Device(DeviceFlow),
    /// The client itself is who logs in (RFC 6749 section 4.4).
    ClientCredentials(ClientCredentialsFlow),
    /// An external program does it.
    Program(ProgramFlow),
    /// A long-lived token, made elsewhere and pasted here.
    Token(TokenFlow),
    /// An API key, made on the provider's site and pasted here.
    Key(KeyFlow),
}

impl Flow {
    /// The name for `--method`.
    pub fn method(&self) -> &'static str {
        match self {
            Self::Browser(_) => "oauth",
            Self::Device(_) => "device-code",
            Self::ClientCredentials(_) => "client-credentials",
            Self::Program(_) => "program",
            Self::Token(_) => "setup-token",
            Self::Key(_) => "api-key",
        }
    }

    /// Reports whether it is a login; else something made elsewhere is pasted.
    pub fn is_a_login(&self) -> bool {
        !matches!(self, Self::Token(_) | Self::Key(_))
    }
}

/// Authorization code with PKCE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserFlow {
    /// The redirect URI, exactly as registered.
    pub redirect: Redirect,
    /// A variable that may name the redirect URI instead, for a client that the user registered.
    pub redirect_env: Option<String>,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// A variable that may name the scopes instead, separated by spaces.
    pub scopes_env: Option<String>,
    /// More parameters of the authorization request; none may override a standard one.
    pub params: Vec<(String, String)>,
    /// Whether a `nonce` is sent, which the ID token must repeat.
    pub nonce: bool,
    /// Where the code becomes an API key instead of a grant (OpenRouter).
    pub key_exchange: Option<KeyExchange>,
}

impl BrowserFlow {
    /// A flow that asks for nothing in particular.
    pub fn to(redirect: Redirect) -> Self {
        Self {
            redirect,
            redirect_env: None,
            scopes: Vec::new(),
            scopes_env: None,
            params: Vec::new(),
            nonce: false,
            key_exchange: None,
        }
    }
}

/// The target of the redirect after the authorization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Redirect {
    /// To this program (RFC 8252 section 7.3).
    Loopback(Loopback),
    /// To a page elsewhere: the user copies what it shows, or its address, and pastes it here.
    Elsewhere(String),
}

impl Redirect {
    /// The redirect URI as it is sent, with the port that was bound or else the first one.
    pub fn uri(&self, bound: Option<u16>) -> String {
        match self {
            Self::Loopback(loopback) => {
                let port = bound.or_else(|| loopback.ports.first().copied());
                loopback.uri(port.unwrap_or(0))
            }
            Self::Elsewhere(page) => page.clone(),
        }
    }
}

/// The end of a browser login in an API key: the authorization request names a `callback_url` that
/// holds our `state`, and there is no client id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyExchange {
    /// The page where the user agrees.
    pub authorize: String,
    /// The endpoint that makes a key of code and verifier.
    pub exchange: String,
}

impl KeyExchange {
    /// The client without a name that code and verifier are sent for.
    pub fn client(&self) -> Client {
        Client {
            authorize: Some(self.authorize.clone()),
            ..Client::public("", &self.exchange)
        }
    }
}

/// A code that is shown here and typed in elsewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceFlow {
    /// Which protocol it is.
    pub scheme: DeviceScheme,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// More parameters of the device authorization request.
    pub params: Vec<(String, String)>,
    /// Whether a PKCE challenge goes with it (Qwen, MiniMax).
    pub pkce: bool,
    /// The hosts that a verification address may lie on, `*.` in front for every host below: a
    /// server that was taken over must not send people elsewhere (RFC 8628 section 5.4).
    pub hosts: Vec<String>,
    /// The wait between two polls where the server names none.
    pub interval: Duration,
    /// The kind of credential that its token becomes.
    pub stores: Stored,
    /// The name of the profile, behind its colon, for a token that does not tell whose it is;
    /// OpenClaw's is `github` for GitHub's.
    pub profile: Option<String>,
    /// A header that carries a fresh UUID with each device authorization request (Qwen, MiniMax).
    pub request_id: Option<String>,
}

/// The protocols of device codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeviceScheme {
    /// RFC 8628.
    Rfc8628,
    /// The user code takes the place of the device code, times are milliseconds, and an answer
    /// tells its `status` (MiniMax).
    UserCode,
    /// JSON endpoints of its own; the server makes the PKCE pair, and the poll gives an
    /// authorization code (OpenAI).
    ServerPkce {
        /// The endpoint that gives a user code.
        code: String,
        /// The endpoint that is polled.
        poll: String,
        /// The page on which the user types it.
        verification: String,
        /// The redirect URI that the token request names.
        redirect: String,
    },
}

/// The kind of credential that the token of a device flow becomes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stored {
    /// A grant that is refreshed.
    #[default]
    OAuth,
    /// A long-lived token without a refresh (GitHub).
    Token,
}

/// The client itself logs in; a new token is asked for where others refresh.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClientCredentialsFlow {
    /// The scopes asked for.
    #[serde(deserialize_with = "plain::<Vec<Line>, _>")]
    pub scopes: Vec<String>,
    /// More parameters of the token request.
    #[serde(deserialize_with = "plain::<Params, _>")]
    pub params: Vec<(String, String)>,
}

/// An external program, `openclaw-auth-<id>`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProgramFlow {
    /// Its absolute path; without one it is looked for on `PATH`.
    #[serde(deserialize_with = "plain::<Option<AbsolutePath>, _>")]
    pub path: Option<String>,
    /// The variables that it gets beside those of every program.
    #[serde(deserialize_with = "plain::<Vec<Variable>, _>")]
    pub program_env: Vec<String>,
}

/// The rules for a token made elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TokenFlow {
    /// Its prefix.
    #[serde(deserialize_with = "plain::<Option<Line>, _>")]
    pub prefix: Option<String>,
    /// The fewest characters it can have.
    pub min_length: usize,
    /// The most characters that one has which the command of `help` makes.
    pub max_length: Option<usize>,
    /// The command or page that makes one, for the prompt.
    #[serde(deserialize_with = "plain::<Option<Line>, _>")]
    pub help: Option<String>,
}

/// The rules for an API key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KeyFlow {
    /// Its prefix.
    #[serde(deserialize_with = "plain::<Option<Line>, _>")]
    pub prefix: Option<String>,
    /// The page that makes one.
    #[serde(deserialize_with = "plain::<Option<Line>, _>")]
    pub help: Option<String>,
    /// Whether a server of one's own takes requests without one.
    pub optional: bool,
}
