//! The callers of a log, and what each gets on each route where nothing else matters.

use crate::activation::{Circumstances, Condition};
use crate::bundle::Bundle;
use crate::judge::{Asker, Caller, Outcome, heard};
use crate::role_set::RoleSet;
use crate::roles::ANONYMOUS;
use crate::route::Route;

use super::interner::{Interner, OTHERS, printable};
use super::past::Who;

/// The most texts of roles that are told apart.
const CALLERS_MAX: usize = 1024;

/// The most verdicts that are kept, which a large route table divides among fewer callers.
const VERDICTS_MAX: usize = 512 * 1024;

/// The most names of unknown roles that are said.
const STRANGERS_MAX: usize = 16;

/// A caller, as a number within one replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct CallerId(usize);

const ANYBODY: CallerId = CallerId(0);
const NOT_RECORDED: CallerId = CallerId(1);
/// Stands for one caller at a time of those there is no room for.
const OTHER: CallerId = CallerId(2);
const NAMED_FROM: usize = 3;

/// What a caller gets on a route.
#[derive(Debug, Clone, Copy)]
pub(super) enum Verdict {
    /// This, whatever the circumstances.
    Always(Outcome),
    /// It depends on the caller's address, their second factor, or both.
    Conditional { caller: Caller, address: bool, mfa: bool },
    /// It depends on who asked, which is not known.
    CallerNotRecorded,
}

#[derive(Debug)]
pub(super) struct Callers {
    texts: Interner,
    entries: Vec<Entry>,
    routes: usize,
}

#[derive(Debug)]
struct Entry {
    /// Nothing where it is not recorded.
    caller: Option<Caller>,
    /// Names that are no role of the bundle.
    strangers: Vec<String>,
    /// By route; empty where nothing is to be kept.
    verdicts: Vec<Option<Verdict>>,
}

impl Callers {
    pub(super) fn of(bundle: &Bundle) -> Self {
        let routes = bundle.routes().len();
        let fixed =
            |caller, routes| Entry { caller, strangers: Vec::new(), verdicts: vec![None; routes] };
        Self {
            texts: Interner::of(CALLERS_MAX.min(VERDICTS_MAX / routes.max(1))),
            entries: vec![
                fixed(Some(Caller::Anonymous), routes),
                fixed(None, routes),
                fixed(None, 0),
            ],
            routes,
        }
    }

    pub(super) fn find(&mut self, bundle: &Bundle, who: Who<'_>) -> CallerId {
        let roles = match who {
            Who::Anonymous => return ANYBODY,
            Who::NotRecorded => return NOT_RECORDED,
            Who::Holding(roles) | Who::Active(roles) => roles,
        };
        let (at, routes) = match self.texts.number(roles) {
            Some(number) => (NAMED_FROM + number, self.routes),
            None => (OTHER.0, 0),
        };
        if at == self.entries.len() {
            self.entries.push(Entry::holding(bundle, roles, routes));
        } else if at == OTHER.0
            && let Some(other) = self.entries.get_mut(at)
        {
            *other = Entry::holding(bundle, roles, routes);
        }
        CallerId(at)
    }

    pub(super) fn has_strangers(&self, caller: CallerId) -> bool {
        self.entries.get(caller.0).is_some_and(|entry| !entry.strangers.is_empty())
    }

    pub(super) fn verdict(&mut self, bundle: &Bundle, caller: CallerId, route: &Route) -> Verdict {
        let Some(entry) = self.entries.get_mut(caller.0) else { return Verdict::CallerNotRecorded };
        match entry.verdicts.get_mut(route.index.index()) {
            Some(kept) => *kept.get_or_insert_with(|| verdict(bundle, entry.caller, route)),
            None => verdict(bundle, entry.caller, route),
        }
    }

    /// How each caller is called in a summary, by number.
    pub(super) fn labels(&self) -> Vec<String> {
        let fixed = [ANONYMOUS, "(not recorded)", OTHERS].map(str::to_owned);
        let label = |text: String| if text.is_empty() { "(no role)".to_owned() } else { text };
        fixed.into_iter().chain(self.texts.texts().into_iter().map(label)).collect()
    }

    /// Names that are no role of the bundle, some of them where there are many.
    pub(super) fn strangers(&self) -> impl Iterator<Item = &str> {
        let all = self.entries.iter().flat_map(|entry| entry.strangers.iter().map(String::as_str));
        all.take(STRANGERS_MAX)
    }
}

impl CallerId {
    /// The number, for tables of one entry per caller.
    pub(super) fn index(self) -> usize {
        self.0
    }
}

impl Entry {
    fn holding(bundle: &Bundle, roles: &str, routes: usize) -> Self {
        let names = roles.split(' ').filter(|name| !name.is_empty());
        let strangers = names.clone().filter(|name| bundle.role(name).is_none());
        Self {
            strangers: strangers.take(STRANGERS_MAX).map(printable).collect(),
            caller: Some(Caller::Known(bundle.role_set(names))),
            verdicts: vec![None; routes],
        }
    }
}

fn verdict(bundle: &Bundle, caller: Option<Caller>, route: &Route) -> Verdict {
    // Where no token is read, everybody is anonymous.
    let caller = match caller {
        None if route.auth.reads_token() => return Verdict::CallerNotRecorded,
        None => Caller::Anonymous,
        Some(caller) => caller,
    };
    let held = heard(bundle, route, caller);
    let asks = |of_route: bool, of_role: fn(&Condition) -> bool| {
        let roles = held.into_iter().flat_map(RoleSet::iter);
        held.is_some() && of_route
            || roles.map(|role| bundle.condition(role)).any(|condition| of_role(&condition))
    };
    let address = asks(route.network.is_some(), |condition| condition.network.is_some());
    let mfa = asks(route.mfa_secs.is_some(), |condition| condition.mfa_secs.is_some());
    if address || mfa {
        return Verdict::Conditional { caller, address, mfa };
    }
    let asker = Asker { caller, at: Circumstances::default() };
    Verdict::Always(bundle.examine_on(route, &asker).outcome)
}
