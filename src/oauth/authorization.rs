//! Authorization requests (RFC 6749 section 4.1): the URL that goes out, and the judgement of the
//! callback that comes back. Pure: it neither listens nor sends.
//!
//! The invariant: `state` and the PKCE verifier are two independent random values, and a callback
//! is worth nothing before its `state` is proven (RFC 9700 section 2.1). Three clients sent the
//! verifier as `state` through the browser, which makes PKCE void.

use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, RedirectUrl, Scope};
use url::Url;

use super::pkce::{METHOD, code_challenge, code_verifier};
use super::redaction::clean;
use super::state_nonce::random_value;
use crate::model::grant::Refusal;
use crate::model::id::printable;
use crate::model::provider::{BrowserFlow, Client};
use crate::model::secret::Secret;
use crate::ports::host::{Random, RandomError};

/// An authorization request (RFC 6749 section 4.1.1).
#[derive(Debug)]
pub struct AuthorizationRequest {
    /// Opened in the browser. Holds `state` and the challenge, no secret that would let its reader
    /// take the login.
    pub url: String,
    /// Needed to accept the callback.
    pub pending: PendingAuthorization,
}

/// A login that waits for its callback: everything that must be known when the code comes, in this
/// process or in another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingAuthorization {
    /// The redirect URI exactly as sent; the token request repeats it (RFC 6749 section 4.1.3).
    pub redirect_uri: String,
    /// Proves that a callback is the answer to this request.
    pub state: Secret<String>,
    /// The PKCE verifier: who has it and the code has the login.
    pub code_verifier: Secret<String>,
    /// The nonce that the ID token must repeat, if one was sent.
    pub nonce: Option<Secret<String>>,
    /// The issuer that the callback may name (RFC 9207).
    pub issuer: Option<String>,
    /// Whether the callback must name the issuer.
    pub sends_iss: bool,
}

/// A failure to make an authorization request.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// There is no randomness.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The manifest's address or the redirect URI is no URL.
    #[error("{what} is missing or is not a URL")]
    Url {
        /// Which address.
        what: &'static str,
    },
}

/// The code of a callback whose `state` was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode(Secret<String>);

impl AuthorizationCode {
    /// A code that a person pasted bare. No `state` protects it against a code slipped in by
    /// somebody else, so the caller has the person confirm whose account it turned out to be.
    pub fn unproven(code: Secret<String>) -> Self {
        Self(code)
    }

    pub(super) fn secret(&self) -> &Secret<String> {
        &self.0
    }
}

/// A fault of a callback.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// `state` is another: the request is not the answer to this login.
    #[error("the state does not match this login")]
    WrongState,
    /// No `state`.
    #[error("the state is missing")]
    NoState,
    /// A parameter stands twice (RFC 6749 section 3.1 forbids it).
    #[error("the parameter {0} appears more than once")]
    Repeated(String),
    /// Neither `code` nor `error`.
    #[error("the authorization code is missing")]
    NoCode,
    /// The answer comes from another authorization server (RFC 9207 section 2.4).
    #[error("the response names another issuer")]
    WrongIssuer,
    /// The server announces that it names itself on every answer, and this one does not (RFC 9207
    /// section 2.4).
    #[error("the response does not name its issuer")]
    NoIssuer,
    /// The person or the provider refused: the login has ended. Everything else is a stray: it is
    /// answered, and the login goes on waiting, or any page could deny a login with one request.
    #[error("{}", .0.words())]
    Refused(Refusal),
}

