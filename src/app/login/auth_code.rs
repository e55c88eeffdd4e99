//! Login with an authorization code: the authorization request, the exchange, and how the result is
//! stored. How the code comes back is not known here.

use crate::app::login::store_login::keep;
use crate::model::grant::Binding;
use crate::model::hint::Command;
use crate::model::provider::{
    BrowserFlow, Client, DeviceFlow, Flow, KeyExchangeFlow, Provider, Redirect,
};
use crate::oauth::authorization::{
    self, AuthorizationCode, AuthorizationRequest, PendingAuthorization,
};
use crate::oauth::code_exchange;
use crate::oauth::error::OAuthError;
use crate::oauth::grant::Grant;
use crate::oauth::key_exchange::{self, Key};

use super::request::Request;
use super::{device, redirect, store_key};
use crate::app::context::Context;
use crate::app::deposit::StoredProfile;
use crate::app::failure::{Failure, Kind};
use crate::app::issuer::registration::{self, Use};

/// A flow that ends in a code.
pub(in crate::app) struct CodeFlow {
    pub(in crate::app) redirect: Redirect,
    becomes: CodePurpose,
}

/// What the code is exchanged for.
enum CodePurpose {
    Grant {
        client: Box<Client>,
        flow: Box<BrowserFlow>,
    },
    Key(KeyExchangeFlow),
}

/// The result of a login, not yet stored.
pub(in crate::app) enum LoginResult {
    /// A grant, and the client that it was issued to.
    Grant {
        client: Box<Client>,
        grant: Box<Grant>,
    },
    /// The result of a device flow.
    Device {
        client: Box<Client>,
        flow: Box<DeviceFlow>,
        grant: Box<Grant>,
    },
    Key(Key),
}

impl LoginResult {
    /// Stores it.
    ///
    /// # Errors
    /// What the store says, a provider that does not tell whose login it is, and a signal that came
    /// before anything was stored.
    pub(in crate::app) fn keep(
        self,
        cx: Context<'_>,
        request: &Request,
        provider: &Provider,
    ) -> Result<StoredProfile, Failure> {
        cx.uninterrupted()?;
        match self {
            Self::Grant { client, grant } => keep(cx, request, provider, &client, *grant),
            Self::Device {
                client,
                flow,
                grant,
            } => device::keep_grant(cx, request, provider, &client, &flow, *grant),
            Self::Key(made) => store_key::keep(cx, request, provider, made),
        }
    }
}

impl CodeFlow {
    /// Prepares the flow of a method that ends in a code.
    ///
    /// # Errors
    /// If something is missing that the user must bring, or is not fit; [`Kind::Usage`] for another
    /// method.
    pub(in crate::app) fn of(
        cx: Context<'_>,
        provider: &Provider,
        flow: &Flow,
    ) -> Result<Self, Failure> {
        match flow {
            Flow::Browser(browser) => Self::to_grant(cx, provider, (flow, browser)),
            Flow::KeyExchange(flow) => Ok(Self::to_key(flow)),
            other => {
                let method = other.method();
                let message = format!("{method} cannot be split into --start and --finish");
                let whole = Command::login(&provider.id, None);
                Err(Failure::new(Kind::Usage, message).hint(whole.option("--method", method)))
            }
        }
    }

    fn to_grant(
        cx: Context<'_>,
        provider: &Provider,
        (chosen, flow): (&Flow, &BrowserFlow),
    ) -> Result<Self, Failure> {
        let flow = redirect::chosen(cx, flow)?;
        Ok(Self {
            redirect: flow.redirect.clone(),
            becomes: CodePurpose::Grant {
                client: Box::new(registration::resolve(cx, provider, Use::Login(chosen))?),
                flow: Box::new(flow),
            },
        })
    }

    fn to_key(flow: &KeyExchangeFlow) -> Self {
        Self {
            redirect: Redirect::Loopback(flow.redirect.clone()),
            becomes: CodePurpose::Key(flow.clone()),
        }
    }

    /// Builds the authorization request.
    ///
    /// # Errors
    /// If there is no randomness, or an address of the manifest is malformed.
    pub(in crate::app) fn begin(
        &self,
        cx: Context<'_>,
        redirect_uri: &str,
    ) -> Result<AuthorizationRequest, Failure> {
        let begun = match &self.becomes {
            CodePurpose::Grant { client, flow } => {
                authorization::begin(client, flow, redirect_uri, cx.random)
            }
            CodePurpose::Key(flow) => key_exchange::begin(flow, redirect_uri, cx.random),
        };
        begun.map_err(|error| Failure::new(Kind::Storage, error.to_string()))
    }

    /// Whether a code without its `state` may be used if the user agrees.
    pub(in crate::app) fn takes_bare_codes(&self) -> bool {
        matches!(self.becomes, CodePurpose::Grant { .. })
    }

    pub(in crate::app) fn client(&self) -> Option<&Client> {
        match &self.becomes {
            CodePurpose::Grant { client, .. } => Some(client),
            CodePurpose::Key(_) => None,
        }
    }

    /// Returns where the code and the verifier are sent.
    pub(in crate::app) fn binding(&self) -> Binding {
        match &self.becomes {
            CodePurpose::Grant { client, .. } => client.binding(),
            CodePurpose::Key(flow) => Binding {
                token_endpoint: flow.exchange.clone(),
                client_id: String::new(),
            },
        }
    }

    /// Exchanges the code, once.
    ///
    /// # Errors
    /// Why nothing came of it, and by its kind what that means for the code.
    pub(in crate::app) fn exchange(
        &self,
        cx: Context<'_>,
        provider: &Provider,
        attempt: &PendingAuthorization,
        code: &AuthorizationCode,
    ) -> Result<LoginResult, OAuthError> {
        match &self.becomes {
            CodePurpose::Grant { client, .. } => {
                let now = cx.clock.now();
                let grant = code_exchange::exchange(cx.http, provider, client, attempt, code, now)?;
                Ok(LoginResult::Grant {
                    client: client.clone(),
                    grant: Box::new(grant),
                })
            }
            CodePurpose::Key(flow) => {
                key_exchange::exchange(cx.http, flow, attempt, code, cx.clock.now())
                    .map(LoginResult::Key)
            }
        }
    }
}

/// Makes the failure for a login that the provider refused.
pub(in crate::app) fn refused(
    request: &Request,
    provider: &Provider,
    code: &str,
    description: &str,
) -> Failure {
    let words = if description.is_empty() {
        code.to_owned()
    } else {
        format!("{code}: {description}")
    };
    let message = format!("login denied ({words})");
    Failure::new(Kind::NeedsLogin, message)
        .code(code)
        .hint(Command::login(&provider.id, request.profile.as_ref()))
}

/// Makes the failure for a failed exchange.
pub(in crate::app) fn exchange_failure(provider: &Provider, error: &OAuthError) -> Failure {
    let message = format!("could not exchange the code for a token: {error}");
    let kind = if error.is_transient() {
        Kind::Temporary
    } else {
        Kind::NeedsLogin
    };
    let failure = Failure::new(kind, message).hint(Command::login(&provider.id, None));
    match error {
        OAuthError::Refused(refusal) => failure.code(&refusal.code),
        _ => failure,
    }
}
