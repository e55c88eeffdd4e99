use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};

use super::*;
use crate::model::secret::Secret;
use crate::ports::http::MAX_ANSWER;
use crate::testing::env::FixedEnv;

mod certificates;
mod concurrency;

/// Takes one connection, reads a head, and hands both over; the thread returns what it read.
fn serve(answer: impl FnOnce(TcpStream) + Send + 'static) -> (SocketAddr, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let head = read_head(&mut stream);
        answer(stream);
        head
    });
    (address, server)
}

fn read_head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        head.push(byte[0]);
    }
    String::from_utf8(head).unwrap()
}

fn say(text: &'static str) -> impl FnOnce(TcpStream) + Send + 'static {
    move |mut stream| stream.write_all(text.as_bytes()).unwrap()
}

fn get(url: &str) -> Request {
    Request {
        method: Method::Get,
        url: url.to_owned(),
        headers: vec![("authorization".to_owned(), "Bearer s3cret".to_owned())],
        body: Secret::new(Vec::new()),
    }
}

fn fetch(env: &FixedEnv, url: &str) -> Result<Response, HttpError> {
    SystemHttp::new(env.clone()).send(&get(url))
}

fn fails(env: &FixedEnv, url: &str) -> HttpError {
    fetch(env, url).unwrap_err()
}

#[test]
fn a_redirect_is_an_answer() {
    let (address, server) = serve(say(
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 2\r\n\r\nhi",
    ));
    let response = fetch(&FixedEnv::default(), &format!("http://{address}/token")).unwrap();
    assert_eq!(response.status, 302);
    assert_eq!(response.header("location"), Some("http://127.0.0.1:1/"));
    assert_eq!(response.body.expose(), b"hi");
    let head = server.join().unwrap().to_ascii_lowercase();
    assert!(head.starts_with("get /token http/1.1\r\n"), "{head}");
    let agent = concat!("user-agent: openclaw/", env!("CARGO_PKG_VERSION"), "\r\n");
    assert!(head.contains(agent), "{head}");
}

/// A server that answers when the test is over.
fn silent() -> (SocketAddr, std::sync::mpsc::Sender<()>) {
    let (over, is_over) = std::sync::mpsc::channel::<()>();
    let (address, _) = serve(move |stream| {
        let _ = is_over.recv();
        drop(stream);
    });
    (address, over)
}

#[test]
fn a_request_is_given_up_in_time_or_when_told_so() {
    let env = FixedEnv::default();
    let given_up = |limit, stop: &(dyn Fn() -> bool + Sync)| {
        let (address, _over) = silent();
        let request = get(&format!("http://{address}/"));
        let patience = Patience { limit, stop };
        let answer = SystemHttp::new(env.clone()).send_within(&request, &patience);
        answer.unwrap_err()
    };
    let error = given_up(Duration::from_millis(30), &|| false);
    assert_eq!(error.kind, HttpErrorKind::AnswerTimeout);
    let error = given_up(Duration::from_secs(3_600), &|| true);
    assert_eq!(error.kind, HttpErrorKind::NoAnswer);
    assert_eq!(error.detail, "canceled");

    let (address, _server) = serve(say("HTTP/1.1 204 No Content\r\n\r\n"));
    let patience = Patience {
        limit: Duration::from_secs(3_600),
        stop: &|| false,
    };
    let request = get(&format!("http://{address}/"));
    let answer = SystemHttp::new(env.clone()).send_within(&request, &patience);
    assert_eq!(answer.unwrap().status, 204);
}

#[test]
fn a_body_is_posted_as_it_is() {
    let (sender, body) = std::sync::mpsc::channel();
    let (address, server) = serve(move |mut stream| {
        let mut body = [0; 9];
        stream.read_exact(&mut body).unwrap();
        sender.send(body).unwrap();
        say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")(stream);
    });
    let mut request = get(&format!("http://{address}/token"));
    request.method = Method::Post;
    request.body = Secret::new(b"code=a%20".to_vec());
    let response = SystemHttp::new(FixedEnv::default()).send(&request);
    assert_eq!(response.unwrap().status, 200);
    assert_eq!(&body.recv().unwrap(), b"code=a%20");
    assert!(server.join().unwrap().starts_with("POST /token "));
}

#[test]
fn one_byte_too_many_is_too_large_announced_or_not() {
    let (address, server) = serve(say("HTTP/1.1 200 OK\r\nContent-Length: 1048577\r\n\r\n"));
    let error = fails(&FixedEnv::default(), &format!("http://{address}/"));
    assert_eq!(error.kind, HttpErrorKind::TooLarge);
    server.join().unwrap();

    for (length, fits) in [(MAX_ANSWER, true), (MAX_ANSWER + 1, false)] {
        let (address, server) = serve(move |mut stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            // The client hangs up in the middle of what is too long.
            let _ = stream.write_all(&vec![b'x'; length]);
        });
        let result = fetch(&FixedEnv::default(), &format!("http://{address}/"));
        match result {
            Ok(response) => assert!(fits && response.body.expose().len() == length),
            Err(error) => assert!(!fits && error.kind == HttpErrorKind::TooLarge, "{error}"),
        }
        server.join().unwrap();
    }
}

