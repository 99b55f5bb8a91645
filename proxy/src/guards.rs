//! The guards, in the order in which `admit` asks them.
//!
//! Each file opens with the same lines: what the guard needs, what it grants, what it refuses
//! with, and how it fails. A guard returns a proof or a [`Rejection`](crate::rejection); it
//! never writes a response, never changes a request and never knows Pingora.

pub(crate) mod authenticate;
pub(crate) mod authorize;
pub(crate) mod body_limit;
pub(crate) mod hygiene;
pub(crate) mod route_match;
pub(crate) mod route_network;
