//! Terms: how often, how much and from which pages, and in which direction these go.
//!
//! The edge holds callers to them; they decide for nobody, so they stand beside the outcomes.

use std::collections::BTreeSet;

use super::{Direction, Edit, Group, Sign};
use crate::bundle::Bundle;
use crate::cors::Cors;
use crate::files::ROUTES_FILE;
use crate::judge::{Caller, heard};
use crate::limits::{Limit, LimitCount};
use crate::measure::Age;
use crate::mode::Mode;
use crate::role_set::RoleSet;
use crate::route::{BodyRule, Route};

/// What terms do, and changes of declarations that do nothing.
pub(super) fn groups(old: &Bundle, new: &Bundle) -> (Vec<Group>, Vec<Edit>) {
    let mut told = Told::default();
    for limit in new.limits().iter() {
        told.limit(old, new, limit);
    }
    for gone in old.limits().iter().filter(|gone| new.limits().find(gone.name.as_str()).is_none()) {
        told.unused_limit(old, gone, Sign::Removed);
    }
    for route in new.routes().iter() {
        if let Some(before) = old.routes().by_id(route.id.as_str()) {
            told.route((old, before), (new, route));
        }
    }
    told.cors(old.cors(), new.cors());
    told.resources(old, new);
    (told.groups, told.without_effect)
}

/// Which ways something goes.
#[derive(Debug, Clone, Copy, Default)]
struct Ways {
    wider: bool,
    narrower: bool,
}

impl Ways {
    fn note(&mut self, wider: bool, narrower: bool) {
        self.wider |= wider;
        self.narrower |= narrower;
    }

    fn direction(self) -> Direction {
        match (self.wider, self.narrower) {
            (true, false) => Direction::Widened,
            (false, true) => Direction::Narrowed,
            (true, true) | (false, false) => Direction::Changed,
        }
    }
}

#[derive(Debug, Default)]
struct Told {
    groups: Vec<Group>,
    without_effect: Vec<Edit>,
}

impl Told {
    fn tell(&mut self, edit: Edit, ways: Ways, terms: Vec<String>) {
        let direction = ways.direction();
        self.groups.push(Group { direction, edits: vec![edit], cells: Vec::new(), terms });
    }

    fn limit(&mut self, old: &Bundle, new: &Bundle, limit: &Limit) {
        let Some(before) = old.limits().find(limit.name.as_str()) else {
            return self.unused_limit(new, limit, Sign::Added);
        };
        let (was, is) = (limit_words(before), limit_words(limit));
        if was == is {
            return;
        }
        let text = format!("[limits] {}: {was} -> {is}", limit.name);
        let edit = Edit::new(Sign::Changed, ROUTES_FILE, limit.line, &text);
        let routes = users(new, limit);
        let refuses = before.mode == Mode::Enforce || limit.mode == Mode::Enforce;
        if routes.is_empty() || users(old, before).is_empty() || !refuses {
            self.without_effect.push(edit);
        } else {
            let terms = vec![format!("on {}", routes.join(", "))];
            self.tell(edit, limit_ways(before, limit), terms);
        }
    }

    /// A limit that only one bundle declares. Where routes name it, they tell.
    fn unused_limit(&mut self, bundle: &Bundle, limit: &Limit, sign: Sign) {
        if users(bundle, limit).is_empty() {
            let text = format!("[limits] {}: {}", limit.name, limit_words(limit));
            self.without_effect.push(Edit::new(sign, ROUTES_FILE, limit.line, &text));
        }
    }

    fn route(&mut self, (old, before): (&Bundle, &Route), (new, route): (&Bundle, &Route)) {
        let mut ways = Ways::default();
        let mut words = Vec::new();
        let (was, is) = (limit_names(old, before), limit_names(new, route));
        for name in was.difference(&is) {
            ways.wider = true;
            words.push(format!("counts no more towards {name}"));
        }
        for name in is.difference(&was) {
            ways.narrower = true;
            words.push(format!("counts towards {name}"));
        }
        words.extend(body_words(&before.body, &route.body, &mut ways));
        if words.is_empty() {
            return;
        }
        let text = format!("[routes] {}: {}", route.id, words.join(", "));
        let edit = Edit::new(Sign::Changed, ROUTES_FILE, route.line, &text);
        if is_allowed(new, route) || is_allowed(old, before) {
            let terms = vec![format!("{} {}", route.method, route.pattern)];
            self.tell(edit, ways, terms);
        } else {
            self.without_effect.push(edit);
        }
    }

    fn cors(&mut self, old: Option<&Cors>, new: Option<&Cors>) {
        let callable = |cors: &&Cors| !cors.origins.is_empty();
        let (old, new) = (old.filter(callable), new.filter(callable));
        let mut ways = Ways::default();
        let mut words = Vec::new();
        for what in ["origin", "request header", "answer's header"] {
            let (was, is) = (cors_list(old, what), cors_list(new, what));
            ways.note(is.difference(&was).next().is_some(), was.difference(&is).next().is_some());
            words.extend(is.difference(&was).map(|name| format!("+ {what} {name}")));
            words.extend(was.difference(&is).map(|name| format!("- {what} {name}")));
        }
        let credentials = |cors: Option<&Cors>| cors.is_some_and(|cors| cors.credentials);
        let (was, is) = (credentials(old), credentials(new));
        ways.note(is && !was, was && !is);
        if was != is {
            words.push(format!("credentials {was} -> {is}"));
        }
        let age = |cors: Option<&Cors>| cors.map(|cors| Age(cors.max_age_secs.into()));
        if let (Some(was), Some(is)) = (age(old), age(new))
            && was != is
        {
            words.push(format!("max_age {was} -> {is}"));
        }
        if !words.is_empty() {
            let sign = match (old, new) {
                (None, _) => Sign::Added,
                (_, None) => Sign::Removed,
                _ => Sign::Changed,
            };
            let edit = Edit::new(sign, ROUTES_FILE, 0, "[cors] pages of other origins");
            self.tell(edit, ways, words);
        }
    }

