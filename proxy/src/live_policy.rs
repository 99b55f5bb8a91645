//! The policy in force: replaced whole or not at all.

use std::sync::Arc;

use arc_swap::ArcSwap;
use stockade_policy::Bundle;

use crate::response_headers::ResponseHeaders;

/// A proven bundle, with what is asked of it on every request written out once.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) bundle: Arc<Bundle>,
    /// The bundle's SHA-256 in hex.
    pub(crate) hash: Arc<str>,
    /// What answers say of themselves.
    pub(crate) headers: Arc<ResponseHeaders>,
}

impl InForce {
    pub(crate) fn new(bundle: Bundle) -> Self {
        let hash = bundle.hash().to_string().into();
        let headers = Arc::new(ResponseHeaders::of(bundle.headers()));
        Self { bundle: Arc::new(bundle), hash, headers }
    }
}

/// Where requests find the bundle they are judged by.
#[derive(Debug)]
pub(crate) struct LivePolicy {
    in_force: ArcSwap<InForce>,
}

impl LivePolicy {
    pub(crate) fn new(policy: InForce) -> Self {
        Self { in_force: ArcSwap::from_pointee(policy) }
    }

    /// The bundle in force now; a request keeps it to its end.
    pub(crate) fn current(&self) -> Arc<InForce> {
        self.in_force.load_full()
    }

    /// Puts another bundle in force, for requests that begin from now on.
    pub(crate) fn replace(&self, policy: InForce) {
        self.in_force.store(Arc::new(policy));
    }
}
