//! Connects the judgement to Pingora's phases. No decision is made in this file.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Version, header};
use pingora::http::{RequestHeader, ResponseHeader};
use pingora::proxy::{FailToProxy, ProxyHttp, Session};
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorSource, ErrorType, Result};
use stockade_contract::headers;
use stockade_contract::outcome::Outcome;

use crate::admit::{Verdict, admit};
use crate::client_addr::ClientAddr;
use crate::clock;
use crate::guards::rate_limit;
use crate::journey::{Journey, Step};
use crate::limits::Subject;
use crate::listener::pace::BodyPace;
use crate::records::Sent;
use crate::rejection::{Reason, Rejection};
use crate::request_head::RequestHead;
use crate::shared::Shared;
use crate::upstream::may_retry;

/// The edge as Pingora sees it: one for every worker, over what all workers share.
#[derive(Debug)]
pub(crate) struct Edge {
    shared: Arc<Shared>,
}

impl Edge {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }
}

#[async_trait]
impl ProxyHttp for Edge {
    type CTX = Journey;

    fn new_ctx(&self) -> Journey {
        Journey::begin()
    }

    /// No modules: no compression, nothing that could change a body.
    fn init_downstream_modules(&self, _: &mut pingora::modules::http::HttpModules) {}

    async fn request_filter(&self, session: &mut Session, journey: &mut Journey) -> Result<bool> {
        session.set_abort_on_close(false);
        let address = session.client_addr().and_then(|address| address.as_inet());
        journey.client = ClientAddr::from_socket(address.map(std::net::SocketAddr::ip));
        let policy = self.shared.policy.current();
        let has_body = !session.is_body_empty();
        journey.pace = session.req_header().extensions.get::<BodyPace>().cloned();
        if let Some(pace) = &journey.pace {
            pace.belongs_to(journey.id, journey.client);
            if !has_body {
                pace.over();
            }
        }
        let head = read_head(session.req_header(), has_body);
        journey.policy = Some(policy.clone());
        match admit(&self.shared, &policy, &head, journey) {
            Ok(Verdict::Forward(admission)) => {
                journey.admit(admission);
                Ok(false)
            }
            Ok(Verdict::Answer(preflight)) => {
                self.shared.respond.preflight(session, journey, &preflight).await?;
                Ok(true)
            }
            Err(rejection) => {
                self.shared.respond.refuse(session, journey, &rejection).await?;
                Ok(true)
            }
        }
    }

    async fn upstream_peer(&self, _: &mut Session, _: &mut Journey) -> Result<Box<HttpPeer>> {
        Ok(self.shared.upstream.peer())
    }

    async fn upstream_request_filter(
        &self,
        _: &mut Session,
        request: &mut RequestHeader,
        journey: &mut Journey,
    ) -> Result<()> {
        self.shared.upstream.stamp(request, journey)?;
        journey.forwarded();
        Ok(())
    }

    async fn request_body_filter(
        &self,
        _: &mut Session,
        body: &mut Option<Bytes>,
        end: bool,
        journey: &mut Journey,
    ) -> Result<()> {
        match &journey.pace {
            Some(pace) if end => pace.over(),
            Some(pace) => pace.moved(),
            None => {}
        }
        let bytes = body.as_ref().map_or(0, Bytes::len);
        let spent = match journey.admission_mut() {
            Some(admission) => admission.body.spend(bytes),
            None => Err(Rejection::new(Reason::Internal)),
        };
        spent.or_else(|rejection| {
            journey.refuse(Step::Body, rejection);
            Error::e_explain(ErrorType::HTTPStatus(413), "the body is over its budget")
        })
    }

    async fn response_filter(
        &self,
        _: &mut Session,
        response: &mut ResponseHeader,
        journey: &mut Journey,
    ) -> Result<()> {
        journey.answered();
        if let Some(pace) = &journey.pace {
            pace.over();
        }
        let outcome = response.headers.get(headers::OUTCOME).and_then(|value| value.to_str().ok());
        journey.outcome = outcome.and_then(Outcome::parse);
        self.shared.respond.complete(response, journey)
    }

