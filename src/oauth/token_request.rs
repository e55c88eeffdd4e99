//! Requests to token endpoints and to the endpoints beside them: device authorization, revocation.
//!
//! The `oauth2` crate builds every one of them and none is sent by it: it wants answers that servers
//! do not give (a `token_type`, one interval for ever), and its parse error would carry the whole
//! body, tokens included. What it cannot say — a body in JSON, endpoints and parameters that no RFC
//! has — is a change to the request that it built.

use std::cell::RefCell;
use std::convert::Infallible;

use oauth2::basic::BasicClient;
use oauth2::http::header::CONTENT_TYPE;
use oauth2::{
    AccessToken, AuthType, AuthorizationCode, ClientId, ClientSecret, DeviceAuthorizationUrl,
    EmptyExtraDeviceAuthorizationFields, HttpRequest, HttpResponse, PkceCodeVerifier, RedirectUrl,
    RefreshToken, RevocationUrl, Scope, StandardDeviceAuthorizationResponse,
    StandardRevocableToken, SyncHttpClient, TokenUrl,
};
use serde_json::{Map, Value, json};
use url::form_urlencoded::{self, Serializer};

use super::error::OAuthError;
use crate::model::provider::{Body, Client, ClientAuth};
use crate::model::secret::Secret;
use crate::ports::http::{Http, HttpError, Method, Request, Response};

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

/// A request that was built and is not written out yet.
pub(super) struct TokenRequest {
    url: String,
    headers: Vec<(String, String)>,
    params: Vec<(String, Secret<String>)>,
}

/// The kind of a token (RFC 7009 section 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenTypeHint {
    /// A refresh token: with it go the access tokens that came of it.
    RefreshToken,
    /// An access token.
    AccessToken,
}

impl TokenRequest {
    /// RFC 6749 section 4.1.3, RFC 7636 section 4.5. `redirect_uri` is exactly that of the
    /// authorization request.
    pub(super) fn authorization_code(
        client: &Client,
        code: &Secret<String>,
        code_verifier: &Secret<String>,
        redirect_uri: &str,
    ) -> Result<Self, OAuthError> {
        let token_url = token_url(client)?;
        let redirect = RedirectUrl::new(redirect_uri.to_owned());
        let redirect =
            redirect.map_err(|_| OAuthError::unsupported("the redirect URI is not a URL"))?;
        let client = oauth_client(client)
            .set_token_uri(token_url)
            .set_redirect_uri(redirect);
        let request = client
            .exchange_code(AuthorizationCode::new(code.expose().clone()))
            .set_pkce_verifier(PkceCodeVerifier::new(code_verifier.expose().clone()));
        Self::build(|capture| drop(request.request(capture)))
    }

    /// RFC 6749 section 6. No scope is sent, so none is asked for beyond what was granted.
    pub(super) fn refresh_token(
        client: &Client,
        refresh_token: &Secret<String>,
    ) -> Result<Self, OAuthError> {
        let client = oauth_client(client).set_token_uri(token_url(client)?);
        let token = RefreshToken::new(refresh_token.expose().clone());
        let request = client.exchange_refresh_token(&token);
        Self::build(|capture| drop(request.request(capture)))
    }

    /// RFC 6749 section 4.4.2.
    pub(super) fn client_credentials(
        client: &Client,
        scopes: &[String],
    ) -> Result<Self, OAuthError> {
        let client = oauth_client(client).set_token_uri(token_url(client)?);
        let scopes = scopes.iter().cloned().map(Scope::new);
        let request = client.exchange_client_credentials().add_scopes(scopes);
        Self::build(|capture| drop(request.request(capture)))
    }

    /// RFC 8628 section 3.1.
    pub(super) fn device_authorization(
        client: &Client,
        endpoint: &str,
        scopes: &[String],
    ) -> Result<Self, OAuthError> {
        let url = DeviceAuthorizationUrl::new(endpoint.to_owned());
        let url = url.map_err(|_| {
            OAuthError::unsupported("the device authorization endpoint is not a URL")
        })?;
        let client = oauth_client(client).set_device_authorization_url(url);
        let scopes = scopes.iter().cloned().map(Scope::new);
        let request = client.exchange_device_code().add_scopes(scopes);
        Self::build(|capture| {
            drop(request.request::<_, EmptyExtraDeviceAuthorizationFields>(capture));
        })
    }

