//! Sets of addresses: what one has that another lacks, and how to write it as ranges.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnetwork::IpNetwork;

/// Addresses of one family, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    pub(super) is_v6: bool,
    pub(super) first: u128,
    pub(super) last: u128,
}

/// A range as a span.
pub(super) fn span(range: IpNetwork) -> Span {
    let (first, last) = (number(range.network()), number(range.broadcast()));
    Span { is_v6: range.is_ipv6(), first, last }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// The address with this number.
pub(super) fn address(is_v6: bool, number: u128) -> IpAddr {
    match u32::try_from(number) {
        Ok(number) if !is_v6 => Ipv4Addr::from_bits(number).into(),
        _ => Ipv6Addr::from_bits(number).into(),
    }
}

/// What only `new` has, and what only `old` has, as ranges.
pub(super) fn difference(old: &[IpNetwork], new: &[IpNetwork]) -> (Vec<String>, Vec<String>) {
    let spans = |ranges: &[IpNetwork]| merged(ranges.iter().copied().map(span).collect());
    let (old, new) = (spans(old), spans(new));
    (written(&without(&new, &old)), written(&without(&old, &new)))
}

/// The same addresses in as few spans as there can be, in order.
fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(before)
                if before.is_v6 == span.is_v6 && span.first <= before.last.saturating_add(1) =>
            {
                before.last = before.last.max(span.last);
            }
            _ => merged.push(span),
        }
    }
    merged
}

/// What is left of `spans` without `taken`; both are merged.
fn without(spans: &[Span], taken: &[Span]) -> Vec<Span> {
    let mut left = Vec::new();
    for span in spans {
        let mut first = Some(span.first);
        for hole in taken.iter().filter(|hole| hole.is_v6 == span.is_v6) {
            let Some(start) = first.filter(|start| hole.last >= *start && hole.first <= span.last)
            else {
                continue;
            };
            if hole.first > start {
                left.push(Span { first: start, last: hole.first - 1, ..*span });
            }
            first = hole.last.checked_add(1).filter(|next| *next <= span.last);
        }
        left.extend(first.map(|first| Span { first, ..*span }));
    }
    left
}

/// The spans as ranges with prefixes, as few as there can be.
pub(super) fn written(spans: &[Span]) -> Vec<String> {
    let mut ranges = Vec::new();
    for span in merged(spans.to_vec()) {
        let width = if span.is_v6 { 128 } else { 32 };
        let mut first = Some(span.first);
        while let Some(start) = first {
            let aligned = start.trailing_zeros().min(width);
            let fitting = match (span.last - start).checked_add(1) {
                Some(count) => count.ilog2(),
                None => width,
            };
            let bits = aligned.min(fitting);
            ranges.push(format!("{}/{}", address(span.is_v6, start), width - bits));
            let next = 1_u128.checked_shl(bits).and_then(|count| start.checked_add(count));
            first = next.filter(|next| *next <= span.last);
        }
    }
    ranges
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(old: &[&str], new: &[&str], gained: &[&str], lost: &[&str]) {
        let parse = |texts: &[&str]| texts.iter().map(|t| t.parse().unwrap()).collect::<Vec<_>>();
        let (more, less) = difference(&parse(old), &parse(new));
        assert_eq!(
            (more, less),
            (
                gained.iter().map(|t| (*t).to_owned()).collect(),
                lost.iter().map(|t| (*t).to_owned()).collect()
            )
        );
    }

    #[test]
    fn ranges_are_compared_as_sets() {
        check(&["10.0.0.0/8"], &["10.0.0.0/9", "10.128.0.0/9"], &[], &[]);
        check(
            &["10.0.0.0/8"],
            &["10.1.0.0/16"],
            &[],
            &[
                "10.0.0.0/16",
                "10.2.0.0/15",
                "10.4.0.0/14",
                "10.8.0.0/13",
                "10.16.0.0/12",
                "10.32.0.0/11",
                "10.64.0.0/10",
                "10.128.0.0/9",
            ],
        );
        check(&["127.0.0.1/32"], &["127.0.0.1/32", "::1/128"], &["::1/128"], &[]);
        check(&[], &["0.0.0.0/0", "::/0"], &["0.0.0.0/0", "::/0"], &[]);
        check(
            &["255.255.255.255/32"],
            &["255.255.255.254/32"],
            &["255.255.255.254/32"],
            &["255.255.255.255/32"],
        );
        check(&["::/0"], &["::/1"], &[], &["8000::/1"]);
    }
}
