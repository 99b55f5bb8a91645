//! The decision record: one JSON line for every request the edge answers.
//!
//! It serves operators as the access log, and security teams to explain and to replay. It holds
//! no query strings, no tokens, no bodies and no names or addresses of people but the client's
//! network address. Writing it never waits: [`RecordLog`] is bounded, loses records under a
//! flood rather than requests, and counts every loss. [`Recorded`] reads it back.

#![warn(missing_docs)]

mod log;
mod reader;
mod record;

pub use log::RecordLog;
pub use reader::{Recorded, Unreadable};
pub use record::{DecisionRecord, USER_AGENT_BYTES_MAX, bounded};
