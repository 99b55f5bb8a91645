//! Secrets and keys that are made on the first start and kept.

use std::path::PathBuf;

use anyhow::Context as _;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm};

use super::data_dir::DataDir;

/// The file of a secret of 32 random bytes, in hex.
pub(super) fn secret(data: &DataDir, name: &str) -> anyhow::Result<PathBuf> {
    let path = data.path(name);
    if path.exists() { Ok(path) } else { data.write(name, random_hex::<32>()?.as_bytes()) }
}

/// The file of the ES256 key that signs access tokens.
pub(super) fn signing_key(data: &DataDir) -> anyhow::Result<PathBuf> {
    key(data, "signing-key.pem", &PKCS_ECDSA_P256_SHA256)
}

/// The file of the Ed25519 key that signs checkpoints of the audit trail.
pub(super) fn audit_key(data: &DataDir) -> anyhow::Result<PathBuf> {
    key(data, "audit-key.pem", &PKCS_ED25519)
}

fn key(
    data: &DataDir,
    name: &str,
    algorithm: &'static SignatureAlgorithm,
) -> anyhow::Result<PathBuf> {
    let path = data.path(name);
    if path.exists() {
        return Ok(path);
    }
    let key = KeyPair::generate_for(algorithm).context("cannot make a key")?;
    data.write(name, key.serialize_pem().as_bytes())
}

/// `N` random bytes in hex.
pub(super) fn random_hex<const N: usize>() -> anyhow::Result<String> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
