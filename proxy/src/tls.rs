//! TLS as Mozilla's profiles have it, from a certificate and a key on disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, version};
use stockade_settings::secret::{self, SecretError};
use stockade_settings::{TlsProfile, TlsSettings};

/// Why TLS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A setting that TLS needs is not set.
    #[error("`{0}` is not set; the edge serves HTTPS only")]
    NotSet(&'static str),
    /// The certificate file cannot be read as PEM.
    #[error("cannot read the certificate `{}`: {source}", .path.display())]
    Certificate {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: rustls::pki_types::pem::Error,
    },
    /// The certificate file holds no certificate.
    #[error("`{}` holds no certificate", .0.display())]
    NoCertificate(PathBuf),
    /// The key file cannot be read.
    #[error(transparent)]
    KeyFile(#[from] SecretError),
    /// The key file holds no private key.
    #[error("`{}` holds no private key in PEM", .0.display())]
    NoKey(PathBuf),
    /// Certificate and key do not belong together, or are of a kind we do not serve.
    #[error("the certificate and the key cannot be served: {0}")]
    Unusable(#[from] rustls::Error),
}

/// The server's side of every handshake.
///
/// # Errors
/// [`TlsError`], naming the setting or the file.
pub(crate) fn server_config(
    settings: &TlsSettings,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<ServerConfig>, TlsError> {
    let certificate = settings.certificate_file.as_deref();
    let certificate = certificate.ok_or(TlsError::NotSet("edge.tls.certificate_file"))?;
    let key = settings.private_key_file.as_deref();
    let key = key.ok_or(TlsError::NotSet("edge.tls.private_key_file"))?;
    let versions: &[_] = match settings.profile {
        TlsProfile::Intermediate => &[&version::TLS13, &version::TLS12],
        TlsProfile::Modern => &[&version::TLS13],
    };
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)?
        .with_no_client_auth()
        .with_single_cert(read_certificates(certificate)?, read_key(key)?)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.ticketer = rustls::crypto::aws_lc_rs::Ticketer::new()?;
    Ok(Arc::new(config))
}

fn read_certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Certificate { path: path.to_owned(), source };
    let chain: Vec<_> = CertificateDer::pem_file_iter(path)
        .map_err(failed)?
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    if chain.is_empty() { Err(TlsError::NoCertificate(path.to_owned())) } else { Ok(chain) }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let pem = secret::read(path)?;
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| TlsError::NoKey(path.to_owned()))
}
