//! The upstream: where it is, and what a request looks like when it leaves for it.
//!
//! SECURITY: everything is removed that the upstream could take for the edge's word, or that
//! only concerns the client's connection; then one signed assertion is added.

pub(crate) mod internal;

use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use pingora::http::RequestHeader;
use pingora::upstreams::peer::HttpPeer;
use pingora::{Error, ErrorType, OkOrErr as _, OrErr as _, Result};
use stockade_contract::assertion::{Assertion, Keyring, LIFETIME_SECS, Scope};
use stockade_contract::headers;
use stockade_settings::Upstream as UpstreamSettings;

use crate::admit::Admission;
use crate::clock;
use crate::config::{ConfigError, UpstreamAddress};
use crate::guards::authenticate::Caller;
use crate::journey::Journey;
use crate::live_policy::InForce;

/// Headers about the client's connection (RFC 9110, 7.6.1), and those by which a client could
/// speak in somebody else's name or change a request's meaning behind the edge: its client's
/// address, its host, its method or its path. Whatever begins with `x-forwarded` goes, too.
const REMOVED: [&str; 40] = [
    "authorization",
    "cf-connecting-ip",
    "client-ip",
    "connection",
    "fastly-client-ip",
    "forwarded",
    "forwarded-for",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "redirect",
    "te",
    "trailer",
    "true-client-ip",
    "upgrade",
    "url",
    "x-accel-redirect",
    "x-appengine-user-ip",
    "x-azure-clientip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-custom-ip-authorization",
    "x-envoy-external-address",
    "x-host",
    "x-http-destinationurl",
    "x-http-method",
    "x-http-method-override",
    "x-http-path-override",
    "x-method-override",
    "x-original-host",
    "x-original-url",
    "x-originating-ip",
    "x-override-url",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-remote-addr",
    "x-remote-ip",
    "x-rewrite-url",
    "x-sendfile",
];

/// What most requests carry and every upstream may have, looked at first.
static KEPT: [HeaderName; 6] = [
    header::HOST,
    header::ACCEPT,
    header::USER_AGENT,
    header::ACCEPT_ENCODING,
    header::CONTENT_TYPE,
    header::CONTENT_LENGTH,
];

/// How headers begin in which proxies tell what they have changed.
const FORWARDED: &str = "x-forwarded";

/// What frames a body: another spelling of it would be a second framing to some servers.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// One upstream and the keys that sign what is said to it.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) address: UpstreamAddress,
    pub(crate) keys: Keyring,
    peer: HttpPeer,
}

impl Upstream {
    pub(crate) fn new(
        settings: &UpstreamSettings,
        address: UpstreamAddress,
        keys: Keyring,
    ) -> Result<Arc<Self>, ConfigError> {
        let mut peer = match &address {
            UpstreamAddress::Socket(path) => {
                let text = path.to_str().ok_or(ConfigError::SocketPath)?;
                HttpPeer::new_uds(text, false, String::new())
                    .map_err(|_| ConfigError::SocketPath)?
            }
            UpstreamAddress::Tcp(address) => HttpPeer::new(address, false, String::new()),
        };
        let ms = |ms: std::num::NonZeroU32| Some(Duration::from_millis(u64::from(ms.get())));
        peer.options.connection_timeout = ms(settings.connect_timeout_ms);
        peer.options.read_timeout = ms(settings.read_timeout_ms);
        peer.options.write_timeout = ms(settings.read_timeout_ms);
        Ok(Arc::new(Self { name: settings.name.clone(), address, keys, peer }))
    }

    pub(crate) fn peer(&self) -> Box<HttpPeer> {
        Box::new(self.peer.clone())
    }

    /// Rewrites a request into what the upstream may believe.
    ///
    /// # Errors
    /// When the journey holds no admission, which forwards nothing.
    pub(crate) fn stamp(&self, request: &mut RequestHeader, journey: &Journey) -> Result<()> {
        let admission = journey
            .admission()
            .or_err(ErrorType::InternalError, "forwarding without an admission")?;
        // Taken apart, since Pingora's own way of changing a field costs several times as much: it
        // also keeps how the client spelled each name.
        let empty = RequestHeader::build_no_case(Method::GET, b"/", Some(0))?;
        let mut parts = Parts::from(std::mem::replace(request, empty));
        remove_untrusted(&mut parts.headers);
        join_cookies(&mut parts.headers)?;
        let policy = journey
            .policy
            .as_deref()
            .or_err(ErrorType::InternalError, "forwarding without a policy")?;
        let assertion = self.assertion(&parts.method, admission, policy, journey);
        let assertion = self.keys.sign(&assertion);
        let value = HeaderValue::try_from(assertion)
            .or_err(ErrorType::InternalError, "an assertion is visible ASCII")?;
        parts.headers.insert(HeaderName::from_static(headers::ASSERTION), value);
        *request = RequestHeader::from(parts);
        let path = admission.path.with_query().as_bytes();
        if request.raw_path() == path { Ok(()) } else { request.set_raw_path(path) }
    }

