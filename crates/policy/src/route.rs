//! A route: one kind of request, what it needs, and how its caller proves to be somebody.

use std::fmt;
use std::num::NonZeroU32;

use crate::mode::Mode;
use crate::names::{LimitId, NetworkId, PermissionId, RouteId};
use crate::pattern::{MethodRule, Pattern};

/// The id of a route as written, for example `place-order`. A closed set, fit for a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteName(pub(crate) String);

impl RouteName {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RouteName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One line of `[routes]`.
#[derive(Debug)]
#[non_exhaustive]
pub struct Route {
    /// The id as written.
    pub id: RouteName,
    /// The number of the route in its bundle.
    pub index: RouteId,
    /// The method it answers.
    pub method: MethodRule,
    /// The paths it answers.
    pub pattern: Pattern,
    /// The permission a caller needs.
    pub needs: PermissionId,
    /// Whether and how a caller proves to be somebody.
    pub auth: Auth,
    /// The network it is kept to.
    pub network: Option<NetworkId>,
    /// The limits it counts towards, in the order of the file.
    pub limits: Box<[LimitId]>,
    /// The body it takes.
    pub body: BodyRule,
    /// How old a caller's second factor may be, in seconds, whoever calls.
    pub mfa_secs: Option<NonZeroU32>,
    /// Whether it answers, or is only tried.
    pub mode: Mode,
    /// The line of `routes.toml`.
    pub line: u32,
}

/// Whether and how a caller proves to be somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Auth {
    /// A token is ignored and stripped; everybody is anonymous.
    None,
    /// A caller without a token is anonymous; a bad token is refused.
    Optional,
    /// A good token, or 401.
    Required,
    /// The core verifies a signature over untouched bytes; to the edge, the caller is anonymous.
    Signature,
}

impl Auth {
    /// Every way, in the order of the documents.
    pub const ALL: [Self; 4] = [Self::None, Self::Optional, Self::Required, Self::Signature];

    /// The word in `routes.toml`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Optional => "optional",
            Self::Required => "required",
            Self::Signature => "signature",
        }
    }

    /// Whether a token is looked at. Where it is not, everybody is anonymous.
    pub fn reads_token(self) -> bool {
        match self {
            Self::None | Self::Signature => false,
            Self::Optional | Self::Required => true,
        }
    }
}

impl fmt::Display for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The body a route takes. By default, none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BodyRule {
    /// The largest body; 0 where none is expected.
    pub bytes_max: u64,
    /// The media types it may have, in lower case and without parameters; empty for any, or none.
    pub media: Vec<String>,
}
