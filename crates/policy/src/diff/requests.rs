//! The kinds of requests that the routes of two bundles can tell apart.
//!
//! A request of either table has an owner in each. For every pair of owners there is a most
//! general path: literals where either pattern has one, and a segment that no literal equals
//! everywhere else. Every pattern that matches it matches all paths of the pair, so if any path
//! has these two owners, it has.

use std::collections::{BTreeMap, BTreeSet};

use super::sides::Sides;
use crate::bundle::Bundle;
use crate::pattern::{Method, Pattern, Segment};
use crate::route::Route;
use crate::route_table::{RouteMatch, RouteTable};

/// No literal holds braces, so no literal equals these.
const FRESH: &str = "{id}";
/// A method that only `*` answers.
const OTHER_METHOD: &str = "OTHER";

/// Requests that are answered by the same route before and by the same after.
#[derive(Debug)]
pub(super) struct Class<'b> {
    pub(super) old: Option<&'b Route>,
    pub(super) new: Option<&'b Route>,
    pub(super) path: String,
    /// The methods of this class.
    pub(super) methods: Vec<&'static str>,
}

impl Class<'_> {
    /// The requests, as a reviewer would write them.
    pub(super) fn text(&self) -> String {
        let rule = self.new.or(self.old).map_or("*", |route| route.method.as_str());
        let patterns = [self.old, self.new].map(|route| route.map(|route| route.pattern.as_str()));
        let path = match patterns {
            [Some(old), Some(new)] if old == new => new,
            _ => &self.path,
        };
        let own: Vec<_> = methods().filter(|method| answers(rule, method)).collect();
        if own == self.methods {
            return format!("{rule} {path}");
        }
        let plain = |method: &&&str| **method != "HEAD" && **method != OTHER_METHOD;
        let named: Vec<_> = self.methods.iter().filter(plain).copied().collect();
        let named = if named.is_empty() { "*".to_owned() } else { named.join(",") };
        format!("{named} {path}")
    }
}

fn answers(rule: &str, method: &str) -> bool {
    rule == "*" || rule == method || (rule == "GET" && method == "HEAD")
}

fn methods() -> impl Iterator<Item = &'static str> {
    Method::ALL.into_iter().map(Method::as_str).chain(["HEAD", OTHER_METHOD])
}

/// Every class. `touched` says which changed routes match a path: classes that differ in them are
/// told apart.
pub(super) fn classes<'b>(
    sides: &Sides<'b>,
    touched: &dyn Fn(&str) -> BTreeSet<usize>,
) -> Vec<Class<'b>> {
    let mut found: BTreeMap<_, Class<'b>> = BTreeMap::new();
    for path in paths(sides.old.bundle, sides.new.bundle) {
        let touched = touched(&path);
        for method in methods() {
            let old = owner(sides.old.bundle.routes(), method, &path);
            let new = owner(sides.new.bundle.routes(), method, &path);
            let key = (old.map(|route| route.index), new.map(|route| route.index));
            if key == (None, None) {
                continue;
            }
            let new_class = || Class { old, new, path: path.clone(), methods: Vec::new() };
            let class = found.entry((key, touched.clone())).or_insert_with(new_class);
            if class.path == path {
                class.methods.push(method);
            }
        }
    }
    found.into_values().collect()
}

fn owner<'b>(table: &'b RouteTable, method: &str, path: &str) -> Option<&'b Route> {
    match table.find(method, path) {
        RouteMatch::Found(route) => Some(route),
        RouteMatch::MethodNotAllowed { .. } | RouteMatch::NotFound => None,
    }
}

/// A path of every class there may be; each once, those of single patterns first.
fn paths(old: &Bundle, new: &Bundle) -> Vec<String> {
    let (old, new) = (shapes(old), shapes(new));
    let segments_max = old.keys().chain(new.keys()).map(|shape| shape.len()).max().unwrap_or(0);
    let mut paths = Paths { seen: BTreeSet::new(), ordered: Vec::new(), segments_max };
    for (shape, text) in new.iter().chain(&old) {
        // The pattern itself is a path that it matches, and the most readable one.
        if !shape.iter().any(|segment| matches!(segment, Segment::Rest)) {
            paths.add((*text).to_owned());
        }
    }
    for shape in new.keys().chain(old.keys()) {
        paths.add_all(shape, shape);
    }
    // Two patterns that both bundles have stand in the same order in both.
    for one in old.keys() {
        for other in new.keys().filter(|other| !old.contains_key(*other) || !new.contains_key(one))
        {
            paths.add_all(one, other);
        }
    }
    paths.ordered
}

