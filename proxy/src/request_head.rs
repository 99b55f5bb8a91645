//! A request's head as the guards see it: whatever the protocol, and without Pingora.

use http::{HeaderMap, Version};

/// What arrived, unjudged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestHead<'a> {
    pub(crate) method: &'a str,
    /// The target as sent: origin form or absolute form, path and query, not decoded.
    pub(crate) target: &'a [u8],
    /// `:authority`, or the authority of an absolute-form target.
    pub(crate) authority: Option<&'a str>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) version: Version,
    /// Whether a body follows the head.
    pub(crate) has_body: bool,
}
