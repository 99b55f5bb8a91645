//! The address ranges of networks: none at all, and ranges within others.

use ipnetwork::IpNetwork;

use super::in_routes;
use crate::finding::{Code, Findings};
use crate::network::{Network, Networks};

/// Notes networks that hold nobody, and ranges that add nothing to their network.
pub(super) fn note(networks: &Networks, findings: &mut Findings) {
    for network in networks.iter() {
        if network.ranges.is_empty() {
            let message = format!("the network `{}` has no range: it holds nobody", network.name);
            let fix = "write ranges, or remove what is kept to it";
            findings.add(Code::EmptyNetwork, in_routes(network.line), message, fix);
        }
        note_inner(network, findings);
    }
}

/// Notes every range that lies within another.
///
/// Ranges either nest or are apart, so by first address, wider ones first, each need only be
/// compared with the last one that lies in no other.
fn note_inner(network: &Network, findings: &mut Findings) {
    let mut ranges: Vec<&IpNetwork> = network.ranges.iter().collect();
    ranges.sort_unstable_by_key(|range| (range.network(), range.prefix()));
    let mut outer: Option<&IpNetwork> = None;
    for range in ranges {
        match outer.filter(|outer| outer.contains(range.network())) {
            Some(outer) => {
                let message = format!("`{range}` lies within `{outer}` of `{}`", network.name);
                let at = in_routes(network.line);
                findings.add(Code::OverlappingRanges, at, message, "remove the inner one");
            }
            None => outer = Some(range),
        }
    }
}
