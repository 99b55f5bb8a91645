//! Raw settings, turned once into what the edge runs on.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use ipnetwork::IpNetwork;
use stockade_contract::assertion::{AssertionKey, Keyring, WeakMaster};
use stockade_settings::secret::{self, SecretError};
use stockade_settings::{Connections, Upstream};

/// Why the settings do not make an edge. Each message names the setting and the way out.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Neither of the two ways to the upstream is set, or both are.
    #[error("set either `edge.upstream.socket` or `edge.upstream.address`")]
    UpstreamAddress,
    /// Plain TCP to another machine could be replayed by anybody on the way.
    #[error("`edge.upstream.address` is {0}; plain TCP is accepted on loopback only")]
    UpstreamNotLoopback(SocketAddr),
    /// Pingora takes socket paths as text, and the system's are short.
    #[error("`edge.upstream.socket` is not UTF-8 or too long for a socket; choose another path")]
    SocketPath,
    /// The secret shared with the upstream is not set.
    #[error("`edge.upstream.assertion_secret_file` is not set")]
    NoSecret,
    /// The secret cannot be read.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// A network is not one.
    #[error("`{setting}`: `{text}` is not a network in CIDR notation, such as 10.0.0.0/8")]
    Network {
        /// The setting.
        setting: &'static str,
        /// What stands there.
        text: String,
    },
    /// The secret is too short.
    #[error("`edge.upstream.assertion_secret_file`: {0}")]
    WeakSecret(#[from] WeakMaster),
}

/// Where the upstream is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UpstreamAddress {
    Socket(PathBuf),
    Tcp(SocketAddr),
}

/// Deadlines of a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ConnectionLimits {
    pub(crate) handshake_timeout: Duration,
    pub(crate) head_timeout: Duration,
    pub(crate) body_timeout: Duration,
    pub(crate) idle_timeout: Duration,
    pub(crate) drain_timeout: Duration,
}

impl ConnectionLimits {
    pub(crate) fn from_settings(settings: &Connections) -> Self {
        let ms = |ms: NonZeroU32| Duration::from_millis(u64::from(ms.get()));
        Self {
            handshake_timeout: ms(settings.handshake_timeout_ms),
            head_timeout: ms(settings.head_timeout_ms),
            body_timeout: ms(settings.body_timeout_ms),
            idle_timeout: ms(settings.idle_timeout_ms),
            drain_timeout: ms(settings.drain_timeout_ms),
        }
    }
}

pub(crate) fn upstream_address(settings: &Upstream) -> Result<UpstreamAddress, ConfigError> {
    match (&settings.socket, settings.address) {
        (Some(socket), None) => Ok(UpstreamAddress::Socket(socket.clone())),
        (None, Some(address)) if address.ip().is_loopback() => Ok(UpstreamAddress::Tcp(address)),
        (None, Some(address)) => Err(ConfigError::UpstreamNotLoopback(address)),
        (Some(_), Some(_)) | (None, None) => Err(ConfigError::UpstreamAddress),
    }
}

pub(crate) fn keyring(settings: &Upstream) -> Result<Keyring, ConfigError> {
    let file = settings.assertion_secret_file.as_deref().ok_or(ConfigError::NoSecret)?;
    let key = AssertionKey::derive(&secret::read(file)?, &settings.name)?;
    Ok(Keyring::new(key))
}

/// The networks of a setting.
pub(crate) fn networks(
    setting: &'static str,
    texts: &[String],
) -> Result<Vec<IpNetwork>, ConfigError> {
    let parse = |text: &String| {
        text.parse().map_err(|_| ConfigError::Network { setting, text: text.clone() })
    };
    texts.iter().map(parse).collect()
}

/// Whether two networks have an address in common.
pub(crate) fn overlap(one: &IpNetwork, other: &IpNetwork) -> bool {
    one.contains(other.network()) || other.contains(one.network())
}
