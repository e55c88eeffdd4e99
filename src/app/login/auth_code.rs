//! Login with an authorization code: the authorization request and the exchange. How the code comes
//! back is not known here.

use crate::model::hint::Command;
use crate::model::provider::{BrowserFlow, Client, Flow, Provider};
use crate::oauth::authorization::{
    self, AuthorizationCode, AuthorizationRequest, PendingAuthorization,
};
use crate::oauth::error::OAuthError;
use crate::oauth::{code_exchange, key_exchange};

use super::login_result::LoginResult;
use super::redirect;
use super::request::{Login, kind_of, not_granted};
use super::saved_login::{Awaited, Sent};
use super::saver::Saver;
use crate::app::context::Context;
use crate::app::failure::{Failure, Kind};
use crate::app::issuer::registration::{self, Use};
use crate::app::issuer::verify_login;

/// A flow that ends in a code, and the client that it is for.
pub(super) struct CodeFlow {
    pub(super) flow: BrowserFlow,
    pub(super) client: Client,
}

impl CodeFlow {
    /// Prepares the flow of a method that ends in a code.
    ///
    /// # Errors
    /// If something is missing that the user must bring, or is not fit; [`Kind::Usage`] for another
    /// method.
    pub(super) fn of(cx: Context<'_>, provider: &Provider, chosen: &Flow) -> Result<Self, Failure> {
        let Flow::Browser(flow) = chosen else {
            let method = chosen.method();
            let message = format!("{method} cannot be split into --start and --finish");
            let whole = Command::login(&provider.id, None);
            return Err(Failure::new(Kind::Usage, message).hint(whole.option("--method", method)));
        };
        let flow = redirect::chosen(cx, flow)?;
        let client = match &flow.key_exchange {
            None => registration::resolve(cx, provider, Use::Login(chosen))?,
            Some(keys) => keys.client(),
        };
        Ok(Self { flow, client })
    }

    /// Builds the authorization request.
    ///
    /// # Errors
    /// If there is no randomness, or an address of the manifest is malformed.
    pub(super) fn begin(
        &self,
        cx: Context<'_>,
        redirect_uri: &str,
    ) -> Result<AuthorizationRequest, Failure> {
        let begun = authorization::begin(&self.client, &self.flow, redirect_uri, cx.random);
        begun.map_err(|error| Failure::new(Kind::Storage, error.to_string()))
    }

    /// Whether it ends in a grant; else in an API key. Only for a grant a code without its `state`
    /// may be used if the user agrees.
    pub(super) fn ends_in_grant(&self) -> bool {
        self.flow.key_exchange.is_none()
    }

    /// Makes a file ready for the answer, and fetches the keys that it is checked by.
    ///
    /// # Errors
    /// What the disk says; the code was not sent.
    pub(super) fn prepare<'a>(
        &self,
        login: Login<'a>,
        attempt: &PendingAuthorization,
    ) -> Result<Saver<'a>, Failure> {
        let awaited = match self.ends_in_grant() {
            true => Awaited::Grant,
            false => Awaited::Key,
        };
        verify_login::fetch_keys(login.cx, login.provider, &self.client);
        // Whoever got hold of the URL may have sent the code.
        let sent = Sent::Code {
            is_own: !login.asks(),
        };
        let nonce = attempt.nonce.as_ref();
        Saver::prepare(login, &self.client, awaited, nonce, sent)
    }

    /// Exchanges the code, once.
    ///
    /// # Errors
    /// Why nothing came of it, and by its kind what that means for the code.
    pub(super) fn exchange(
        &self,
        login: Login<'_>,
        attempt: &PendingAuthorization,
        code: &AuthorizationCode,
        saver: &Saver<'_>,
    ) -> Result<LoginResult, OAuthError> {
        let Login { cx, provider, .. } = login;
        let (client, now) = (&self.client, cx.clock.now());
        if !self.ends_in_grant() {
            let key = key_exchange::exchange(saver, client, attempt, code, now)?;
            return Ok(LoginResult::Key(key));
        }
        let grant = code_exchange::exchange(saver, provider, client, attempt, code, now)?;
        Ok(LoginResult::Grant {
            client: Box::new(client.clone()),
            grant: Box::new(grant),
        })
    }
}

/// Makes the failure for a failed exchange.
pub(super) fn exchange_failure(provider: &Provider, error: &OAuthError) -> Failure {
    let what = "could not exchange the code for a token";
    not_granted(kind_of(error), what, error).hint(Command::login(&provider.id, None))
}
