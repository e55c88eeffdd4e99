//! Certificates of servers, and who vouches for them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::*;

/// An https server for one connection; what it answers counts only if the handshake succeeds.
fn serve_tls() -> (SocketAddr, JoinHandle<()>) {
    serve_tls_as("server")
}

/// The answer of such a server; it sends no close_notify behind it.
const NOTHING: &str = "HTTP/1.1 204 No Content\r\n\r\n";

/// The same, with another of the certificates among the fixtures.
fn serve_tls_as(name: &str) -> (SocketAddr, JoinHandle<()>) {
    serve_tls_with(name, NOTHING)
}

fn serve_tls_with(name: &str, answer: &'static str) -> (SocketAddr, JoinHandle<()>) {
    let chain = CertificateDer::from_pem_file(pem(name)).unwrap();
    let key = PrivateKeyDer::from_pem_file(pem(&format!("{name}-key"))).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let session = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = rustls::StreamOwned::new(session, stream);
        // A client that does not trust us hangs up here.
        let _ = tls
            .read(&mut [0; 1024])
            .and_then(|_| tls.write_all(answer.as_bytes()));
    });
    (address, server)
}

/// A file of the fixtures.
fn pem(name: &str) -> String {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tls");
    format!("{directory}/{name}.pem")
}

#[test]
fn an_unknown_authority_is_refused_until_a_variable_names_it() {
    let (address, server) = serve_tls();
    let error = fails(&FixedEnv::default(), &format!("https://{address}/"));
    assert_eq!(error.kind, HttpErrorKind::Tls);
    assert!(error.detail.contains("UnknownIssuer"), "{error}");
    assert!(error.detail.contains("SSL_CERT_FILE"), "{error}");
    server.join().unwrap();

    let directories = concat!(
        "/nowhere:",
        env!("CARGO_MANIFEST_DIR"),
        "/tests/fixtures/tls"
    );
    for (variable, value) in [
        ("SSL_CERT_FILE", pem("authority")),
        ("SSL_CERT_DIR", directories.to_owned()),
        ("NODE_EXTRA_CA_CERTS", pem("authority")),
    ] {
        let (address, server) = serve_tls();
        let env = FixedEnv::of(&[(variable, &value)]);
        let response = fetch(&env, &format!("https://{address}/"));
        assert_eq!(response.unwrap().status, 204, "{variable}");
        server.join().unwrap();
    }
}

/// As with curl: what nearly every self-signed certificate says of itself is no reason.
#[test]
fn a_self_signed_certificate_is_trusted_where_a_variable_names_it_and_for_its_name_only() {
    let trusting = FixedEnv::of(&[("SSL_CERT_FILE", &pem("self-signed"))]);
    let other = FixedEnv::of(&[("SSL_CERT_FILE", &pem("authority"))]);
    for (env, host, is_trusted) in [
        (&trusting, "127.0.0.1", true),
        (&trusting, "localhost", false),
        (&other, "127.0.0.1", false),
        (&FixedEnv::default(), "127.0.0.1", false),
    ] {
        let (address, server) = serve_tls_as("self-signed");
        match fetch(env, &format!("https://{host}:{}/", address.port())) {
            Ok(response) => assert!(is_trusted && response.status == 204, "{host}"),
            Err(error) => {
                assert!(!is_trusted, "{host}: {error}");
                let told =
                    error.detail.contains("self-signed") && error.detail.contains("SSL_CERT_FILE");
                assert!(told || host == "localhost", "{error}");
                assert_eq!(error.kind, HttpErrorKind::Tls, "{error}");
            }
        }
        server.join().unwrap();
    }
}

#[test]
fn a_bundle_that_is_cut_off_is_named_in_words() {
    let mut cut = tempfile::NamedTempFile::new().unwrap();
    cut.write_all(b"-----BEGIN CERTIFICATE-----\nMIIB\n")
        .unwrap();
    let path = cut.path().to_str().unwrap();
    let error = fails(
        &FixedEnv::of(&[("SSL_CERT_FILE", path)]),
        "https://127.0.0.1:9/",
    );
    assert!(
        error
            .detail
            .contains("the END line of a certificate is missing"),
        "{error}"
    );
    let garbled = [("SSL_CERT_DIR", "/\u{fffd}")];
    let error = fails(&FixedEnv::of(&garbled), "https://127.0.0.1:9/");
    assert!(
        error.detail.contains("SSL_CERT_DIR is not valid UTF-8"),
        "{error}"
    );
}

/// Node goes on without it, and so must a login that needs none of it.
#[test]
fn a_bundle_for_node_that_is_not_there_is_told_only_where_an_authority_is_missing() {
    let (address, server) = serve_tls();
    let missing = ("NODE_EXTRA_CA_CERTS", "/nowhere/ca.pem");
    let env = FixedEnv::of(&[missing, ("SSL_CERT_FILE", &pem("authority"))]);
    let response = fetch(&env, &format!("https://{address}/")).unwrap();
    assert_eq!(response.status, 204);
    server.join().unwrap();

    let (address, server) = serve_tls();
    let error = fails(&FixedEnv::of(&[missing]), &format!("https://{address}/"));
    let told = "NODE_EXTRA_CA_CERTS (/nowhere/ca.pem): No such file";
    assert!(error.detail.contains(told), "{error}");
    server.join().unwrap();
}

/// Neither somebody unknown nor somebody else gets a token.
#[test]
fn rfc6750_5_3_the_certificate_is_checked_and_so_is_its_name() {
    let trusting = FixedEnv::of(&[("SSL_CERT_FILE", &pem("authority"))]);
    for (env, host) in [
        (&FixedEnv::default(), "127.0.0.1"),
        (&trusting, "localhost"),
    ] {
        let (address, server) = serve_tls();
        let error = fails(env, &format!("https://{host}:{}/", address.port()));
        assert_eq!(error.kind, HttpErrorKind::Tls, "{host}: {error}");
        assert!(!error.detail.contains("s3cret"), "{error}");
        server.join().unwrap();
    }
}

#[test]
fn a_whole_body_counts_though_tls_is_not_closed() {
    let env = FixedEnv::of(&[("SSL_CERT_FILE", pem("authority").as_str())]);
    for (answer, is_whole) in [
        ("HTTP/1.1 200 OK\r\n\r\n{\"a\":1}", true),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{\"a\":1}",
            true,
        ),
        ("HTTP/1.1 200 OK\r\n\r\n{\"a\":1", false),
        ("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n1", false),
    ] {
        let (address, server) = serve_tls_with("server", answer);
        match fetch(&env, &format!("https://{address}/")) {
            Ok(response) => assert!(is_whole && response.body.expose() == br#"{"a":1}"#),
            Err(error) => assert!(
                !is_whole && error.kind == HttpErrorKind::NoAnswer,
                "{error}"
            ),
        }
        server.join().unwrap();
    }
}
