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
