//! The policy in force: replaced whole or not at all.

use std::sync::Arc;

use arc_swap::ArcSwap;
use stockade_policy::Bundle;

use crate::response_headers::ResponseHeaders;
use crate::shadow::{Candidate, Trial};

/// A proven bundle, with what is asked of it on every request written out once.
#[derive(Debug, Clone)]
pub(crate) struct InForce {
    pub(crate) bundle: Arc<Bundle>,
    /// The bundle's SHA-256 in hex.
    pub(crate) hash: Arc<str>,
    /// What answers say of themselves.
    pub(crate) headers: Arc<ResponseHeaders>,
    /// What is tried beside it.
    pub(crate) trial: Option<Arc<Trial>>,
}

impl InForce {
    pub(crate) fn new(bundle: Bundle) -> Self {
        let hash = bundle.hash().to_string().into();
        let headers = Arc::new(ResponseHeaders::of(bundle.headers()));
        let trial = Trial::beside(&bundle, None);
        Self { bundle: Arc::new(bundle), hash, headers, trial }
    }

    /// Tries a candidate beside this bundle; without one, what its own files try. Nothing is tried
    /// beside itself.
    pub(crate) fn try_beside(&mut self, candidate: Option<Candidate>) {
        let candidate = candidate.filter(|candidate| candidate.policy.hash != self.hash);
        self.trial = Trial::beside(&self.bundle, candidate);
    }

    pub(crate) fn candidate(&self) -> Option<&Candidate> {
        self.trial.as_ref()?.candidate()
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
