//! What the edge and the core must agree on, and nothing else.
//!
//! | module | the agreement |
//! |---|---|
//! | [`assertion`] | the one statement the edge makes about a request it forwards |
//! | [`control`] | what operators' commands say to a running edge |
//! | [`headers`] | the reserved header space that only edge and core may use |
//! | [`internal`] | the paths the edge itself may ask of the core |
//! | [`outcome`] | what the core tells the edge about an answer, for its limits and metrics |
//! | [`problem`] | the body of every refusal, RFC 9457 |
//!
//! No framework is visible from here: both programs translate at their border.

#![warn(missing_docs)]

pub mod assertion;
pub mod control;
pub mod headers;
pub mod internal;
pub mod outcome;
pub mod problem;
pub mod revocation;
