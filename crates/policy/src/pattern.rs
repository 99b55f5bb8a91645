//! What a route matches: a method and a path pattern (`match = "GET /api/orders/{id}"`).

use std::collections::BTreeSet;
use std::fmt;

use crate::names::is_name;

/// The most segments of a path pattern.
const SEGMENTS_MAX: usize = 32;

/// The methods a route can name. HEAD follows GET; CONNECT and TRACE are never routed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// `DELETE`
    Delete,
    /// `GET`, and with it `HEAD`
    Get,
    /// `OPTIONS`
    Options,
    /// `PATCH`
    Patch,
    /// `POST`
    Post,
    /// `PUT`
    Put,
}

impl Method {
    /// Every method, by the alphabet.
    pub const ALL: [Self; 6] =
        [Self::Delete, Self::Get, Self::Options, Self::Patch, Self::Post, Self::Put];

    /// The method as a request spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delete => "DELETE",
            Self::Get => "GET",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }

    /// The method a route must name to answer this request: `HEAD` is answered by `GET`.
    pub(crate) fn of_request(method: &str) -> Option<Self> {
        let method = if method == "HEAD" { "GET" } else { method };
        Self::ALL.into_iter().find(|known| known.as_str() == method)
    }

    /// What `Allow` lists for this method.
    pub(crate) fn allow(self) -> &'static str {
        match self {
            Self::Get => "GET, HEAD",
            other => other.as_str(),
        }
    }
}

/// The method part of a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MethodRule {
    /// Any method but CONNECT and TRACE, written `*`.
    Any,
    /// This method.
    Only(Method),
}

impl MethodRule {
    /// The method as written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Any => "*",
            Self::Only(method) => method.as_str(),
        }
    }

    /// Whether some request has a method of both.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => true,
            (Self::Only(one), Self::Only(two)) => one == two,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }
        Method::ALL.into_iter().find(|method| method.as_str() == text).map(Self::Only)
    }
}

impl fmt::Display for MethodRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A path pattern such as `/api/orders/{id}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

/// One part of a pattern, between two slashes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Segment {
    /// These bytes. The last may be empty: `/` and `/files/`.
    Literal(String),
    /// Any one segment that is not empty, written `{name}`.
    Parameter,
    /// Whatever is left, even nothing, written `{**name}`; only at the end.
    Rest,
}

impl Pattern {
    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(crate) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    fn parse(text: &str) -> Result<Self, MatchError> {
        let tail = text.strip_prefix('/').ok_or(MatchError::NoSlash)?;
        let parts: Vec<&str> = tail.split('/').collect();
        if parts.len() > SEGMENTS_MAX {
            return Err(MatchError::TooLong);
        }
        let last = parts.len() - 1;
        let mut names = BTreeSet::new();
        let segments = parts.iter().enumerate().map(|(number, part)| {
            let segment = Segment::parse(part, &mut names)?;
            let only_last = matches!(segment, Segment::Rest) || part.is_empty();
            if only_last && number != last { Err(MatchError::NotLast) } else { Ok(segment) }
        });
        Ok(Self { segments: segments.collect::<Result<_, _>>()?, text: text.to_owned() })
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl Segment {
    fn parse<'a>(part: &'a str, names: &mut BTreeSet<&'a str>) -> Result<Self, MatchError> {
        let braced = part.strip_prefix('{').and_then(|part| part.strip_suffix('}'));
        if let Some(inside) = braced {
            let rest = inside.strip_prefix("**");
            let name = rest.unwrap_or(inside);
            if !is_name(name) || !names.insert(name) {
                return Err(MatchError::Parameter);
            }
            return Ok(if rest.is_some() { Self::Rest } else { Self::Parameter });
        }
        // SECURITY: a literal that no canonical path can contain would be a rule that never holds.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()+,=:@".contains(&byte);
        if matches!(part, "." | "..") || !part.bytes().all(plain) {
            return Err(MatchError::Literal);
        }
        Ok(Self::Literal(part.to_owned()))
    }
}

/// Why a `match` is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MatchError {
    #[error("a match is a method, one blank and a path")]
    Shape,
    #[error("the method is none that a route can have")]
    Method,
    #[error("a path begins with `/`")]
    NoSlash,
    #[error("a path has at most 32 segments")]
    TooLong,
    #[error("an empty segment or `{{**name}}` can only be the last")]
    NotLast,
    #[error("`{{name}}` holds a name of small letters, digits, `-` and `_`, each once")]
    Parameter,
    #[error("a segment holds letters, digits and -._~!$&'()+,=:@ only, or all of it is `{{name}}`")]
    Literal,
}

/// Reads `METHOD /path`.
pub(crate) fn parse_match(text: &str) -> Result<(MethodRule, Pattern), MatchError> {
    let (method, path) = text.split_once(' ').ok_or(MatchError::Shape)?;
    let method = MethodRule::parse(method).ok_or(MatchError::Method)?;
    Ok((method, Pattern::parse(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_routes_match() {
        for text in ["GET /", "POST /api/orders/{id}/cancel", "* /{**rest}", "GET /files/"] {
            let (method, pattern) = parse_match(text).unwrap();
            assert_eq!(format!("{method} {pattern}"), text);
        }
    }

    #[test]
    fn refuses_what_no_request_can_be() {
        for (text, error) in [
            ("/api", MatchError::Shape),
            ("HEAD /", MatchError::Method),
            ("TRACE /", MatchError::Method),
            ("get /", MatchError::Method),
            ("GET api", MatchError::NoSlash),
            ("GET  /", MatchError::NoSlash),
            ("GET /a//b", MatchError::NotLast),
            ("GET /{**rest}/b", MatchError::NotLast),
            ("GET /{id}/{id}", MatchError::Parameter),
            ("GET /{Id}", MatchError::Parameter),
            ("GET /{}", MatchError::Parameter),
            ("GET /x{id}", MatchError::Literal),
            ("GET /a/../b", MatchError::Literal),
            ("GET /%41", MatchError::Literal),
            ("GET /a?b=c", MatchError::Literal),
            ("GET /*", MatchError::Literal),
            ("GET /é", MatchError::Literal),
        ] {
            assert_eq!(parse_match(text).unwrap_err(), error, "{text}");
        }
        assert_eq!(parse_match(&format!("GET {}", "/a".repeat(33))), Err(MatchError::TooLong));
    }
}
