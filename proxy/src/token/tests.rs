//! Which tokens are believed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::{Value, json};

use stockade_settings::{TokenAlgorithm, TokenType};

use super::keys::{IssuerRules, KeySet};
use super::*;

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://issuer.test";

/// An issuer with one key, and the verifier that knows it.
struct World {
    key: EncodingKey,
    issuer: Arc<IssuerKeys>,
    verifier: TokenVerifier,
}

fn signing_key() -> EncodingKey {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    EncodingKey::from_ec_der(pair.to_pkcs8v1().unwrap().as_ref())
}

fn key_set(key: &EncodingKey) -> KeySet {
    let mut jwk = Jwk::from_encoding_key(key, Algorithm::ES256).unwrap();
    jwk.common.key_id = Some("k1".to_owned());
    KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes(), &[TokenAlgorithm::Es256])
        .unwrap()
}

fn issuer() -> Arc<IssuerKeys> {
    Arc::new(IssuerKeys::new(IssuerRules {
        name: ISSUER.to_owned(),
        audience: "stockade".to_owned(),
        algorithms: vec![TokenAlgorithm::Es256],
        token_type: TokenType::AtJwt,
        subject_claim: "sub".to_owned(),
        roles_claim: "roles".to_owned(),
        accept_until: None,
        max_role: None,
    }))
}

fn world() -> World {
    crate::crypto::install();
    let key = signing_key();
    let issuer = issuer();
    issuer.replace(key_set(&key));
    World {
        key,
        verifier: TokenVerifier::new(vec![issuer.clone()], Revocations::none().into()),
        issuer,
    }
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "stockade", "sub": "a-1", "sid": "s-1", "exp": NOW + 60,
        "auth_time": NOW - 5, "roles": ["customer"],
    })
}

fn header() -> Header {
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some("k1".to_owned());
    header
}

impl World {
    fn token(&self, header: &Header, claims: &Value) -> String {
        jsonwebtoken::encode(header, claims, &self.key).unwrap()
    }

    /// Signs a header that no library would write.
    fn raw_token(&self, header: &str, claims: &str) -> String {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
        let signature =
            jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, Algorithm::ES256).unwrap();
        format!("{message}.{signature}")
    }

    #[track_caller]
    fn refused(&self, token: &str, expected: TokenError) {
        assert_eq!(self.verify(token, NOW).err(), Some(expected));
    }

    /// As the guard asks: what is remembered first.
    fn verify(&self, token: &str, now: u64) -> Result<(Arc<Principal>, CacheOutcome), TokenError> {
        let key = self.verifier.key(token);
        match self.verifier.remembered(&key, now) {
            Some(remembered) => remembered.map(|principal| (principal, CacheOutcome::Hit)),
            None => self.verifier.verify(token, key, now).map(|found| (found, CacheOutcome::Miss)),
        }
    }

    #[track_caller]
    fn claims_refused(&self, name: &str, value: Value, expected: TokenError) {
        let mut claims = claims();
        claims[name] = value;
        self.refused(&self.token(&header(), &claims), expected);
    }
}

#[test]
fn a_good_token_speaks_for_its_subject_and_is_remembered() {
    let world = world();
    let token = world.token(&header(), &claims());
    let (principal, outcome) = world.verify(&token, NOW).unwrap();
    assert_eq!((principal.subject(), principal.session()), ("a-1", "s-1"));
    assert_eq!(principal.roles().collect::<Vec<_>>(), ["customer"]);
    assert_eq!(principal.authenticated_at(), NOW - 5);
    assert_eq!(outcome, CacheOutcome::Miss);
    assert_eq!(world.verify(&token, NOW).unwrap().1, CacheOutcome::Hit);
}

#[test]
fn a_remembered_token_still_expires() {
    let world = world();
    let token = world.token(&header(), &claims());
    world.verify(&token, NOW).unwrap();
    let later = NOW + 60 + LEEWAY_SECS;
    assert_eq!(world.verify(&token, later).err(), Some(TokenError::Expired));
}

#[test]
fn a_replaced_key_is_felt_at_once() {
    let world = world();
    let token = world.token(&header(), &claims());
    world.verify(&token, NOW).unwrap();
    world.issuer.replace(key_set(&signing_key()));
    world.refused(&token, TokenError::BadSignature);
}

#[test]
fn claims_are_judged() {
    let world = world();
    world.claims_refused("exp", json!(NOW - 10), TokenError::Expired);
    world.claims_refused("exp", json!("soon"), TokenError::Malformed);
    world.claims_refused("nbf", json!(NOW + 10), TokenError::NotYetValid);
    world.claims_refused("aud", json!("other"), TokenError::WrongAudience);
    world.claims_refused("aud", json!(["other"]), TokenError::WrongAudience);
    world.claims_refused("iss", json!("https://evil.test"), TokenError::UnknownIssuer);
    world.claims_refused("sub", json!(""), TokenError::Malformed);
    world.claims_refused("sub", json!("line\nbreak"), TokenError::Malformed);
    world.claims_refused("roles", json!({"admin": true}), TokenError::Malformed);
    world.claims_refused("roles", json!([1]), TokenError::Malformed);
}