/// The patterns without the names in them, each with one text.
fn shapes(bundle: &Bundle) -> BTreeMap<&[Segment], &str> {
    let patterns = bundle.routes().iter().map(|route| &route.pattern);
    patterns.map(|pattern| (pattern.segments(), pattern.as_str())).collect()
}

#[derive(Debug)]
struct Paths {
    seen: BTreeSet<String>,
    ordered: Vec<String>,
    /// Of the longest pattern.
    segments_max: usize,
}

impl Paths {
    fn add(&mut self, path: String) {
        if self.seen.insert(path.clone()) {
            self.ordered.push(path);
        }
    }

    /// The most general paths that both patterns match: one for every length and end.
    fn add_all(&mut self, one: &[Segment], other: &[Segment]) {
        let open = [one, other].map(|shape| matches!(shape.last(), Some(Segment::Rest)));
        let lengths = match open {
            [false, false] if one.len() != other.len() => return,
            [false, _] => one.len()..=one.len(),
            [true, false] => other.len()..=other.len(),
            [true, true] => one.len().max(other.len())..=self.segments_max + 1,
        };
        for length in lengths {
            for last in [FRESH, ""] {
                if let Some(path) = general(one, other, length, last) {
                    self.add(path);
                }
            }
        }
    }
}

/// What a pattern wants of one segment.
#[derive(Debug, Clone, Copy)]
enum Wanted<'p> {
    Literal(&'p str),
    NotEmpty,
    Anything,
}

fn wanted(shape: &[Segment], at: usize) -> Option<Wanted<'_>> {
    match shape.get(at).or(shape.last().filter(|last| matches!(last, Segment::Rest)))? {
        Segment::Literal(text) => Some(Wanted::Literal(text)),
        Segment::Parameter => Some(Wanted::NotEmpty),
        Segment::Rest => Some(Wanted::Anything),
    }
}

/// The most general path of this length that both match, ending with `last` where it is free to.
fn general(one: &[Segment], other: &[Segment], length: usize, last: &str) -> Option<String> {
    let mut path = String::new();
    for at in 0..length {
        let free = if at + 1 == length { last } else { FRESH };
        let text = match (wanted(one, at)?, wanted(other, at)?) {
            (Wanted::Literal(one), Wanted::Literal(other)) => (one == other).then_some(one)?,
            (Wanted::Literal(text), Wanted::NotEmpty)
            | (Wanted::NotEmpty, Wanted::Literal(text)) => Some(text).filter(|t| !t.is_empty())?,
            (Wanted::Literal(text), Wanted::Anything)
            | (Wanted::Anything, Wanted::Literal(text)) => text,
            (Wanted::NotEmpty, _) | (_, Wanted::NotEmpty) => {
                Some(free).filter(|t| !t.is_empty())?
            }
            (Wanted::Anything, Wanted::Anything) => free,
        };
        path.push('/');
        path.push_str(text);
    }
    Some(path)
}

/// The segments of a path.
pub(super) fn segments(path: &str) -> Vec<&str> {
    path.strip_prefix('/').unwrap_or_default().split('/').collect()
}

/// Whether a pattern matches a path of these segments.
pub(super) fn matches(pattern: &Pattern, parts: &[&str]) -> bool {
    let shape = pattern.segments();
    let is_open = matches!(shape.last(), Some(Segment::Rest));
    let fits = if is_open { parts.len() >= shape.len() } else { parts.len() == shape.len() };
    fits && parts.iter().enumerate().all(|(at, part)| match wanted(shape, at) {
        Some(Wanted::Literal(text)) => *part == text,
        Some(Wanted::NotEmpty) => !part.is_empty(),
        Some(Wanted::Anything) => true,
        None => false,
    })
}
