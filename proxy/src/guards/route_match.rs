//! Guard: only what the policy names exists.
//!
//! Needs:   a clean request.
//! Grants:  the matched route; for a preflight, the route it asks for.
//! Refuses: [`Reason::NoRoute`], 404; [`Reason::MethodNotAllowed`], 405 with Allow;
//!          [`Reason::AmbiguousPath`], 400, for a path of an open pattern in which a lenient
//!          server could read the path of a stricter one.
//! Fails:   closed. A path no route names is not there.

use stockade_contract::internal;
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
    // SECURITY: without this, `/{**rest}` would lead to what is between edge and core alone.
    if internal::holds(&clean.path().lenient()) {
        return Err(Rejection::new(Reason::NoRoute));
    }
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

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;
    use crate::guards::hygiene;
    use crate::samples;

    #[test]
    fn an_open_pattern_leads_nowhere_internal() {
        let policy = samples::policy_with(
            "",
            r#"open = { match = "* /{**rest}", needs = "things.look", auth = "none" }"#,
        );
        let headers = HeaderMap::new();
        for (target, expected) in [
            ("/other", Ok("open")),
            ("/internals", Ok("open")),
            ("/internal/jwks", Err(Reason::NoRoute)),
            ("/Internal/jwks", Err(Reason::NoRoute)),
            ("/internal", Err(Reason::NoRoute)),
        ] {
            let mut head = samples::head("GET", &headers, false);
            head.target = target.as_bytes();
            head.authority = Some("shop.example");
            head.version = http::Version::HTTP_2;
            let clean = hygiene::check(&head).unwrap();
            let found = check(&policy.bundle, &head, &clean).map(|route| route.id.as_str());
            assert_eq!(found.map_err(|rejection| rejection.reason), expected, "{target}");
        }
    }
}
