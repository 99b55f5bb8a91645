//! The doors through which tests come in: the same ones as everybody else's.
//!
//! | who | what it is |
//! |---|---|
//! | [`Stockade`] | the built `stockade up`, on free ports and in a folder of its own |
//! | [`EdgeAlone`] | the built `stockade-proxy`, in front of a [`Recorder`] |
//! | [`Client`] | a well-behaved client over TLS: HTTP/1.1 or HTTP/2, JSON in and out |
//! | [`Shown`] | what a real browser makes of a page |
//! | [`Said`] | what a command of the built `stockade` said |
//! | [`RawTls`], [`RawH2`] | clients that send what no library would |
//! | [`postgres`] | a PostgreSQL cluster of the test's own |
//! | [`vectors`] | attack and conformance vectors, and the ledger of those that do not hold |
//!
//! Nothing here is a stand-in for a part of ours. A [`Recorder`] is an upstream like anybody's.
//! What a test cannot do without is asserted here, so that a test says only what it is about.

#![warn(missing_docs)]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "these are the hands of tests: where they cannot go on, the test has failed"
)]

mod browser;
pub mod built;
mod client;
mod command;
pub mod deadline;
mod door;
mod edge_alone;
mod first_start;
mod issuer;
pub mod postgres;
mod process;
mod raw_h2;
mod raw_tls;
mod recorder;
mod records;
mod stockade;
pub mod storm;
mod swap;
pub mod vectors;

pub use browser::Shown;
pub use client::{Answer, Call, Client, Connection, Protocol};
pub use command::Said;
pub use door::Door;
pub use edge_alone::{EdgeAlone, EdgeSetup, PolicyFolder, edge_addresses};
pub use first_start::Session;
pub use issuer::TestIssuer;
pub use process::Process;
pub use raw_h2::{Frame, FrameKind, RawH2, StreamEnd};
pub use raw_tls::{Ending, RawTls};
pub use recorder::{Recorded, Recorder};
pub use stockade::{FailedStart, Setup, Stockade};
pub use swap::Swap;