    /// RFC 8628 section 3.4.
    pub(super) fn device_code(
        client: &Client,
        device_code: &Secret<String>,
    ) -> Result<Self, OAuthError> {
        let client = oauth_client(client).set_token_uri(token_url(client)?);
        // The crate takes the code only as part of an answer, of which it uses nothing else.
        let answer = json!({
            "device_code": device_code.expose(),
            "user_code": "",
            "verification_uri": "https://localhost/",
            "expires_in": 60,
        });
        let answer: Result<StandardDeviceAuthorizationResponse, _> = serde_json::from_value(answer);
        let answer =
            answer.map_err(|_| OAuthError::unsupported("the device code cannot be sent"))?;
        let request = client.exchange_device_access_token(&answer);
        Self::build(|capture| drop(request.request(capture, |_| {}, None)))
    }

    /// RFC 7009 section 2.1.
    pub(super) fn revocation(
        client: &Client,
        endpoint: &str,
        token: &Secret<String>,
        hint: TokenTypeHint,
    ) -> Result<Self, OAuthError> {
        // The crate refuses http, which is right on loopback: the address is put in afterwards.
        let url = RevocationUrl::new("https://localhost/".to_owned());
        let url =
            url.map_err(|_| OAuthError::unsupported("the revocation endpoint is not a URL"))?;
        let client = oauth_client(client).set_revocation_url(url);
        let token = token.expose().clone();
        let token = match hint {
            TokenTypeHint::RefreshToken => RefreshToken::new(token).into(),
            TokenTypeHint::AccessToken => StandardRevocableToken::from(AccessToken::new(token)),
        };
        let request = client.revoke_token(token);
        let request =
            request.map_err(|_| OAuthError::unsupported("the revocation endpoint is not a URL"))?;
        let request = Self::build(|capture| {
            drop(request.request(capture));
        })?;
        Ok(request.to(endpoint))
    }

    /// Takes what the crate would send.
    fn build(send: impl FnOnce(&Capture)) -> Result<Self, OAuthError> {
        let capture = Capture::default();
        send(&capture);
        let request = capture.0.into_inner();
        let request =
            request.ok_or_else(|| OAuthError::unsupported("could not build the token request"))?;
        let (parts, body) = request.into_parts();
        let body = Secret::new(body);
        let headers = parts
            .headers
            .iter()
            .filter(|(name, _)| *name != CONTENT_TYPE);
        let headers = headers
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
        let params = form_urlencoded::parse(body.expose());
        Ok(Self {
            url: parts.uri.to_string(),
            headers: headers.collect(),
            params: params
                .map(|(name, value)| (name.into_owned(), Secret::new(value.into_owned())))
                .collect(),
        })
    }

    /// Replaces the address.
    pub(super) fn to(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    /// Adds a parameter.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.to_owned(), Secret::from(value)));
        self
    }

    /// Adds a parameter in front of another one, or as the last where that is not there.
    pub(super) fn with_before(mut self, other: &str, name: &str, value: &str) -> Self {
        let place = self.params.iter().position(|(name, _)| name == other);
        let at = place.unwrap_or(self.params.len());
        self.params
            .insert(at, (name.to_owned(), Secret::from(value)));
        self
    }

