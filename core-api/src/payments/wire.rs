//! Plain HTTP/1.1 to a payment provider: one connection a request, bounded in time and size.
//!
//! TLS checks the server against the roots that Mozilla trusts, or one authority that is named.
//! Without TLS it speaks to loopback addresses only.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::HOST;
use hyper::http::uri::{Authority, Scheme};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long to connect may take, handshake included.
const CONNECT_MAX: Duration = Duration::from_secs(4);

/// How long an answer may take once connected.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Longest answer read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum WireError {
    /// Nothing was sent.
    #[error("cannot connect: {0}")]
    Connect(String),
    /// It may or may not have been done.
    #[error("no answer: {0}")]
    Lost(String),
}

/// An address that requests can be sent to.
#[derive(Debug, Clone)]
pub(super) struct Base {
    authority: Authority,
    is_tls: bool,
    /// What every path begins with.
    prefix: String,
}

/// The text is not an address that money may be spoken of with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be `https://HOST`, or `http://` and a loopback address, without a query")]
pub(crate) struct NotABase;

impl Base {
    pub(super) fn parse(text: &str) -> Result<Self, NotABase> {
        let uri: Uri = text.parse().map_err(|_| NotABase)?;
        let authority = uri.authority().ok_or(NotABase)?.clone();
        if uri.query().is_some() || authority.as_str().contains('@') {
            return Err(NotABase);
        }
        let is_tls = uri.scheme() == Some(&Scheme::HTTPS);
        let is_plain = uri.scheme() == Some(&Scheme::HTTP);
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let is_loopback = host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        // SECURITY: without TLS, our key and the amounts would be anybody's.
        if !(is_tls || (is_plain && is_loopback)) {
            return Err(NotABase);
        }
        let prefix = uri.path().trim_end_matches('/').to_owned();
        Ok(Self { authority, is_tls, prefix })
    }

    /// A request to a path under this address.
    pub(super) fn request(&self, method: Method, path: &str) -> hyper::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.prefix))
            .header(HOST, self.authority.as_str())
    }

    fn host(&self) -> &str {
        self.authority.host().trim_start_matches('[').trim_end_matches(']')
    }

    fn port(&self) -> u16 {
        self.authority.port_u16().unwrap_or(if self.is_tls { 443 } else { 80 })
    }
}

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Bytes,
}

/// Sends requests.
#[derive(Clone)]
pub(super) struct Wire {
    tls: TlsConnector,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Wire")
    }
}

/// The authority to trust cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the authority: {0}")]
pub(crate) struct NoAuthority(String);

impl Wire {
    /// Trusts whom Mozilla trusts.
    pub(super) fn public() -> Result<Self, NoAuthority> {
        Self::trusting(RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() })
    }

    /// Trusts the authorities of one file alone.
    pub(super) fn private(file: &std::path::Path) -> Result<Self, NoAuthority> {
        let unusable = |error: &dyn fmt::Display| NoAuthority(error.to_string());
        let mut roots = RootCertStore::empty();
        for found in CertificateDer::pem_file_iter(file).map_err(|error| unusable(&error))? {
            let found = found.map_err(|error| unusable(&error))?;
            roots.add(found).map_err(|error| unusable(&error))?;
        }
        Self::trusting(roots)
    }

    fn trusting(roots: RootCertStore) -> Result<Self, NoAuthority> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| NoAuthority(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// Sends one request and reads the whole answer.
    pub(super) async fn send(
        &self,
        base: &Base,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, WireError> {
        let connecting = timeout(CONNECT_MAX, self.connect(base)).await;
        let stream = connecting
            .map_err(|_| WireError::Connect(format!("it took more than {CONNECT_MAX:?}")))??;
        let answering = timeout(ANSWER_MAX, exchange(stream, request)).await;
        answering.map_err(|_| WireError::Lost(format!("it took more than {ANSWER_MAX:?}")))?
    }

    async fn connect(&self, base: &Base) -> Result<Box<dyn Stream>, WireError> {
        let refused = |error: std::io::Error| WireError::Connect(error.to_string());
        let stream = TcpStream::connect((base.host(), base.port())).await.map_err(refused)?;
        if !base.is_tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(base.host().to_owned())
            .map_err(|error| WireError::Connect(error.to_string()))?;
        Ok(Box::new(self.tls.connect(name, stream).await.map_err(refused)?))
    }
}

/// A connection, with TLS or without.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

async fn exchange(
    stream: Box<dyn Stream>,
    request: Request<Full<Bytes>>,
) -> Result<Answer, WireError> {
    let lost = |error: hyper::Error| WireError::Lost(error.to_string());
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(lost)?;
    // Ends with this future, whether it is finished or dropped.
    let mut driving = JoinSet::new();
    driving.spawn(connection);
    let response = sender.send_request(request).await.map_err(lost)?;
    let status = response.status().as_u16();
    let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
    let body = body.map_err(|error| WireError::Lost(error.to_string()))?.to_bytes();
    Ok(Answer { status, body })
}
