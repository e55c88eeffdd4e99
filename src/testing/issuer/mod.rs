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
mod openid;
mod pages;
mod revoke;

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tiny_http::{Header, Request, Response, Server};

use crate::ports::host::Clock;

use grants::parameter;
use pages::Pages;
use revoke::Revocations;

pub use device::{Codes, Reply, Seen};
pub use dialects::CLIENT_SECRET;
pub use grants::{Account, Fate, Grants};
pub use pages::Visit;
pub use revoke::Revocation;

/// An answer that is given instead of the right one.
#[derive(Clone, Debug, Default)]
pub struct Scripted {
    /// The status.
    pub status: u16,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
    /// Break the connection off without any answer.
    pub hang_up: bool,
}

impl Scripted {
    fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            body: body.to_owned(),
            ..Self::default()
        }
    }

    fn redirect(to: String) -> Self {
        Self {
            status: 302,
            headers: vec![("Location", to)],
            ..Self::default()
        }
    }
}

/// What the server is told, and what it has seen.
struct State {
    clock: Arc<dyn Clock>,
    grants: Grants,
    devices: device::Devices,
    keys: keys::Keys,
    url: String,
    token_requests: Vec<Vec<(String, String)>>,
    exchanges: Vec<Seen>,
    /// How many of them were dealt with.
    dealt_with: usize,
    next: Vec<Scripted>,
    refuse: Option<(String, String)>,
    client: Option<client_credentials::Expected>,
    delay: Duration,
    gate: Arc<Gate>,
    pages: Pages,
    revocations: Revocations,
}

/// What holds answers back.
#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn set(&self, is_shut: bool) {
        *locked(&self.is_shut) = is_shut;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let shut = self
            .opened
            .wait_while(locked(&self.is_shut), |is_shut| *is_shut);
        drop(shut);
    }
}

/// The running server.
pub struct Issuer {
    server: Arc<Server>,
    state: Arc<Mutex<State>>,
    url: String,
    thread: Option<JoinHandle<()>>,
}

