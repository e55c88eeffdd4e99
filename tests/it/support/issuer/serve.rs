//! Answers of the test issuer, by the path of the request.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tiny_http::{Header, Request, Response};

use super::message::{Scripted, Seen, header, json, pairs, parameter, parameters};
use super::revoke::Revocation;
use super::state::{State, locked};
use super::{client_credentials, device, dialects, keys};

pub(crate) fn serve(mut request: Request, state: &Mutex<State>) {
    let url = request.url().to_owned();
    let (path, query) = url.split_once('?').unwrap_or((&url, ""));
    let answer = match path {
        "/oauth/authorize" => authorize(state, &pairs(query)),
        "/oauth/token" => token(state, path, &mut request),
        path if dialects::is_authorization_endpoint(path) => authorize(state, &pairs(query)),
        path if dialects::is_revocation_endpoint(path) => revoke(state, &mut request),
        path if dialects::of(path).is_some() => token(state, path, &mut request),
        keys::PAGE => Some(locked(state).keys.page(&pairs(query))),
        keys::EXCHANGE => exchange(state, &mut request),
        path if device::is_token_endpoint(path) => token(state, path, &mut request),
        path if device::is_own(path) => device(state, path, &mut request),
        "/oauth/revoke" => revoke(state, &mut request),
        _ => Some(locked(state).pages.serve(path, &request)),
    };
    let Some(answer) = answer.filter(|answer| !answer.hang_up) else {
        // What is no HTTP ends the connection on the other side without an answer.
        let mut writer = request.into_writer();
        let _ = writer
            .write_all(b"hung up\r\n\r\n")
            .and_then(|()| writer.flush());
        return;
    };
    let body = match answer.bytes.is_empty() {
        true => answer.body.into_bytes(),
        false => answer.bytes,
    };
    let mut response = Response::from_data(body).with_status_code(answer.status);
    for (name, value) in answer.headers {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    let _ = request.respond(response);
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

/// Gives out a device code, or answers OpenAI's polls.
fn device(state: &Mutex<State>, path: &str, request: &mut Request) -> Option<Scripted> {
    let seen = Seen::read(path, request)?;
    let mut state = locked(state);
    let State {
        devices,
        grants,
        clock,
        url,
        ..
    } = &mut *state;
    Some(json(devices.answer(
        seen,
        url,
        grants,
        (clock.now(), clock.monotonic()),
    )))
}

/// Exchanges a code for a key.
fn exchange(state: &Mutex<State>, request: &mut Request) -> Option<Scripted> {
    let seen = Seen::read(keys::EXCHANGE, request)?;
    let mut state = locked(state);
    state.keys.seen.push(seen.parameters.clone());
    state.exchanges.push(seen.clone());
    if !state.next.is_empty() {
        return Some(state.next.remove(0));
    }
    Some(state.keys.exchange(&seen.parameters))
}

/// Revokes a token (RFC 7009).
fn revoke(state: &Mutex<State>, request: &mut Request) -> Option<Scripted> {
    let content_type = header(request, "Content-Type").unwrap_or_default();
    let authorization = header(request, "Authorization");
    let parameters = parameters(request)?;
    let token = parameter(&parameters, "token").to_owned();
    let gate = {
        let mut state = locked(state);
        state.revocations.seen.push(Revocation {
            parameters,
            content_type,
            authorization,
        });
        if !state.revocations.next.is_empty() {
            return Some(state.revocations.next.remove(0));
        }
        if token.is_empty() {
            return Some(Scripted::text(400, r#"{"error":"invalid_request"}"#));
        }
        state.grants.revoke(dialects::plain(&token));
        Arc::clone(&state.gate)
    };
    gate.pass();
    Some(Scripted::text(200, ""))
}

/// Answers a token request, and counts it as under way until then.
fn token(state: &Mutex<State>, path: &str, request: &mut Request) -> Option<Scripted> {
    {
        let mut state = locked(state);
        state.under_way += 1;
        state.most_at_once = state.most_at_once.max(state.under_way);
    }
    let answer = token_answer(state, path, request);
    locked(state).under_way -= 1;
    answer
}

fn token_answer(state: &Mutex<State>, path: &str, request: &mut Request) -> Option<Scripted> {
    let seen = Seen::read(path, request)?;
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
