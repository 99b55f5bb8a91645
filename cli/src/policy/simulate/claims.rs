//! The roles a token claims. Nothing about the token is verified.

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

/// The claims in which roles are looked for.
const CLAIMS: [&str; 2] = ["roles", "role"];

/// What the claims of a JSON web token (RFC 7519) say its holder's roles are; none where they
/// say nothing.
pub(super) fn claimed_roles(token: &str) -> anyhow::Result<Vec<String>> {
    let parts: Vec<&str> = token.split('.').collect();
    let [_, claims, _] = parts.as_slice() else {
        bail!("the token is no JSON web token of three parts; name roles with --as");
    };
    let bytes = URL_SAFE_NO_PAD.decode(claims).context("the token's claims are not base64url")?;
    let claims: Map<String, Value> =
        serde_json::from_slice(&bytes).context("the token's claims are no JSON object")?;
    let roles = CLAIMS.iter().filter_map(|name| claims.get(*name)).flat_map(words);
    Ok(roles.collect())
}

/// A list of words, or one.
fn words(claim: &Value) -> Vec<String> {
    let list = claim.as_array().map_or(std::slice::from_ref(claim), Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> String {
        format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims))
    }

    #[test]
    fn roles_are_a_list_or_one() {
        assert_eq!(claimed_roles(&token(r#"{"roles":["a","b"]}"#)).unwrap(), ["a", "b"]);
        assert_eq!(claimed_roles(&token(r#"{"roles":"a"}"#)).unwrap(), ["a"]);
        assert_eq!(claimed_roles(&token(r#"{"role":"a"}"#)).unwrap(), ["a"]);
        assert!(claimed_roles(&token(r#"{"sub":"x"}"#)).unwrap().is_empty());
    }

    #[test]
    fn anything_else_is_no_token() {
        for token in ["", "a.b", "a.b.c.d", "a.!.c", &token("[]"), &token("")] {
            assert!(claimed_roles(token).is_err(), "{token}");
        }
    }
}
