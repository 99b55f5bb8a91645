//! A checkpoint: the heads of all chains at one moment, signed; one line of JSON.
//!
//! Checkpoints are numbered from 1 and chained like the records: each names the hash of the one
//! before it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::key::{AuditKey, KeyRing, SIGNATURE_BYTES};
use super::{Digest, Head};

/// Most chains.
pub const HEADS_MAX: usize = 64;

/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// Tells these signatures from any others.
const SIGNED: &[u8] = b"stockade audit checkpoint v1";

/// What a checkpoint says before it is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// Counts checkpoints, from 1.
    pub number: u64,
    /// When it was made, in microseconds since 1970 UTC.
    pub at: i64,
    /// The hash of the checkpoint before it; [`Digest::ZERO`] for the first.
    pub previous: Digest,
    /// The heads, by chain.
    pub heads: Vec<Head>,
}

/// The heads of all chains at one moment, signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    number: u64,
    at: i64,
    previous: Digest,
    heads: Vec<Head>,
    key: String,
    signature: String,
}

/// The text is not a checkpoint.
#[derive(Debug, thiserror::Error)]
#[error("not a checkpoint: {0}")]
pub struct NotACheckpoint(String);

/// Why a checkpoint is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// None of the keys that are known has this name.
    #[error("it is signed with the key `{0}`, which is none of those given")]
    UnknownKey(String),
    /// The signature is of something else.
    #[error("its signature does not fit it")]
    BadSignature,
}

impl Unsigned {
    /// Signs it.
    pub fn sign(self, key: &AuditKey) -> Checkpoint {
        let Self { number, at, previous, heads } = self;
        let (key_id, signature) = (key.public().id().to_owned(), String::new());
        let unsigned = Checkpoint { number, at, previous, heads, key: key_id, signature };
        let signature = URL_SAFE_NO_PAD.encode(key.sign(&unsigned.signed_bytes()));
        Checkpoint { signature, ..unsigned }
    }
}

impl Checkpoint {
    /// Reads a line.
    ///
    /// # Errors
    /// [`NotACheckpoint`] says what is wrong with it.
    pub fn parse(line: &str) -> Result<Self, NotACheckpoint> {
        if line.len() > LINE_BYTES_MAX {
            return Err(NotACheckpoint(format!("it is longer than {LINE_BYTES_MAX} bytes")));
        }
        let read: Self =
            serde_json::from_str(line).map_err(|error| NotACheckpoint(error.to_string()))?;
        let rises = read.heads.is_sorted_by(|one, next| one.chain < next.chain);
        if !rises || read.heads.len() > HEADS_MAX {
            return Err(NotACheckpoint("its heads are not in the order of chains".to_owned()));
        }
        Ok(read)
    }

    /// The line, without an end of line.
    pub fn to_line(&self) -> String {
        // Plain strings and numbers: serialising cannot fail, and an empty line is no checkpoint.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Counts checkpoints, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// When it was made, in microseconds since 1970 UTC.
    pub fn at(&self) -> i64 {
        self.at
    }

    /// The hash of the checkpoint before it.
    pub fn previous(&self) -> Digest {
        self.previous
    }

    /// The heads, by chain.
    pub fn heads(&self) -> &[Head] {
        &self.heads
    }

    /// The head of this chain, if it had one.
    pub fn head(&self, chain: u32) -> Option<Head> {
        self.heads.iter().find(|head| head.chain == chain).copied()
    }

    /// The hash by which the next one names this one.
    pub fn digest(&self) -> Digest {
        let mut hasher = Sha256::new_with_prefix(self.signed_bytes());
        hasher.update(&self.signature);
        Digest::from_bytes(hasher.finalize().into())
    }

    /// Believes it, or says why not.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn prove(&self, keys: &KeyRing) -> Result<(), NotSigned> {
        let key = keys.find(&self.key).ok_or_else(|| NotSigned::UnknownKey(self.key.clone()))?;
        let signature = URL_SAFE_NO_PAD.decode(&self.signature);
        let signature = signature.map_err(|_| NotSigned::BadSignature)?;
        let fits =
            signature.len() == SIGNATURE_BYTES && key.proves(&self.signed_bytes(), &signature);
        if fits { Ok(()) } else { Err(NotSigned::BadSignature) }
    }

