//! A loopback authorization server that really checks: PKCE S256, redirect equality, single-use
//! codes, rotating refresh tokens with reuse detection, form and JSON bodies.
//!
//! It is told whom to expect and what to answer, keeps a log of every token request, and stops
//! when it is dropped.

mod client_credentials;
mod device;
mod dialects;
mod grants;
mod keys;
mod message;
mod openid;
mod pages;
mod revoke;
mod serve;
mod state;

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::{Value, json};
use tiny_http::Server;

use openclaw::model::provider::ClientAuth;
use openclaw::ports::host::Clock;

use pages::Pages;
use revoke::Revocations;
use serve::serve;
use state::{Gate, State, locked};

pub(crate) use device::{Codes, Reply};
pub(crate) use dialects::CLIENT_SECRET;
pub(crate) use grants::{Account, Fate, Grants};
pub(crate) use message::{Scripted, Seen};
pub(crate) use pages::Visit;
pub(crate) use revoke::Revocation;

/// The running server.
pub(crate) struct Issuer {
    server: Arc<Server>,
    state: Arc<Mutex<State>>,
    url: String,
    thread: Option<JoinHandle<()>>,
}

impl Issuer {
    /// Starts a server on a free port of 127.0.0.1 whose next login is of `account`. `clock` dates
    /// its tokens and times its delays.
    pub(crate) fn start(account: Account, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let server = Server::http("127.0.0.1:0").map_err(std::io::Error::other)?;
        let port = server
            .server_addr()
            .to_ip()
            .map_or(0, |address| address.port());
        let server = Arc::new(server);
        let mut grants = Grants::new(account);
        grants.openid = Some(openid::OpenId::new(&format!("http://127.0.0.1:{port}")));
        let state = Arc::new(Mutex::new(State {
            clock,
            grants,
            devices: device::Devices::default(),
            keys: keys::Keys::default(),
            url: format!("http://127.0.0.1:{port}"),
            token_requests: Vec::new(),
            exchanges: Vec::new(),
            under_way: 0,
            most_at_once: 0,
            dealt_with: 0,
            next: Vec::new(),
            refuse: None,
            client: None,
            delay: Duration::ZERO,
            gate: Arc::default(),
            pages: Pages::default(),
            revocations: Revocations::default(),
        }));
        let thread = {
            let (server, state) = (Arc::clone(&server), Arc::clone(&state));
            std::thread::spawn(move || {
                for request in server.incoming_requests() {
                    let state = Arc::clone(&state);
                    std::thread::spawn(move || serve(request, &state));
                }
            })
        };
        Ok(Self {
            server,
            state,
            url: format!("http://127.0.0.1:{port}"),
            thread: Some(thread),
        })
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A manifest that points `openai-codex` at this server, with a redirect on any free port.
    pub(crate) fn manifest(&self) -> String {
        let url = &self.url;
        format!(
            "schema = 1\nid = \"openai-codex\"\nname = \"Test issuer\"\nreplaces = true\n\n\
             [client]\nid = \"test-client\"\nauthorize = \"{url}/oauth/authorize\"\ntoken = \"{url}/oauth/token\"\n\n\
             [[flow]]\nkind = \"browser\"\nhost = \"localhost\"\nports = [0]\npath = \"/auth/callback\"\n\
             scopes = [\"openid\", \"profile\", \"email\", \"offline_access\"]\n\n\
             [account]\n\
             id = [\"access_token:/https:~1~1api.openai.com~1auth/chatgpt_account_id\"]\n\
             email = [\"id_token:/email\"]\nrequired = true\n"
        )
    }

    /// Who logs in next.
    pub(crate) fn set_account(&self, account: Account) {
        locked(&self.state).grants.account = account;
    }

    /// How long a token request takes.
    pub(crate) fn set_delay(&self, delay: Duration) {
        locked(&self.state).delay = delay;
    }

    /// Answers of token requests are held back from now on: the code or the refresh token is spent
    /// then, and whoever sent it does not know.
    pub(crate) fn hold(&self) {
        self.gate().set(true);
    }

    /// Sends what was held back, and holds no more.
    pub(crate) fn let_go(&self) {
        self.gate().set(false);
    }

    fn gate(&self) -> Arc<Gate> {
        Arc::clone(&locked(&self.state).gate)
    }

    /// The next token request gets this answer instead of the right one.
    pub(crate) fn answer_next(&self, answer: Scripted) {
        locked(&self.state).next.push(answer);
    }

    /// The person says no from now on: error code and description.
    pub(crate) fn refuse_consent(&self, code: &str, description: &str) {
        locked(&self.state).refuse = Some((code.to_owned(), description.to_owned()));
    }

    /// The parameters of every token request so far.
    pub(crate) fn token_requests(&self) -> Vec<Vec<(String, String)>> {
        locked(&self.state).token_requests.clone()
    }

    /// What became of a refresh token.
    pub(crate) fn fate(&self, refresh_token: &str) -> Fate {
        locked(&self.state).grants.fate(refresh_token)
    }

    /// How many token requests were dealt with: what they sent is spent, whether or not they got
    /// an answer.
    pub(crate) fn dealt_with(&self) -> usize {
        locked(&self.state).dealt_with
    }

    /// The most token requests that were under way at once.
    pub(crate) fn most_at_once(&self) -> usize {
        locked(&self.state).most_at_once
    }

    /// A grant as a login would have given it, for a store that is made by hand: access token,
    /// refresh token.
    pub(crate) fn issue(&self) -> (String, String) {
        let mut state = locked(&self.state);
        let now = state.clock.now();
        state.grants.issue(now)
    }

    /// Every token request so far, with its path and headers.
    pub(crate) fn exchanges(&self) -> Vec<Seen> {
        locked(&self.state).exchanges.clone()
    }

    /// How device codes are given out from now on.
    pub(crate) fn set_device_codes(&self, codes: Codes) {
        locked(&self.state).devices.codes = codes;
    }

    /// What the person does with the device code that was given out last: what its polls get, and then
    /// they agree.
    pub(crate) fn enter_device_code(&self, replies: Vec<Reply>) {
        locked(&self.state).devices.enter(replies);
    }

    /// The requests that asked for a device code, and those that polled OpenAI's endpoint.
    pub(crate) fn device_requests(&self) -> Vec<Seen> {
        locked(&self.state).devices.seen.clone()
    }

    /// How many polls of device codes came faster than was allowed.
    pub(crate) fn polled_too_fast(&self) -> usize {
        locked(&self.state).devices.too_fast
    }

    /// The parameters of every exchange of a code for a key.
    pub(crate) fn key_requests(&self) -> Vec<Vec<(String, String)>> {
        locked(&self.state).keys.seen.clone()
    }

    /// The next revocation gets this answer, and nothing is revoked.
    pub(crate) fn answer_revocation(&self, answer: Scripted) {
        locked(&self.state).revocations.next.push(answer);
    }

    /// The revocation requests so far.
    pub(crate) fn revocations(&self) -> Vec<Revocation> {
        locked(&self.state).revocations.seen.clone()
    }

    /// From now on every token request must come from this client.
    pub(crate) fn expect_client(&self, id: &str, secret: &str, auth: ClientAuth) {
        locked(&self.state).client = Some(client_credentials::Expected {
            id: id.to_owned(),
            secret: secret.to_owned(),
            auth,
        });
    }

    /// The keys that sign its ID tokens now.
    pub(crate) fn jwks(&self) -> Value {
        let state = locked(&self.state);
        let openid = state.grants.openid.as_ref();
        openid.map_or(Value::Null, openid::OpenId::jwks)
    }

    /// Signs with another key from now on.
    pub(crate) fn change_key(&self) {
        if let Some(openid) = &mut locked(&self.state).grants.openid {
            openid.change_key();
        }
    }

    /// Claims of its ID tokens from now on, in the place of the right ones.
    pub(crate) fn change_claims(&self, changes: &Value) {
        if let Some(openid) = &mut locked(&self.state).grants.openid {
            openid.changes = changes.as_object().cloned().unwrap_or_default();
        }
    }

    /// Publishes a document at a path, in the place of what was there.
    pub(crate) fn publish(&self, path: &str, answer: Scripted) {
        let published = &mut locked(&self.state).pages.published;
        published.insert(path.to_owned(), answer);
    }

    /// The next request for a document with this `Authorization` gets another answer.
    pub(crate) fn answer_once(&self, path: &str, authorization: &str, answer: Scripted) {
        let once = &mut locked(&self.state).pages.once;
        once.push((path.to_owned(), authorization.to_owned(), answer));
    }

    /// Publishes a JSON document.
    pub(crate) fn publish_json(&self, path: &str, document: &Value) {
        self.publish(path, message::json((200, document.clone())));
    }

    /// Takes a document back.
    pub(crate) fn withdraw(&self, path: &str) {
        locked(&self.state).pages.published.remove(path);
    }

    /// Who asked for a document so far, whether or not it was there.
    pub(crate) fn visits(&self) -> Vec<Visit> {
        locked(&self.state).pages.visits.clone()
    }

    /// The metadata of this server: all that is true of it (RFC 8414 section 2).
    pub(crate) fn metadata(&self) -> Value {
        let url = self.url();
        json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/oauth/authorize"),
            "token_endpoint": format!("{url}/oauth/token"),
            "revocation_endpoint": format!("{url}/oauth/revoke"),
            "userinfo_endpoint": format!("{url}/userinfo"),
            "jwks_uri": format!("{url}/jwks"),
            "response_types_supported": ["code"],
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none"],
        })
    }

    /// A manifest of the provider `acme` that gives this server as its issuer and no endpoint.
    pub(crate) fn issuer_manifest(&self) -> String {
        let url = self.url();
        format!(
            "schema = 1\nid = \"acme\"\nname = \"Acme\"\n\n\
             [client]\nid = \"test-client\"\nissuer = \"{url}\"\n\n\
             [[flow]]\nkind = \"browser\"\nhost = \"localhost\"\nports = [0]\npath = \"/callback\"\n\
             scopes = [\"openid\", \"email\", \"offline_access\"]\n\n\
             [account]\nid = [\"id_token:/sub\"]\nemail = [\"id_token:/email\"]\n"
        )
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.let_go();
        self.server.unblock();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
