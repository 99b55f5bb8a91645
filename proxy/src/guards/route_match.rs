//! Guard: only what the policy names exists.
//!
//! Needs:   a clean request.
//! Grants:  the matched route.
//! Refuses: [`Reason::NoRoute`], 404; [`Reason::MethodNotAllowed`], 405 with Allow.
//! Fails:   closed. A path no route names is not there.

use stockade_policy::{Bundle, Route, RouteMatch};

use super::hygiene::CleanRequest;
use crate::rejection::{Reason, Rejection};

pub(crate) fn check<'b>(
    bundle: &'b Bundle,
    method: &str,
    clean: &CleanRequest,
) -> Result<&'b Route, Rejection> {
    match bundle.routes().find(method, clean.path().as_str()) {
        RouteMatch::Found(route) => Ok(route),
        RouteMatch::NotFound => Err(Rejection::new(Reason::NoRoute)),
        RouteMatch::MethodNotAllowed { allow } => Err(Rejection {
            allow: Some(allow.to_owned()),
            ..Rejection::new(Reason::MethodNotAllowed)
        }),
    }
}
