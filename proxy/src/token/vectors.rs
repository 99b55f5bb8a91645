//! Wycheproof's and RFC 7520's signatures, judged by the envelope and the issuer's keys alone:
//! what these vectors sign is opaque, and no claims.

use std::fs;

use serde_json::{Value, json};
use stockade_settings::{Issuer, TokenAlgorithm, TokenType};
use stockade_test_support::vectors::{VectorSet, read};

use super::envelope::Envelope;
use crate::issuers::Issuers;

#[test]
fn wycheproof_signatures_are_judged_as_they_should_be() {
    judge_wycheproof("wycheproof_jws");
}

#[test]
fn wycheproof_keys_are_judged_as_they_should_be() {
    judge_wycheproof("wycheproof_jwk");
}

#[track_caller]
fn judge_wycheproof(name: &str) {
    let (mut set, vectors) = (VectorSet::new(name), read(&format!("{name}.json")));
    for case in vectors.as_array().unwrap() {
        let verified = verify(&case["key"], case["jws"].as_str().unwrap());
        let verdict = match (verified, case["result"] == "valid") {
            (Ok(()), true) | (Err(_), false) => Ok(()),
            (Ok(()), false) => Err("verified".to_owned()),
            (Err(why), true) => Err(why),
        };
        set.note(&case["tcId"].to_string(), verdict.map_err(|why| format!("{why}: {case}")));
    }
    set.finish();
}

#[test]
fn examples_of_rfc7520_verify() {
    let (mut set, vectors) = (VectorSet::new("rfc7520_jws"), read("rfc7520_jws.json"));
    for case in vectors.as_array().unwrap() {
        let compact = case["output"]["compact"].as_str().unwrap();
        let verified = verify(&case["input"]["key"], compact);
        let ours = ["RS256", "ES256", "HS256", "EdDSA"].map(Value::from);
        let verdict = match verified {
            Ok(()) if !ours.contains(&case["input"]["alg"]) => Err("verified".to_owned()),
            Err(why) if ours.contains(&case["input"]["alg"]) => Err(why),
            Ok(()) | Err(_) => Ok(()),
        };
        set.note(case["file"].as_str().unwrap(), verdict);
    }
    set.finish();
}

/// As an edge does that is set up for this key, or set of keys, and what they say they are for.
fn verify(key: &Value, jws: &str) -> Result<(), String> {
    crate::crypto::install();
    let mut keys = match key["keys"].as_array() {
        Some(keys) => keys.clone(),
        None => vec![key.clone()],
    };
    for (number, key) in keys.iter_mut().enumerate() {
        // A set of ours names its keys. Where neither key nor token does, the one key of the set
        // is the one that is asked, so a name that no token has changes no verdict.
        if key["kid"].is_null() {
            key["kid"] = json!(format!("unnamed-{number}"));
        }
    }
    let (issuer, _folder) = issuer(&keys)?;
    let issuers = Issuers::load(&[issuer]).map_err(|error| error.to_string())?;
    let envelope = Envelope::parse(jws).map_err(|error| error.to_string())?;
    issuers.all[0].check(&envelope).map_err(|error| error.to_string())
}

/// An issuer with every algorithm that its keys are for, and the folder its keys are in.
fn issuer(keys: &[Value]) -> Result<(Issuer, tempfile::TempDir), String> {
    let mut algorithms: Vec<TokenAlgorithm> = Vec::new();
    for key in keys {
        let algorithm = algorithm(key)?;
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    fs::write(&path, json!({ "keys": keys }).to_string()).unwrap();
    let issuer = Issuer {
        jwks_file: Some(path),
        algorithms,
        token_type: TokenType::Jwt,
        accept_until: Some("2099-12-31".parse().unwrap()),
        max_role: Some("customer".to_owned()),
        ..Issuer::of_the_upstream("https://issuer.test".to_owned(), "vectors".to_owned())
    };
    Ok((issuer, folder))
}

/// What a key says it is for; nobody can set up an edge for anything but these.
fn algorithm(key: &Value) -> Result<TokenAlgorithm, String> {
    let named = match (key["alg"].as_str(), key["crv"].as_str()) {
        (Some(named), _) => named,
        (None, Some("P-256")) => "ES256",
        (None, Some("Ed25519")) => "EdDSA",
        (None, _) => return Err(format!("a key for nothing: {key}")),
    };
    serde_json::from_value(json!(named)).map_err(|error| error.to_string())
}
