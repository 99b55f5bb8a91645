//! Settings of the edge.

use std::net::SocketAddr;
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;

use serde::Deserialize;

/// The `[edge]` section. Paths are relative to the file they are written in.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EdgeSettings {
    /// Where HTTPS is served.
    pub listen: SocketAddr,
    /// Where metrics, liveness and readiness are served.
    pub ops_listen: SocketAddr,
    /// Threads that serve requests; left out, one for each processor.
    pub workers: Option<NonZeroUsize>,
    /// Certificate, key and protocol versions.
    pub tls: TlsSettings,
    /// Where admitted requests go.
    pub upstream: Upstream,
    /// Whose tokens are believed.
    pub issuers: Vec<Issuer>,
    /// Where decision records go, one JSON line a request; left out, to standard output.
    pub access_log_file: Option<PathBuf>,
    /// Whether HSTS asks browsers to know this host before they visit it; hard to undo.
    pub hsts_preload: bool,
    /// Proxies in front of the edge, as networks, whose word about the client is taken.
    pub trusted_proxies: Vec<String>,
    /// The header in which those proxies name the client.
    pub forwarded_header: ForwardedHeader,
    /// Networks that no ban can shut out, beside the trusted proxies.
    pub never_ban: Vec<String>,
    /// Where bans are kept; left out, they end with the process.
    pub bans_file: Option<PathBuf>,
    /// What makes the edge reload its policy by itself; left out, a link that is swapped.
    pub policy_watch: Option<PolicyWatch>,
    /// The Unix socket on which operators' commands are taken; left out, there is none.
    pub control_socket: Option<PathBuf>,
    /// How many failures to authenticate one address is allowed.
    pub authentication: Authentication,
    /// Bounds on what clients may hold open.
    pub connections: Connections,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8443)),
            ops_listen: SocketAddr::from(([127, 0, 0, 1], 9901)),
            workers: None,
            tls: TlsSettings::default(),
            upstream: Upstream::default(),
            issuers: Vec::new(),
            access_log_file: None,
            hsts_preload: false,
            trusted_proxies: Vec::new(),
            forwarded_header: ForwardedHeader::default(),
            never_ban: Vec::new(),
            bans_file: None,
            policy_watch: None,
            control_socket: None,
            authentication: Authentication::default(),
            connections: Connections::default(),
        }
    }
}

/// A change by which the edge reloads its policy without being told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyWatch {
    /// What the folder's path, or its link `..data`, leads to: one event for all files.
    #[default]
    Symlink,
    /// Any change of a file, once nobody has written for 300 ms; for development.
    Files,
    /// None: by command alone.
    Off,
}

impl PolicyWatch {
    /// The word in the settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Symlink => "symlink",
            Self::Files => "files",
            Self::Off => "off",
        }
    }
}

/// A header in which a proxy names the client it speaks for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, as most proxies write it.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

/// The `[edge.authentication]` section: a budget for failures, asked before a signature is
/// verified, so that guessing costs the guesser and not the edge.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Authentication {
    /// Bad tokens one address (one /64 for IPv6) may show within the window.
    pub failures_max: NonZeroU32,
    /// The window, in seconds.
    pub failures_window_secs: NonZeroU32,
}

impl Default for Authentication {
    fn default() -> Self {
        let number = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { failures_max: number(60), failures_window_secs: number(60) }
    }
}

/// The `[edge.tls]` section.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsSettings {
    /// The certificate chain, leaf first, PEM.
    pub certificate_file: Option<PathBuf>,
    /// The leaf's private key, PEM.
    pub private_key_file: Option<PathBuf>,
    /// Which protocol versions and suites are offered.
    pub profile: TlsProfile,
}

/// Mozilla's server-side TLS profiles, version 6.0.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TlsProfile {
    /// TLS 1.2 and 1.3, forward-secret AEAD suites.
    #[default]
    Intermediate,
    /// TLS 1.3 alone.
    Modern,
}

/// The `[edge.upstream]` section: a Unix socket, or a TCP address on loopback.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Upstream {
    /// The upstream's name: the audience of the assertions it is sent.
    pub name: String,
    /// The upstream's Unix socket.
    pub socket: Option<PathBuf>,
    /// The upstream's TCP address; plain TCP is accepted on loopback only.
    pub address: Option<SocketAddr>,
    /// The secret shared with the upstream: at least 32 bytes.
    pub assertion_secret_file: Option<PathBuf>,
    /// Longest wait for a connection, in milliseconds.
    pub connect_timeout_ms: NonZeroU32,
    /// Longest wait for more of an answer, in milliseconds.
    pub read_timeout_ms: NonZeroU32,
}

