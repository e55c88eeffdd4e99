//! Two hundred requests that no client of ours sends: each gets a status, none costs a credential, and
//! the gateway serves the next one.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::World;
use crate::support::issuer::Account;
use crate::support::running_gateway::{Gateway, TOKEN};

/// A request, and the statuses that are right for it; 0 stands for a connection that was closed.
struct Case {
    name: String,
    request: String,
    expected: &'static [u16],
}

struct Cases {
    host: String,
    all: Vec<Case>,
}

impl Cases {
    fn raw(
        &mut self,
        name: impl Into<String>,
        request: impl Into<String>,
        expected: &'static [u16],
    ) {
        self.all.push(Case {
            name: name.into(),
            request: request.into(),
            expected,
        });
    }

    /// A request that is right but for these headers.
    fn get(&mut self, name: &str, path: &str, headers: &str, expected: &'static [u16]) {
        let host = self.host.clone();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Authorization: Bearer {TOKEN}\r\n{headers}\r\n"
        );
        self.raw(format!("{name}: GET {path}"), request, expected);
    }

    fn post(
        &mut self,
        name: &str,
        path: &str,
        headers: &str,
        body: &str,
        expected: &'static [u16],
    ) {
        let (host, length) = (self.host.clone(), body.len());
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Authorization: Bearer {TOKEN}\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        self.raw(format!("{name}: POST {path}"), request, expected);
    }
}

const PATHS: [&str; 6] = [
    "/v1/auth/openai/status",
    "/v1/auth/chatgpt/openai-codex/status",
    "/v1/auth/openai-codex/status",
    "/v1/credentials",
    "/v1/token?provider=openai-codex",
    "/metrics",
];
const CHANGES: [&str; 3] = [
    "/v1/auth/openai/start",
    "/v1/auth/openai/callback",
    "/v1/auth/openai/logout",
];
const JSON: &str = "Content-Type: application/json\r\n";

/// Who asks for whom: names that lead here, and pages of others.
fn misdirected(cases: &mut Cases) {
    let port = cases.host.rsplit(':').next().unwrap().to_owned();
    for path in PATHS {
        for host in [
            "evil.example",
            "evil.example:3577",
            "127.0.0.1.evil.example",
            "127.0.0.1:1",
            "user@127.0.0.1",
            "",
            "[::1",
            "127.0.0.1/x",
        ] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            );
            cases.raw(format!("Host {host:?}: {path}"), request, &[421, 400]);
        }
        cases.get(
            "foreign origin",
            path,
            "Origin: https://evil.example\r\n",
            &[403],
        );
        cases.get("null origin", path, "Origin: null\r\n", &[403]);
        cases.get("other port", path, "Origin: http://127.0.0.1:1\r\n", &[403]);
        cases.get("cross-site", path, "Sec-Fetch-Site: cross-site\r\n", &[403]);
        cases.get("same-site", path, "Sec-Fetch-Site: same-site\r\n", &[403]);
        let https = format!("Origin: https://127.0.0.1:{port}\r\n");
        cases.get("other scheme", path, &https, &[403]);
    }
    for path in CHANGES {
        cases.post(
            "cross-site",
            path,
            &format!("{JSON}Sec-Fetch-Site: cross-site\r\n"),
            "{}",
            &[403],
        );
        let form =
            "Content-Type: application/x-www-form-urlencoded\r\nOrigin: https://evil.example\r\n";
        cases.post("form of another site", path, form, "a=b", &[403]);
    }
}

/// Bearers that are none.
fn unauthorized(cases: &mut Cases) {
    let host = cases.host.clone();
    for path in PATHS {
        for (name, header) in [
            ("none", String::new()),
            (
                "wrong",
                "Authorization: Bearer wrong-wrong-wrong-wrong-wrong-wrong\r\n".to_owned(),
            ),
            ("basic", format!("Authorization: Basic {TOKEN}\r\n")),
            ("no scheme", format!("Authorization: {TOKEN}\r\n")),
            (
                "two",
                format!("Authorization: Bearer {TOKEN}\r\nAuthorization: Bearer x\r\n"),
            ),
        ] {
            let request =
                format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{header}\r\n");
            cases.raw(format!("bearer {name}: {path}"), request, &[401, 429]);
        }
    }
}

