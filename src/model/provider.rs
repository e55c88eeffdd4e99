//! What a provider is: everything a manifest may say.
//!
//! Each departure from the RFCs that was seen in the wild is a knob here and data in a manifest,
//! never code that asks "is it this provider?".

mod account;
mod billing;
pub(crate) mod checked;
mod claim;
mod client;
mod flow;
mod loopback;
mod probe;
pub(crate) mod referable;
mod refusals;

use std::time::Duration;

use serde::Deserialize;

use super::id::ProviderId;
use super::kind::Kind;
use checked::{Headers, Line, Span, Variable, plain};

pub use account::Account;
pub use billing::{Bill, Billing};
pub use claim::{ClaimPath, ClaimSource};
pub use client::{Client, ClientAuth, ClientValue, Registration};
pub use flow::{
    BrowserFlow, ClientCredentialsFlow, DeviceFlow, DeviceScheme, Flow, KeyExchange, KeyFlow,
    ProgramFlow, Redirect, Stored, TokenFlow,
};
pub use loopback::{Loopback, is_loopback};
pub use probe::{Carrier, Probe, ProbeRoute, fill_body};
pub use refusals::Refusals;

/// A provider, as its manifest describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provider {
    /// Its name.
    pub id: ProviderId,
    /// Display name.
    pub name: String,
    /// What people call it besides; for no name that is an id.
    pub aliases: Vec<ProviderId>,
    /// Environment variables that may carry a key or token, the first non-blank wins.
    pub env: Vec<String>,
    /// Variables that programs of this provider read besides, and this one does not.
    pub tool_env: Vec<String>,
    /// Sign-ins of other software that hold no key to hand out; the first that is there wins.
    pub ambient: Vec<Ambient>,
    /// Whose client id a login uses, and when that was checked; shown once at login.
    pub policy: Option<String>,
    /// The model that `login --set-default` makes the default, as `provider/model`.
    pub default_model: Option<String>,
    /// The party that pays, by the kind of credential.
    pub billing: Billing,
    /// The OAuth client and its server, where there is one.
    pub registration: Option<Registration>,
    /// The ways to log in, the preferred one first.
    pub flows: Vec<Flow>,
    /// Where the server departs from the RFCs.
    pub dialect: Dialect,
    /// Where to find out whose login it is.
    pub account: Account,
    /// The checks of an ID token.
    pub id_token: IdTokenCheck,
    /// The rules for refreshing a grant.
    pub refresh: RefreshSettings,
    /// The request that tells whether a credential works, where one is known.
    pub probe: Option<Probe>,
}

impl Provider {
    /// Every variable in which a program may look for its credential, those that we read first.
    pub fn variables(&self) -> impl Iterator<Item = &String> {
        self.env.iter().chain(&self.tool_env)
    }

    /// A provider without a manifest, for which a program on `PATH` speaks.
    pub fn of_program(id: ProviderId) -> Self {
        Self {
            name: id.to_string(),
            id,
            aliases: Vec::new(),
            env: Vec::new(),
            tool_env: Vec::new(),
            ambient: Vec::new(),
            policy: None,
            default_model: None,
            billing: Billing::default(),
            registration: None,
            flows: vec![Flow::Program(ProgramFlow::default())],
            dialect: Dialect::default(),
            account: Account::default(),
            id_token: IdTokenCheck::default(),
            refresh: RefreshSettings::default(),
            probe: None,
        }
    }

    /// Reports whether its first flow is a login; else something is pasted.
    pub fn logs_in(&self) -> bool {
        self.flows.first().is_some_and(Flow::is_a_login)
    }

    /// Returns the kind of credential that its first flow stores.
    pub fn usual_kind(&self) -> Kind {
        match self.flows.first() {
            Some(Flow::Key(_)) => Kind::ApiKey,
            Some(flow) if flow.is_a_login() => Kind::OAuth,
            _ => Kind::Token,
        }
    }
}

