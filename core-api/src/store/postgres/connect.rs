//! Connecting to PostgreSQL: as one role, under time limits, with nothing from the environment.

use std::fmt;
use std::time::Duration;

use sqlx::ConnectOptions as _;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use stockade_settings::store::{PostgresUrl, Server};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::store::OpenError;

/// How long connecting may take.
const CONNECT_MAX: Duration = Duration::from_secs(10);

/// What every session is told. A database's own defaults could take acknowledged orders back
/// (`synchronous_commit`), or wait for ever.
const SESSION: [(&str, &str); 7] = [
    ("synchronous_commit", "on"),
    ("default_transaction_isolation", "read committed"),
    ("statement_timeout", "30s"),
    ("lock_timeout", "10s"),
    ("idle_in_transaction_session_timeout", "60s"),
    ("search_path", "public"),
    // To compile a statement takes longer than any of them.
    ("jit", "off"),
];

/// Plans of statements that write are made once, when tables may still be empty; each of these
/// statements has an index to go by.
const WRITING: &[(&str, &str)] =
    &[("enable_seqscan", "off"), ("plan_cache_mode", "force_generic_plan")];

/// Work that takes as long as it takes, such as reading every row.
const UNHURRIED: [(&str, &str); 1] = [("statement_timeout", "0")];

/// Where to connect, and as whom.
#[derive(Clone)]
pub(in crate::store) struct Login {
    options: PgConnectOptions,
    /// What else a session that writes is told.
    manner: &'static [(&'static str, &'static str)],
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login")
    }
}

impl Login {
    pub(in crate::store) fn new(url: &PostgresUrl, password: Option<&Zeroizing<String>>) -> Self {
        let options = PgConnectOptions::new_without_pgpass()
            .port(url.port)
            .username(&url.user)
            .database(&url.database)
            .application_name("stockade")
            // Never the environment's.
            .password(password.map_or("", |password| password.as_str()))
            .options(SESSION);
        let options = match &url.server {
            Server::Socket(folder) => options.socket(folder),
            Server::Host(host) => options.host(host),
        };
        let options = match &url.authority {
            // SECURITY: the certificate is of this authority and of this host, or there is no
            // connection.
            Some(file) => options.ssl_mode(PgSslMode::VerifyFull).ssl_root_cert(file),
            None => options.ssl_mode(PgSslMode::Disable),
        };
        Self { options: options.disable_statement_logging(), manner: WRITING }
    }

    /// For work that takes as long as it takes.
    pub(in crate::store) fn unhurried(self) -> Self {
        Self { options: self.options.options(UNHURRIED), manner: &[] }
    }

    pub(in crate::store) async fn connect(&self) -> Result<PgConnection, OpenError> {
        let options = self.options.clone().options(self.manner.iter().copied());
        match timeout(CONNECT_MAX, options.connect()).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(OpenError::Slow(CONNECT_MAX)),
        }
    }

    pub(in crate::store) fn for_reading(&self) -> PgConnectOptions {
        self.options.clone().options([("default_transaction_read_only", "on")])
    }
}
