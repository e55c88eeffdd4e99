//! The way to the token endpoint: what the environment says about proxies and certificates, and
//! what it must never be understood to say.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::support::issuer::{Account, Issuer};
use crate::support::{Ran, World, behind, ran};

const TOKEN: [&str; 5] = ["models", "auth", "token", "--provider", "openai-codex"];

/// A world whose expired login can be renewed only at a server that is not there.
fn with_distant_issuer() -> (World, Issuer) {
    let (world, issuer) = World::with_issuer(Account::default());
    let manifest = issuer
        .manifest()
        .replace(issuer.url(), "https://auth.corp.test");
    world.write("providers/openai-codex.toml", &manifest);
    world.seed(&issuer, "main", -10);
    (world, issuer)
}

fn token(world: &World, variables: &[(&str, &str)]) -> Ran {
    let mut command = world.command(&TOKEN);
    command.envs(variables.iter().copied());
    ran(command.output().unwrap())
}

#[test]
fn a_refresh_token_for_this_machine_is_never_told_to_a_proxy() {
    let proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", proxy.local_addr().unwrap());
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"] {
        let (world, issuer) = World::with_issuer(Account::default());
        world.seed(&issuer, "main", -10);
        let ran = token(&world, &[(name, &address)]);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(issuer.token_requests().len(), 1);
    }
    proxy.set_nonblocking(true).unwrap();
    assert_eq!(proxy.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_wrong_setting_of_the_network_is_to_be_corrected_and_is_named() {
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let dead = format!("http://{}", dead.unwrap());
    for (variables, name) in [
        (&[("HTTPS_PROXY", "ftp://proxy.test")][..], "HTTPS_PROXY"),
        (&[("all_proxy", "http://")], "all_proxy"),
        (
            &[("HTTPS_PROXY", "http://user:12#s3cret@127.0.0.1:9")],
            "HTTPS_PROXY",
        ),
        (&[("HTTPS_PROXY", "http:/127.0.0.1:9")], "HTTPS_PROXY"),
        (&[("SSL_CERT_FILE", "/nowhere/ca.pem")], "SSL_CERT_FILE"),
        (&[("SSL_CERT_FILE", "/dev/null")], "SSL_CERT_FILE"),
        (&[("SSL_CERT_DIR", "/nowhere")], "SSL_CERT_DIR"),
    ] {
        let (world, _issuer) = with_distant_issuer();
        // The second time, too: nothing is gained by a pause.
        for _ in 0..2 {
            let ran = token(&world, variables);
            assert_eq!(ran.code, 1, "{ran:?}");
            assert!(ran.err.contains(name), "{ran:?}");
            assert!(!ran.err.contains("s3cret"), "{ran:?}");
            assert!(ran.err.contains("models auth refresh"), "{ran:?}");
        }
        // Corrected, it is used at once.
        let ran = token(&world, &[("HTTPS_PROXY", &dead)]);
        assert_eq!(ran.code, 4, "{ran:?}");
        assert!(
            ran.err.contains(&format!("{dead} (HTTPS_PROXY)")),
            "{ran:?}"
        );
    }
}

#[test]
fn only_the_proxy_that_would_be_used_must_be_right() {
    let (world, issuer) = World::with_issuer(Account::default());
    world.seed(&issuer, "main", -10);
    let gnome = [
        ("all_proxy", "socks6://proxy.test/"),
        ("SSL_CERT_FILE", "/nowhere"),
    ];
    let ran = token(&world, &gnome);
    assert_eq!(ran.code, 0, "{ran:?}");

    let (world, _issuer) = with_distant_issuer();
    let dead = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let dead = format!("{}", dead.unwrap());
    let socks = format!("socks://{dead}/");
    let ran = token(&world, &[("all_proxy", &socks)]);
    assert_eq!(ran.code, 4, "{ran:?}");
    let shown = format!("socks5h://{dead} (all_proxy)");
    assert!(ran.err.contains(&shown), "{ran:?}");
}

#[test]
fn a_proxy_in_bytes_that_are_no_text_is_never_gone_around() {
    use std::os::unix::ffi::OsStrExt as _;
    let value = std::ffi::OsStr::from_bytes(b"http://user:p\xe9@127.0.0.1:9");
    let (world, _issuer) = with_distant_issuer();
    let mut command = world.command(&TOKEN);
    let ran = ran(command.env("HTTPS_PROXY", value).output().unwrap());
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(
        ran.err.contains("HTTPS_PROXY is not valid UTF-8"),
        "{ran:?}"
    );
}

/// A proxy that refuses every tunnel; ends with the process.
fn refusing_proxy(status: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|it| it == 1) {
                head.push(byte[0]);
            }
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    format!("http://{address}")
}

#[test]
fn a_proxy_that_refuses_is_named_with_its_status() {
    for (status, code) in [
        ("403 Forbidden", 4),
        ("502 Bad Gateway", 4),
        ("407 Proxy Authentication Required", 1),
    ] {
        let (world, _issuer) = with_distant_issuer();
        let proxy = refusing_proxy(status);
        let ran = token(&world, &[("HTTPS_PROXY", &proxy)]);
        assert_eq!(ran.code, code, "{status}: {ran:?}");
        let (number, _) = status.split_once(' ').unwrap();
        assert!(ran.err.contains(&format!("HTTP {number}")), "{ran:?}");
        assert!(
            ran.err.contains(&format!("{proxy} (HTTPS_PROXY)")),
            "{ran:?}"
        );
    }
}

/// Answers one connection by TLS as a server that is down.
fn serve_tls() -> (SocketAddr, JoinHandle<()>) {
    let chain = CertificateDer::from_pem_file(pem("server")).unwrap();
    let key = PrivateKeyDer::from_pem_file(pem("server-key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()));
    let config = config.with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth();
    let config = config.with_single_cert(vec![chain], key).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = thread::spawn(move || {
        let session = ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = StreamOwned::new(session, listener.accept().unwrap().0);
        let answer = b"HTTP/1.1 503 Unavailable\r\ncontent-length: 0\r\n\r\n";
        // Who does not trust us hangs up here.
        let _ = tls
            .read(&mut [0; 4_096])
            .and_then(|_| tls.write_all(answer));
    });
    (address, server)
}

fn pem(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls");
    directory.join(format!("{name}.pem"))
}

#[test]
#[ignore = "needs root to mount"]
fn the_authorities_of_the_system_count_beside_those_of_the_environment() {
    let other = pem("self-signed");
    for variables in [
        &[][..],
        &[("SSL_CERT_FILE", other.to_str().unwrap())],
        &[("SSL_CERT_FILE", ""), ("SSL_CERT_DIR", "")],
    ] {
        let (world, issuer) = World::with_issuer(Account::default());
        let (address, server) = serve_tls();
        let here = format!("https://{address}");
        let manifest = issuer.manifest().replace(issuer.url(), &here);
        world.write("providers/openai-codex.toml", &manifest);
        world.seed(&issuer, "main", -10);
        let script = "mount --bind \"$0\" /etc/ssl/certs/ca-certificates.crt && exec \"$@\"";
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "sh", "-c", script])
            .arg(pem("authority"));
        let ours = world.command(&TOKEN);
        behind(&mut command, &ours).env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        let ran = ran(command.envs(variables.iter().copied()).output().unwrap());
        assert_eq!(ran.code, 4, "{variables:?}: {ran:?}");
        assert!(ran.err.contains("503"), "{variables:?}: {ran:?}");
        server.join().unwrap();
    }
}
