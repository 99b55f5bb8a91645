//! Signatures of webhooks, as Stripe makes them: `t=SECONDS,v1=HEX`, an HMAC-SHA256 over the
//! seconds, a full stop and the body's own bytes.
//!
//! Several secrets may be active at once, so that one can be replaced without losing an event.
//!
//! Fails closed: what is not spelled exactly like that is refused, and so is everything while
//! no secret is set.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::clock::Timestamp;

/// How far a signature's time may lie from now, in seconds, either way.
const TOLERANCE_SECS: u64 = 300;

/// Longest header looked at, in characters.
const HEADER_CHARS_MAX: usize = 2_048;

/// Most signatures in one header: a provider sends one for each of its active secrets.
const SIGNATURES_MAX: usize = 16;

/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 32;

/// Why a webhook is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unsigned {
    #[error("the signature header is not `t=SECONDS,v1=HEX`")]
    Malformed,
    #[error("the signature's time is more than {TOLERANCE_SECS} s from now")]
    Stale,
    #[error("the signature fits no active secret")]
    Mismatch,
}

/// A secret is too short to sign with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a webhook secret is at least {SECRET_BYTES_MIN} bytes")]
pub(crate) struct WeakSecret;

/// Fewest bytes of a secret.
const SECRET_BYTES_MIN: usize = 16;

/// What webhooks are signed with. It cannot be printed and is wiped when dropped.
#[derive(Clone)]
pub(crate) struct WebhookSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

impl WebhookSecret {
    /// The secret's bytes as the provider shows them, its prefix included.
    pub(crate) fn new(bytes: Zeroizing<Vec<u8>>) -> Result<Self, WeakSecret> {
        if bytes.len() < SECRET_BYTES_MIN { Err(WeakSecret) } else { Ok(Self(bytes)) }
    }

    /// The header that this secret signs a body with.
    pub(crate) fn header(&self, body: &[u8], now: Timestamp) -> String {
        let seconds = now.secs().to_string();
        let tag = self.begin(&seconds, body).finalize().into_bytes();
        let tag: String = tag.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("t={seconds},v1={tag}")
    }

    fn begin(&self, seconds: &str, body: &[u8]) -> Hmac<Sha256> {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length will do");
        mac.update(seconds.as_bytes());
        mac.update(b".");
        mac.update(body);
        mac
    }
}

/// Believes a body that one of the active secrets signed, not long ago.
pub(crate) fn verify(
    secrets: &[WebhookSecret],
    header: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Unsigned> {
    let signed = Signed::parse(header).ok_or(Unsigned::Malformed)?;
    if signed.secs.abs_diff(now.secs()) > TOLERANCE_SECS {
        return Err(Unsigned::Stale);
    }
    let fits = secrets.iter().any(|secret| {
        // SECURITY: `verify_slice` compares in constant time.
        let mac = secret.begin(signed.seconds, body);
        signed.tags.iter().any(|tag| mac.clone().verify_slice(tag).is_ok())
    });
    if fits { Ok(()) } else { Err(Unsigned::Mismatch) }
}

/// A header taken apart.
struct Signed<'h> {
    /// As written, which is what was signed.
    seconds: &'h str,
    secs: u64,
    tags: Vec<[u8; SIGNATURE_BYTES]>,
}

impl<'h> Signed<'h> {
    fn parse(header: &'h str) -> Option<Self> {
        if header.len() > HEADER_CHARS_MAX {
            return None;
        }
        let (mut time, mut tags) = (None, Vec::new());
        for part in header.split(',') {
            match part.split_once('=')? {
                ("t", _) if time.is_some() => return None,
                ("t", seconds) => time = Some((seconds, number(seconds)?)),
                ("v1", _) if tags.len() >= SIGNATURES_MAX => return None,
                ("v1", tag) => tags.extend(hex(tag)),
                // Other schemes prove nothing to us.
                _ => {}
            }
        }
        let (seconds, secs) = time?;
        Some(Self { seconds, secs, tags })
    }
}

/// A number in its one spelling: digits alone, without a zero in front.
fn number(text: &str) -> Option<u64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

/// 64 lower-case hexadecimal digits; anything else is no signature, and fits nothing.
fn hex(text: &str) -> Option<[u8; SIGNATURE_BYTES]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pairs = text.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? * 16 + digit(*low)?),
        _ => None,
    });
    pairs.collect::<Option<Vec<_>>>()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use stockade_test_support::vectors::{VectorSet, read};

    use super::*;

    fn secret(text: &str) -> WebhookSecret {
        WebhookSecret::new(Zeroizing::new(text.as_bytes().to_vec())).unwrap()
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    #[test]
    fn every_vector_is_judged_as_it_should_be() {
        let mut set = VectorSet::new("webhook_signatures");
        for case in read("webhook_signatures.json").as_array().unwrap() {
            let text = |name: &str| case[name].as_str().unwrap();
            let secrets = [secret("another secret, still active"), secret(text("secret"))];
            let now = at(case["now"].as_i64().unwrap());
            assert_eq!(case["tolerance_s"], TOLERANCE_SECS);
            let verdict = verify(&secrets, text("header"), text("body").as_bytes(), now);
            let wrong = match text("expect") {
                "accept" => verdict.is_err(),
                "reject" => verdict.is_ok(),
                // Two times are refused: there is no telling which one was signed.
                "reject_or_consistent" => verdict.is_ok(),
                "either" => false,
                other => panic!("`{other}`"),
            };
            set.note(text("id"), if wrong { Err(format!("{verdict:?}")) } else { Ok(()) });
        }
        set.finish();
    }

    #[test]
    fn time_is_told_within_five_minutes_either_way() {
        let (secret, now) = (secret("whsec_0123456789"), at(1_800_000_000));
        for (offset, verdict) in [
            (0, Ok(())),
            (-300, Ok(())),
            (300, Ok(())),
            (-301, Err(Unsigned::Stale)),
            (301, Err(Unsigned::Stale)),
        ] {
            let header = secret.header(b"{}", at(1_800_000_000 + offset));
            assert_eq!(
                verify(std::slice::from_ref(&secret), &header, b"{}", now),
                verdict,
                "{offset}"
            );
        }
    }

    #[test]
    fn every_active_secret_counts_and_no_other() {
        let (old, new, now) = (secret("the old secret!!"), secret("the new secret!!"), at(1));
        let header = old.header(b"body", now);
        assert_eq!(verify(&[new.clone(), old.clone()], &header, b"body", now), Ok(()));
        assert_eq!(verify(&[new], &header, b"body", now), Err(Unsigned::Mismatch));
        assert_eq!(verify(&[], &header, b"body", now), Err(Unsigned::Mismatch));
        assert_eq!(verify(&[old], &header, b"bodY", now), Err(Unsigned::Mismatch));
        assert!(WebhookSecret::new(Zeroizing::new(b"short".to_vec())).is_err());
    }
}
