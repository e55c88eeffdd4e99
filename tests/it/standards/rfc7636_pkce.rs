//! RFC 7636: Proof Key for Code Exchange. Section 7.1 and the vector of appendix B stand beside the
//! code.

use crate::support::browser::visit;
use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::{asked, nothing_is_stored, value, waiting};

#[test]
fn rfc7636_4_1_each_request_has_a_verifier_of_its_own() {
    let mut verifiers = Vec::new();
    for _ in 0..3 {
        let (_world, issuer, login) = waiting();
        visit(&login.url).unwrap();
        assert_eq!(login.finish().0.code, 0);
        let verifier = value(&issuer.token_requests()[0], "code_verifier").to_owned();
        assert!((43..=128).contains(&verifier.len()), "{verifier}");
        let unreserved = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        assert!(verifier.bytes().all(unreserved), "{verifier}");
        assert!(!verifiers.contains(&verifier));
        verifiers.push(verifier);
    }
}

#[test]
fn rfc7636_4_2_the_challenge_is_the_hash_of_the_verifier() {
    let (_world, issuer, login) = waiting();
    let request = asked(&login.url);
    visit(&login.url).unwrap();
    assert_eq!(login.finish().0.code, 0);
    let exchange = &issuer.token_requests()[0];
    let digest = Sha256::digest(value(exchange, "code_verifier"));
    assert_eq!(
        value(&request, "code_challenge"),
        BASE64_URL_SAFE_NO_PAD.encode(digest)
    );
    assert_eq!(value(&request, "code_challenge_method"), "S256");
}

#[test]
fn rfc7636_7_2_an_error_never_leads_to_plain() {
    let (world, issuer, login) = waiting();
    issuer.refuse_consent("invalid_request", "transform algorithm not supported");
    assert_eq!(visit(&login.url).unwrap().status, 403);
    let (ran, events) = login.finish();
    assert_eq!(ran.code, 3, "{ran:?}");
    let urls = events.iter().filter(|event| event["url"].is_string());
    assert_eq!(urls.count(), 1, "{events:?}");
    assert!(!ran.out.contains("plain") && nothing_is_stored(&world));
}
