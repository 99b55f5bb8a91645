//! The only writer of responses made at the edge.
//!
//! SECURITY: Pingora runs its response filters for upstream responses only, and its own error
//! helpers bypass them. Every refusal and error goes through here instead, so that HSTS and the
//! other headers are never missing from one.

use std::time::Duration;

use bytes::{BufMut as _, Bytes, BytesMut};
use http::response::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use pingora::http::ResponseHeader;
use pingora::proxy::Session;
use pingora::{Error, ErrorType, OrErr as _, Result};
use stockade_contract::headers;
use stockade_contract::problem::{MEDIA_TYPE, Problem};

use crate::answer_fields;
use crate::cors::Preflight;
use crate::decision_id::DecisionId;
use crate::journey::Journey;
use crate::rejection::{Reason, Rejection};
use crate::response_headers::ResponseHeaders;

/// How long the body of a refused request is read to nowhere.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);

static REQUEST_ID: HeaderName = HeaderName::from_static(headers::REQUEST_ID);

/// About as many fields as are added to an answer.
const FIELDS_ADDED: usize = 16;

/// What the edge answers by itself.
#[derive(Debug)]
pub(crate) struct Respond {
    hsts: HeaderValue,
}

impl Respond {
    pub(crate) fn new(hsts: HeaderValue) -> Self {
        Self { hsts }
    }

    /// Answers a request with its refusal.
    pub(crate) async fn refuse(
        &self,
        session: &mut Session,
        journey: &Journey,
        rejection: &Rejection,
    ) -> Result<()> {
        let (status, fields, body) = self.refusal(journey, rejection);
        write(session, status, &fields, Some(body)).await?;
        settle_body(session).await
    }

    /// Answers a preflight.
    pub(crate) async fn preflight(
        &self,
        session: &mut Session,
        journey: &Journey,
        answer: &Preflight,
    ) -> Result<()> {
        let mut fields = self.fields(journey);
        answer.add_to(&mut fields);
        write(session, StatusCode::NO_CONTENT, &fields, None).await?;
        settle_body(session).await
    }

    /// The bytes of a refusal of an HTTP/1.1 head that nobody else has seen. The connection is
    /// closed after it.
    pub(crate) fn raw_refusal(&self, journey: &Journey, rejection: &Rejection) -> Bytes {
        let (status, fields, body) = self.refusal(journey, rejection);
        let mut raw = BytesMut::with_capacity(1024);
        let reason = status.canonical_reason().unwrap_or_default();
        raw.put_slice(
            format!("HTTP/1.1 {} {reason}\r\nconnection: close\r\n", status.as_u16()).as_bytes(),
        );
        for (name, value) in &fields {
            raw.put_slice(name.as_str().as_bytes());
            raw.put_slice(b": ");
            raw.put_slice(value.as_bytes());
            raw.put_slice(b"\r\n");
        }
        raw.put_slice(b"\r\n");
        raw.put_slice(&body);
        raw.freeze()
    }

    /// Completes the head of a forwarded response.
    pub(crate) fn complete(&self, response: &mut ResponseHeader, journey: &Journey) -> Result<()> {
        // Taken apart, since Pingora's own way of changing a field costs several times as much: it
        // also keeps how the upstream spelled each name.
        let empty = ResponseHeader::build_no_case(StatusCode::OK, Some(0))?;
        let mut parts = Parts::from(std::mem::replace(response, empty));
        self.complete_fields(&mut parts.headers, journey)?;
        *response = ResponseHeader::from(parts);
        Ok(())
    }

    fn complete_fields(&self, fields: &mut HeaderMap, journey: &Journey) -> Result<()> {
        let removed: Vec<HeaderName> =
            fields.keys().filter(|name| ResponseHeaders::is_removed(name)).cloned().collect();
        for name in &removed {
            fields.remove(name);
        }
        fields.reserve(FIELDS_ADDED);
        let headers = journey.response_headers();
        for (name, value) in headers.always() {
            fields.insert(name, value.clone());
        }
        for (name, value) in headers.unless_set() {
            fields.entry(name).or_insert_with(|| value.clone());
        }
        fields.insert(header::STRICT_TRANSPORT_SECURITY, self.hsts.clone());
        answer_fields::add_to(fields, journey);
        fields.insert(&REQUEST_ID, id_value(journey.id)?);
        Ok(())
    }

