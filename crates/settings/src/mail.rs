//! Settings of outgoing mail.

use std::num::NonZeroU16;
use std::path::PathBuf;

use serde::Deserialize;

/// The `[core.mail]` section. Without a `host`, messages are written to `folder`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MailSettings {
    /// The mail server that takes messages for everybody.
    pub host: Option<String>,
    /// Its port; by default what is usual for `tls`: 465, 587 or 25.
    pub port: Option<NonZeroU16>,
    /// How the connection is kept private.
    pub tls: MailTls,
    /// Who is to be believed besides the system's authorities: PEM.
    pub ca_file: Option<PathBuf>,
    /// Who the core is to the mail server; nobody when left out.
    pub username: Option<String>,
    /// The password to `username`.
    pub password_file: Option<PathBuf>,
    /// Who messages are from.
    pub from: String,
    /// What links in messages begin with.
    pub site: String,
    /// Where messages are written while there is no `host`.
    pub folder: Option<PathBuf>,
}

impl Default for MailSettings {
    fn default() -> Self {
        Self {
            host: None,
            port: None,
            tls: MailTls::default(),
            ca_file: None,
            username: None,
            password_file: None,
            from: "Stockade <shop@localhost>".to_owned(),
            site: "https://localhost:8443".to_owned(),
            folder: None,
        }
    }
}

/// How a connection to a mail server is kept private.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MailTls {
    /// From the first byte on.
    #[default]
    Implicit,
    /// By STARTTLS, or not at all.
    Starttls,
    /// Not at all: for a server on this machine.
    None,
}
