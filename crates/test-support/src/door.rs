//! Where a program of ours is, and whom to trust there.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The name that every certificate here is for.
const NAME: &str = "localhost";

/// An address that speaks TLS.
#[derive(Debug, Clone)]
pub struct Door {
    address: SocketAddr,
    roots: Arc<RootCertStore>,
}

impl Door {
    /// The door at an address, whose certificate an authority on disk vouches for.
    ///
    /// # Panics
    /// When there is no certificate in the file.
    pub fn new(address: SocketAddr, authority: &Path) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(authority).unwrap()).unwrap();
        Self { address, roots: Arc::new(roots) }
    }

    /// Where it is.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client that talks to it calls it: `localhost:8443`.
    pub fn host(&self) -> String {
        format!("{NAME}:{}", self.address.port())
    }

    /// How a client sets up TLS here.
    ///
    /// # Panics
    /// Never: the versions fit the provider.
    pub fn tls(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        protocols: &[&str],
    ) -> ClientConfig {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        config
    }

    /// A connection, from an address of ours if one is named.
    ///
    /// # Errors
    /// When nobody listens there any more.
    pub async fn reach(&self, from: Option<IpAddr>) -> io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        if let Some(from) = from {
            socket.bind(SocketAddr::new(from, 0))?;
        }
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// A TLS connection.
    ///
    /// # Errors
    /// When nobody listens there, or the handshake fails.
    pub async fn shake_hands(
        &self,
        config: Arc<ClientConfig>,
        from: Option<IpAddr>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
        let stream = self.reach(from).await?;
        TlsConnector::from(config).connect(name, stream).await
    }
}
