//! What a run of `edge` needs on disk: certificate, issuer, token, settings. Gone after the run.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::KeyPair;
use rustls::pki_types::CertificateDer;
use rustls::{ClientConfig, RootCertStore};
use serde_json::json;
use stockade_policy::RUNTIME_FILES;
use tempfile::TempDir;

const ISSUER: &str = "https://issuer.bench.invalid";
const AUDIENCE: &str = "stockade";
const KEY_ID: &str = "bench";

/// A token outlives every run.
const TOKEN_LIFE_SECS: u64 = 6 * 60 * 60;

/// Bad tokens that the edge answers with 401 before it answers 429 unseen.
pub(crate) const BAD_TOKENS_MAX: usize = 40_000;

/// The most requests that a limit can grant in one window.
const QUOTA_MAX: &str = "1_000_000";

/// A temporary folder with everything in it.
#[derive(Debug)]
pub(crate) struct Stage {
    folder: TempDir,
    certificate: CertificateDer<'static>,
    pub(crate) edge_addr: SocketAddr,
    pub(crate) bare_addr: SocketAddr,
    /// A customer's access token.
    pub(crate) token: String,
}

impl Stage {
    pub(crate) fn set(policies: &Path) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("stockade-bench-").tempdir()?;
        write_policies(policies, &folder.path().join("policies"))?;
        let certificate = write_certificate(folder.path())?;
        let token = write_issuer(folder.path())?;
        write_secret(&folder.path().join("assertion.secret"), &[b'k'; 64])?;
        // The addresses stay free for the moment until they are listened on again.
        let (edge, ops, bare) = (free_port()?, free_port()?, free_port()?);
        let [edge_addr, ops_addr, bare_addr] = [&edge, &ops, &bare].map(TcpListener::local_addr);
        let (edge_addr, bare_addr) = (edge_addr?, bare_addr?);
        fs::write(folder.path().join("stockade.toml"), settings(edge_addr, ops_addr?))?;
        Ok(Self { folder, certificate, edge_addr, bare_addr, token })
    }

    /// A file of the stage.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A client's side of TLS that offers one protocol.
    pub(crate) fn client(&self, alpn: &[u8]) -> anyhow::Result<Arc<ClientConfig>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone())?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![alpn.to_vec()];
        Ok(Arc::new(config))
    }

    /// The customer's token with a signature that does not fit.
    pub(crate) fn forged_token(&self) -> anyhow::Result<String> {
        let (signed, signature) = self.token.rsplit_once('.').context("a token has three parts")?;
        let mut bytes = URL_SAFE_NO_PAD.decode(signature)?;
        bytes.reverse();
        Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bytes)))
    }
}

fn free_port() -> anyhow::Result<TcpListener> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?)
}

fn settings(listen: SocketAddr, ops_listen: SocketAddr) -> String {
    format!(
        r#"[edge]
listen = "{listen}"
ops_listen = "{ops_listen}"
workers = 1
access_log_file = "access.log"

[edge.authentication]
failures_max = {BAD_TOKENS_MAX}
failures_window_secs = 86400

[edge.tls]
certificate_file = "tls.crt"
private_key_file = "tls.key"

[edge.upstream]
socket = "upstream.sock"
assertion_secret_file = "assertion.secret"

[[edge.issuers]]
issuer = "{ISSUER}"
audience = "{AUDIENCE}"
jwks_file = "jwks.json"
"#
    )
}

/// The policies as they are, but for quotas that no run can reach: limits are still asked.
fn write_policies(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir(to)?;
    for name in RUNTIME_FILES {
        let path = from.join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let lines: String = text.lines().map(|line| raise_quota(line) + "\n").collect();
        fs::write(to.join(name), lines)?;
    }
    Ok(())
}

fn raise_quota(line: &str) -> String {
    const KEY: &str = "quota = ";
    let Some((before, value)) = line.split_once(KEY) else { return line.to_owned() };
    let after = value.trim_start_matches(|byte: char| byte.is_ascii_alphanumeric() || byte == '_');
    format!("{before}{KEY}{QUOTA_MAX}{after}")
}

fn write_certificate(folder: &Path) -> anyhow::Result<CertificateDer<'static>> {
    let key = KeyPair::generate()?;
    let parameters = rcgen::CertificateParams::new(["localhost".to_owned()])?;
    let certificate = parameters.self_signed(&key)?;
    fs::write(folder.join("tls.crt"), certificate.pem())?;
    write_secret(&folder.join("tls.key"), key.serialize_pem().as_bytes())?;
    Ok(certificate.der().clone())
}

/// Writes the issuer's key set; a token it issued comes back.
fn write_issuer(folder: &Path) -> anyhow::Result<String> {
    let key = KeyPair::generate()?;
    // An uncompressed point: 4, then two coordinates of 32 bytes (SEC 1, 2.3.3).
    let (x, y) = key
        .public_key_raw()
        .get(1..)
        .and_then(|point| point.split_at_checked(32))
        .context("a P-256 key is a point")?;
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": KEY_ID,
        "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
    });
    fs::write(folder.join("jwks.json"), json!({ "keys": [jwk] }).to_string())?;

    let now = jsonwebtoken::get_current_timestamp();
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": "0198f3a2-7c51-7d60-9a11-5b1c7e20d4aa",
        "client_id": "shop", "sid": "0198f3a2-9e02-7b0e-8c55-1f0d2c9a7b31", "jti": "bench",
        "iat": now, "auth_time": now, "exp": now + TOKEN_LIFE_SECS, "roles": ["customer"],
    });
    let mut header = Header::new(Algorithm::ES256);
    header.typ = Some("at+jwt".to_owned());
    header.kid = Some(KEY_ID.to_owned());
    Ok(jsonwebtoken::encode(&header, &claims, &EncodingKey::from_ec_der(key.serialized_der()))?)
}

fn write_secret(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    Ok(file.write_all(bytes)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotas_are_raised_and_nothing_else_changes() {
        let line = r#"all = { key = "address", quota = 1000, per = "15m" }"#;
        let raised = r#"all = { key = "address", quota = 1_000_000, per = "15m" }"#;
        assert_eq!(raise_quota(line), raised);
        assert_eq!(raise_quota("# quotas"), "# quotas");
    }
}