/// Requests whose end or size two readers could see differently, and those that are too large. Logins
/// are limited to ten a minute, which counts first.
fn smuggled(cases: &mut Cases) {
    let host = cases.host.clone();
    let head = format!("Host: {host}\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n");
    for path in CHANGES {
        let post = |rest: &str| format!("POST {path} HTTP/1.1\r\n{head}{JSON}{rest}");
        for (name, rest) in [
            (
                "two lengths",
                "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
            ),
            (
                "length and chunks",
                "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            (
                "two codings",
                "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
            ),
            ("no number", "Content-Length: two\r\n\r\n{}"),
            ("negative", "Content-Length: -2\r\n\r\n{}"),
            ("plus", "Content-Length: +2\r\n\r\n{}"),
            (
                "bad chunk",
                "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
            ),
            ("folded", "X-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\n{}"),
            ("blank before colon", "Content-Length : 2\r\n\r\n{}"),
            ("NUL", "X-A: a\0b\r\nContent-Length: 2\r\n\r\n{}"),
        ] {
            cases.raw(format!("{name}: {path}"), post(rest), &[400, 411, 501]);
        }
        let long = "x".repeat(17 * 1024);
        cases.post(
            "long body",
            path,
            JSON,
            &format!("{{\"redirect_url\":\"{long}\"}}"),
            &[413, 429],
        );
        cases.post("no JSON", path, JSON, "{", &[400, 429]);
        cases.post("no object", path, JSON, "[]", &[400, 429]);
        cases.post(
            "deep",
            path,
            JSON,
            &format!("{{\"a\":{}1{}}}", "[".repeat(32), "]".repeat(32)),
            &[400, 429],
        );
        cases.post(
            "not UTF-8 type",
            path,
            "Content-Type: text/plain\r\n",
            "{}",
            &[415, 429],
        );
        cases.post(
            "XML",
            path,
            "Content-Type: application/xml\r\n",
            "<a/>",
            &[415, 429],
        );
    }
    cases.raw(
        "two hosts",
        format!("GET /livez HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        &[400],
    );
    cases.raw(
        "no host",
        "GET /livez HTTP/1.1\r\nConnection: close\r\n\r\n",
        &[400, 421],
    );
    cases.raw("HTTP/1.0", "GET /livez HTTP/1.0\r\n\r\n", &[421, 505]);
    cases.raw(
        "HTTP/2 preface",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[400, 0, 505],
    );
    cases.raw(
        "whole URL",
        format!(
            "GET http://evil.example/livez HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        ),
        &[421],
    );
    cases.raw(
        "CONNECT",
        format!("CONNECT evil.example:443 HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"),
        &[421, 405],
    );
    cases.raw("no HTTP", "hello\r\n\r\n", &[400, 0]);
    cases.raw("TLS", "\u{16}\u{3}\u{1}\r\n\r\n", &[400, 0]);
    let long = "a".repeat(5 * 1024);
    cases.get(
        "long URL",
        &format!("/v1/token?provider={long}"),
        "",
        &[414],
    );
    cases.get("long path", &format!("/{long}"), "", &[414]);
    cases.get(
        "long head",
        "/livez",
        &format!("X-A: {}\r\n", "a".repeat(20 * 1024)),
        &[431],
    );
    cases.get("many fields", "/livez", &"X-A: 1\r\n".repeat(120), &[431]);
}

/// Paths and methods that are not there.
fn unknown(cases: &mut Cases) {
    for path in [
        "/v1",
        "/v1/",
        "/v1/auth",
        "/v1/auth//status",
        "/v1/auth/openai/status/x",
        "/..%2f..%2fetc/passwd",
        "/v1/auth/openai/nothing",
        "/.env",
        "/index.php",
    ] {
        cases.get("unknown", path, "", &[404, 400]);
    }
    for name in [
        "A",
        "-a",
        "a%2Fb",
        "%00",
        "..",
        "a.b",
        "%F0%9F%98%80",
        "a%20b",
        &"a".repeat(80),
    ] {
        cases.get(
            "provider",
            &format!("/v1/auth/{name}/status"),
            "",
            &[400, 404],
        );
    }
    let host = cases.host.clone();
    for method in ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "FOO"] {
        for path in ["/v1/auth/openai/status", "/v1/token", "/livez"] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n\r\n"
            );
            cases.raw(format!("{method} {path}"), request, &[405]);
        }
    }
    for path in CHANGES {
        cases.get("wrong method", path, "", &[405]);
    }
}

/// Sends a request; its status, or 0 if there is none.
fn status(address: &str, request: &str) -> u16 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    // A server that refuses early may have closed by then.
    let _ = stream.write_all(request.as_bytes());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let status = answer
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    status.unwrap_or(0)
}

#[test]
fn each_gets_a_status_and_nothing_is_lost() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", 3_600);
    let before = world.only_profile();
    let gateway = Gateway::start(&world);
    let mut cases = Cases {
        host: gateway.address.clone(),
        all: Vec::new(),
    };
    misdirected(&mut cases);
    smuggled(&mut cases);
    unknown(&mut cases);
    // Last: after ten of them this address has to wait.
    unauthorized(&mut cases);
    assert!(cases.all.len() >= 200, "only {}", cases.all.len());
    let wrong = cases.all.iter().filter_map(|case| {
        let status = status(&gateway.address, &case.request);
        let is_right = case.expected.contains(&status);
        (!is_right).then(|| format!("{}: {status} and not {:?}", case.name, case.expected))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        cases.all.len(),
        wrong.join("\n")
    );
    assert_eq!(
        gateway.get("/v1/auth/openai/status").json()["authenticated"],
        true
    );
    assert_eq!(world.only_profile(), before);
    assert!(issuer.token_requests().is_empty());
}

#[test]
fn a_slow_client_is_cut_off_and_holds_up_nobody() {
    let (_world, gateway) = {
        let world = World::new();
        let gateway = Gateway::start(&world);
        (world, gateway)
    };
    let mut slow = TcpStream::connect(&gateway.address).unwrap();
    slow.set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost: ").unwrap();
    assert_eq!(gateway.get("/livez").status, 200);
    let mut answer = Vec::new();
    // It ends by itself, with an answer or without.
    let _ = slow.read_to_end(&mut answer);
    assert_eq!(gateway.get("/livez").status, 200);
}
