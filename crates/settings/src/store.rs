//! Where the core keeps the shop: a SQLite file or a PostgreSQL database, named by one URL.
//!
//! | URL | means |
//! |---|---|
//! | `sqlite:stockade.db` | a file, relative to the settings file |
//! | `postgres:///shop?host=/run/postgresql&user=stockade` | PostgreSQL on a Unix socket |
//! | `postgres://stockade@127.0.0.1:5432/shop` | PostgreSQL on loopback |
//! | `postgres://stockade@db.example/shop?sslmode=verify-full&sslrootcert=/etc/ca.pem` | anywhere else |
//!
//! A URL holds no password: it would end in logs and process lists. Nothing that is not named
//! here is taken from a URL, and nothing from the environment.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use url::Url;

/// Most connections that write.
pub const WRITERS_MAX: u32 = 16;

/// The port PostgreSQL listens on where a URL says none.
const POSTGRES_PORT: u16 = 5432;

/// The `[core.store]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StoreSettings {
    /// Which database. A SQLite file is created when missing.
    pub url: Option<StoreUrl>,
    /// The password of PostgreSQL's user; none is needed where the server trusts a socket.
    pub password_file: Option<PathBuf>,
    /// Transactions at once, with PostgreSQL: 1 to [`WRITERS_MAX`]. SQLite has one.
    pub writers: Writers,
    /// Most connections that read, with PostgreSQL.
    pub readers_max: NonZeroU32,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            url: None,
            password_file: None,
            writers: Writers::default(),
            readers_max: NonZeroU32::new(8).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// How many transactions there are at once: 1 to [`WRITERS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub struct Writers(u32);

impl Default for Writers {
    fn default() -> Self {
        Self(3)
    }
}

/// Not a number of writers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there are 1 to {WRITERS_MAX} writers")]
pub struct NotWriters;

impl TryFrom<u32> for Writers {
    type Error = NotWriters;

    fn try_from(writers: u32) -> Result<Self, NotWriters> {
        if (1..=WRITERS_MAX).contains(&writers) { Ok(Self(writers)) } else { Err(NotWriters) }
    }
}

impl Writers {
    /// A single one.
    pub const ONE: Self = Self(1);

    /// As a number.
    pub fn count(self) -> u32 {
        self.0
    }
}

/// A database of the core.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreUrl {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// A PostgreSQL database.
    Postgres(PostgresUrl),
}

/// How a PostgreSQL database is reached, and as whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostgresUrl {
    /// Where the server is.
    pub server: Server,
    /// The server's port; on a socket, part of the socket's name.
    pub port: u16,
    /// The role to log in as.
    pub user: String,
    /// The database.
    pub database: String,
    /// The authority that must have signed the server's certificate, for the server's name;
    /// `None` without TLS, which only a server on this machine is reached with.
    pub authority: Option<PathBuf>,
}

/// Where a PostgreSQL server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
    /// The folder of its Unix socket.
    Socket(PathBuf),
    /// Its name or address.
    Host(String),
}

/// The text names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAStore {
    /// Neither of the two databases.
    #[error("a database is `sqlite:FILE` or `postgres://USER@HOST:PORT/DATABASE`")]
    Scheme,
    /// Not a URL at all.
    #[error("not a URL: {0}")]
    Url(#[from] url::ParseError),
    /// A secret in the open.
    #[error("a URL holds no password; put it into a file and name that in `password_file`")]
    Password,
    /// Something is not said.
    #[error("the URL names no {0}")]
    Missing(&'static str),
    /// Something is said that nobody would listen to.
    #[error(
        "`{0}` is not taken from a URL; only host, port, user, sslmode and sslrootcert are, each once"
    )]
    Parameter(String),
    /// Neither of the two ways.
    #[error("sslmode is `verify-full` or, on this machine, `disable`; not `{0}`")]
    TlsMode(String),
    /// Passwords and orders would cross a network in the open.
    #[error("`{0}` is not on this machine: sslmode=verify-full and sslrootcert are needed")]
    Unprotected(String),
    /// Nobody vouches for the server.
    #[error(
        "sslmode=verify-full needs sslrootcert, the file of the authority that signed the server"
    )]
    NoAuthority,
    /// A socket has no TLS.
    #[error("a Unix socket has no TLS: leave sslmode and sslrootcert out")]
    TlsOnSocket,
}

impl TryFrom<String> for StoreUrl {
    type Error = NotAStore;