#[test]
fn only_a_failure_before_the_connection_is_surely_not_sent() {
    // A port that was free a moment ago and that nobody listens on.
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = fails(&FixedEnv::default(), &format!("http://{free}/?code=s3cret"));
    assert_eq!(error.kind, HttpErrorKind::Connect);
    assert!(!error.detail.contains("s3cret"), "{error}");
    assert!(error.detail.contains("refused"), "{error}");

    let (address, server) = serve(drop);
    let error = fails(
        &FixedEnv::default(),
        &format!("http://{address}/?code=s3cret"),
    );
    assert_eq!(error.kind, HttpErrorKind::NoAnswer);
    assert!(!error.detail.contains("s3cret"), "{error}");
    server.join().unwrap();

    let (address, server) = serve(say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"));
    let error = fails(&FixedEnv::default(), &format!("http://{address}/"));
    assert_eq!(error.kind, HttpErrorKind::NoAnswer);
    server.join().unwrap();
}

#[test]
fn a_silent_server_times_out_as_maybe_sent() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let (address, server) = serve(move |_stream| {
        let _ = released.recv();
    });
    let limits = Limits {
        connect: Duration::from_secs(5),
        call: Duration::from_millis(200),
    };
    let http = SystemHttp::with_limits(FixedEnv::default(), limits);
    let error = http.send(&get(&format!("http://{address}/"))).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::AnswerTimeout);
    drop(release);
    server.join().unwrap();
}

/// As after Ctrl-Z and `fg`: what came meanwhile is read before anybody looks at the clock.
#[test]
fn the_time_during_which_the_process_is_stopped_does_not_count() {
    let (stopped, is_stopped) = channel();
    let (address, server) = serve(move |mut stream| {
        is_stopped.recv().unwrap();
        stream
            .write_all(b"HTTP/1.1 204 No Content\r\n\r\n")
            .unwrap();
    });
    let (_going_on, goes_on) = channel::<()>();
    let moment = Mutex::new((Some(stopped), goes_on));
    let patience = Patience {
        limit: Duration::from_millis(200),
        stop: &|| {
            let (stopped, goes_on) = &mut *moment.lock().unwrap();
            if let Some(stopped) = stopped.take() {
                stopped.send(()).unwrap();
                let _ = goes_on.recv_timeout(Duration::from_millis(400));
            }
            false
        },
    };
    let http = SystemHttp::new(FixedEnv::default());
    let answer = http.send_within(&get(&format!("http://{address}/")), &patience);
    assert_eq!(answer.unwrap().status, 204);
    server.join().unwrap();
}

#[test]
fn a_handshake_that_never_ends_is_a_connect_timeout() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = Limits {
        connect: Duration::from_millis(200),
        call: Duration::from_secs(30),
    };
    let http = SystemHttp::with_limits(FixedEnv::default(), limits);
    let error = http.send(&get(&format!("https://{address}/"))).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::ConnectTimeout);
}

#[test]
fn a_server_without_tls_is_a_tls_failure() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut hello = [0; 64];
        stream.read_exact(&mut hello).unwrap();
        stream
            .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            .unwrap();
        // Until the client hangs up; a reset would hide what we said.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let error = fails(&FixedEnv::default(), &format!("https://{address}/"));
    assert_eq!(error.kind, HttpErrorKind::Tls, "{error}");
    server.join().unwrap();
}

#[test]
fn the_proxy_gets_the_request_and_this_machine_is_reached_without() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let (proxy, server) = serve(say(answer));
        let env = FixedEnv::of(&[(name, &format!("http://user:pw@{proxy}"))]);
        let response = fetch(&env, "http://issuer.test/token").unwrap();
        assert_eq!(response.status, 200);
        let head = server.join().unwrap();
        assert!(head.starts_with("GET http://issuer.test/token "), "{head}");
        let head = head.to_ascii_lowercase();
        assert!(head.contains("proxy-authorization: basic "), "{head}");
    }

    let (direct, server) = serve(say(answer));
    let env = FixedEnv::of(&[("ALL_PROXY", "127.0.0.1:1")]);
    let response = fetch(&env, &format!("http://{direct}/")).unwrap();
    assert_eq!(response.status, 200);
    server.join().unwrap();
}