    fn assertion(
        &self,
        method: &Method,
        admission: &Admission,
        policy: &InForce,
        journey: &Journey,
    ) -> Assertion {
        let principal = admission.caller.principal();
        let permit = admission.permit();
        Assertion {
            audience: self.name.clone(),
            request_id: journey.id.to_string(),
            method: method.as_str().to_owned(),
            path_and_query: admission.path.with_query().to_owned(),
            permission: policy.bundle.permission_name(permit.permission()).to_owned(),
            subject: match &admission.caller {
                Caller::Anonymous => "anonymous".to_owned(),
                Caller::Known { principal, .. } => principal.subject().to_owned(),
            },
            session: principal.map_or_else(String::new, |who| who.session().to_owned()),
            roles: joined(policy.bundle.role_names(permit.roles())),
            scope: match permit.scope() {
                stockade_policy::Scope::Own => Scope::Own,
                stockade_policy::Scope::Others => Scope::Others,
                stockade_policy::Scope::Any => Scope::Any,
            },
            authenticated_at: principal.map_or(0, |who| who.authenticated_at()),
            client_address: journey.client.to_string(),
            bundle: journey
                .policy
                .as_ref()
                .map_or_else(String::new, |policy| policy.hash.to_string()),
            expires_at: clock::unix_secs() + LIFETIME_SECS,
        }
    }
}

/// Names with one space between.
fn joined<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for name in names {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(name);
    }
    text
}

fn remove_untrusted(fields: &mut HeaderMap) {
    let named: Vec<HeaderName> = fields
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::try_from(name.trim()).ok())
        .filter(|name| !is_framing(name))
        .collect();
    let reserved: Vec<HeaderName> =
        fields.keys().filter(|name| is_untrusted(name)).cloned().collect();
    for name in named.iter().chain(&reserved) {
        fields.remove(name);
    }
}

/// A client cannot strip the framing or the host by naming them in Connection.
fn is_framing(name: &HeaderName) -> bool {
    [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::HOST].contains(name)
}

/// Compared with `_` and `.` folded into `-`, as some servers fold them.
fn is_untrusted(name: &HeaderName) -> bool {
    if KEPT.contains(name) {
        return false;
    }
    let name = name.as_str();
    headers::is_reserved(name)
        || name.get(..FORWARDED.len()).is_some_and(|start| folds_to(start, FORWARDED))
        || REMOVED.iter().any(|removed| folds_to(name, removed))
        || FRAMING.iter().any(|framing| name != *framing && folds_to(name, framing))
}

fn folds_to(name: &str, plain: &str) -> bool {
    let fold = |byte: u8| if matches!(byte, b'_' | b'.') { b'-' } else { byte };
    name.len() == plain.len() && name.bytes().map(fold).eq(plain.bytes())
}

/// HTTP/2 may send cookies in crumbs; HTTP/1.1 knows one header (RFC 9113, 8.2.3).
fn join_cookies(fields: &mut HeaderMap) -> Result<()> {
    let crumbs: Vec<&[u8]> =
        fields.get_all(header::COOKIE).iter().map(HeaderValue::as_bytes).collect();
    if crumbs.len() < 2 {
        return Ok(());
    }
    let joined = HeaderValue::from_bytes(&crumbs.join(b"; ".as_slice()))
        .or_err(ErrorType::InvalidHTTPHeader, "joined cookies")?;
    fields.insert(header::COOKIE, joined);
    Ok(())
}

/// Whether an error of forwarding may be tried again on another connection: only where doing
/// a thing twice is doing it once (RFC 9110, 9.2.2).
pub(crate) fn may_retry(method: &Method, error: &Error) -> bool {
    error.retry() && method.is_idempotent()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_must_not_say_is_removed_however_spelled() {
        let mut fields = HeaderMap::new();
        let sent = [
            ("Stockade_Assertion", "x"),
            ("stockade.outcome", "x"),
            ("authorization", "Bearer x"),
            ("x_forwarded_for", "1.2.3.4"),
            ("x-forwarded-prefix", "/admin"),
            ("x_rewrite.url", "/admin"),
            ("content_length", "9"),
            ("transfer.encoding", "chunked"),
            ("X-HTTP-Method-Override", "DELETE"),
            ("connection", "x-secret, content-length, host"),
            ("x-secret", "1"),
            ("upgrade", "h2c"),
            ("content-length", "0"),
            ("host", "shop"),
            ("x-kept", "1"),
        ];
        for (name, value) in sent {
            fields.append(HeaderName::try_from(name).unwrap(), HeaderValue::from_static(value));
        }
        remove_untrusted(&mut fields);
        let mut left: Vec<_> = fields.keys().map(HeaderName::as_str).collect();
        left.sort_unstable();
        assert_eq!(left, ["content-length", "host", "x-kept"]);
    }

    #[test]
    fn cookie_crumbs_are_joined() {
        let mut fields = HeaderMap::new();
        fields.append(header::COOKIE, HeaderValue::from_static("a=1"));
        fields.append(header::COOKIE, HeaderValue::from_static("b=2"));
        join_cookies(&mut fields).unwrap();
        let cookies: Vec<_> = fields.get_all(header::COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2"]);
    }
}
