//! Guard: a preflight is answered here, for listed origins and listed headers.
//!
//! Needs:   the route the preflight asks for, its path's methods, and the grant for its origin.
//! Grants:  [`Preflight`]: the answer.
//! Refuses: [`Reason::OriginNotAllowed`], 403.
//! Fails:   closed. Without a grant there is no answer a browser could take for a yes.

use http::{HeaderMap, header};
use stockade_policy::Cors;

use crate::cors::{Grant, Preflight};
use crate::rejection::{Reason, Rejection};

pub(crate) fn check(
    cors: &Cors,
    grant: Option<&Grant>,
    methods: &str,
    headers: &HeaderMap,
) -> Result<Preflight, Rejection> {
    if grant.is_none() {
        return Err(Rejection::new(Reason::OriginNotAllowed));
    }
    let requested = headers.get_all(header::ACCESS_CONTROL_REQUEST_HEADERS);
    let requested = requested.iter().flat_map(|value| value.as_bytes().split(|&byte| byte == b','));
    for name in requested.map(<[u8]>::trim_ascii).filter(|name| !name.is_empty()) {
        if !cors.headers.iter().any(|allowed| allowed.as_bytes().eq_ignore_ascii_case(name)) {
            let name = String::from_utf8_lossy(name);
            let detail = format!("the policy lets no page send the header `{name:.64}`");
            return Err(Rejection::with_detail(Reason::OriginNotAllowed, detail));
        }
    }
    Ok(Preflight {
        methods: methods.to_owned(),
        headers: cors.headers.join(", "),
        max_age_secs: cors.max_age_secs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cors;
    use crate::samples;

    #[track_caller]
    fn check_page(origin: &str, wanted: &str, expected: Result<(), Reason>) {
        let policy = samples::policy();
        let cors = policy.bundle.cors().unwrap();
        let fields = [("origin", origin), ("access-control-request-headers", wanted)];
        let headers = samples::headers(&fields);
        let grant = cors::grant(cors, &headers);
        let outcome = check(cors, grant.as_ref(), "GET, HEAD, POST", &headers).map(drop);
        assert_eq!(outcome.map_err(|rejection| rejection.reason), expected, "{fields:?}");
    }

    #[test]
    fn a_listed_page_may_send_listed_headers() {
        check_page("https://shop.example", "", Ok(()));
        check_page("https://shop.example", "Authorization, content-type", Ok(()));
    }

    #[test]
    fn other_pages_and_other_headers_are_refused() {
        let refused = Err(Reason::OriginNotAllowed);
        check_page("https://shop.example.evil", "", refused);
        check_page("https://SHOP.example", "", refused);
        check_page("http://shop.example", "", refused);
        check_page("null", "", refused);
        check_page("https://shop.example", "x-other", refused);
    }

    #[test]
    fn only_what_a_browser_sends_is_a_preflight() {
        let full = [("origin", "https://a"), ("access-control-request-method", "POST")];
        let headers = samples::headers(&full);
        assert_eq!(cors::requested_method("OPTIONS", &headers), Some("POST"));
        assert_eq!(cors::requested_method("GET", &headers), None);
        let headers = samples::headers(&full[..1]);
        assert_eq!(cors::requested_method("OPTIONS", &headers), None);
    }
}