/// Makes `state`, the PKCE pair and the authorization request.
///
/// # Errors
/// Fails if there is no randomness, or an address is malformed.
pub fn begin(
    client: &Client,
    flow: &BrowserFlow,
    redirect_uri: &str,
    random: &dyn Random,
) -> Result<AuthorizationRequest, BeginError> {
    let pending = PendingAuthorization {
        code_verifier: code_verifier(random)?,
        state: random_value(random)?,
        redirect_uri: redirect_uri.to_owned(),
        nonce: flow.nonce.then(|| random_value(random)).transpose()?,
        issuer: client.issuer.clone(),
        sends_iss: client.sends_iss,
    };
    let wrong = |what| move |_| BeginError::Url { what };
    let authorize = AuthUrl::new(client.authorize.clone().unwrap_or_default());
    let authorize = authorize.map_err(wrong("the authorization endpoint"))?;
    let redirect = RedirectUrl::new(redirect_uri.to_owned());
    let redirect = redirect.map_err(wrong("the redirect URI"))?;
    if flow.key_exchange.is_some() {
        let url = key_page(authorize.url().clone(), redirect.url().clone(), &pending);
        return Ok(AuthorizationRequest { url, pending });
    }
    let oauth = BasicClient::new(ClientId::new(client.id.clone()))
        .set_auth_uri(authorize)
        .set_redirect_uri(redirect);
    let mut request = oauth
        .authorize_url(|| CsrfToken::new(pending.state.expose().clone()))
        .set_pkce_challenge(code_challenge(&pending.code_verifier))
        .add_scopes(flow.scopes.iter().cloned().map(Scope::new));
    if let Some(nonce) = &pending.nonce {
        request = request.add_extra_param("nonce", nonce.expose());
    }
    for (name, value) in &flow.params {
        request = request.add_extra_param(name, value);
    }
    let url = request.url().0.into();
    Ok(AuthorizationRequest { url, pending })
}

/// The page of OpenRouter's PKCE flow for any application. There is no client id, and `state` is no
/// parameter of theirs, so it stands in the query of the `callback_url`, which comes back as it was.
fn key_page(mut page: Url, mut callback: Url, pending: &PendingAuthorization) -> String {
    let challenge = code_challenge(&pending.code_verifier);
    let state = pending.state.expose();
    callback.query_pairs_mut().append_pair("state", state);
    page.query_pairs_mut()
        .append_pair("callback_url", callback.as_str())
        .append_pair("code_challenge", challenge.as_str())
        .append_pair("code_challenge_method", METHOD);
    page.into()
}