/// Defines what finds the first flow of a kind.
macro_rules! first_flow {
    ($($(#[$doc:meta])* $name:ident: $kind:ident($flow:ty);)*) => {
        impl Provider {$(
            $(#[$doc])*
            pub fn $name(&self) -> Option<&$flow> {
                self.flows.iter().find_map(|flow| match flow {
                    Flow::$kind(flow) => Some(flow),
                    _ => None,
                })
            }
        )*}
    };
}

first_flow! {
    /// The browser flow, if there is one.
    browser: Browser(BrowserFlow);
    /// The device flow, if there is one.
    device: Device(DeviceFlow);
    /// The client credentials flow, if there is one.
    client_credentials: ClientCredentials(ClientCredentialsFlow);
    /// The program that speaks for the provider, if there is one.
    program: Program(ProgramFlow);
    /// The rules for a pasted token, if there are any.
    token_shape: Token(TokenFlow);
    /// The rules for an API key, if there are any.
    key_shape: Key(KeyFlow);
}

/// A sign-in that the provider's own software finds by itself: it speaks for the provider, and
/// there is no key in it to print.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ambient {
    /// The name in status; without one, the variables that were found.
    #[serde(default, deserialize_with = "plain::<Option<Line>, _>")]
    pub source: Option<String>,
    /// Of each list one variable must be set.
    #[serde(deserialize_with = "plain::<Vec<Vec<Variable>>, _>")]
    pub needs: Vec<Vec<String>>,
    /// The file that must exist.
    pub file: Option<AmbientFile>,
    /// The command that makes it.
    #[serde(default, deserialize_with = "plain::<Option<Line>, _>")]
    pub help: Option<String>,
}

/// The location of the file of an [`Ambient`] sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmbientFile {
    /// The variable that names it.
    #[serde(deserialize_with = "plain::<Variable, _>")]
    pub variable: String,
    /// Its path in the home directory where that variable is not set.
    #[serde(deserialize_with = "plain::<Line, _>")]
    pub home: String,
}

/// Where a server departs from the RFCs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Dialect {
    /// The body of a token request: form as RFC 6749 says, or JSON.
    pub body: Body,
    /// More headers of a token request.
    #[serde(deserialize_with = "plain::<Headers, _>")]
    pub headers: Vec<(String, String)>,
    /// Whether `state` is repeated in the token request (Anthropic).
    pub state_in_token_request: bool,
    /// The body of a revocation request: form as RFC 7009 says, or JSON.
    pub revocation_body: Body,
    /// The member of a token response that tells its life, where it is not `expires_in`: seconds
    /// from now, or a moment in seconds or milliseconds since the Unix epoch, told apart by size
    /// (MiniMax).
    #[serde(deserialize_with = "plain::<Option<Line>, _>")]
    pub expiry_member: Option<String>,
    /// More answers of the token endpoint that mean "log in again".
    pub refusals: Refusals,
}

/// The encoding of the parameters of a token request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// `application/x-www-form-urlencoded`.
    #[default]
    Form,
    /// `application/json`.
    Json,
}

/// How far an ID token is looked into before its claims count (OpenID Connect Core section
/// 3.1.3.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IdTokenCheck {
    /// Its claims are read and only name a profile: the issuer is not known.
    #[default]
    None,
    /// `iss`, `aud`, `azp`, `exp`, `iat` and `nonce` must be right. TLS stands for the signature.
    Claims,
    /// The signature must be right, too, by a key that the issuer publishes.
    Signature,
}

/// The rules for refreshing a grant.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RefreshSettings {
    /// Whether a token that is due is renewed when somebody asks for it; else only by command.
    #[serde(skip)]
    pub automatic: bool,
    /// A token with no more than this left is due.
    #[serde(deserialize_with = "plain::<Span, _>")]
    pub margin: Duration,
    /// A grant that was not used for so long is renewed by `tick`, however long its token lives:
    /// servers let unused refresh tokens die.
    #[serde(deserialize_with = "plain::<Span, _>")]
    pub idle: Duration,
    /// Subtracted from the expiry when it is stored; OpenClaw bakes five minutes into Anthropic's.
    #[serde(deserialize_with = "plain::<Span, _>")]
    pub baked_margin: Duration,
    /// How long an access token lives where a refresh token came with it, and neither the answer
    /// nor the token says.
    #[serde(deserialize_with = "plain::<Span, _>")]
    pub default_life: Duration,
    /// For how long a refresh token lives without being used, where the provider says so.
    #[serde(deserialize_with = "plain::<Option<Span>, _>")]
    pub idle_limit: Option<Duration>,
}

impl Default for RefreshSettings {
    fn default() -> Self {
        Self {
            automatic: true,
            margin: Duration::from_secs(300),
            idle: Duration::from_secs(7 * 86_400),
            baked_margin: Duration::ZERO,
            default_life: Duration::from_secs(3_600),
            idle_limit: None,
        }
    }
}
