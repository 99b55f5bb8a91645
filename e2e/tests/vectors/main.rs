//! Attack and conformance vectors, tried on the built edge: one file for each set.
//!
//! The vectors are read where they are, in `../shared/vectors` beside the repository. What does
//! not hold, and why, is in `ledger.toml`, which may only shrink.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are tests: where they cannot go on, they have failed"
)]

mod edges;
mod h1_exchange;
mod h1_raw;
mod h2_downgrade;
mod jwt_attacks;
mod lenient_path;
mod path_bypass;