impl Default for Upstream {
    fn default() -> Self {
        Self {
            name: "core".to_owned(),
            socket: None,
            address: None,
            assertion_secret_file: None,
            connect_timeout_ms: NonZeroU32::new(2_000).unwrap_or(NonZeroU32::MIN),
            read_timeout_ms: NonZeroU32::new(30_000).unwrap_or(NonZeroU32::MIN),
        }
    }
}

/// One `[[edge.issuers]]` entry: an authority whose access tokens are believed.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Issuer {
    /// The exact `iss`.
    pub issuer: String,
    /// The `aud` a token must name.
    pub audience: String,
    /// A key set on disk (RFC 7517); left out, the upstream's own key set is asked for.
    #[serde(default)]
    pub jwks_file: Option<PathBuf>,
    /// The algorithms its tokens may be signed with.
    #[serde(default = "only_es256")]
    pub algorithms: Vec<TokenAlgorithm>,
    /// What its tokens say they are.
    #[serde(default)]
    pub token_type: TokenType,
    /// The claim that names the account.
    #[serde(default = "sub")]
    pub subject_claim: String,
    /// The claim that lists the roles, or names the one.
    #[serde(default = "roles")]
    pub roles_claim: String,
    /// The day from which its tokens are no longer believed; a must for HS256.
    #[serde(default)]
    pub accept_until: Option<toml::value::Datetime>,
    /// The role above which its tokens hold nothing; a must for HS256.
    #[serde(default)]
    pub max_role: Option<String>,
}

impl Issuer {
    /// An issuer of ES256 access tokens (RFC 9068), whose keys the upstream serves.
    pub fn of_the_upstream(issuer: String, audience: String) -> Self {
        Self {
            issuer,
            audience,
            jwks_file: None,
            algorithms: only_es256(),
            token_type: TokenType::default(),
            subject_claim: sub(),
            roles_claim: roles(),
            accept_until: None,
            max_role: None,
        }
    }
}

fn only_es256() -> Vec<TokenAlgorithm> {
    vec![TokenAlgorithm::Es256]
}

fn sub() -> String {
    "sub".to_owned()
}

fn roles() -> String {
    "roles".to_owned()
}

/// A signature algorithm (RFC 7518, 3.1; RFC 8037).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum TokenAlgorithm {
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
    /// ECDSA on P-384 with SHA-384.
    #[serde(rename = "ES384")]
    Es384,
    /// Ed25519.
    #[serde(rename = "EdDSA")]
    EdDsa,
    /// RSA PKCS#1 v1.5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    #[serde(rename = "RS384")]
    Rs384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    #[serde(rename = "RS512")]
    Rs512,
    /// RSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// RSA-PSS with SHA-384.
    #[serde(rename = "PS384")]
    Ps384,
    /// RSA-PSS with SHA-512.
    #[serde(rename = "PS512")]
    Ps512,
    /// HMAC with SHA-256: whoever can verify can sign, so for a migration only.
    #[serde(rename = "HS256")]
    Hs256,
}

/// What a token's `typ` must be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum TokenType {
    /// `at+jwt`: an access token and nothing else (RFC 9068).
    #[default]
    #[serde(rename = "at+jwt")]
    AtJwt,
    /// `JWT`, or nothing, as issuers did before RFC 9068.
    #[serde(rename = "JWT")]
    Jwt,
}

/// The `[edge.connections]` section.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Connections {
    /// Connections open at once, from everybody.
    pub max: NonZeroUsize,
    /// Connections open at once from one address (one /64 for IPv6).
    pub per_address_max: NonZeroUsize,
    /// Time for the TLS handshake, in milliseconds.
    pub handshake_timeout_ms: NonZeroU32,
    /// Time for a whole request head, in milliseconds.
    pub head_timeout_ms: NonZeroU32,
    /// Longest pause within a body, either way, in milliseconds.
    pub body_timeout_ms: NonZeroU32,
    /// Time without a request after which a connection is closed, in milliseconds.
    pub idle_timeout_ms: NonZeroU32,
    /// Time that requests in flight get when the edge stops, in milliseconds.
    pub drain_timeout_ms: NonZeroU32,
}

impl Default for Connections {
    fn default() -> Self {
        let ms = |ms| NonZeroU32::new(ms).unwrap_or(NonZeroU32::MIN);
        Self {
            max: NonZeroUsize::new(20_000).unwrap_or(NonZeroUsize::MIN),
            per_address_max: NonZeroUsize::new(1_000).unwrap_or(NonZeroUsize::MIN),
            handshake_timeout_ms: ms(10_000),
            head_timeout_ms: ms(10_000),
            body_timeout_ms: ms(30_000),
            idle_timeout_ms: ms(60_000),
            drain_timeout_ms: ms(20_000),
        }
    }
}
