//! The core's paths that answer the edge itself, and no client.
//!
//! No request can reach them: a policy route under [`PREFIX`] is refused when the bundle is loaded
//! into the edge, and a request that an open pattern would lead there is answered as if nothing
//! were there ([`holds`]).

/// Everything below this prefix is between edge and core.
pub const PREFIX: &str = "/internal/";

/// Whether a path is between edge and core, however its letters are written.
pub fn holds(path: &str) -> bool {
    let own = PREFIX.trim_end_matches('/');
    let (start, rest) = path.split_at_checked(own.len()).unwrap_or((path, ""));
    start.eq_ignore_ascii_case(own) && (rest.is_empty() || rest.starts_with('/'))
}

/// The key set that signs access tokens (RFC 7517).
pub const JWKS: &str = "/internal/jwks";

/// Whether the core can take requests.
pub const READY: &str = "/internal/readyz";

/// Access tokens that are not to be believed any more ([`revocation`](crate::revocation)).
pub const REVOCATIONS: &str = "/internal/revocations";

/// The permission the edge asserts when it asks for itself.
pub const PERMISSION: &str = "internal.read";

/// The subject the edge asserts when it asks for itself.
pub const SUBJECT: &str = "edge";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_its_letters_a_path_below_the_prefix_is_internal() {
        for path in [JWKS, "/internal", "/Internal/x", "/INTERNAL/"] {
            assert!(holds(path), "{path}");
        }
        for path in ["/", "/internals", "/api/internal/x", "/interna", ""] {
            assert!(!holds(path), "{path}");
        }
    }
}
