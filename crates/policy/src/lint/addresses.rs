//! The addresses of a network as a set, for exact comparisons.

use std::net::IpAddr;

use ipnetwork::IpNetwork;

use crate::names::NetworkId;
use crate::network::Networks;

/// Some addresses: rising spans that neither overlap nor touch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Addresses(Vec<Span>);

/// Addresses of one family from the first to the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Span {
    is_v6: bool,
    first: u128,
    last: u128,
}

impl Addresses {
    /// The addresses of a network; all there are where none is named.
    pub(crate) fn of(networks: &Networks, network: Option<NetworkId>) -> Self {
        let spans: Vec<Span> = match network {
            Some(network) => {
                let ranges = networks.get(network).map_or(&[][..], |network| &network.ranges);
                ranges.iter().map(Span::of).collect()
            }
            None => vec![
                Span { is_v6: false, first: 0, last: u128::from(u32::MAX) },
                Span { is_v6: true, first: 0, last: u128::MAX },
            ],
        };
        Self::merged(spans)
    }

    fn merged(mut spans: Vec<Span>) -> Self {
        spans.sort_unstable();
        let mut merged: Vec<Span> = Vec::new();
        for span in spans {
            match merged.last_mut().filter(|last| last.reaches(&span)) {
                Some(last) => last.last = last.last.max(span.last),
                None => merged.push(span),
            }
        }
        Self(merged)
    }

    /// The addresses in both.
    pub(crate) fn common(&self, other: &Self) -> Self {
        let meeting = self.0.iter().flat_map(|span| {
            other.0.iter().filter(|other| span.meets(other)).map(|other| Span {
                is_v6: span.is_v6,
                first: span.first.max(other.first),
                last: span.last.min(other.last),
            })
        });
        Self::merged(meeting.collect())
    }

    /// Whether some address is in both.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        // The first span of the other set that does not end before this one begins.
        self.0.iter().any(|span| {
            let at = other.0.partition_point(|o| (o.is_v6, o.last) < (span.is_v6, span.first));
            other.0.get(at).is_some_and(|other| span.meets(other))
        })
    }

    /// Whether every address of `other` is in this set.
    pub(crate) fn holds_all(&self, other: &Self) -> bool {
        other.0.iter().all(|inner| {
            let at = self.0.partition_point(|s| (s.is_v6, s.last) < (inner.is_v6, inner.first));
            self.0.get(at).is_some_and(|span| span.holds(inner))
        })
    }
}

impl Span {
    fn of(range: &IpNetwork) -> Self {
        let number = |address: IpAddr| match address {
            IpAddr::V4(address) => u128::from(u32::from(address)),
            IpAddr::V6(address) => u128::from(address),
        };
        let (first, last) = (number(range.network()), number(range.broadcast()));
        Self { is_v6: range.is_ipv6(), first, last }
    }

    /// Whether `next`, which does not begin before this span, continues it.
    fn reaches(&self, next: &Self) -> bool {
        self.is_v6 == next.is_v6 && next.first <= self.last.saturating_add(1)
    }

    fn meets(&self, other: &Self) -> bool {
        self.is_v6 == other.is_v6 && self.first <= other.last && other.first <= self.last
    }

    fn holds(&self, other: &Self) -> bool {
        self.is_v6 == other.is_v6 && self.first <= other.first && other.last <= self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(ranges: &[&str]) -> Addresses {
        let ranges = ranges.iter().map(|range| range.parse::<IpNetwork>().unwrap());
        Addresses::merged(ranges.map(|range| Span::of(&range)).collect())
    }

    #[test]
    fn halves_make_a_whole() {
        let whole = addresses(&["10.0.0.0/24", "2001:db8::/32"]);
        let halves = addresses(&["10.0.0.128/25", "2001:db8::/32", "10.0.0.0/25"]);
        assert_eq!(whole, halves);
        assert!(halves.holds_all(&addresses(&["10.0.0.64/26"])));
        assert!(!halves.holds_all(&addresses(&["10.0.0.0/23"])));
        assert_eq!(halves.common(&addresses(&["10.0.0.0/26", "::/0"])), {
            addresses(&["10.0.0.0/26", "2001:db8::/32"])
        });
    }

    #[test]
    fn families_are_apart_and_nothing_meets_nobody() {
        let all = Addresses::of(&Networks::default(), None);
        let nobody = addresses(&[]);
        assert!(!addresses(&["0.0.0.0/0"]).meets(&addresses(&["::/0"])));
        assert!(all.meets(&addresses(&["::1/128"])) && all.holds_all(&nobody));
        assert!(!all.meets(&nobody) && !nobody.holds_all(&all));
        assert_eq!(addresses(&["0.0.0.0/0", "::/0"]), all);
    }
}
