//! The reserved header space.
//!
//! Only the edge and the core write headers in it. The edge strips every such header that a
//! client or an upstream sends, comparing names with `-`, `_` and `.` folded, because some
//! servers and CGI-like layers treat those characters as one.

/// Carries the [`Assertion`](crate::assertion::Assertion) from edge to core.
pub const ASSERTION: &str = "stockade-assertion";

/// Carries [`Outcome`](crate::outcome::Outcome) signals from core to edge.
pub const OUTCOME: &str = "stockade-outcome";

/// Names the request in every answer, so that a report can be matched with a log line.
pub const REQUEST_ID: &str = "request-id";

const RESERVED: &[u8] = b"stockade";

/// Whether `name` lies in the reserved space, however it is spelled.
///
/// ```
/// use stockade_contract::headers::is_reserved;
/// assert!(is_reserved("Stockade_Assertion"));
/// assert!(is_reserved("stockade.outcome"));
/// assert!(!is_reserved("x-stockade"));
/// ```
pub fn is_reserved(name: &str) -> bool {
    let name = name.as_bytes();
    let Some((head, rest)) = name.split_at_checked(RESERVED.len()) else { return false };
    head.eq_ignore_ascii_case(RESERVED) && matches!(rest.first(), None | Some(b'-' | b'_' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_reserved_name_is_reserved() {
        for name in
            ["stockade-assertion", "STOCKADE_ASSERTION", "stockade.x", "stockade", "Stockade-"]
        {
            assert!(is_reserved(name), "{name}");
        }
    }

    #[test]
    fn neighbours_are_not() {
        for name in ["stockaded-x", "x-stockade-y", "stock", ""] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
