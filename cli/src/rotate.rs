//! `stockade rotate signing-key`: another key that signs access tokens, without a logout.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256};
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
}

/// Arguments of `stockade rotate signing-key`.
#[derive(Debug, clap::Args)]
struct SigningKeyArgs {
    /// The first key, as `core.signing_key_file` names it.
    #[arg(long, value_name = "FILE", default_value = ".stockade/signing-key.pem")]
    file: PathBuf,
}

pub(crate) fn run(args: &RotateArgs, out: &mut dyn Write) -> anyhow::Result<Exit> {
    let RotateVerb::SigningKey(SigningKeyArgs { file }) = &args.verb;
    if !file.exists() {
        bail!("there is no key `{}` to follow", file.display());
    }
    let made_at = Clock::system().now().secs();
    let (path, draft) =
        (format!("{}.{made_at}", file.display()), format!("{}.draft", file.display()));
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).context("cannot make a key")?;
    let write = || {
        let mut options = OpenOptions::new();
        let mut made = options.create(true).truncate(true).write(true).mode(0o600).open(&draft)?;
        made.write_all(key.serialize_pem().as_bytes())?;
        made.sync_all()?;
        std::fs::rename(&draft, &path)
    };
    write().with_context(|| format!("cannot write `{path}`"))?;
    writeln!(out, "made {path}: published at once, and signs in ten minutes")?;
    writeln!(out, "the key before it may be removed once its tokens have ended")?;
    Ok(Exit::Done)
}
