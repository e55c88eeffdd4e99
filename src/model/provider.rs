//! What a provider is: everything a manifest may say.
//!
//! Each departure from the RFCs that was seen in the wild is a knob here and data in a manifest,
//! never code that asks "is it this provider?".

use std::time::Duration;

use super::id::ProviderId;

/// A provider, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub id: ProviderId,
    /// What people call it.
    pub name: String,
    /// Environment variables that may carry a key or token, the first non-blank wins.
    pub env: Vec<String>,
    /// Sign-ins of other software that hold no key to hand out; the first that is there wins.
    pub ambient: Vec<Ambient>,
    /// Whose client id a login uses, and when that was checked; shown once at login.
    pub policy: Option<String>,
    /// The model that `login --set-default` makes the default, as `provider/model`.
    pub default_model: Option<String>,
    /// The OAuth client, where there is one.
    pub client: Option<Client>,
    /// The ways to log in, the preferred one first.
    pub flows: Vec<Flow>,
    /// Where the server departs from the RFCs.
    pub dialect: Dialect,
    /// Where to find out whose login it is.
    pub account: Account,
    /// How a grant is kept alive.
    pub refresh: RefreshPolicy,
}

impl Provider {
    /// The browser flow, if there is one.
    pub fn browser(&self) -> Option<&BrowserFlow> {
        self.flows.iter().find_map(|flow| match flow {
            Flow::Browser(browser) => Some(browser),
            Flow::Token(_) | Flow::Key(_) => None,
        })
    }

    /// The rules for a pasted token, if there are any.
    pub fn token_shape(&self) -> Option<&TokenFlow> {
        self.flows.iter().find_map(|flow| match flow {
            Flow::Token(token) => Some(token),
            Flow::Browser(_) | Flow::Key(_) => None,
        })
    }
}

/// A sign-in that the provider's own software finds by itself: it speaks for the provider, and
/// there is no key in it to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ambient {
    /// What status calls it; without one, the variables that were found.
    pub source: Option<String>,
    /// Of each list one variable must be set.
    pub needs: Vec<Vec<String>>,
    /// The file that must exist.
    pub file: Option<AmbientFile>,
    /// The command that makes it.
    pub help: Option<String>,
}

/// Where the file of an [`Ambient`] sign-in lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AmbientFile {
    /// The variable that names it.
    pub variable: String,
    /// Its path in the home directory where that variable is not set.
    pub home: String,
}

/// The OAuth client and its endpoints.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// `client_id`: public; no secret of another vendor is ever shipped.
    pub id: String,
    /// The authorization endpoint.
    pub authorize: String,
    /// The token endpoint.
    pub token: String,
    /// The issuer, compared with `iss` where the server sends it (RFC 9207).
    pub issuer: Option<String>,
}

/// One way to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Authorization code with PKCE in a browser (RFC 8252).
    Browser(BrowserFlow),
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
            Self::Token(_) => "setup-token",
            Self::Key(_) => "api-key",
        }
    }
}

/// Authorization code with PKCE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrowserFlow {
    /// The host of the redirect URI, exactly as registered: `localhost` or a loopback literal.
    pub redirect_host: String,
    /// The registered ports, tried in order; `0` stands for any free one (RFC 8252 section 7.3).
    pub ports: Vec<u16>,
    /// The path of the redirect URI.
    pub path: String,
    /// The scopes asked for.
    pub scopes: Vec<String>,
    /// More parameters of the authorization request; none may override a standard one.
    pub params: Vec<(String, String)>,
}

impl BrowserFlow {
    /// The redirect URI with one of the registered ports, exactly as it is sent.
    pub fn redirect_uri(&self, port: u16) -> String {
        format!("http://{}:{port}{}", self.redirect_host, self.path)
    }
}

/// The rules for a token made elsewhere.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenFlow {
    /// What it starts with.
    pub prefix: Option<String>,
    /// The fewest characters it can have.
    pub min_length: usize,
    /// The command or page that makes one, for the prompt.
    pub help: Option<String>,
}

/// The rules for an API key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFlow {
    /// What it starts with.
    pub prefix: Option<String>,
    /// The page that makes one.
    pub help: Option<String>,
}

/// Where a server departs from the RFCs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// The body of a token request: form as RFC 6749 says, or JSON.
    pub body: Body,
    /// More headers of a token request.
    pub headers: Vec<(String, String)>,
    /// Whether `state` is repeated in the token request (Anthropic).
    pub state_in_token_request: bool,
}

/// How the parameters of a token request are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// Where to find out whose login it is. Each place is `access_token` or `id_token`, then a JSON
/// pointer (RFC 6901) into its claims; or `response` and a pointer into the token response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// The stable id of the account, in order of preference.
    pub id: Vec<ClaimPath>,
    /// The e-mail, in order of preference.
    pub email: Vec<ClaimPath>,
    /// The plan, for display.
    pub plan: Vec<ClaimPath>,
    /// Whether a login without an account id fails.
    pub required: bool,
}

/// One place where a claim may stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath {
    /// Which document.
    pub source: ClaimSource,
    /// A JSON pointer into it.
    pub pointer: String,
}

/// Which document a claim stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClaimSource {
    /// The payload of the access token, a JWT.
    AccessToken,
    /// The payload of the ID token.
    IdToken,
    /// The token response itself.
    Response,
}

/// How a grant is kept alive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshPolicy {
    /// A token with no more than this left is due.
    pub margin: Duration,
    /// Subtracted from the expiry when it is stored; OpenClaw bakes five minutes into Anthropic's.
    pub baked_margin: Duration,
    /// Whether an answer without a new refresh token keeps the old one (RFC 6749 section 6).
    pub keeps_refresh_token: bool,
}

impl Default for RefreshPolicy {
    fn default() -> Self {
        Self {
            margin: Duration::from_secs(300),
            baked_margin: Duration::ZERO,
            keeps_refresh_token: true,
        }
    }
}
