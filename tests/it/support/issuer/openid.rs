//! ID tokens as OpenID Connect has them: for a client, of an issuer, signed by a key of its own.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Map, Value, json};

/// What makes ID tokens.
pub(crate) struct OpenId {
    issuer: String,
    key: Option<EcdsaKeyPair>,
    kid: usize,
    pub(crate) changes: Map<String, Value>,
}

fn new_key() -> Option<EcdsaKeyPair> {
    let random = SystemRandom::new();
    let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).ok()?;
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).ok()
}

impl OpenId {
    pub(crate) fn new(issuer: &str) -> Self {
        Self {
            issuer: issuer.to_owned(),
            key: new_key(),
            kid: 1,
            changes: Map::new(),
        }
    }

    /// The token of a client, made at `now` in seconds.
    pub(crate) fn token(
        &self,
        mut claims: Value,
        client_id: &str,
        nonce: Option<&str>,
        now: i64,
    ) -> String {
        claims["iss"] = json!(self.issuer);
        claims["aud"] = json!([client_id]);
        claims["iat"] = json!(now);
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        for (name, value) in &self.changes {
            claims[name] = value.clone();
        }
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid.to_string() });
        let signed = [header, claims].map(|part| base64url(part.to_string()));
        let signed = signed.join(".");
        let signature = self.key.as_ref().and_then(|key| {
            let signature = key.sign(&SystemRandom::new(), signed.as_bytes());
            signature.ok()
        });
        let signature = signature.map(base64url).unwrap_or_default();
        format!("{signed}.{signature}")
    }

    /// The keys that sign now.
    pub(crate) fn jwks(&self) -> Value {
        // An uncompressed point: a byte that says so, x, y.
        let point = self.key.as_ref().map(|key| key.public_key().as_ref());
        let point = point.unwrap_or(&[0; 65]);
        json!({ "keys": [{
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid.to_string(),
            "x": base64url(&point[1..33]), "y": base64url(&point[33..]),
        }] })
    }

    /// Signs with another key from now on.
    pub(crate) fn change_key(&mut self) {
        self.key = new_key();
        self.kid += 1;
    }
}

pub(crate) fn base64url(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}