impl PendingAuthorization {
    /// Judges the parameters of a callback: `state` first, in constant time.
    ///
    /// # Errors
    /// Returns what is wrong with it.
    pub fn read_callback(
        &self,
        query: &[(String, Secret<String>)],
    ) -> Result<AuthorizationCode, CallbackError> {
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, v)| v);
        if value("state").is_none() {
            return Err(CallbackError::NoState);
        }
        let mut states = query.iter().filter(|(key, _)| key == "state");
        if !states.all(|(_, state)| *state == self.state) {
            return Err(CallbackError::WrongState);
        }
        let repeated = |(at, (key, _)): (usize, &(String, _))| {
            query[..at]
                .iter()
                .any(|(earlier, _)| earlier == key)
                .then(|| printable(key, 40))
        };
        if let Some(name) = query.iter().enumerate().find_map(repeated) {
            return Err(CallbackError::Repeated(name));
        }
        match (&self.issuer, value("iss")) {
            (Some(issuer), Some(answered)) if issuer != answered.expose() => {
                return Err(CallbackError::WrongIssuer);
            }
            (Some(_), None) if self.sends_iss => return Err(CallbackError::NoIssuer),
            _ => {}
        }
        if let Some(code) = value("error").filter(|code| !code.is_blank()) {
            let description = value("error_description").map_or("", |text| text.expose());
            let sent = || [&self.state, &self.code_verifier].into_iter();
            return Err(CallbackError::Refused(Refusal {
                code: clean(code.expose(), 64, sent()),
                description: clean(description, 200, sent()),
                status: 0,
            }));
        }
        match value("code") {
            Some(code) if !code.is_blank() => Ok(AuthorizationCode(code.clone())),
            _ => Err(CallbackError::NoCode),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::model::provider::{Loopback, Redirect};
    use std::collections::BTreeMap;
    use std::sync::atomic::{AtomicU8, Ordering};

    /// Bytes that differ from call to call.
    #[derive(Default)]
    pub(in crate::oauth) struct Counting(AtomicU8);

    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), RandomError> {
            buffer.fill_with(|| self.0.fetch_add(1, Ordering::Relaxed));
            Ok(())
        }
    }

    pub(in crate::oauth) fn pending(issuer: Option<&str>) -> PendingAuthorization {
        let client = Client {
            issuer: issuer.map(str::to_owned),
            ..client()
        };
        request(&client).pending
    }

    fn client() -> Client {
        Client {
            authorize: Some("https://login.example/authorize".into()),
            ..Client::public("client-1", "https://login.example/token")
        }
    }

    fn request(client: &Client) -> AuthorizationRequest {
        let redirect = Loopback {
            host: "localhost".into(),
            ports: vec![1455],
            path: "/cb".into(),
        };
        let uri = redirect.uri(1455);
        let flow = BrowserFlow {
            scopes: vec!["openid".into(), "email".into()],
            params: vec![("originator".into(), "openclaw".into())],
            ..BrowserFlow::to(Redirect::Loopback(redirect))
        };
        super::begin(client, &flow, &uri, &Counting::default()).unwrap()
    }

    fn query(pairs: &[(&str, &str)]) -> Vec<(String, Secret<String>)> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), Secret::from(*value));
        pairs.iter().map(own).collect()
    }

    #[test]
    fn the_request_holds_what_it_must_and_no_verifier() {
        let AuthorizationRequest { url, pending } = request(&client());
        let parsed = Url::parse(&url).unwrap();
        let sent: BTreeMap<String, String> = parsed.query_pairs().into_owned().collect();
        let expected = BTreeMap::from(
            [
                ("response_type", "code"),
                ("client_id", "client-1"),
                ("redirect_uri", "http://localhost:1455/cb"),
                ("scope", "openid email"),
                (
                    "code_challenge",
                    code_challenge(&pending.code_verifier).as_str(),
                ),
                ("code_challenge_method", "S256"),
                ("state", pending.state.expose()),
                ("originator", "openclaw"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        assert_eq!(sent, expected);
        assert_eq!(parsed.query_pairs().count(), expected.len());
        assert_eq!(pending.code_verifier.expose().len(), 43);
        assert_eq!(pending.state.expose().len(), 43);
        assert_ne!(pending.state, pending.code_verifier);
        assert!(!url.contains(pending.code_verifier.expose()));
        assert!(!format!("{pending:?}").contains(pending.code_verifier.expose()));
    }

    #[test]
    fn the_state_is_judged_first() {
        let pending = pending(Some("https://login.example"));
        let state = pending.state.expose().clone();
        let read = |pairs: &[(&str, &str)]| pending.read_callback(&query(pairs));
        let good = read(&[("code", "ac_1"), ("state", &state), ("scope", "a b")]).unwrap();
        assert_eq!(good.0.expose(), "ac_1");
        let no_error = [("code", "ac_1"), ("state", &state), ("error", "")];
        assert_eq!(read(&no_error).unwrap().0.expose(), "ac_1");
        let strays = [
            (read(&[("code", "x")]), CallbackError::NoState),
            (
                read(&[("error", "x"), ("state", "no")]),
                CallbackError::WrongState,
            ),
            (
                read(&[("state", &state), ("state", "no"), ("code", "x")]),
                CallbackError::WrongState,
            ),
            (
                read(&[("state", &state), ("code", "x"), ("code", "y")]),
                CallbackError::Repeated("code".into()),
            ),
            (
                read(&[("state", &state), ("code", " ")]),
                CallbackError::NoCode,
            ),
            (
                read(&[
                    ("state", &state),
                    ("code", "x"),
                    ("iss", "https://evil.example"),
                ]),
                CallbackError::WrongIssuer,
            ),
        ];
        for (result, expected) in strays {
            let error = result.unwrap_err();
            assert_eq!(error, expected);
            assert!(!matches!(error, CallbackError::Refused(_)));
        }
        let iss = ("iss", "https://login.example");
        assert!(read(&[("state", &state), ("code", "x"), iss]).is_ok());
    }

    #[test]
    fn an_announced_issuer_must_be_named() {
        let pending = request(&Client {
            issuer: Some("https://login.example".into()),
            sends_iss: true,
            ..client()
        })
        .pending;
        let state = pending.state.expose().clone();
        let without = [("state", state.as_str()), ("code", "x")];
        let error = pending.read_callback(&query(&without)).unwrap_err();
        assert_eq!(error, CallbackError::NoIssuer);
        assert!(!matches!(error, CallbackError::Refused(_)));
    }

    #[test]
    fn a_proven_refusal_ends_the_login() {
        let pending = pending(None);
        let state = pending.state.expose().clone();
        let pairs = [
            ("error", "access_denied"),
            ("error_description", "no\n\u{1b}[2Jway"),
            ("state", state.as_str()),
        ];
        let error = pending.read_callback(&query(&pairs)).unwrap_err();
        assert!(matches!(error, CallbackError::Refused(_)));
        assert_eq!(error.to_string(), "access_denied: no [2Jway");
    }
}