fn locked<T>(state: &Mutex<T>) -> MutexGuard<'_, T> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Issuer {
    /// Starts a server on a free port of 127.0.0.1 whose next login is of `account`. `clock` dates
    /// its tokens and times its delays.
    ///
    /// # Errors
    /// If no port can be had.
    pub fn start(account: Account, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
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
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A manifest that points `openai-codex` at this server, with a redirect on any free port.
    pub fn manifest(&self) -> String {
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
    pub fn set_account(&self, account: Account) {
        locked(&self.state).grants.account = account;
    }

    /// How long a token request takes.
    pub fn set_delay(&self, delay: Duration) {
        locked(&self.state).delay = delay;
    }

    /// Answers of token requests are held back from now on: the code or the refresh token is spent
    /// then, and whoever sent it does not know.
    pub fn hold(&self) {
        self.gate().set(true);
    }

    /// Sends what was held back, and holds no more.
    pub fn let_go(&self) {
        self.gate().set(false);
    }

    fn gate(&self) -> Arc<Gate> {
        Arc::clone(&locked(&self.state).gate)
    }

    /// The next token request gets this answer instead of the right one.
    pub fn answer_next(&self, answer: Scripted) {
        locked(&self.state).next.push(answer);
    }

    /// The person says no from now on: error code and description.
    pub fn refuse_consent(&self, code: &str, description: &str) {
        locked(&self.state).refuse = Some((code.to_owned(), description.to_owned()));
    }

    /// The parameters of every token request so far.
    pub fn token_requests(&self) -> Vec<Vec<(String, String)>> {
        locked(&self.state).token_requests.clone()
    }

    /// What became of a refresh token.
    pub fn fate(&self, refresh_token: &str) -> Fate {
        locked(&self.state).grants.fate(refresh_token)
    }

    /// How many token requests were dealt with: what they sent is spent, whether or not they got
    /// an answer.
    pub fn dealt_with(&self) -> usize {
        locked(&self.state).dealt_with
    }

    /// A grant as a login would have given it, for a store that is made by hand: access token,
    /// refresh token.
    pub fn issue(&self) -> (String, String) {
        let mut state = locked(&self.state);
        let now = state.clock.now();
        state.grants.issue(now)
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

fn serve(mut request: Request, state: &Mutex<State>) {
    let url = request.url().to_owned();
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let answer = match path {
        "/oauth/authorize" => authorize(state, &pairs(query)),
        "/oauth/token" => token(state, path, &mut request),
        path if dialects::is_authorization_endpoint(path) => authorize(state, &pairs(query)),
        path if dialects::is_revocation_endpoint(path) => revoke::serve(state, &mut request),
        path if dialects::of(path).is_some() => token(state, path, &mut request),
        keys::PAGE => Some(keys::page(state, &pairs(query))),
        keys::EXCHANGE => keys::exchange(state, &mut request),
        path if device::is_token_endpoint(path) => token(state, path, &mut request),
        path if device::is_own(path) => device::serve(state, path, &mut request),
        "/oauth/revoke" => revoke::serve(state, &mut request),
        _ => Some(pages::serve(state, path, &request)),
    };
    let Some(answer) = answer.filter(|answer| !answer.hang_up) else {
        // What is no HTTP ends the connection on the other side without an answer.
        let mut writer = request.into_writer();
        let _ = writer
            .write_all(b"hung up\r\n\r\n")
            .and_then(|()| writer.flush());
        return;
    };
    let mut response = Response::from_string(answer.body).with_status_code(answer.status);
    for (name, value) in answer.headers {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    let _ = request.respond(response);
}

fn pairs(text: &str) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

fn authorize(state: &Mutex<State>, query: &[(String, String)]) -> Option<Scripted> {
    let mut state = locked(state);
    let redirect = parameter(query, "redirect_uri");
    let mut answer = vec![("state", parameter(query, "state").to_owned())];
    match state.refuse.clone() {
        Some((code, description)) => {
            answer.extend([("error", code), ("error_description", description)]);
        }
        None => match state.grants.authorize(query) {
            Ok(code) => answer.push(("code", code)),
            Err(why) => return Some(Scripted::text(400, why)),
        },
    }
    let query = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(answer)
        .finish();
    Some(Scripted::redirect(format!("{redirect}?{query}")))
}

/// The value of a header field.
fn header(request: &Request, name: &'static str) -> Option<String> {
    let mut fields = request.headers().iter();
    let field = fields.find(|field| field.field.equiv(name));
    field.map(|field| field.value.to_string())
}

/// The parameters of a body, a form or a JSON object.
fn parameters(request: &mut Request) -> Option<Vec<(String, String)>> {
    let mut body = String::new();
    request
        .as_reader()
        .take(1 << 20)
        .read_to_string(&mut body)
        .ok()?;
    if !body.trim_start().starts_with('{') {
        return Some(pairs(&body));
    }
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&body).ok()?;
    let text = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let pairs = object.into_iter().map(|(key, value)| (key, text(value)));
    Some(pairs.collect())
}

fn json((status, body): (u16, serde_json::Value)) -> Scripted {
    Scripted {
        status,
        headers: vec![("Content-Type", "application/json".to_owned())],
        body: body.to_string(),
        hang_up: false,
    }
}

fn token(state: &Mutex<State>, path: &str, request: &mut Request) -> Option<Scripted> {
    let seen = device::seen(path, request)?;
    let parameters = seen.parameters.clone();
    let (scripted, delay, clock, gate) = {
        let mut state = locked(state);
        state.token_requests.push(parameters.clone());
        state.exchanges.push(seen.clone());
        let scripted = (!state.next.is_empty()).then(|| state.next.remove(0));
        let (clock, gate) = (Arc::clone(&state.clock), Arc::clone(&state.gate));
        (scripted, state.delay, clock, gate)
    };
    clock.sleep(delay);
    if scripted.is_some() {
        return scripted;
    }
    let answer = {
        let mut state = locked(state);
        let State {
            devices,
            grants,
            dealt_with,
            client,
            ..
        } = &mut *state;
        *dealt_with += 1;
        let now = clock.now();
        let checked = match client {
            // Only a client with a secret can ask for itself.
            None => Some(parameters).filter(|pairs| !client_credentials::asks_for_itself(pairs)),
            Some(client) => client.check(parameters, seen.header("authorization")),
        };
        match checked {
            Some(parameters) => {
                let polled = devices.token(path, &parameters, grants, (now, clock.monotonic()));
                polled.unwrap_or_else(|| match dialects::of(path) {
                    Some(dialect) => dialect.answer(&seen, grants, now),
                    None => grants.token(&parameters, now),
                })
            }
            None => (401, serde_json::json!({ "error": "invalid_client" })),
        }
    };
    gate.pass();
    Some(json(answer))
}
