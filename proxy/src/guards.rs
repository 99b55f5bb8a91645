//! The guards, asked by `admit` in this order: ban, hygiene, route match, rate limit by address,
//! preflight, body limit, authenticate, rate limit by principal, route network, route
//! mfa, authorize.
//!
//! Each file opens with the same lines: what the guard needs, what it grants, what it refuses
//! with, and how it fails. A guard returns a proof or a [`Rejection`](crate::rejection); it
//! never writes a response, never changes a request and never knows Pingora.

pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod ban;
pub(crate) mod body_limit;
pub(crate) mod freshness;
pub(crate) mod hygiene;
pub(crate) mod preflight;
pub(crate) mod rate_limit;
pub(crate) mod route_match;
pub(crate) mod route_mfa;
pub(crate) mod route_network;
