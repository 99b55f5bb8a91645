//! The core's paths that answer the edge itself, and no client.
//!
//! No route can reach them: the edge forwards only routes of the policy, and a policy route
//! under [`PREFIX`] is refused when the bundle is loaded into the edge.

/// Everything below this prefix is between edge and core.
pub const PREFIX: &str = "/internal/";

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
