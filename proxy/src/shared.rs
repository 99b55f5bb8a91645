//! What all workers share.

use std::sync::Arc;

use crate::config::ConnectionLimits;
use crate::live_policy::LivePolicy;
use crate::metrics::EdgeMetrics;
use crate::records::Records;
use crate::respond::Respond;
use crate::token::TokenVerifier;
use crate::upstream::Upstream;

/// The edge's collaborators, each replaced or counted on its own.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) policy: LivePolicy,
    pub(crate) tokens: TokenVerifier,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) respond: Respond,
    pub(crate) records: Records,
    pub(crate) metrics: Arc<EdgeMetrics>,
    pub(crate) limits: ConnectionLimits,
}