#[test]
fn the_header_is_judged() {
    let world = world();
    let body = claims().to_string();
    let cases = [
        (r#"{"alg":"ES256","kid":"k1"}"#, TokenError::WrongType),
        (r#"{"alg":"ES256","typ":"JWT","kid":"k1"}"#, TokenError::WrongType),
        (r#"{"alg":"none","typ":"at+jwt","kid":"k1"}"#, TokenError::WrongAlgorithm),
        (r#"{"alg":"HS256","typ":"at+jwt","kid":"k1"}"#, TokenError::WrongAlgorithm),
        (r#"{"alg":"ES256","typ":"at+jwt","kid":"other"}"#, TokenError::UnknownKey),
        (r#"{"alg":"ES256","typ":"at+jwt","kid":"k1","crit":["exp"]}"#, TokenError::Malformed),
        (r#"{"alg":"ES256","alg":"none","typ":"at+jwt"}"#, TokenError::Malformed),
        (r#"["ES256"]"#, TokenError::Malformed),
    ];
    for (header, expected) in cases {
        world.refused(&world.raw_token(header, &body), expected);
    }
    let duplicate = body.replacen('{', r#"{"sub":"somebody","#, 1);
    let header = r#"{"alg":"ES256","typ":"at+jwt","kid":"k1"}"#;
    world.refused(&world.raw_token(header, &duplicate), TokenError::Malformed);
}

#[test]
fn the_spelling_is_judged() {
    let world = world();
    let token = world.token(&header(), &claims());
    world.refused("", TokenError::Malformed);
    world.refused("a.b", TokenError::Malformed);
    world.refused(&format!("{token}="), TokenError::Malformed);
    world.refused(&format!("{token}.x"), TokenError::Malformed);
    world.refused(&format!(" {token}"), TokenError::Malformed);
    world.refused(&"a".repeat(TOKEN_BYTES_MAX + 1), TokenError::Malformed);
}

#[test]
fn another_signer_is_not_believed() {
    let (world, other) = (world(), world());
    world.refused(&other.token(&header(), &claims()), TokenError::BadSignature);
}

#[test]
fn without_keys_nothing_is_believed() {
    let world = world();
    let issuer = issuer();
    let verifier = TokenVerifier::new(vec![issuer], Revocations::none().into());
    let token = world.token(&header(), &claims());
    let key = verifier.key(&token);
    assert_eq!(verifier.verify(&token, key, NOW).err(), Some(TokenError::KeysUnavailable));
}

#[test]
fn key_sets_are_read_strictly() {
    for set in ["", "{}", r#"{"keys":[]}"#, r#"{"keys":[{"kty":"oct","k":"AA","kid":"x"}]}"#] {
        assert!(KeySet::parse(set.as_bytes(), &[TokenAlgorithm::Es256]).is_err(), "{set}");
    }
}

#[test]
fn a_second_factor_is_as_old_as_the_authentication_that_proved_it() {
    let world = world();
    let age = |amr: Value, auth_time: Value| {
        let mut claims = claims();
        claims["amr"] = amr;
        claims["auth_time"] = auth_time;
        let (principal, _) = world.verify(&world.token(&header(), &claims), NOW).unwrap();
        principal.mfa_age_secs(NOW)
    };
    for amr in [json!(["pwd", "otp"]), json!(["mfa"]), json!(["hwk", "pin"]), json!("fpt")] {
        assert_eq!(age(amr.clone(), json!(NOW - 100)), Some(100), "{amr}");
        assert_eq!(age(amr.clone(), json!(NOW + 3)), Some(0), "{amr}");
        assert_eq!(age(amr.clone(), json!(NOW + 60)), None, "{amr}");
        assert_eq!(age(amr, json!(0)), None);
    }
    for amr in
        [json!([]), json!(["pwd"]), json!(["pin", "kba"]), json!(["sms", "tel"]), json!("MFA")]
    {
        assert_eq!(age(amr.clone(), json!(NOW - 100)), None, "{amr}");
    }
    world.claims_refused("amr", json!(1), TokenError::Malformed);
    world.claims_refused("amr", json!(["otp", 1]), TokenError::Malformed);
}

#[test]
fn an_issuer_that_is_bounded_by_a_role_vouches_for_no_second_factor() {
    crate::crypto::install();
    let key = signing_key();
    let rules = issuer().rules().clone();
    let bounded = IssuerRules { max_role: Some("customer".to_owned()), ..rules };
    let issuer = Arc::new(IssuerKeys::new(bounded));
    issuer.replace(key_set(&key));
    let world = World {
        key,
        verifier: TokenVerifier::new(vec![issuer.clone()], Revocations::none().into()),
        issuer,
    };
    let mut claims = claims();
    claims["amr"] = json!(["pwd", "otp", "mfa"]);
    let (principal, _) = world.verify(&world.token(&header(), &claims), NOW).unwrap();
    assert_eq!(principal.mfa_age_secs(NOW), None);
}