    fn try_from(text: String) -> Result<Self, NotAStore> {
        text.parse()
    }
}

impl FromStr for StoreUrl {
    type Err = NotAStore;

    fn from_str(text: &str) -> Result<Self, NotAStore> {
        match text.split_once(':') {
            Some(("sqlite", "")) => Err(NotAStore::Missing("file")),
            Some(("sqlite", file)) => Ok(Self::Sqlite(file.into())),
            Some(("postgres" | "postgresql", _)) => {
                postgres(&Url::parse(text)?).map(Self::Postgres)
            }
            _ => Err(NotAStore::Scheme),
        }
    }
}

impl StoreUrl {
    /// Takes paths as relative to `base`.
    pub(crate) fn resolve(&mut self, base: &Path) {
        match self {
            Self::Sqlite(file) => *file = base.join(&*file),
            Self::Postgres(postgres) => {
                if let Some(authority) = &mut postgres.authority {
                    *authority = base.join(&*authority);
                }
            }
        }
    }
}

/// What a URL may say behind its question mark.
#[derive(Default)]
struct Parameters {
    host: Option<String>,
    user: Option<String>,
    port: Option<String>,
    tls_mode: Option<String>,
    authority: Option<String>,
}

fn postgres(url: &Url) -> Result<PostgresUrl, NotAStore> {
    if url.password().is_some() {
        return Err(NotAStore::Password);
    }
    if let Some(fragment) = url.fragment() {
        return Err(NotAStore::Parameter(format!("#{fragment}")));
    }
    let mut said = parameters(url)?;
    let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned);
    let host = once("host", host, said.host.take())?.ok_or(NotAStore::Missing("host"))?;
    let server =
        if host.starts_with('/') { Server::Socket(host.into()) } else { Server::Host(host) };
    let user = Some(url.username()).filter(|user| !user.is_empty()).map(str::to_owned);
    let user = once("user", user, said.user.take())?.ok_or(NotAStore::Missing("user"))?;
    let database = url.path().trim_start_matches('/');
    if database.is_empty() {
        return Err(NotAStore::Missing("database"));
    }
    for (name, text) in [("user", user.as_str()), ("database", database)] {
        if text.contains(['%', '/']) {
            return Err(NotAStore::Parameter(format!("{name}={text}")));
        }
    }
    Ok(PostgresUrl {
        authority: authority(&server, &said)?,
        server,
        port: port(url, said.port.take())?,
        user,
        database: database.to_owned(),
    })
}

fn parameters(url: &Url) -> Result<Parameters, NotAStore> {
    let mut said = Parameters::default();
    for (name, value) in url.query_pairs() {
        let place = match &*name {
            "host" => &mut said.host,
            "user" => &mut said.user,
            "port" => &mut said.port,
            "sslmode" => &mut said.tls_mode,
            "sslrootcert" => &mut said.authority,
            "password" => return Err(NotAStore::Password),
            _ => return Err(NotAStore::Parameter(name.into_owned())),
        };
        if place.replace(value.into_owned()).is_some() {
            return Err(NotAStore::Parameter(name.into_owned()));
        }
    }
    Ok(said)
}

fn port(url: &Url, behind: Option<String>) -> Result<u16, NotAStore> {
    let before = url.port().map(|port| port.to_string());
    let Some(text) = once("port", before, behind)? else { return Ok(POSTGRES_PORT) };
    text.parse().map_err(|_| NotAStore::Parameter(format!("port={text}")))
}

fn once(
    name: &str,
    before: Option<String>,
    behind: Option<String>,
) -> Result<Option<String>, NotAStore> {
    match (before, behind) {
        (Some(_), Some(_)) => Err(NotAStore::Parameter(name.to_owned())),
        (before, behind) => Ok(before.or(behind)),
    }
}

/// Who must vouch for the server. Off this machine somebody must.
fn authority(server: &Server, said: &Parameters) -> Result<Option<PathBuf>, NotAStore> {
    let file = said.authority.as_deref().map(PathBuf::from);
    let host = match server {
        Server::Socket(_) if said.tls_mode.is_some() || file.is_some() => {
            return Err(NotAStore::TlsOnSocket);
        }
        Server::Socket(_) => return Ok(None),
        Server::Host(host) => host,
    };
    match said.tls_mode.as_deref() {
        Some("verify-full") => file.ok_or(NotAStore::NoAuthority).map(Some),
        // SECURITY: without this, passwords and orders could cross a network in the open.
        None | Some("disable") if !is_loopback(host) => Err(NotAStore::Unprotected(host.clone())),
        None | Some("disable") if file.is_some() => {
            Err(NotAStore::Parameter("sslrootcert".to_owned()))
        }
        None | Some("disable") => Ok(None),
        Some(other) => Err(NotAStore::TlsMode(other.to_owned())),
    }
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    address.map_or(host == "localhost", |address| address.is_loopback())
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sqlite(file) => write!(f, "sqlite:{}", file.display()),
            Self::Postgres(url) => url.fmt(f),
        }
    }
}

