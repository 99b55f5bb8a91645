//! What the edge asks of a policy beyond its proof, at the start and at every reload alike.

use ipnetwork::IpNetwork;
use stockade_contract::internal;
use stockade_policy::Bundle;

use crate::config::overlap;

/// Why a policy that is right in itself is not fit for this edge.
#[derive(Debug, thiserror::Error)]
pub enum UnfitPolicy {
    /// A route reaches what is between edge and core alone.
    #[error(
        "routes.toml: the route `{0}` reaches what is between edge and core alone; no route may"
    )]
    InternalRoute(String),
    /// A role or route is kept to a network in which every client would seem to be.
    #[error(
        "routes.toml: the network `{0}` overlaps `edge.trusted_proxies`; list the clients' own networks, which are told apart behind a proxy"
    )]
    ProxyInPolicy(String),
}

/// Refuses a bundle that this edge must not serve.
pub(crate) fn check(bundle: &Bundle, proxies: &[IpNetwork]) -> Result<(), UnfitPolicy> {
    refuse_internal_routes(bundle)?;
    refuse_proxies(bundle, proxies)
}

fn refuse_internal_routes(bundle: &Bundle) -> Result<(), UnfitPolicy> {
    let prefix = internal::PREFIX.trim_end_matches('/');
    match bundle.routes().iter().find(|route| route.pattern.as_str().starts_with(prefix)) {
        Some(route) => Err(UnfitPolicy::InternalRoute(route.id.as_str().to_owned())),
        None => Ok(()),
    }
}

/// A client behind a proxy must never count as inside because the proxy is.
fn refuse_proxies(bundle: &Bundle, proxies: &[IpNetwork]) -> Result<(), UnfitPolicy> {
    let holds_one = |range: &IpNetwork| proxies.iter().any(|proxy| overlap(range, proxy));
    match bundle.networks().iter().find(|network| network.ranges.iter().any(holds_one)) {
        Some(network) => Err(UnfitPolicy::ProxyInPolicy(network.name.to_string())),
        None => Ok(()),
    }
}