    fn error_while_proxy(
        &self,
        _: &HttpPeer,
        session: &mut Session,
        mut error: Box<Error>,
        _: &mut Journey,
        reused: bool,
    ) -> Box<Error> {
        error.retry.decide_reuse(reused && !session.as_ref().retry_buffer_truncated());
        let retry = may_retry(&session.req_header().method, &error);
        error.set_retry(retry);
        error
    }

    async fn fail_to_proxy(
        &self,
        session: &mut Session,
        error: &Error,
        journey: &mut Journey,
    ) -> FailToProxy {
        journey.refuse(Step::Forward, failure(error));
        let Some(refusal) = &journey.refusal else {
            return FailToProxy { error_code: 0, can_reuse_downstream: false };
        };
        let error_code = refusal.rejection.reason.status();
        if session.response_written().is_none_or(|sent| sent.status.is_informational()) {
            // A client that has gone cannot be told; the record says what happened.
            drop(self.shared.respond.refuse(session, journey, &refusal.rejection).await);
        }
        FailToProxy { error_code, can_reuse_downstream: false }
    }

    fn suppress_error_log(&self, _: &Session, _: &Journey, _: &Error) -> bool {
        true // The decision record tells it, once.
    }

    async fn logging(&self, session: &mut Session, _: Option<&Error>, journey: &mut Journey) {
        charge_failure(&self.shared, journey);
        let request = session.req_header();
        let agent = request.headers.get(header::USER_AGENT);
        let agent = agent.map(|value| String::from_utf8_lossy(value.as_bytes()));
        self.shared.records.record(
            journey,
            Sent {
                method: request.method.as_str(),
                status: session.response_written().map_or(0, |sent| sent.status.as_u16()),
                bytes: u64::try_from(session.body_bytes_sent()).unwrap_or(u64::MAX),
                user_agent: agent.as_deref(),
            },
        );
    }
}

fn read_head(request: &RequestHeader, has_body: bool) -> RequestHead<'_> {
    let authority = match request.version {
        Version::HTTP_2 => request.uri.authority(),
        _ => None,
    };
    RequestHead {
        method: request.method.as_str(),
        target: request.raw_path(),
        authority: authority.map(http::uri::Authority::as_str),
        headers: &request.headers,
        version: request.version,
        has_body: has_body || request.headers.contains_key(header::TRANSFER_ENCODING),
    }
}

/// Some limits only count what failed, which is known when the answer is.
fn charge_failure(shared: &Shared, journey: &Journey) {
    let failed = matches!(journey.outcome, Some(Outcome::LoginFailed | Outcome::WebhookRejected))
        || journey.refusal.as_ref().is_some_and(|r| r.rejection.reason == Reason::TokenInvalid);
    let Some(policy) = journey.policy.as_ref().filter(|_| failed) else { return };
    let route = journey.route.and_then(|route| policy.bundle.routes().get(route));
    let Some(route) = route else { return };
    let address = Subject::address(journey.client.known());
    rate_limit::charge_failure(shared, &policy.bundle, route, address, clock::steady_micros());
}

/// What a failure of forwarding means to the client.
fn failure(error: &Error) -> Rejection {
    let reason = match (error.esource(), error.etype()) {
        (ErrorSource::Downstream, ErrorType::ReadTimedout) => Reason::BodyTimeout,
        (ErrorSource::Downstream, _) => Reason::MalformedBody,
        (ErrorSource::Upstream, ErrorType::ConnectTimedout | ErrorType::ConnectRefused) => {
            Reason::UpstreamUnavailable
        }
        (ErrorSource::Upstream, ErrorType::ConnectError | ErrorType::ConnectNoRoute) => {
            Reason::UpstreamUnavailable
        }
        (ErrorSource::Upstream, ErrorType::ReadTimedout | ErrorType::WriteTimedout) => {
            Reason::UpstreamTimeout
        }
        (ErrorSource::Upstream, _) => Reason::UpstreamFailed,
        (ErrorSource::Internal | ErrorSource::Unset, _) => Reason::Internal,
    };
    Rejection::new(reason)
}
