//! Guard: only what the policy names exists.
//!
//! Needs:   a clean request.
//! Grants:  the matched route; for a preflight, the route it asks for.
//! Refuses: [`Reason::NoRoute`], 404; [`Reason::MethodNotAllowed`], 405 with Allow;
//!          [`Reason::AmbiguousPath`], 400, for a path of an open pattern in which a lenient
//!          server could read the path of a stricter one.
//! Fails:   closed. A path no route names is not there.

use stockade_policy::{Bundle, Route, RouteMatch};

use super::hygiene::CleanRequest;
use crate::cors;
use crate::rejection::{Reason, Rejection};
use crate::request_head::RequestHead;

pub(crate) fn check<'b>(
    bundle: &'b Bundle,
    head: &RequestHead<'_>,
    clean: &CleanRequest,
) -> Result<&'b Route, Rejection> {
    let preflight = bundle.cors().and_then(|_| cors::requested_method(head.method, head.headers));
    let routes = bundle.routes();
    match routes.find(preflight.unwrap_or(head.method), clean.path().as_str()) {
        // SECURITY: without this, `/api/Admin` falls to `/{**rest}`, and a server that does not
        // tell the two apart answers it as `/api/admin`.
        RouteMatch::Found(route) if routes.is_shadowed(route, &clean.path().lenient()) => {
            let detail = "the path could be taken for another one; spell it as it is documented";
            Err(Rejection::with_detail(Reason::AmbiguousPath, detail))
        }
        RouteMatch::Found(route) => Ok(route),
        RouteMatch::NotFound => Err(Rejection::new(Reason::NoRoute)),
        RouteMatch::MethodNotAllowed { allow } => Err(Rejection {
            allow: Some(allow.to_owned()),
            ..Rejection::new(Reason::MethodNotAllowed)
        }),
    }
}
