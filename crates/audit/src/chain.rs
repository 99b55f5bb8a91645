//! The chain: what makes a trail of records tell when somebody changes it afterwards.
//!
//! Each record is one link: its hash covers its fields and the hash of the record before it, so
//! that none can be changed, left out, added or moved without every hash after it changing. The
//! last hash, the *head*, stands for all of them; a [`Checkpoint`] signs heads, and is told
//! outside the place where the records are kept. Whoever rewrites the records then has to forge
//! a signature, and whoever cuts off the last ones contradicts a checkpoint.
//!
//! Nothing here opens a file or a database or reads a clock.

mod checkpoint;
mod digest;
mod key;

pub use checkpoint::{Checkpoint, HEADS_MAX, NotACheckpoint, NotSigned, Unsigned};
pub use digest::{Digest, NotADigest};
pub use key::{AuditKey, KeyRing, NotAnAuditKey, PublicKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Tells these hashes from any others.
const LINK: &[u8] = b"stockade audit link v1";

/// The last record of a chain: its place, counted from 1, and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Which chain.
    pub chain: u32,
    /// How many records it has.
    pub sequence: u64,
    /// The hash of its last record.
    pub hash: Digest,
}

/// The hash of a record: SHA-256 over a prefix, the previous hash, and each field preceded by its
/// length as four big-endian bytes. Length prefixes make two different records different bytes,
/// whatever their fields hold. The first record of a chain follows [`Digest::ZERO`].
pub fn link(previous: &Digest, fields: &[&[u8]]) -> Digest {
    let mut hasher = Sha256::new_with_prefix(LINK);
    hasher.update(previous.as_bytes());
    fields.iter().for_each(|field| push(&mut hasher, field));
    Digest::from_bytes(hasher.finalize().into())
}

/// Adds a field and its length.
fn push(hasher: &mut Sha256, field: &[u8]) {
    // INVARIANT: fields are a few bytes long; one of 4 GiB could not be kept anywhere.
    hasher.update(u32::try_from(field.len()).unwrap_or(u32::MAX).to_be_bytes());
    hasher.update(field);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_tells_fields_and_predecessors_apart() {
        let first = link(&Digest::ZERO, &[b"ab", b"c"]);
        assert_eq!(first, link(&Digest::ZERO, &[b"ab", b"c"]));
        for other in [&[b"a".as_slice(), b"bc"][..], &[b"abc", b""], &[b"ab", b"c", b""], &[]] {
            assert_ne!(first, link(&Digest::ZERO, other));
        }
        assert_ne!(first, link(&first, &[b"ab", b"c"]));
    }

    #[test]
    fn a_link_is_the_same_in_every_version() {
        let hash = link(&Digest::ZERO, &[b"one", b"", b"three"]).to_string();
        assert_eq!(hash, "f5855c75664a5ed9f08b6118c467f809739f9b00b4232cc479e021779570e473");
    }
}