    /// Permissions are only declared here; rules and routes give them an effect.
    fn resources(&mut self, old: &Bundle, new: &Bundle) {
        for permission in new.permissions() {
            let name = new.permission_name(permission);
            let line = new.permission_line(permission);
            let mut tell = |sign, text: &str| {
                self.without_effect.push(Edit::new(sign, ROUTES_FILE, line, text));
            };
            let owned = new.is_owned(permission);
            match old.permission(name).map(|before| old.is_owned(before)) {
                None => tell(Sign::Added, &format!("[resources] {name}")),
                Some(before) if before != owned => {
                    tell(Sign::Changed, &format!("[resources] {name}: owned {before} -> {owned}"));
                }
                Some(_) => {}
            }
        }
        for permission in old.permissions() {
            let name = old.permission_name(permission);
            if new.permission(name).is_none() {
                let (line, text) = (old.permission_line(permission), format!("[resources] {name}"));
                self.without_effect.push(Edit::new(Sign::Removed, ROUTES_FILE, line, &text));
            }
        }
    }
}

/// One of the lists of `[cors]`, by what stands in it.
fn cors_list<'b>(cors: Option<&'b Cors>, what: &str) -> BTreeSet<&'b str> {
    let list = cors.map(|cors| match what {
        "origin" => &cors.origins,
        "request header" => &cors.headers,
        _ => &cors.expose,
    });
    list.into_iter().flatten().map(String::as_str).collect()
}

/// A limit in words.
fn limit_words(limit: &Limit) -> String {
    let per = Age::from(limit.window_secs);
    let count = match limit.count {
        LimitCount::All => "",
        LimitCount::Failures => ", failures only",
    };
    let mode = match limit.mode {
        Mode::Enforce => "",
        Mode::Shadow => ", shadow",
    };
    format!("{} per {per} by {}{count}{mode}", limit.quota, limit.key.as_str())
}

fn limit_ways(old: &Limit, new: &Limit) -> Ways {
    let mut ways = Ways::default();
    match (old.mode, new.mode) {
        (Mode::Enforce, Mode::Shadow) => ways.wider = true,
        (Mode::Shadow, _) => ways.narrower = true,
        (Mode::Enforce, Mode::Enforce) => {
            // What may be spent at once, and how fast it comes back.
            let rate = |of: &Limit, other: &Limit| {
                u64::from(of.quota.get()) * u64::from(other.window_secs.get())
            };
            let (was, is) = (rate(old, new), rate(new, old));
            ways.note(new.quota > old.quota || is > was, new.quota < old.quota || is < was);
            let counts_less = new.count == LimitCount::Failures;
            ways.note(
                new.count != old.count && counts_less,
                new.count != old.count && !counts_less,
            );
            ways.note(new.key != old.key, new.key != old.key);
        }
    }
    ways
}

/// The routes that count towards a limit.
fn users<'b>(bundle: &'b Bundle, limit: &Limit) -> Vec<&'b str> {
    let routes = bundle.routes().iter().filter(|route| route.limits.contains(&limit.index));
    routes.map(|route| route.id.as_str()).collect()
}

/// The limits that can refuse on a route.
fn limit_names(bundle: &Bundle, route: &Route) -> BTreeSet<String> {
    let limits = route.limits.iter().filter_map(|limit| bundle.limits().get(*limit));
    let limits = limits.filter(|limit| limit.mode == Mode::Enforce);
    limits.map(|limit| limit.name.to_string()).collect()
}

fn body_words(old: &BodyRule, new: &BodyRule, ways: &mut Ways) -> Vec<String> {
    let mut words = Vec::new();
    if old.bytes_max != new.bytes_max {
        ways.note(new.bytes_max > old.bytes_max, new.bytes_max < old.bytes_max);
        words.push(format!("body {} -> {} bytes", old.bytes_max, new.bytes_max));
    }
    if old.bytes_max == 0 || new.bytes_max == 0 || old.media == new.media {
        return words;
    }
    // An empty list is any media type.
    let lacks =
        |body: &BodyRule, media: &&String| !body.media.is_empty() && !body.media.contains(*media);
    let gained: Vec<_> = new.media.iter().filter(|media| lacks(old, media)).cloned().collect();
    let lost: Vec<_> = old.media.iter().filter(|media| lacks(new, media)).cloned().collect();
    let any = |body: &BodyRule| body.media.is_empty();
    ways.note(!gained.is_empty() || any(new), !lost.is_empty() || any(old));
    if any(new) || any(old) {
        words.push(format!("any media type {} -> {}", any(old), any(new)));
    }
    words.extend(gained.iter().map(|media| format!("takes {media}")));
    words.extend(lost.iter().map(|media| format!("takes {media} no more")));
    words
}

/// Whether anybody is allowed a route, conditions met.
fn is_allowed(bundle: &Bundle, route: &Route) -> bool {
    let known = bundle.roles().map(|role| Caller::Known(RoleSet::of(role)));
    known.chain([Caller::Anonymous]).any(|caller| {
        heard(bundle, route, caller)
            .is_some_and(|roles| bundle.decide(roles, route.needs).is_some())
    })
}
