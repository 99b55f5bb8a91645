//! The front door: one request over HTTPS, to whom one authority vouches for.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The longest wait for a whole answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Where requests go.
pub(super) struct Door {
    /// Host and port.
    authority: String,
    host: ServerName<'static>,
    tls: TlsConnector,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Door {
    /// The door at `url`, which is `https://HOST:PORT`, and who is to vouch for it.
    pub(super) fn to(url: &str, authority_file: &Path) -> anyhow::Result<Self> {
        let form = || format!("`{url}` is not of the form https://HOST:PORT");
        let authority = url.strip_prefix("https://").with_context(form)?.to_owned();
        let (host, _) = authority.split_once(':').with_context(form)?;
        let host = ServerName::try_from(host.to_owned()).with_context(form)?;
        let certificate = CertificateDer::from_pem_file(authority_file);
        let certificate =
            certificate.with_context(|| format!("cannot read `{}`", authority_file.display()))?;
        let mut roots = RootCertStore::empty();
        roots.add(certificate).context("the authority's certificate is not one")?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { authority, host, tls: TlsConnector::from(Arc::new(config)) })
    }

    pub(super) async fn post_form(
        &self,
        path: &str,
        fields: &[(&str, &str)],
    ) -> anyhow::Result<Answer> {
        // Names and values of the demo are letters, digits, `-` and `_`: nothing is to be encoded.
        let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.post(path, "application/x-www-form-urlencoded", fields.join("&")).await
    }

    pub(super) async fn post_json(&self, path: &str, body: &Value) -> anyhow::Result<Answer> {
        self.post(path, "application/json", body.to_string()).await
    }

    async fn post(&self, path: &str, media: &str, body: String) -> anyhow::Result<Answer> {
        let answer = timeout(PATIENCE, self.exchange(path, media, body)).await;
        let Ok(answer) = answer else { bail!("{} took longer than {PATIENCE:?}", self.authority) };
        answer.with_context(|| format!("no answer from https://{}", self.authority))
    }

    async fn exchange(&self, path: &str, media: &str, body: String) -> anyhow::Result<Answer> {
        let stream = TcpStream::connect(&self.authority).await?;
        let stream = self.tls.connect(self.host.clone(), stream).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::post(path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, media)
            .body(Full::new(Bytes::from(body)))?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        let bytes = Limited::new(body, ANSWER_BYTES_MAX).collect().await;
        let bytes = bytes.map_err(|error| anyhow::anyhow!("{error}"))?.to_bytes();
        driver.abort();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status: head.status.as_u16(), body })
    }
}
