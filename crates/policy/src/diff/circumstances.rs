//! The circumstances that the conditions of two bundles can tell apart.
//!
//! Addresses fall into finitely many classes, cut where a range begins or ends; so do the ages of
//! a second factor, cut at every bound that is written. One of each stands for all.

use std::collections::{BTreeMap, BTreeSet};

use ipnetwork::IpNetwork;

use super::ranges::{Span, address, span, written};
use super::sides::Sides;
use crate::activation::Circumstances;
use crate::bundle::Bundle;
use crate::measure::Age;

/// IPv4 in IPv6 clothes: from here, and up to but without [`CLOTHED_END`].
const CLOTHED: u128 = 0xffff_0000_0000;
const CLOTHED_END: u128 = 0x1_0000_0000_0000;

/// Addresses that every condition treats alike.
#[derive(Debug, Default)]
pub(super) struct AddressClass {
    pub(super) spans: Vec<Span>,
    /// Whether callers whose address is not known are among them.
    pub(super) unknown: bool,
}

/// All circumstances of either bundle.
#[derive(Debug)]
pub(super) struct Space {
    pub(super) addresses: Vec<AddressClass>,
    /// The bounds of ages in seconds, shortest first.
    pub(super) ages: Vec<u64>,
}

/// One kind of circumstances: the number of its class of addresses, and of its age. The age past
/// the last bound is that of callers without a second factor, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Atom {
    pub(super) address: usize,
    pub(super) age: usize,
}

impl Space {
    pub(super) fn of(sides: &Sides<'_>) -> Self {
        let mut networks = conditions_ranges(sides.old.bundle);
        networks.extend(conditions_ranges(sides.new.bundle));
        let ages: BTreeSet<u64> =
            [sides.old.bundle, sides.new.bundle].into_iter().flat_map(ages).collect();
        Self { addresses: classes(&networks), ages: ages.into_iter().collect() }
    }

    pub(super) fn atoms(&self) -> impl Iterator<Item = Atom> {
        let ages = 0..=self.ages.len();
        (0..self.addresses.len())
            .flat_map(move |address| ages.clone().map(move |age| Atom { address, age }))
    }

    /// Somebody in these circumstances.
    pub(super) fn example(&self, atom: Atom) -> Circumstances {
        let class = self.addresses.get(atom.address).filter(|class| !class.unknown);
        let span = class.and_then(|class| class.spans.first());
        Circumstances {
            from: span.map(|span| address(span.is_v6, span.first)),
            mfa_age_secs: self.ages.get(atom.age).copied(),
        }
    }
}

/// The networks that conditions of this bundle ask for, each as its ranges.
fn conditions_ranges(bundle: &Bundle) -> BTreeSet<Vec<IpNetwork>> {
    let of_roles = bundle.roles().filter_map(|role| bundle.condition(role).network);
    let of_routes = bundle.routes().iter().filter_map(|route| route.network);
    let ranges = of_roles.chain(of_routes).filter_map(|network| bundle.networks().get(network));
    ranges.map(|network| network.ranges.to_vec()).collect()
}

fn ages(bundle: &Bundle) -> impl Iterator<Item = u64> {
    let of_roles = bundle.roles().filter_map(|role| bundle.condition(role).mfa_secs);
    let of_routes = bundle.routes().iter().filter_map(|route| route.mfa_secs);
    of_roles.chain(of_routes).map(|secs| u64::from(secs.get()))
}

fn classes(networks: &BTreeSet<Vec<IpNetwork>>) -> Vec<AddressClass> {
    let mut by_signature: BTreeMap<Vec<bool>, AddressClass> = BTreeMap::new();
    let nowhere = vec![false; networks.len()];
    by_signature.insert(nowhere, AddressClass { unknown: true, ..AddressClass::default() });
    for is_v6 in [false, true] {
        for span in cut(networks, is_v6) {
            let example = address(is_v6, span.first);
            let holds = |ranges: &Vec<IpNetwork>| ranges.iter().any(|r| r.contains(example));
            let signature = networks.iter().map(holds).collect();
            by_signature.entry(signature).or_default().spans.push(span);
        }
    }
    by_signature.into_values().collect()
}

