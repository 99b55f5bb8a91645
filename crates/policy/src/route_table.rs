//! The route table: from a method and a canonical path to the one route that answers.
//!
//! A path belongs to the most specific pattern, decided from the left: a literal segment before
//! `{name}` before `{**name}`. The method is looked at after that, so a path has one owner and
//! an unlisted method is answered 405 by it.

use crate::finding::{Code, Findings, Place};
use crate::mode::Mode;
use crate::names::RouteId;
use crate::pattern::{Method, MethodRule, Pattern, Segment};
use crate::route::Route;

/// Every route of a bundle.
#[derive(Debug)]
pub struct RouteTable {
    routes: Vec<Route>,
    /// A tree of segments, flat; the first node is the root.
    nodes: Vec<Node>,
}

/// What the table says about a request.
#[derive(Debug, Clone, Copy)]
pub enum RouteMatch<'a> {
    /// The route that answers.
    Found(&'a Route),
    /// The path is known, the method is not one of its own.
    MethodNotAllowed {
        /// What `Allow` lists, for example `GET, HEAD, POST`.
        allow: &'a str,
    },
    /// No route has this path.
    NotFound,
}

#[derive(Debug, Default)]
struct Node {
    /// Sorted by segment.
    literals: Vec<(Box<str>, usize)>,
    parameter: Option<usize>,
    /// Patterns that end here.
    end: Owner,
    /// Patterns that end here with `{**name}`.
    rest: Owner,
}

/// The routes of one pattern, told apart by their methods.
#[derive(Debug, Default)]
struct Owner {
    routes: Vec<(MethodRule, RouteId)>,
    allow: String,
}

impl RouteTable {
    /// The route for a method and a path. The path is canonical: it begins with `/` and has no
    /// dot segments, no encoded slashes and no query.
    pub fn find(&self, method: &str, path: &str) -> RouteMatch<'_> {
        let Some(owner) = self.owner(path) else { return RouteMatch::NotFound };
        match owner.route(method).and_then(|id| self.get(id)) {
            Some(route) => RouteMatch::Found(route),
            None => RouteMatch::MethodNotAllowed { allow: &owner.allow },
        }
    }

    /// Whether a server that does not tell small letters from capitals could read `path` as that
    /// of a more specific pattern, which is guarded in another way than `route` is.
    pub fn is_shadowed(&self, route: &Route, path: &str) -> bool {
        let owner = path.strip_prefix('/').and_then(|path| {
            self.descend(self.nodes.first()?, Some(path), Node::literal_in_any_case)
        });
        let others = owner.map_or(&[][..], |owner| &owner.routes).iter();
        others.filter_map(|(_, id)| self.get(*id)).any(|other| {
            other.index != route.index
                && is_more_specific(&other.pattern, &route.pattern)
                && !is_guarded_alike(other, route)
        })
    }

    /// The methods a path answers, as `Allow` lists them, for example `GET, HEAD, POST`. Nothing
    /// where no route has this path.
    pub fn allow(&self, path: &str) -> Option<&str> {
        self.owner(path).map(|owner| owner.allow.as_str())
    }

    /// A route by its number.
    pub fn get(&self, route: RouteId) -> Option<&Route> {
        self.routes.get(route.index())
    }

    /// A route by its id as written.
    pub fn by_id(&self, id: &str) -> Option<&Route> {
        self.routes.iter().find(|route| route.id.as_str() == id)
    }

    /// Every route, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter()
    }

    /// The number of routes.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    /// Whether there is no route at all.
    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    /// Builds the table, noting routes that match the same requests as an earlier one. A route
    /// that is only tried goes before one that is in force, as if it had been promoted.
    pub(crate) fn build(routes: Vec<(Route, Place<'_>)>, findings: &mut Findings) -> Self {
        let (mut routes, places): (Vec<_>, Vec<_>) = routes.into_iter().unzip();
        for (route, index) in routes.iter_mut().zip(0..) {
            route.index = RouteId(index);
        }
        let mut table = Self { routes, nodes: vec![Node::default()] };
        let routes = std::mem::take(&mut table.routes);
        let tried_first = [Mode::Shadow, Mode::Enforce];
        for mode in tried_first {
            let of_mode = routes.iter().zip(&places).filter(|(route, _)| route.mode == mode);
            for (route, at) in of_mode {
                let other = table.insert(route).and_then(|id| routes.get(id.index()));
                if let Some(other) = other.filter(|other| other.mode == mode) {
                    let message = format!(
                        "`{}` matches what `{}` on line {} does",
                        route.id, other.id, other.line
                    );
                    let fix = "give one of them another method or path";
                    findings.add(Code::Overlap, *at, message, fix);
                }
            }
        }
        table.routes = routes;
        table.settle();
        table
    }

    fn owner(&self, path: &str) -> Option<&Owner> {
        self.descend(self.nodes.first()?, Some(path.strip_prefix('/')?), Node::literal)
    }

    /// The owner of what is left of a path below `node`. Every node is visited at most once, so
    /// turning back from a literal that led nowhere stays cheap.
    fn descend<'a>(
        &'a self,
        node: &'a Node,
        left: Option<&str>,
        literal: fn(&Node, &str) -> Option<usize>,
    ) -> Option<&'a Owner> {
        let Some(left) = left else { return node.end.if_any() };
        let (segment, left_after) = match left.split_once('/') {
            Some((segment, after)) => (segment, Some(after)),
            None => (left, None),
        };
        let below =
            |child: Option<usize>| self.descend(self.nodes.get(child?)?, left_after, literal);
        below(literal(node, segment))
            .or_else(|| below(node.parameter.filter(|_| !segment.is_empty())))
            .or_else(|| node.rest.if_any())
    }

    /// Adds a route to the tree; an earlier one that matches the same requests comes back.
    fn insert(&mut self, route: &Route) -> Option<RouteId> {
        let mut at = 0;
        let mut rest = false;
        for segment in route.pattern.segments() {
            match segment {
                Segment::Literal(text) => at = self.literal_child(at, text),
                Segment::Parameter => at = self.parameter_child(at),
                Segment::Rest => rest = true,
            }
        }
        let node = self.nodes.get_mut(at)?;
        let owner = if rest { &mut node.rest } else { &mut node.end };
        let other = owner.routes.iter().find(|(method, _)| method.overlaps(route.method));
        let other = other.map(|(_, id)| *id);
        owner.routes.push((route.method, route.index));
        other
    }

    fn literal_child(&mut self, at: usize, text: &str) -> usize {
        let new = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        match node.literals.binary_search_by(|(known, _)| known.as_ref().cmp(text)) {
            Ok(found) => node.literals.get(found).map_or(at, |(_, child)| *child),
            Err(place) => {
                node.literals.insert(place, (text.into(), new));
                self.nodes.push(Node::default());
                new
            }
        }
    }

    fn parameter_child(&mut self, at: usize) -> usize {
        let new = self.nodes.len();
        let Some(node) = self.nodes.get_mut(at) else { return at };
        let child = *node.parameter.get_or_insert(new);
        if child == new {
            self.nodes.push(Node::default());
        }
        child
    }

    fn settle(&mut self) {
        for node in &mut self.nodes {
            node.end.settle();
            node.rest.settle();
        }
    }
}

