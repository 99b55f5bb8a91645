//! What the edge asks the upstream for itself: its key set, its revocations, and whether it is
//! ready.
//!
//! Over the same channel as every request, with an assertion whose subject is `edge`.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use stockade_contract::assertion::{Assertion, LIFETIME_SECS, Scope};
use stockade_contract::{headers, internal};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};

use super::Upstream;
use crate::clock;
use crate::config::UpstreamAddress;
use crate::decision_id::DecisionId;

/// Longest answer read, in bytes.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the upstream did not answer the edge.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    #[error("cannot reach the upstream: {0}")]
    Unreachable(#[from] std::io::Error),
    #[error("the upstream did not answer in HTTP: {0}")]
    Protocol(#[from] hyper::Error),
    #[error("the upstream answered {0}")]
    Refused(StatusCode),
    #[error("the upstream's answer was cut or too long")]
    Body,
    #[error("the upstream did not answer in time")]
    Timeout,
}

impl Upstream {
    /// Asks for one of the internal paths.
    pub(crate) async fn ask(&self, path: &str) -> Result<Bytes, AskError> {
        let answer = async {
            match &self.address {
                UpstreamAddress::Socket(socket) => {
                    self.ask_over(UnixStream::connect(socket).await?, path).await
                }
                UpstreamAddress::Tcp(address) => {
                    self.ask_over(TcpStream::connect(address).await?, path).await
                }
            }
        };
        tokio::time::timeout(ANSWER_TIMEOUT, answer).await.map_err(|_| AskError::Timeout)?
    }

    async fn ask_over(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        path: &str,
    ) -> Result<Bytes, AskError> {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .uri(path)
            .header(http::header::HOST, self.name.as_str())
            .header(headers::ASSERTION, self.keys.sign(&self.own_assertion(path)))
            .body(Empty::<Bytes>::new())
            .map_err(|_| AskError::Body)?;
        let answer = sender.send_request(request).await?;
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        driver.abort();
        if status != StatusCode::OK {
            return Err(AskError::Refused(status));
        }
        Ok(body.map_err(|_| AskError::Body)?.to_bytes())
    }

    fn own_assertion(&self, path: &str) -> Assertion {
        Assertion {
            audience: self.name.clone(),
            request_id: DecisionId::next().to_string(),
            method: Method::GET.as_str().to_owned(),
            path_and_query: path.to_owned(),
            permission: internal::PERMISSION.to_owned(),
            subject: internal::SUBJECT.to_owned(),
            session: String::new(),
            roles: String::new(),
            scope: Scope::Any,
            authenticated_at: 0,
            client_address: "unknown".to_owned(),
            bundle: String::new(),
            expires_at: clock::unix_secs() + LIFETIME_SECS,
        }
    }
}
