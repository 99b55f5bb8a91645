//! Who asks, as flags say it: one meaning for every verb that asks on somebody's behalf.

use std::net::IpAddr;
use std::str::FromStr;

use anyhow::bail;
use stockade_policy::{Age, Asker, Bundle, Caller, Circumstances, ELSEWHERE};

/// Who asks, from where, and how sure of them one is.
#[derive(Debug, clap::Args)]
pub(super) struct AskerArgs {
    /// The roles the caller's token names, separated by commas; may be repeated.
    #[arg(long = "as", value_name = "ROLE", value_delimiter = ',', conflicts_with = "anonymous")]
    roles: Vec<String>,
    /// The caller shows no token.
    #[arg(long)]
    anonymous: bool,
    /// The caller's address, or `unknown`; without it, one in no network.
    #[arg(long, value_name = "ADDRESS")]
    from: Option<Client>,
    /// How long ago the caller showed a second factor, such as 5m; without it, they did not.
    #[arg(long, value_name = "AGE")]
    mfa: Option<Age>,
}

/// The address of a client; nothing where it is not known.
#[derive(Debug, Clone, Copy)]
struct Client(Option<IpAddr>);

impl FromStr for Client {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |_| "write an IPv4 or IPv6 address, or `unknown`".to_owned();
        match text {
            "unknown" => Ok(Self(None)),
            _ => text.parse().map(|from| Self(Some(from))).map_err(wrong),
        }
    }
}

impl AskerArgs {
    /// Whether the flags say anything at all.
    pub(super) fn says_anything(&self) -> bool {
        self.names_caller() || self.from.is_some() || self.mfa.is_some()
    }

    /// Whether the flags say who it is, or that it is nobody in particular.
    pub(super) fn names_caller(&self) -> bool {
        self.anonymous || !self.roles.is_empty()
    }

    /// The roles as written.
    pub(super) fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Whoever holds these roles, in these circumstances.
    pub(super) fn asker(&self, bundle: &Bundle) -> anyhow::Result<Asker> {
        if let Some(name) = self.roles.iter().find(|name| bundle.role(name).is_none()) {
            let all: Vec<_> = bundle.roles().map(|role| bundle.role_name(role)).collect();
            bail!("the role `{name}` is not known; there are {}", all.join(", "));
        }
        let roles = bundle.role_set(self.roles.iter().map(String::as_str));
        Ok(Asker { caller: Caller::holding(bundle, roles), at: self.circumstances() })
    }

    /// From where they ask, and with which second factor.
    pub(super) fn circumstances(&self) -> Circumstances {
        let Client(from) = self.from.unwrap_or(Client(Some(ELSEWHERE)));
        Circumstances { from, mfa_age_secs: self.mfa.map(|age| age.0) }
    }
}