#[test]
fn a_proxy_that_is_not_there_is_named_without_its_password() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let closed = closed.unwrap();
    for scheme in ["http", "https", "socks", "socks5", "socks4a"] {
        let value = format!("{scheme}://user:s3cret@{closed}/");
        let error = fails(
            &FixedEnv::of(&[("HTTPS_PROXY", &value)]),
            "https://issuer.test/",
        );
        assert_eq!(error.kind, HttpErrorKind::Connect, "{error}");
        let place = format!("://{closed} (HTTPS_PROXY): ");
        assert!(error.detail.contains(&place), "{error}");
        assert!(!error.detail.contains("s3cret"), "{error}");
    }
}

#[test]
fn https_goes_through_a_tunnel_and_who_wants_a_login_there_is_no_trouble_that_passes() {
    let (proxy, server) = serve(say(
        "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    ));
    let env = FixedEnv::of(&[("HTTPS_PROXY", &proxy.to_string())]);
    let error = fails(&env, "https://issuer.test/token");
    assert_eq!(error.kind, HttpErrorKind::Local, "{error}");
    let head = server.join().unwrap();
    assert!(head.starts_with("CONNECT issuer.test:443 "), "{head}");
    assert!(!head.contains("s3cret"), "{head}");
}

#[test]
fn socks5h_leaves_the_name_to_the_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut greeting = [0; 2];
        stream.read_exact(&mut greeting).unwrap();
        stream.read_exact(&mut vec![0; greeting[1].into()]).unwrap();
        stream.write_all(&[5, 0]).unwrap();
        let mut wish = [0; 5];
        stream.read_exact(&mut wish).unwrap();
        let mut name = vec![0; wish[4].into()];
        stream.read_exact(&mut name).unwrap();
        // Connection not allowed.
        stream.write_all(&[5, 2, 0, 1, 0, 0, 0, 0, 0, 0]).unwrap();
        (wish[3], String::from_utf8(name).unwrap())
    });
    let env = FixedEnv::of(&[("ALL_PROXY", &format!("socks5h://{address}"))]);
    let error = fails(&env, "http://issuer.test/");
    assert_eq!(error.kind, HttpErrorKind::Connect, "{error}");
    assert_eq!(server.join().unwrap(), (3, "issuer.test".to_owned()));
}

#[test]
fn a_proxy_we_do_not_understand_is_never_passed_by() {
    for value in ["ftp://proxy.test:21/?pw", "socks6://proxy.test", "http://"] {
        let env = FixedEnv::of(&[("https_proxy", value)]);
        let error = fails(&env, "https://issuer.test/");
        assert_eq!(error.kind, HttpErrorKind::Local, "{value}");
        assert!(error.detail.contains("https_proxy"), "{error}");
        assert!(!error.detail.contains("pw"), "{error}");
    }
}

#[test]
fn a_broken_ca_bundle_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing.pem");
    let error = fails(
        &FixedEnv::of(&[("SSL_CERT_FILE", missing.to_str().unwrap())]),
        "https://127.0.0.1:1/",
    );
    assert_eq!(error.kind, HttpErrorKind::Local);
    assert!(error.detail.starts_with("SSL_CERT_FILE ("), "{error}");
    // What needs no certificate does not look for one.
    let (address, server) = serve(say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
    let env = FixedEnv::of(&[("SSL_CERT_FILE", missing.to_str().unwrap())]);
    fetch(&env, &format!("http://{address}/")).unwrap();
    server.join().unwrap();
    let error = fails(
        &FixedEnv::of(&[("SSL_CERT_DIR", missing.to_str().unwrap())]),
        "https://127.0.0.1:1/",
    );
    assert!(error.detail.starts_with("SSL_CERT_DIR ("), "{error}");
    // No PEM in it.
    let error = fails(
        &FixedEnv::of(&[("SSL_CERT_FILE", "/dev/null")]),
        "https://127.0.0.1:1/",
    );
    assert!(error.detail.contains("no certificate"), "{error}");
}

#[test]
fn what_cannot_be_sent_is_local_and_tells_no_value() {
    let http = SystemHttp::new(FixedEnv::default());
    for url in ["no url", "file:///etc/passwd", "http://"] {
        let error = http.send(&get(url)).unwrap_err();
        assert_eq!(error.kind, HttpErrorKind::Local, "{url}");
    }
    let mut request = get("http://127.0.0.1:1/");
    request.headers = vec![("authorization".to_owned(), "s3cret\n".to_owned())];
    let error = http.send(&request).unwrap_err();
    assert_eq!(error.kind, HttpErrorKind::Local);
    assert!(!error.detail.contains("s3cret"), "{error}");
}
