//! Time-based one-time passwords (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds.
//!
//! The algorithm is frozen and short, so it is written here; what a library would add, replay
//! and attempts, is about what an account remembers and lies elsewhere.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use zeroize::Zeroizing;

use super::opaque::NoEntropy;
use crate::clock::Timestamp;
use crate::privacy::{Confidential, SealedField};

/// How long a code is shown, in seconds.
const STEP_SECS: u64 = 30;

/// Steps before and after the present one whose codes are taken, too: clocks differ, and
/// people type slowly.
const SKEW_STEPS: u64 = 1;

/// One more than the largest code.
const CODES: u32 = 1_000_000;

/// As long as the hash (RFC 4226, 4, R6).
const SECRET_BYTES: usize = 20;

/// Shortest and longest secret that is read, in bytes.
const SECRET_BYTES_READ: std::ops::RangeInclusive<usize> = 16..=64;

/// Base 32 of RFC 4648, as apps expect secrets.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What the shop and somebody's app share. It cannot be printed and is wiped when dropped.
#[derive(Clone)]
pub(crate) struct TotpSecret(Zeroizing<Vec<u8>>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(..)")
    }
}

impl TotpSecret {
    pub(crate) fn generate() -> Result<Self, NoEntropy> {
        let mut bytes = Zeroizing::new(vec![0; SECRET_BYTES]);
        getrandom::fill(&mut bytes).map_err(NoEntropy)?;
        Ok(Self(bytes))
    }

    /// Reads a secret as apps show it; spaces and hyphens do not count, nor does case.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let bytes = Zeroizing::new(decode(text)?);
        SECRET_BYTES_READ.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// As apps take it when it is typed.
    pub(crate) fn to_base32(&self) -> Zeroizing<String> {
        Zeroizing::new(encode(&self.0))
    }

    /// As apps take it from a QR code (Google Authenticator's key URI format). Issuer and
    /// account are letters and digits.
    pub(crate) fn to_uri(&self, issuer: &str, account: &str) -> Zeroizing<String> {
        let secret = self.to_base32();
        Zeroizing::new(format!(
            "otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}",
            secret.as_str()
        ))
    }

    /// The code at a moment, in six digits.
    pub(crate) fn code_at(&self, now: Timestamp) -> Zeroizing<String> {
        Zeroizing::new(format!("{:06}", self.code(now.secs() / STEP_SECS)))
    }

    /// The time step whose code this is, if it is near `now` and later than `after`.
    ///
    /// SECURITY: without `after`, a code that somebody looked at would be good once more.
    pub(crate) fn step_of(&self, code: TotpCode, now: Timestamp, after: u64) -> Option<u64> {
        let present = now.secs() / STEP_SECS;
        let near = present.saturating_sub(SKEW_STEPS)..=present.saturating_add(SKEW_STEPS);
        near.filter(|step| *step > after).find(|step| self.code(*step) == code.0)
    }

    /// RFC 4226, 5.3, with the time step as the counter.
    fn code(&self, step: u64) -> u32 {
        #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
        let mut mac =
            Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes a key of any length");
        mac.update(&step.to_be_bytes());
        let hash: [u8; 20] = mac.finalize().into_bytes().into();
        let offset = usize::from(hash.last().copied().unwrap_or_default() & 0x0f);
        let four = hash.iter().skip(offset).take(4);
        let number = four.fold(0, |number: u32, byte| number << 8 | u32::from(*byte));
        (number & 0x7fff_ffff) % CODES
    }
}

impl Confidential for TotpSecret {
    const FIELD: SealedField = SealedField::TotpSecret;

    fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        self.0.clone()
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        SECRET_BYTES_READ.contains(&plain.len()).then(|| Self(Zeroizing::new(plain.to_vec())))
    }
}

/// Six digits that somebody read off their app.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct TotpCode(u32);

impl fmt::Debug for TotpCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpCode(..)")
    }
}

impl TotpCode {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit());
        if digits { text.parse().ok().map(Self) } else { None }
    }
}

/// The code that an app with this secret, in base 32, would show; nothing if it is no secret.
pub fn totp_code(secret: &str, now: Timestamp) -> Option<String> {
    Some(TotpSecret::parse(secret)?.code_at(now).to_string())
}

/// A fresh secret in base 32, as an app takes it.
///
/// # Errors
/// When the system gives no random bytes.
pub fn totp_secret() -> Result<String, impl std::error::Error + Send + Sync + 'static> {
    TotpSecret::generate().map(|secret| secret.to_base32().to_string())
}

/// Base 32 without padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(5) * 8);
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = held << 8 | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

fn letter(value: u32) -> char {
    let at = usize::try_from(value & 31).unwrap_or_default();
    BASE32.get(at).copied().map_or('A', char::from)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0);
    let letters = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-'));
    for byte in letters.map(|byte| byte.to_ascii_uppercase()) {
        let value = BASE32.iter().position(|letter| *letter == byte)?;
        held = held << 5 | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from(held >> bits).ok()?);
            held &= (1 << bits) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_micros(secs * 1_000_000)
    }

    fn rfc() -> TotpSecret {
        TotpSecret(Zeroizing::new(b"12345678901234567890".to_vec()))
    }

    #[test]
    fn the_codes_are_those_of_rfc_6238() {
        // Appendix B has eight digits; ours are their last six.
        for (secs, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(rfc().code_at(at(secs)).as_str(), code, "{secs}");
        }
    }

    #[test]
    fn a_code_is_good_near_its_step_and_once() {
        let (secret, step) = (rfc(), 1_234_567_890 / 30);
        let code = TotpCode::parse("005924").unwrap();
        let found = |secs, after| secret.step_of(code, at(secs), after);
        for secs in [1_234_567_890, 1_234_567_890 - 30, 1_234_567_890 + 30] {
            assert_eq!(found(secs, 0), Some(step));
        }
        assert_eq!(found(1_234_567_890 - 60, 0), None);
        assert_eq!(found(1_234_567_890 + 60, 0), None);
        assert_eq!(found(1_234_567_890, step - 1), Some(step));
        assert_eq!(found(1_234_567_890, step), None);
    }

    #[test]
    fn a_code_is_six_digits() {
        for text in ["", "12345", "1234567", "12345a", "+12345", "１２３４５６", "12 345"] {
            assert_eq!(TotpCode::parse(text), None, "{text}");
        }
        assert_eq!(format!("{:?}", TotpCode::parse("123456").unwrap()), "TotpCode(..)");
    }

    #[test]
    fn a_secret_is_written_and_read_in_base_32() {
        assert_eq!(rfc().to_base32().as_str(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        let spaced = "gezd gnbv gy3t qojq gezd gnbv gy3t qojq";
        assert_eq!(TotpSecret::parse(spaced).unwrap().0, rfc().0);
        for text in ["", "GEZDGNBV", "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJ1", "é"] {
            assert!(TotpSecret::parse(text).is_none(), "{text}");
        }
        let made = TotpSecret::generate().unwrap();
        let read = TotpSecret::parse(&made.to_base32()).unwrap();
        assert_eq!(made.0, read.0);
        // RFC 4648, 10.
        for (plain, text) in [
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).unwrap(), plain.as_bytes());
        }
    }

    #[test]
    fn an_app_is_told_who_the_secret_is_for() {
        assert_eq!(
            rfc().to_uri("Stockade", "ann").as_str(),
            "otpauth://totp/Stockade:ann?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Stockade"
        );
        assert_eq!(format!("{:?}", rfc()), "TotpSecret(..)");
    }
}
