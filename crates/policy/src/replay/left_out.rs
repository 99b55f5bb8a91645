//! Why something in a log cannot be replayed.

/// Why something is left out. Every one is counted and said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeftOut {
    /// The line is not JSON.
    NotJson,
    /// The line is JSON, and no decision record that is known here.
    OtherSchema,
    /// The last line ends before its end.
    CutLine,
    /// The line is longer than any record.
    LongLine,
    /// Refused before there was a path.
    NoPath,
    /// A ban refused it.
    Banned,
    /// Its form was refused.
    Malformed,
    /// A limit refused it.
    Limited,
    /// Its body was refused.
    Body,
    /// A browser's question about another origin; the edge answers it.
    Preflight,
    /// The token was not believed, or could not be checked.
    BadToken,
    /// Refused for a reason that is not known here.
    OtherRefusal,
    /// The record does not say who asked, and the answer depends on it.
    CallerNotRecorded,
    /// The record does not say from where, and the answer depends on it.
    AddressNotRecorded,
    /// The record does not say how fresh the second factor was, and the answer depends on it.
    SecondFactorNotRecorded,
}

impl LeftOut {
    /// Every reason, in the order of a request's journey.
    pub const ALL: [Self; 15] = [
        Self::NotJson,
        Self::OtherSchema,
        Self::CutLine,
        Self::LongLine,
        Self::NoPath,
        Self::Banned,
        Self::Malformed,
        Self::Limited,
        Self::Body,
        Self::Preflight,
        Self::BadToken,
        Self::OtherRefusal,
        Self::CallerNotRecorded,
        Self::AddressNotRecorded,
        Self::SecondFactorNotRecorded,
    ];

    /// The stable word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotJson => "not_json",
            Self::OtherSchema => "other_schema",
            Self::CutLine => "cut_line",
            Self::LongLine => "long_line",
            Self::NoPath => "no_path",
            Self::Banned => "banned",
            Self::Malformed => "malformed",
            Self::Limited => "limited",
            Self::Body => "body",
            Self::Preflight => "preflight",
            Self::BadToken => "bad_token",
            Self::OtherRefusal => "other_refusal",
            Self::CallerNotRecorded => "caller_not_recorded",
            Self::AddressNotRecorded => "address_not_recorded",
            Self::SecondFactorNotRecorded => "second_factor_not_recorded",
        }
    }

    /// The same for people.
    pub fn explanation(self) -> &'static str {
        match self {
            Self::NotJson => "not JSON",
            Self::OtherSchema => "no decision record of a known schema",
            Self::CutLine => "the last line is cut off",
            Self::LongLine => "longer than any record",
            Self::NoPath => "refused before there was a path",
            Self::Banned => "refused by a ban",
            Self::Malformed => "refused for its form",
            Self::Limited => "refused by a limit",
            Self::Body => "refused for its body",
            Self::Preflight => "a preflight, which the edge answers",
            Self::BadToken => "the token was not believed",
            Self::OtherRefusal => "refused for a reason that is not known here",
            Self::CallerNotRecorded => "the record does not say who asked",
            Self::AddressNotRecorded => "a network is asked for, and the address is not recorded",
            Self::SecondFactorNotRecorded => {
                "a second factor is asked for, and its age is not recorded"
            }
        }
    }

    /// Of a refusal that was not the policy's.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "banned" => Self::Banned,
            "rate_limited" => Self::Limited,
            "origin_not_allowed" => Self::Preflight,
            "malformed_body" | "body_timeout" | "body_too_large" | "unsupported_media_type" => {
                Self::Body
            }
            "token_invalid" | "keys_unavailable" | "revocations_unavailable" => Self::BadToken,
            "malformed_head"
            | "ambiguous_path"
            | "invalid_host"
            | "head_timeout"
            | "target_too_long"
            | "head_too_large"
            | "expectation_unknown" => Self::Malformed,
            _ => Self::OtherRefusal,
        }
    }
}
