//! Links to images: good for an hour at most, and only as they were given out.
//!
//! A link names the variant and when it ends, under an HMAC-SHA256 over key, variant and end.
//! It begins to count at the last full five minutes, so that whoever looks twice gets the same
//! link and need not load the image again.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use stockade_settings::secret::{self, SecretError};
use zeroize::Zeroizing;

use super::{ImageKey, Variant};
use crate::clock::Timestamp;

/// How long a link is good.
const LIFE: Duration = Duration::from_hours(1);

/// What the beginning of a link's life is rounded down to, in seconds.
const ROUNDED_SECS: u64 = 300;

/// Shortest key, in bytes.
const KEY_BYTES_MIN: usize = 32;

/// Most keys: the one that signs, and the one before it.
const KEYS_MAX: usize = 2;

/// Why links cannot be signed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LinkKeysError {
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("`{}` holds a key of {bytes} bytes; at least {KEY_BYTES_MIN} are needed, such as of `openssl rand -hex 32`", .path.display())]
    Weak { path: PathBuf, bytes: usize },
    #[error("`{}` holds {count} keys; there are 1 or {KEYS_MAX}, one a line", .path.display())]
    Count { path: PathBuf, count: usize },
}

/// Why a link leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LinkError {
    #[error("the link was not given out")]
    Forged,
    #[error("the link has ended")]
    Expired,
}

/// What a link leads to, and until when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Link {
    pub(crate) key: ImageKey,
    pub(crate) variant: Variant,
    /// In seconds since 1970 UTC.
    pub(crate) expires: u64,
}

/// Signs links. It cannot be printed.
pub(crate) struct LinkKeys {
    signing: Zeroizing<[u8; 32]>,
    previous: Option<Zeroizing<[u8; 32]>>,
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LinkKeys(..)")
    }
}

impl LinkKeys {
    /// Reads keys from a file that is its owner's alone, one a line: the first signs.
    pub(crate) fn read(path: &Path) -> Result<Self, LinkKeysError> {
        let bytes = Zeroizing::new(secret::read(path)?);
        let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        let path = path.to_owned();
        if let Some(weak) = lines.iter().find(|line| line.len() < KEY_BYTES_MIN) {
            return Err(LinkKeysError::Weak { path, bytes: weak.len() });
        }
        match lines.as_slice() {
            [only] => Ok(Self { signing: derive(only), previous: None }),
            [first, second] => Ok(Self { signing: derive(first), previous: Some(derive(second)) }),
            _ => Err(LinkKeysError::Count { path, count: lines.len() }),
        }
    }

    /// Where the image is, for the next hour.
    pub(crate) fn path(&self, key: ImageKey, variant: Variant, now: Timestamp) -> String {
        let begins = now.secs().checked_div(ROUNDED_SECS).unwrap_or_default() * ROUNDED_SECS;
        let expires = begins.saturating_add(LIFE.as_secs());
        let link = Link { key, variant, expires };
        let signature = begin(&self.signing, link).finalize().into_bytes();
        let signature = URL_SAFE_NO_PAD.encode(signature);
        let variant = match variant {
            Variant::Original => "",
            Variant::Thumbnail => "variant=thumbnail&",
        };
        format!("/api/images/{key}?{variant}expires={expires}&signature={signature}")
    }

    /// How long a link is still good, if it is.
    pub(crate) fn verify(
        &self,
        link: Link,
        signature: &str,
        now: Timestamp,
    ) -> Result<Duration, LinkError> {
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| LinkError::Forged)?;
        let keys = [Some(&self.signing), self.previous.as_ref()];
        let is_ours = keys
            .into_iter()
            .flatten()
            .any(|signing| begin(signing, link).verify_slice(&signature).is_ok());
        if !is_ours {
            return Err(LinkError::Forged);
        }
        match link.expires.checked_sub(now.secs()) {
            Some(left) if left > 0 => Ok(Duration::from_secs(left)),
            _ => Err(LinkError::Expired),
        }
    }
}