    /// Removes a parameter.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.params.retain(|(other, _)| other != name);
        self
    }

    /// Renames a parameter.
    pub(super) fn rename(mut self, name: &str, other: &str) -> Self {
        for (param, _) in self.params.iter_mut().filter(|(param, _)| param == name) {
            other.clone_into(param);
        }
        self
    }

    /// Adds a header.
    pub(super) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Encodes and sends the request; `headers` are those that the manifest adds.
    pub(super) fn send(
        self,
        http: &dyn Http,
        body: Body,
        headers: &[(String, String)],
    ) -> Result<Response, HttpError> {
        http.send(&self.encode(body, headers))
    }

    /// Encodes the request; `headers` are those that the manifest adds.
    pub(super) fn encode(self, body: Body, headers: &[(String, String)]) -> Request {
        let params = self
            .params
            .iter()
            .map(|(name, value)| (name, value.expose()));
        let (content_type, body) = match body {
            Body::Form => {
                let mut form = Serializer::new(String::new());
                (FORM, form.extend_pairs(params).finish().into_bytes())
            }
            Body::Json => {
                let members = params.map(|(name, value)| (name.clone(), value.as_str().into()));
                let object = Value::Object(members.collect::<Map<_, _>>());
                (JSON, object.to_string().into_bytes())
            }
        };
        let mut all = self.headers;
        all.push(("content-type".to_owned(), content_type.to_owned()));
        all.extend(headers.iter().cloned());
        Request {
            method: Method::Post,
            url: self.url,
            headers: all,
            body: Secret::new(body),
        }
    }
}

/// Takes the place of the crate's HTTP client: keeps the request, and answers nothing.
#[derive(Default)]
struct Capture(RefCell<Option<HttpRequest>>);

impl SyncHttpClient for Capture {
    type Error = Infallible;

    fn call(&self, request: HttpRequest) -> Result<HttpResponse, Infallible> {
        self.0.replace(Some(request));
        Ok(HttpResponse::new(Vec::new()))
    }
}

/// A public client names its id in the body (RFC 6749 section 3.2.1); one with a secret shows it as
/// its registration says (section 2.3.1).
fn oauth_client(client: &Client) -> BasicClient {
    let oauth = BasicClient::new(ClientId::new(client.id.clone()));
    let oauth = oauth.set_auth_type(match (&client.secret, client.auth) {
        (Some(_), ClientAuth::Basic) => AuthType::BasicAuth,
        _ => AuthType::RequestBody,
    });
    match &client.secret {
        Some(secret) => oauth.set_client_secret(ClientSecret::new(secret.expose().clone())),
        None => oauth,
    }
}

fn token_url(client: &Client) -> Result<TokenUrl, OAuthError> {
    let url = TokenUrl::new(client.token.clone());
    url.map_err(|_| OAuthError::unsupported("the token endpoint is not a URL"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::http::ScriptedHttp;

    fn request() -> TokenRequest {
        let client = Client::public("client-1", "https://login.example/token");
        let request = TokenRequest::refresh_token(&client, &"1 2ä".into()).unwrap();
        request.rename("refresh_token", "a").without("client_id")
    }

    #[test]
    fn a_form_becomes_json_where_the_manifest_says_so() {
        let http = ScriptedHttp::answering(200, "{}");
        let headers = [("x-client".into(), "openclaw".into())];
        request().send(&http, Body::Json, &headers).unwrap();
        assert_eq!(
            http.first_body(),
            r#"{"grant_type":"refresh_token","a":"1 2ä"}"#
        );
        let seen = http.requests();
        let headers: Vec<_> = seen[0].headers.iter().collect();
        assert!(headers.contains(&&("content-type".into(), "application/json".into())));
        assert!(headers.contains(&&("x-client".into(), "openclaw".into())));
        let types = headers.iter().filter(|(name, _)| name == "content-type");
        assert_eq!(types.count(), 1);
    }

    #[test]
    fn a_request_is_a_form_that_can_be_changed() {
        let http = ScriptedHttp::answering(200, "{}");
        let client = Client::public("client-1", "https://login.example/token");
        let request = TokenRequest::device_code(&client, &"dc".into()).unwrap();
        let request = request.with_before("client_id", "b", "1").with("c", "2");
        request.send(&http, Body::Form, &[]).unwrap();
        assert_eq!(
            http.first_body(),
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code&device_code=dc&b=1&client_id=client-1&c=2"
        );
    }
}
