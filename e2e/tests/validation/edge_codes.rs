//! The refusals of the edge's own: whatever an operation answers, these may come instead.

/// Status and code, without those that stand for a fault behind the edge or in it.
pub(crate) const EDGE_CODES: &[(u16, &str)] = &[
    (400, "ambiguous_path"),
    (400, "invalid_host"),
    (400, "malformed_body"),
    (400, "malformed_head"),
    (401, "mfa_required"),
    (401, "token_invalid"),
    (401, "token_missing"),
    (403, "banned"),
    (403, "network_not_allowed"),
    (403, "origin_not_allowed"),
    (403, "permission_denied"),
    (404, "no_route"),
    (405, "method_not_allowed"),
    (408, "body_timeout"),
    (408, "head_timeout"),
    (413, "body_too_large"),
    (414, "target_too_long"),
    (415, "unsupported_media_type"),
    (417, "expectation_unknown"),
    (429, "rate_limited"),
    (431, "head_too_large"),
];
