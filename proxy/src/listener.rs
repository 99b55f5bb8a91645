//! Our own way in, in front of Pingora's proxy app: accept, TLS, deadlines, caps, drain.
//!
//! Pingora's listeners have no deadline for a handshake or a head, no caps, and show nobody the
//! raw bytes of a request (docs/adr/0002). Here a connection passes: accept ([`worker`]) -> caps
//! ([`caps`]) -> TLS handshake under a deadline -> HTTP/1.1 ([`h1`], which reads each head as
//! raw bytes, [`head`], and fences each body, [`fence`]) or HTTP/2 ([`h2`]).

pub(crate) mod caps;
mod fence;
mod h1;
mod h2;
mod h2_heads;
mod head;
pub(crate) mod pace;
mod socket;
mod stream;
pub(crate) mod worker;
