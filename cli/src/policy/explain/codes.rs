//! What the edge's guards look at, and what their refusals mean to whoever runs the edge.

/// A code, what it means, and what to do.
pub(super) type Meaning = (&'static str, &'static str, &'static str);

/// Every code of a refusal.
pub(super) const CODES: &[Meaning] = &[
    ("banned", "the address is banned", "see `stockade bans`; `stockade unban` lifts it"),
    ("rate_limited", "a limit of the route is used up", "wait, or raise the limit in [limits]"),
    (
        "origin_not_allowed",
        "a page of an origin that may not call, or with a header that it may not send",
        "list it in [cors], if that is meant",
    ),
    ("malformed_head", "the head can be read in two ways", "mend the client"),
    ("malformed_body", "the framing of the body can be read in two ways", "mend the client"),
    (
        "ambiguous_path",
        "two servers could read the path in two ways",
        "send a plain path: no dot segments, no `//`, no encoded slashes, in the right case",
    ),
    ("invalid_host", "no single valid host is named", "mend the client"),
    ("head_timeout", "the head was not whole in time", "see `edge.connections`"),
    ("body_timeout", "the body paused too long", "see `edge.connections`"),
    ("target_too_long", "path and query are too long", "shorten them"),
    ("head_too_large", "the head is too large", "send fewer or smaller fields"),
    ("expectation_unknown", "another `Expect` than 100-continue", "mend the client"),
    ("no_route", "no route has this path", "add one in [routes], if that is meant"),
    ("method_not_allowed", "the path has no route for this method", "add one, if that is meant"),
    ("body_too_large", "the body is larger than the route takes", "raise `body.max`, if meant"),
    (
        "unsupported_media_type",
        "the route does not take this media type, or the body is encoded",
        "add it to `body.media`, if that is meant",
    ),
    ("token_missing", "the route needs a token and none was shown", "log in"),
    (
        "token_invalid",
        "the token is not believed: expired, ill-formed, or of no issuer that is",
        "log in again; if nobody's token is believed, see the issuer's keys",
    ),
    (
        "keys_unavailable",
        "no key to check tokens with has been read yet",
        "see whether the issuer's key set can be reached",
    ),
    (
        "revocations_unavailable",
        "what was revoked has not been heard of for too long, and the token names a role with conditions",
        "see whether the core can be reached",
    ),
    (
        "mfa_required",
        "the route, or a role that would allow it, wants a fresh second factor",
        "log in again with the second factor",
    ),
    ("network_not_allowed", "the address is not in the network that is needed", "see below"),
    ("permission_denied", "the roles do not allow it", "see below"),
    ("upstream_unavailable", "the service could not be reached", "see whether it runs"),
    ("upstream_failed", "the service broke off its answer", "see its log"),
    ("upstream_timeout", "the service did not answer in time", "see its log"),
    ("internal", "something failed in the edge", "see the edge's log, and report it"),
];

/// What each guard looks at.
const GUARDS: &[(&str, &str)] = &[
    ("ban", "bans, by address"),
    ("hygiene", "how the request is written"),
    ("route", "method and path against [routes]"),
    ("address_limit", "limits by address"),
    ("preflight", "pages of other origins, [cors]"),
    ("body", "size and type of the body"),
    ("authenticate", "the token"),
    ("principal_limit", "limits by principal"),
    ("network", "the network of the route"),
    ("mfa", "the second factor that the route wants"),
    ("authorize", "roles, their conditions and rules"),
    ("forward", "the way to the service"),
];

/// What a code means, and what to do.
pub(super) fn meaning(code: &str) -> Option<Meaning> {
    CODES.iter().find(|(known, ..)| *known == code).copied()
}

/// What a guard looks at.
pub(super) fn guard(step: &str) -> &'static str {
    GUARDS.iter().find(|(known, _)| *known == step).map_or("", |(_, looks_at)| looks_at)
}
