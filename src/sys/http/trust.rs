//! Which servers are believed to be who they say they are.
//!
//! The authorities compiled in, those that the environment names, and, only if these do not know
//! the server, those of the system: reading hundreds of files is not for every refresh.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, OtherError, RootCertStore,
    SignatureScheme,
};

use super::super::env::names;
use super::settings::Authorities;

/// The verifier of servers.
#[derive(Debug)]
struct Trust {
    provider: Arc<CryptoProvider>,
    /// What the environment names.
    named: Vec<CertificateDer<'static>>,
    known: Arc<WebPkiServerVerifier>,
    system: OnceLock<Option<Arc<WebPkiServerVerifier>>>,
}

/// TLS for servers that are to be believed, and what was set and is ignored, a sentence.
///
/// # Errors
/// Which variable is wrong, and why.
pub(super) fn tls(authorities: &Authorities) -> Result<(ClientConfig, Option<String>), String> {
    if let Some(name) = authorities.garbled {
        return Err(format!("{name} is not valid UTF-8; choose a path that is"));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let (named, ignored) = named(authorities)?;
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    roots.add_parsable_certificates(named.iter().cloned());
    let verifier = Trust {
        known: verifier(roots, &provider).map_err(|error| error.to_string())?,
        provider: Arc::clone(&provider),
        named,
        system: OnceLock::new(),
    };
    let mut config = nobody()?;
    config
        .dangerous()
        .set_certificate_verifier(Arc::new(verifier));
    Ok((config, ignored))
}

/// TLS for requests that need none: it believes nobody.
pub(super) fn nobody() -> Result<ClientConfig, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let roots = RootCertStore::empty();
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The certificates that the environment names.
fn named(
    authorities: &Authorities,
) -> Result<(Vec<CertificateDer<'static>>, Option<String>), String> {
    let mut all = Vec::new();
    if let Some(path) = &authorities.bundle {
        all.extend(bundle(names::CA_BUNDLE, path)?);
    }
    if let Some(paths) = &authorities.directories {
        all.extend(directories(paths)?);
    }
    // Node warns and goes on, and so does whoever has set it for Node.
    let of_node = authorities.of_node.as_ref();
    let of_node = of_node.map(|path| bundle(names::NODE_CA_BUNDLE, path));
    match of_node {
        Some(Err(why)) => Ok((all, Some(why))),
        of_node => {
            all.extend(of_node.into_iter().flatten().flatten());
            Ok((all, None))
        }
    }
}

fn bundle(variable: &str, path: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let broken = |why: &str| format!("{variable} ({path}): {why}");
    let pem = std::fs::read(path).map_err(|error| broken(&error.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let found = found.map_err(|error| broken(&words(&error)))?;
    let (added, _) = RootCertStore::empty().add_parsable_certificates(found.iter().cloned());
    match added {
        0 => Err(broken("it contains no certificate")),
        _ => Ok(found),
    }
}

/// What is wrong with a PEM file. Its own words print a line as a list of bytes.
fn words(error: &pem::Error) -> String {
    match error {
        pem::Error::MissingSectionEnd { .. } => {
            "it is cut off: the END line of a certificate is missing".to_owned()
        }
        pem::Error::IllegalSectionStart { .. } => "it has a damaged BEGIN line".to_owned(),
        other => other.to_string(),
    }
}

/// Such a list often names directories that only other systems have.
fn directories(paths: &str) -> Result<Vec<CertificateDer<'static>>, String> {
    let (mut found, mut fault) = (Vec::new(), None);
    for path in std::env::split_paths(paths) {
        let loaded = rustls_native_certs::load_certs_from_paths(None, Some(&path));
        found.extend(loaded.certs);
        fault = fault.or_else(|| loaded.errors.into_iter().next());
    }
    match fault {
        Some(why) if found.is_empty() => Err(format!("{} ({paths}): {why}", names::CA_DIRECTORIES)),
        _ => Ok(found),
    }
}

/// Where Unix systems keep their authorities in one file, as Go's `crypto/x509` lists them.
const SYSTEM_BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The certificates of the system. Where `SSL_CERT_FILE` or `SSL_CERT_DIR` is set, if only to
/// nothing, `load_native_certs` would return what these name in their place.
fn of_system() -> Vec<CertificateDer<'static>> {
    let bundles = SYSTEM_BUNDLES.map(Path::new).into_iter();
    // On a Mac they are in the keychain, and the file is only for OpenSSL.
    let mut bundles = bundles.filter(|_| !cfg!(target_os = "macos"));
    let found = match bundles.find(|bundle| bundle.exists()) {
        Some(bundle) => rustls_native_certs::load_certs_from_paths(Some(bundle), None),
        None => rustls_native_certs::load_native_certs(),
    };
    found.certs
}

fn verifier(
    roots: RootCertStore,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>, Error> {
    let builder =
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider));
    builder
        .build()
        .map_err(|error| Error::General(error.to_string()))
}

impl Trust {
    /// The verifier by the system's authorities; `None` if it has none.
    fn system(&self) -> Option<&Arc<WebPkiServerVerifier>> {
        let load = || {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(of_system());
            verifier(roots, &self.provider).ok()
        };
        self.system.get_or_init(load).as_ref()
    }
}

impl ServerCertVerifier for Trust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify = |verifier: &WebPkiServerVerifier| {
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        };
        let verified = match verify(&self.known) {
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                let unknown = || CertificateError::UnknownIssuer.into();
                self.system()
                    .map_or_else(|| Err(unknown()), |system| verify(system))
            }
            // Trusted itself, by name and not as an issuer, as by curl. By then its dates were
            // found right.
            Err(error) if is_authority(&error) && self.named.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        };
        let unknown = Error::InvalidCertificate(CertificateError::UnknownIssuer);
        match verified {
            Err(error) if error == unknown || is_authority(&error) => {
                Err(if is_self_signed(end_entity) {
                    SelfSigned.into()
                } else {
                    error
                })
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.known.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.known.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.known.supported_verify_schemes()
    }
}

/// Whether a server was refused because its certificate is that of an authority, which nearly every
/// self-signed one says of itself.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else {
        return false;
    };
    let cause = other.0.downcast_ref::<webpki::Error>();
    matches!(cause, Some(webpki::Error::CaUsedAsEndEntity))
}

/// A server whose certificate nobody but itself vouches for.
#[derive(Debug, thiserror::Error)]
#[error("the certificate of the server is self-signed")]
pub(super) struct SelfSigned;

impl From<SelfSigned> for Error {
    fn from(fault: SelfSigned) -> Self {
        CertificateError::Other(OtherError(Arc::new(fault))).into()
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    let parsed = webpki::EndEntityCert::try_from(certificate);
    parsed.is_ok_and(|it| it.issuer() == it.subject())
}