/// All addresses of a family, cut at both ends of every range. Those in other clothes are left
/// out: they count as what they are.
fn cut(networks: &BTreeSet<Vec<IpNetwork>>, is_v6: bool) -> Vec<Span> {
    let last = if is_v6 { u128::MAX } else { u128::from(u32::MAX) };
    let mut starts = BTreeSet::from([0]);
    if is_v6 {
        starts.extend([CLOTHED, CLOTHED_END]);
    }
    for range in networks.iter().flatten().filter(|range| range.is_ipv6() == is_v6) {
        let span = span(*range);
        starts.insert(span.first);
        starts.extend(span.last.checked_add(1).filter(|next| *next <= last));
    }
    let ends = starts.iter().skip(1).map(|next| next - 1).chain([last]);
    let spans = starts.iter().zip(ends).map(|(first, last)| Span { is_v6, first: *first, last });
    spans.filter(|span| !(is_v6 && (CLOTHED..CLOTHED_END).contains(&span.first))).collect()
}

/// Ranges written out; more are counted.
const RANGES_SHOWN_MAX: usize = 3;

impl Space {
    /// Some circumstances in words, such as `from 10.0.0.0/8, second factor at most 12h old`.
    pub(super) fn words(&self, atoms: &[Atom]) -> String {
        let others: Vec<Atom> = self.atoms().filter(|atom| !atoms.contains(atom)).collect();
        if !is_product(atoms) && is_product(&others) {
            return format!("unless {}", self.product_in_words(&others));
        }
        self.product_in_words(atoms)
    }

    fn product_in_words(&self, atoms: &[Atom]) -> String {
        let (addresses, ages) = sides_of(atoms);
        let words = [self.addresses_in_words(&addresses), self.ages_in_words(&ages)];
        words.into_iter().flatten().collect::<Vec<_>>().join(", ")
    }

    /// Nothing where every address is meant.
    fn addresses_in_words(&self, chosen: &BTreeSet<usize>) -> Option<String> {
        if chosen.len() == self.addresses.len() {
            return None;
        }
        let numbered = || self.addresses.iter().enumerate();
        let known = |number: usize| self.addresses.get(number).is_some_and(|class| class.unknown);
        // Callers from nowhere known are told by where they are not.
        let outside = chosen.iter().copied().any(known);
        let told = numbered().filter(|(number, _)| chosen.contains(number) != outside);
        let spans: Vec<Span> = told.flat_map(|(_, class)| class.spans.iter().copied()).collect();
        let ranges = written(&spans);
        let more = ranges.len().saturating_sub(RANGES_SHOWN_MAX);
        let shown: Vec<_> = ranges.into_iter().take(RANGES_SHOWN_MAX).collect();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let side = if outside { "outside" } else { "from" };
        Some(format!("{side} {}{more}", shown.join(", ")))
    }

    /// Nothing where every age is meant.
    fn ages_in_words(&self, chosen: &BTreeSet<usize>) -> Option<String> {
        if chosen.len() == self.ages.len() + 1 {
            return None;
        }
        let oldest = chosen.last().and_then(|age| self.ages.get(*age));
        let younger = chosen.first()?.checked_sub(1).and_then(|age| self.ages.get(age));
        Some(match (oldest, younger) {
            (Some(max), None) => format!("second factor at most {} old", Age(*max)),
            (Some(max), Some(min)) => {
                format!("second factor {} to {} old", Age(*min), Age(*max))
            }
            (None, Some(min)) => format!("no second factor of the last {}", Age(*min)),
            (None, None) => "with some second factors".to_owned(),
        })
    }
}

fn sides_of(atoms: &[Atom]) -> (BTreeSet<usize>, BTreeSet<usize>) {
    (atoms.iter().map(|atom| atom.address).collect(), atoms.iter().map(|atom| atom.age).collect())
}

/// Whether some addresses and some ages say it all.
fn is_product(atoms: &[Atom]) -> bool {
    let (addresses, ages) = sides_of(atoms);
    addresses.len() * ages.len() == atoms.len()
}