impl fmt::Display for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, port, user, database, authority } = self;
        match server {
            Server::Socket(folder) => {
                let folder = folder.display();
                write!(f, "postgres:///{database}?host={folder}&port={port}&user={user}")
            }
            Server::Host(host) => {
                write!(f, "postgres://{user}@{host}:{port}/{database}")?;
                authority.as_ref().map_or(Ok(()), |file| {
                    write!(f, "?sslmode=verify-full&sslrootcert={}", file.display())
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str) -> PostgresUrl {
        let Ok(StoreUrl::Postgres(url)) = text.parse() else { panic!("{text} is not read") };
        assert_eq!(url.to_string().parse(), Ok(StoreUrl::Postgres(url.clone())), "{url}");
        url
    }

    #[track_caller]
    fn refuses(text: &str, expected: &str) {
        let error = text.parse::<StoreUrl>().unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }

    #[test]
    fn each_database_has_its_url() {
        assert_eq!("sqlite:a/b.db".parse(), Ok(StoreUrl::Sqlite("a/b.db".into())));
        let socket = reads("postgres:///shop?host=/run/postgresql&user=stockade");
        assert_eq!(socket.server, Server::Socket("/run/postgresql".into()));
        assert_eq!((socket.user.as_str(), socket.database.as_str()), ("stockade", "shop"));
        assert_eq!(reads("postgres:///b?host=/run&port=6000&user=a").port, 6000);
        let local = reads("postgresql://stockade@127.0.0.1:5433/shop?sslmode=disable");
        assert_eq!((local.server, local.port), (Server::Host("127.0.0.1".into()), 5433));
        assert_eq!(reads("postgres://a@[::1]/b").port, 5432);
        let away = reads("postgres://a@db.example/b?sslmode=verify-full&sslrootcert=/ca.pem");
        assert_eq!(away.authority, Some("/ca.pem".into()));
    }

    #[test]
    fn off_this_machine_the_server_proves_who_it_is() {
        for mode in ["", "?sslmode=disable"] {
            refuses(&format!("postgres://a@db.example/b{mode}"), "sslmode=verify-full");
            refuses(&format!("postgres://a@10.0.0.1/b{mode}"), "not on this machine");
        }
        for mode in ["allow", "prefer", "require", "verify-ca"] {
            let url = format!("postgres://a@db.example/b?sslmode={mode}");
            refuses(&url, &format!("not `{mode}`"));
        }
        refuses("postgres://a@db.example/b?sslmode=verify-full", "needs sslrootcert");
        refuses("postgres:///b?host=/run&user=a&sslmode=verify-full", "a Unix socket has no TLS");
    }

    #[test]
    fn a_url_says_what_is_needed_and_nothing_else() {
        refuses("mysql://a@b/c", "`sqlite:FILE` or `postgres://");
        refuses("stockade.db", "`sqlite:FILE` or `postgres://");
        refuses("sqlite:", "names no file");
        refuses("postgres://a:secret@localhost/b", "holds no password");
        refuses("postgres://a@localhost/b?password=secret", "holds no password");
        refuses("postgres://localhost/b", "names no user");
        refuses("postgres:///b?user=a", "names no host");
        refuses("postgres://a@localhost", "names no database");
        refuses("postgres://a@localhost/b?sslmod=verify-full", "`sslmod` is not taken");
        refuses("postgres://a@localhost/b?user=c", "`user` is not taken");
        refuses("postgres://a@localhost/b?host=c", "`host` is not taken");
        refuses("postgres://a@localhost/b?sslmode=disable&sslmode=disable", "`sslmode` is not");
    }

    #[test]
    fn writers_are_few() {
        assert_eq!(Writers::try_from(4).map(Writers::count), Ok(4));
        assert_eq!([0, 17].map(Writers::try_from), [Err(NotWriters); 2]);
    }
}