impl Node {
    fn literal(&self, segment: &str) -> Option<usize> {
        let place =
            self.literals.binary_search_by(|(known, _)| known.as_ref().cmp(segment)).ok()?;
        self.literals.get(place).map(|(_, child)| *child)
    }

    /// As [`literal`](Self::literal), or else one that differs in capitals alone.
    fn literal_in_any_case(&self, segment: &str) -> Option<usize> {
        let alike = |known: &str| known.eq_ignore_ascii_case(segment);
        let other = || self.literals.iter().find(|(known, _)| alike(known));
        self.literal(segment).or_else(|| other().map(|(_, child)| *child))
    }
}

/// Decided from the left, as by [`RouteTable::find`]; a pattern that has ended before `{**name}`
/// comes first, too.
pub(crate) fn is_more_specific(pattern: &Pattern, other: &Pattern) -> bool {
    let rank = |segment: &Segment| match segment {
        Segment::Literal(_) => 0,
        Segment::Parameter => 1,
        Segment::Rest => 2,
    };
    let ranks = |pattern: &Pattern| pattern.segments().iter().map(rank).collect::<Vec<_>>();
    let (ranks, others) = (ranks(pattern), ranks(other));
    match ranks.iter().zip(&others).find(|(rank, other)| rank != other) {
        Some((rank, other)) => rank < other,
        None => others.get(ranks.len()) == Some(&2),
    }
}

/// Whether two routes ask the same of their callers.
fn is_guarded_alike(one: &Route, other: &Route) -> bool {
    let guards = |route: &Route| (route.needs, route.auth, route.network, route.mfa_secs);
    guards(one) == guards(other) && one.limits == other.limits
}

impl Owner {
    fn if_any(&self) -> Option<&Self> {
        (!self.routes.is_empty()).then_some(self)
    }

    fn route(&self, method: &str) -> Option<RouteId> {
        let asked = Method::of_request(method);
        let answers = |rule: MethodRule| match rule {
            MethodRule::Any => !matches!(method, "CONNECT" | "TRACE"),
            MethodRule::Only(own) => asked == Some(own),
        };
        self.routes.iter().find(|(rule, _)| answers(*rule)).map(|(_, id)| *id)
    }

    fn settle(&mut self) {
        let own = |method: &Method| {
            self.routes.iter().any(|(rule, _)| rule.overlaps(MethodRule::Only(*method)))
        };
        let allowed: Vec<_> =
            Method::ALL.into_iter().filter(|method| own(method)).map(Method::allow).collect();
        self.allow = allowed.join(", ");
    }
}

#[cfg(test)]
mod tests;
