//! Wrong values, and benign ones that look wrong, tried on the whole system over TLS: each gets
//! its documented answer, none gets a 5xx, and no answer says anything about the inside. Every
//! answer is held against the interface's own description.
//!
//! The lists are read where they are, in `../shared/vectors` beside the repository. What does
//! not hold, and why, is in `../vectors/ledger.toml`.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests: where they cannot go on, they have failed"
)]

mod asked;
mod attacks;
mod body_bombs;
mod canary;
mod contract;
mod edge_codes;
mod images;
mod invented;
mod inventor;
mod json_bodies;
mod places;
mod shop;
mod texts;