    /// All but the signature. Everything but the key's name has one length, and the name is last.
    fn signed_bytes(&self) -> Vec<u8> {
        let mut bytes = SIGNED.to_vec();
        bytes.extend_from_slice(&self.number.to_be_bytes());
        bytes.extend_from_slice(&self.at.to_be_bytes());
        bytes.extend_from_slice(self.previous.as_bytes());
        bytes.extend_from_slice(&u64::try_from(self.heads.len()).unwrap_or(u64::MAX).to_be_bytes());
        for head in &self.heads {
            bytes.extend_from_slice(&head.chain.to_be_bytes());
            bytes.extend_from_slice(&head.sequence.to_be_bytes());
            bytes.extend_from_slice(head.hash.as_bytes());
        }
        bytes.extend_from_slice(self.key.as_bytes());
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::PublicKey;

    fn key(seed: &str) -> AuditKey {
        let der =
            [b"0.\x02\x01\x000\x05\x06\x03+ep\x04\"\x04 ".as_slice(), seed.as_bytes()].concat();
        let text = base64::engine::general_purpose::STANDARD.encode(der);
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
        AuditKey::from_pem(pem.as_bytes()).unwrap()
    }

    fn checkpoint(key: &AuditKey) -> Checkpoint {
        let head = |chain| Head { chain, sequence: 7, hash: Digest::from_bytes([9; 32]) };
        let heads = vec![head(1), head(3)];
        Unsigned { number: 4, at: 5, previous: Digest::ZERO, heads }.sign(key)
    }

    #[test]
    fn a_checkpoint_is_believed_as_it_was_signed_and_no_other() {
        let (one, two) =
            (key("a seed of 32 bytes for one key.."), key("another seed of 32 bytes, for two"));
        let ring = KeyRing::of([one.public().clone()]);
        let made = checkpoint(&one);
        assert_eq!(made.prove(&ring), Ok(()));
        let line = made.to_line();
        assert_eq!(Checkpoint::parse(&line).unwrap(), made);
        for (from, to) in [
            ("\"number\":4", "\"number\":5"),
            ("\"at\":5", "\"at\":6"),
            ("\"previous\":\"00", "\"previous\":\"01"),
            ("\"sequence\":7", "\"sequence\":8"),
            ("\"hash\":\"09", "\"hash\":\"08"),
            ("\"chain\":3", "\"chain\":2"),
        ] {
            let other = Checkpoint::parse(&line.replacen(from, to, 1)).unwrap();
            assert_eq!(other.prove(&ring), Err(NotSigned::BadSignature), "{to}");
            assert_ne!(other.digest(), made.digest(), "{to}");
        }
        let other = checkpoint(&two);
        let unknown = NotSigned::UnknownKey(two.public().id().to_owned());
        assert_eq!(other.prove(&ring), Err(unknown));
        let both = KeyRing::of([one.public().clone(), two.public().clone()]);
        assert_eq!(other.prove(&both), Ok(()));
        assert_eq!(made.prove(&both), Ok(()));
    }

    #[test]
    fn what_is_not_a_checkpoint_is_not_read() {
        let line = checkpoint(&key("a seed of 32 bytes for one key..")).to_line();
        for text in [
            "",
            "{}",
            &line.replacen("\"at\"", "\"when\"", 1),
            &line.replacen('{', "{\"more\":1,", 1),
            &line.replacen("\"chain\":3", "\"chain\":1", 1),
            &format!("{line}{}", " ".repeat(LINE_BYTES_MAX)),
        ] {
            assert!(Checkpoint::parse(text).is_err(), "{text}");
        }
        assert!(PublicKey::from_pem(line.as_bytes()).is_err());
    }
}
