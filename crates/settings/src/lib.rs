//! What operators may set: `stockade.toml`, with safe defaults for everything left out.
//!
//! One file serves both programs, each reading its own section. A misspelled setting is an
//! error with its line and column, because a security setting must never be ignored. Flags
//! override the file; the programs turn these raw settings into runtime types once, at the
//! start.
//!
//! [`bundle_folder`] reads the security teams' folder, so that the policy engine needs no
//! file system.

#![warn(missing_docs)]

pub mod bundle_folder;
mod core;
mod edge;
mod file;
mod mail;
pub mod secret;
pub mod store;

pub use self::core::{CoreSettings, PaymentSettings};
pub use edge::{
    Authentication, Connections, EdgeSettings, ForwardedHeader, Issuer, PolicyWatch, TlsProfile,
    TlsSettings, TokenAlgorithm, TokenType, Upstream,
};
pub use file::SettingsError;
pub use mail::{MailSettings, MailTls};
use serde::Deserialize;

/// Everything in `stockade.toml`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The edge: listeners, TLS, issuers, the upstream.
    pub edge: EdgeSettings,
    /// The core: its socket, its database, the tokens it issues.
    pub core: CoreSettings,
    /// The application log of both.
    pub log: LogSettings,
}

/// The application log on standard error.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// How lines are written.
    pub format: LogFormat,
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// For a person at a terminal.
    #[default]
    Human,
    /// One JSON object a line.
    Json,
}