fn derive(master: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut mac = keyed(master);
    mac.update(b"stockade image link key v1");
    Zeroizing::new(mac.finalize().into_bytes().into())
}

/// Every part has a fixed length, so no two links have the same bytes.
fn begin(signing: &[u8; 32], link: Link) -> Hmac<Sha256> {
    let mut mac = keyed(signing);
    mac.update(&link.key.0);
    mac.update(match link.variant {
        Variant::Original => b"o",
        Variant::Thumbnail => b"t",
    });
    mac.update(&link.expires.to_be_bytes());
    mac
}

fn keyed(key: &[u8]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    const ONE: &str = "the first key has 32 bytes, or so";
    const TWO: &str = "the second key has 32 bytes, too!";

    fn keys(text: &str) -> Result<LinkKeys, LinkKeysError> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).unwrap();
        LinkKeys::read(file.path())
    }

    fn at(secs: u64) -> Timestamp {
        Timestamp::from_micros(i64::try_from(secs).unwrap() * 1_000_000)
    }

    /// The end and the signature of a link.
    fn parts(path: &str) -> (u64, String) {
        let (_, rest) = path.split_once("expires=").unwrap();
        let (expires, signature) = rest.split_once("&signature=").unwrap();
        (expires.parse().unwrap(), signature.to_owned())
    }

    #[test]
    fn a_link_is_good_as_it_is_and_for_an_hour() {
        let (keys, key) = (keys(ONE).unwrap(), ImageKey([7; 16]));
        let path = keys.path(key, Variant::Thumbnail, at(1_000_000_299));
        assert!(path.contains("variant=thumbnail&"), "{path}");
        let (expires, signature) = parts(&path);
        assert_eq!(expires, 1_000_000_200 + 3_600);
        assert_eq!(path, keys.path(key, Variant::Thumbnail, at(1_000_000_201)));
        let verify = |key, variant, expires, now| {
            keys.verify(Link { key, variant, expires }, &signature, at(now))
        };
        let good = verify(key, Variant::Thumbnail, expires, expires - 1);
        assert_eq!(good, Ok(Duration::from_secs(1)));
        let late = verify(key, Variant::Thumbnail, expires, expires);
        assert_eq!(late, Err(LinkError::Expired));
        let forged = Err(LinkError::Forged);
        assert_eq!(verify(key, Variant::Original, expires, expires - 1), forged);
        assert_eq!(verify(key, Variant::Thumbnail, expires + 1, expires - 1), forged);
        assert_eq!(verify(ImageKey([8; 16]), Variant::Thumbnail, expires, expires - 1), forged);
        for signature in ["", "AA", "%%", &signature[1..], &format!("{signature}=")] {
            let link = Link { key, variant: Variant::Thumbnail, expires };
            let judged = keys.verify(link, signature, at(1));
            assert_eq!(judged, forged, "{signature}");
        }
    }

    #[test]
    fn the_key_before_is_still_believed() {
        let key = ImageKey([7; 16]);
        let (expires, signature) = parts(&keys(ONE).unwrap().path(key, Variant::Original, at(900)));
        let judge = |keys: LinkKeys| {
            let link = Link { key, variant: Variant::Original, expires };
            keys.verify(link, &signature, at(900)).is_ok()
        };
        assert!(judge(keys(&format!("{TWO}\n{ONE}\n")).unwrap()));
        assert!(!judge(keys(TWO).unwrap()));
    }

    #[test]
    fn one_or_two_keys_of_32_bytes_are_needed() {
        let error = |text: &str| keys(text).unwrap_err().to_string();
        assert!(error("").contains("holds 0 keys"));
        assert!(error(&[ONE, TWO, ONE].join("\n")).contains("holds 3 keys"));
        assert!(error(&format!("{ONE}\nshort")).contains("a key of 5 bytes"));
        assert_eq!(format!("{:?}", keys(ONE).unwrap()), "LinkKeys(..)");
    }
}
