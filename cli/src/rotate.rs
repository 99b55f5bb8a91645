//! `stockade rotate`: another key that signs access tokens, without a logout, or one that signs
//! checkpoints of the audit trail.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, SignatureAlgorithm};
use stockade_core_api::Clock;

use crate::exit::Exit;

/// Arguments of `stockade rotate`.
#[derive(Debug, clap::Args)]
pub(crate) struct RotateArgs {
    #[command(subcommand)]
    verb: RotateVerb,
}

/// What to replace.
#[derive(Debug, clap::Subcommand)]
enum RotateVerb {
    /// Writes another signing key beside the first; the core follows by itself.
    SigningKey(SigningKeyArgs),
    /// Writes another audit key beside the first; the core signs with it from then on.
    AuditKey(AuditKeyArgs),
}

/// Arguments of `stockade rotate signing-key`.
#[derive(Debug, clap::Args)]
struct SigningKeyArgs {
    /// The first key, as `core.signing_key_file` names it.
    #[arg(long, value_name = "FILE", default_value = ".stockade/signing-key.pem")]
    file: PathBuf,
}

/// Arguments of `stockade rotate audit-key`.
#[derive(Debug, clap::Args)]
struct AuditKeyArgs {
    /// The first key, as `core.audit_key_file` names it.
    #[arg(long, value_name = "FILE", default_value = ".stockade/audit-key.pem")]
    file: PathBuf,
}

pub(crate) fn run(args: &RotateArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    match &args.verb {
        RotateVerb::SigningKey(SigningKeyArgs { file }) => {
            let path = follow(file, &PKCS_ECDSA_P256_SHA256)?;
            writeln!(out, "made {path}: published at once, and signs in ten minutes")?;
            writeln!(
                out,
                "to be rid of `{}`, move the oldest key beside it over it",
                file.display()
            )?;
            writeln!(out, "once that one has signed for as long as access tokens live")?;
        }
        RotateVerb::AuditKey(AuditKeyArgs { file }) => {
            let path = follow(file, &PKCS_ED25519)?;
            writeln!(out, "made {path}: signs the next checkpoint")?;
            writeln!(out, "keep the keys before it: they prove what they signed")?;
        }
    }
    Ok(Exit::Done)
}

/// Writes a key that follows this one, and says where.
fn follow(file: &Path, algorithm: &'static SignatureAlgorithm) -> anyhow::Result<String> {
    if !file.exists() {
        bail!("there is no key `{}` to follow", file.display());
    }
    let made_at = Clock::system().now().secs();
    let (path, draft) =
        (format!("{}.{made_at}", file.display()), format!("{}.draft", file.display()));
    let key = KeyPair::generate_for(algorithm).context("cannot make a key")?;
    let write = || {
        let mut options = OpenOptions::new();
        let mut made = options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        made.write_all(key.serialize_pem().as_bytes())?;
        made.sync_all()?;
        std::fs::rename(&draft, &path)
    };
    write().with_context(|| format!("cannot write `{path}`"))?;
    Ok(path)
}
