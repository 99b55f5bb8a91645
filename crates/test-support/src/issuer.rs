//! An authority of a test's own: it signs access tokens, and its key set is a file.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PublicKeyData as _};
use serde_json::{Value, json};

/// The `iss` of its tokens.
pub(crate) const ISSUER: &str = "https://issuer.test";

/// The `aud` of its tokens.
pub(crate) const AUDIENCE: &str = "edge-alone";

const KEY_ID: &str = "test-key";

/// How long a token is good for, in seconds.
const LIFE: u64 = 600;

/// Signs tokens with ES256.
pub struct TestIssuer {
    key: KeyPair,
}

impl std::fmt::Debug for TestIssuer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TestIssuer")
    }
}

impl Default for TestIssuer {
    fn default() -> Self {
        Self { key: KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap() }
    }
}

impl TestIssuer {
    /// Its public key as a key set (RFC 7517).
    pub fn key_set(&self) -> Value {
        let point = self.key.der_bytes();
        let half = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (x, y) = (half(&point[1..33]), half(&point[33..65]));
        let key = json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256",
            "kid": KEY_ID, "x": x, "y": y});
        json!({ "keys": [key] })
    }

    /// A good token for somebody with these roles.
    pub fn token(&self, subject: &str, roles: &[&str]) -> String {
        self.sign(&self.claims(subject, roles))
    }

    /// The claims of a good token, to be changed.
    pub fn claims(&self, subject: &str, roles: &[&str]) -> Value {
        let now = jsonwebtoken::get_current_timestamp();
        json!({"iss": ISSUER, "aud": AUDIENCE, "sub": subject, "sid": "session",
            "iat": now, "exp": now + LIFE, "auth_time": now, "roles": roles})
    }

    /// Any claims, signed.
    pub fn sign(&self, claims: &Value) -> String {
        let mut header = Header::new(Algorithm::ES256);
        header.typ = Some("at+jwt".to_owned());
        header.kid = Some(KEY_ID.to_owned());
        let pem = self.key.serialize_pem();
        encode(&header, claims, &EncodingKey::from_ec_pem(pem.as_bytes()).unwrap()).unwrap()
    }
}
