//! What lets operators see a program of ours: its log, its metrics, its readiness.
//!
//! | module | holds |
//! |---|---|
//! | [`logs`] | the application log, set up once per process |
//! | [`metrics`] | one way to name and register a metric |
//! | [`ops`] | the listener that answers probes and scrapes, and nothing else |
//! | [`readiness`] | whether a program wants traffic, and if not, why |
//! | [`stop`] | the wish of the system or a person that the program should end |
//!
//! Access and audit logs are not here: they are promises of their own, kept by those who write them.

#![warn(missing_docs)]

pub mod logs;
pub mod metrics;
pub mod ops;
pub mod readiness;
pub mod stop;

pub use readiness::Readiness;
