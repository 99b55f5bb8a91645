//! The texts of a decision record that are made of parts: written one after the other into one
//! buffer, so that a record costs one allocation.

use std::fmt::{self, Write as _};
use std::ops::Range;

use stockade_policy::{Bundle, NetworkId, RoleSet, Route};

use crate::asking::{self, Asking};

/// A part of the buffer.
pub(crate) type Part = Range<usize>;

/// About as many bytes as the texts of one record have.
const BYTES_TYPICAL: usize = 96;

/// The buffer.
#[derive(Debug)]
pub(crate) struct Texts(String);

impl Texts {
    pub(crate) fn new() -> Self {
        Self(String::with_capacity(BYTES_TYPICAL))
    }

    pub(crate) fn get(&self, part: &Part) -> &str {
        self.0.get(part.clone()).unwrap_or_default()
    }

    pub(crate) fn show(&mut self, value: impl fmt::Display) -> Part {
        let start = self.0.len();
        // Writing to a string cannot fail.
        write!(self.0, "{value}").ok();
        start..self.0.len()
    }

    /// Names with one space between.
    pub(crate) fn names<'a>(&mut self, names: impl IntoIterator<Item = &'a str>) -> Part {
        let start = self.0.len();
        names.into_iter().for_each(|name| self.word(start, name));
        start..self.0.len()
    }

    /// The conditions that were met, of the roles that are held and of the route.
    pub(crate) fn conditions(
        &mut self,
        bundle: &Bundle,
        route: Option<&Route>,
        asking: &Asking,
    ) -> Option<Part> {
        let start = self.0.len();
        for network in networks(bundle, route, asking.held()) {
            let name = bundle.networks().get(network).map(|network| network.name.as_str());
            if let Some(name) = name.filter(|_| bundle.networks().holds(network, asking.at.from)) {
                self.word(start, "network=");
                self.0.push_str(name);
            }
        }
        if meets_mfa(bundle, route, asking) {
            self.word(start, "mfa");
        }
        Some(start..self.0.len()).filter(|part| !part.is_empty())
    }

    fn word(&mut self, start: usize, word: &str) {
        if self.0.len() > start {
            self.0.push(' ');
        }
        self.0.push_str(word);
    }
}

/// The networks that somebody or something is kept to, each once. Most have none, and then nothing
/// is allocated.
fn networks(bundle: &Bundle, route: Option<&Route>, held: RoleSet) -> Vec<NetworkId> {
    let of_roles = held.iter().filter_map(|role| bundle.condition(role).network);
    let mut networks = Vec::new();
    for network in of_roles.chain(route.and_then(|route| route.network)) {
        if !networks.contains(&network) {
            networks.push(network);
        }
    }
    networks
}

fn meets_mfa(bundle: &Bundle, route: Option<&Route>, asking: &Asking) -> bool {
    let Some(age) = asking.at.mfa_age_secs else { return false };
    let of_roles = asking.held().iter().filter_map(|role| bundle.condition(role).mfa_secs);
    of_roles
        .chain(route.and_then(|route| route.mfa_secs))
        .any(|max_age| age <= u64::from(max_age.get()))
}

/// The roles that a token names; nothing for an anonymous caller.
pub(crate) fn held<'a>(
    bundle: &'a Bundle,
    asking: &'a Asking,
) -> Option<impl Iterator<Item = &'a str>> {
    asking.caller.principal().map(|principal| asking::names(bundle, principal))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client_addr::ClientAddr;
    use crate::guards::authenticate::Caller;
    use crate::samples;
    use crate::token::CacheOutcome;
    use crate::token::samples::principal_with_mfa;

    const NOW: u64 = 1_000_000;

    #[track_caller]
    fn check(roles: &[&str], from: &str, mfa_at: u64, route: &str, expected: Option<&str>) {
        let policy = samples::policy();
        let principal = principal_with_mfa(roles, mfa_at).into();
        let caller = Caller::Known { principal, cached: CacheOutcome::Miss };
        let client = ClientAddr::from_socket(Some(from.parse().unwrap()));
        let asking = Asking::settle(&policy.bundle, caller, client, NOW);
        let mut texts = Texts::new();
        let route = samples::route(&policy, route);
        let part = texts.conditions(&policy.bundle, Some(route), &asking);
        assert_eq!(part.as_ref().map(|part| texts.get(part)), expected);
    }

    #[test]
    fn conditions_that_are_met_are_named_once() {
        check(&["customer"], "192.0.2.1", NOW, "look", None);
        check(&["admin"], "192.0.2.1", NOW, "look", Some("network=office"));
        check(&["admin"], "192.0.2.1", NOW, "inside", Some("network=office"));
        check(&["admin"], "198.51.100.1", NOW, "inside", None);
        check(&["admin", "auditor"], "192.0.2.1", NOW, "look", Some("network=office mfa"));
        check(&["auditor"], "192.0.2.1", NOW - 3601, "look", None);
        check(&["customer"], "192.0.2.1", NOW - 300, "stepped", Some("mfa"));
    }

    #[test]
    fn texts_share_one_buffer() {
        let mut texts = Texts::new();
        let (one, two) = (texts.show(ClientAddr::Unknown), texts.names(["a", "b"]));
        let none = texts.names([]);
        assert_eq!([texts.get(&one), texts.get(&two), texts.get(&none)], ["unknown", "a b", ""]);
    }
}