    fn refusal(&self, journey: &Journey, rejection: &Rejection) -> (StatusCode, HeaderMap, Bytes) {
        let reason = rejection.reason;
        let detail = rejection.detail.as_deref().unwrap_or(reason.advice());
        let problem = Problem::new(reason.status(), reason.code(), reason.title())
            .with_detail(detail)
            .with_decision_id(journey.id.to_string());
        let body = Bytes::from(problem.to_bytes());
        let status =
            StatusCode::from_u16(reason.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);

        let mut fields = self.fields(journey);
        fields.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        fields.insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
        add_advice(&mut fields, rejection);
        (status, fields, body)
    }

    /// What every answer of the edge's own carries.
    fn fields(&self, journey: &Journey) -> HeaderMap {
        let mut fields = HeaderMap::with_capacity(2 * FIELDS_ADDED);
        answer_fields::add_to(&mut fields, journey);
        let headers = journey.response_headers();
        for (name, value) in headers.always().iter().chain(headers.unless_set()) {
            fields.insert(name, value.clone());
        }
        fields.insert(header::STRICT_TRANSPORT_SECURITY, self.hsts.clone());
        if let Ok(id) = id_value(journey.id) {
            fields.insert(&REQUEST_ID, id);
        }
        fields
    }
}

async fn write(
    session: &mut Session,
    status: StatusCode,
    fields: &HeaderMap,
    body: Option<Bytes>,
) -> Result<()> {
    let mut response = ResponseHeader::build(status, Some(fields.len()))?;
    for (name, value) in fields {
        response.append_header(name, value)?;
    }
    let body = body.filter(|_| session.req_header().method != Method::HEAD);
    session.write_response_header(Box::new(response), body.is_none()).await?;
    if body.is_some() {
        session.write_response_body(body, true).await?;
    }
    Ok(())
}

/// Reads what the client is still sending to nowhere, for a moment: a client that is cut off in
/// the middle of its body may never look at the answer. One that still waits for `100 Continue`
/// sends nothing.
async fn settle_body(session: &mut Session) -> Result<()> {
    session.as_downstream_mut().finish_body().await?;
    let waits = session.req_header().headers.contains_key(header::EXPECT);
    if !waits || session.body_bytes_read() > 0 {
        session.set_total_drain_timeout(Some(DRAIN_TIMEOUT));
        // Time is up, or the client has gone: the answer is sent, and the connection closes.
        drop(session.drain_request_body().await);
    }
    Ok(())
}

/// The header that tells a program what the body tells a person.
fn add_advice(fields: &mut HeaderMap, rejection: &Rejection) {
    let challenge = match rejection.reason {
        // RFC 6750, 3: no error code where no token was shown.
        Reason::TokenMissing => Some(HeaderValue::from_static(r#"Bearer realm="stockade""#)),
        Reason::TokenInvalid => Some(invalid_token(rejection.detail.as_deref())),
        Reason::MfaRequired => Some(insufficient_authentication(rejection)),
        _ => None,
    };
    if let Some(challenge) = challenge {
        fields.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(allow) = rejection.allow.as_deref().and_then(|allow| allow.parse().ok()) {
        fields.insert(header::ALLOW, allow);
    }
    if let Some(secs) = rejection.retry_after_secs {
        fields.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
}

/// The details are sentences of ours: ASCII, and the backticks in them are allowed in a quoted
/// string (RFC 9110, 5.6.4).
fn invalid_token(detail: Option<&str>) -> HeaderValue {
    let detail = detail.unwrap_or(Reason::TokenInvalid.advice());
    let text = format!(
        r#"Bearer realm="stockade", error="invalid_token", error_description="{}""#,
        detail.replace(['"', '\\'], "'")
    );
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(r#"Bearer realm="stockade""#))
}

/// RFC 9470, 3: what the client has to ask the authorization server for.
fn insufficient_authentication(rejection: &Rejection) -> HeaderValue {
    let mut text =
        String::from(r#"Bearer realm="stockade", error="insufficient_user_authentication""#);
    text.push_str(r#", error_description="A fresh second factor is needed""#);
    if let Some(max_age) = rejection.mfa_max_age_secs {
        text.push_str(&format!(", max_age={max_age}"));
    }
    HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(r#"Bearer realm="stockade""#))
}

fn id_value(id: DecisionId) -> Result<HeaderValue, Box<Error>> {
    HeaderValue::from_str(id.as_str()).or_err(ErrorType::InternalError, "an id is visible ASCII")
}
