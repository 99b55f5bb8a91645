//! What all workers share.

use std::sync::Arc;

use crate::bans::Bans;
use crate::client_addr::TrustedProxies;
use crate::config::ConnectionLimits;
use crate::limits::{Limiter, Quota};
use crate::live_policy::LivePolicy;
use crate::metrics::EdgeMetrics;
use crate::records::Records;
use crate::respond::Respond;
use crate::revocations::Revocations;
use crate::token::TokenVerifier;
use crate::upstream::Upstream;

/// The edge's collaborators, each replaced or counted on its own.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) policy: LivePolicy,
    pub(crate) tokens: TokenVerifier,
    pub(crate) revocations: Arc<Revocations>,
    pub(crate) proxies: TrustedProxies,
    pub(crate) bans: Arc<Bans>,
    pub(crate) limiter: Limiter,
    /// Bad tokens that one address may show.
    pub(crate) failure_quota: Quota,
    pub(crate) upstream: Arc<Upstream>,
    pub(crate) respond: Respond,
    pub(crate) records: Records,
    pub(crate) metrics: Arc<EdgeMetrics>,
    pub(crate) limits: ConnectionLimits,
}
