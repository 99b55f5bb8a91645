//! Metrics of the policy: which one is in force, how reloads ended, and what is tried.

use prometheus::{IntCounterVec, IntGaugeVec};
use stockade_telemetry::metrics::Metrics;

use crate::shadow::Direction;

/// How a reload of the policy ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReloadResult {
    /// Another bundle is in force.
    Replaced,
    /// The folder held the bundle in force.
    Unchanged,
    /// The bundle is wrong, or not fit for this edge.
    Refused,
    /// The folder could not be read as one state.
    Failed,
}

impl ReloadResult {
    const ALL: [Self; 4] = [Self::Replaced, Self::Unchanged, Self::Refused, Self::Failed];

    fn as_str(self) -> &'static str {
        match self {
            Self::Replaced => "replaced",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Part of the edge's metrics.
#[derive(Debug)]
pub(crate) struct PolicyMetrics {
    bundle: IntGaugeVec,
    reloads: IntCounterVec,
    policy_refused: IntGaugeVec,
    shadow_decisions: IntCounterVec,
    shadow_limited: IntCounterVec,
}

impl PolicyMetrics {
    pub(super) fn register(metrics: &Metrics<'_>) -> Result<Self, prometheus::Error> {
        let this = Self {
            bundle: metrics.gauge(
                "policy_bundle_info",
                "The policy bundle in force; always 1.",
                &["hash"],
            )?,
            reloads: metrics.counter(
                "policy_reloads_total",
                "Reloads of the policy, by command or because its folder changed.",
                &["result"],
            )?,
            policy_refused: metrics.gauge(
                "policy_refused",
                "1 while the policy last reloaded is not in force, because it was refused.",
                &[],
            )?,
            shadow_decisions: metrics.counter(
                "shadow_decisions_total",
                "Decisions of the policy that is tried, by what they give beside the one in force.",
                &["route", "direction"],
            )?,
            shadow_limited: metrics.counter(
                "shadow_limited_total",
                "Requests that a limit in shadow mode would have refused.",
                &["limit"],
            )?,
        };
        for result in ReloadResult::ALL {
            this.reloads.with_label_values(&[result.as_str()]);
        }
        this.policy_refused.with_label_values::<&str>(&[]);
        Ok(this)
    }

    pub(crate) fn in_force(&self, hash: &str, before: Option<&str>) {
        self.bundle.with_label_values(&[hash]).set(1);
        if let Some(before) = before.filter(|before| *before != hash) {
            // One that is not there needs no dropping.
            drop(self.bundle.remove_label_values(&[before]));
        }
    }

    pub(crate) fn reloaded(&self, result: ReloadResult) {
        self.reloads.with_label_values(&[result.as_str()]).inc();
        let refused = match result {
            ReloadResult::Replaced | ReloadResult::Unchanged => 0,
            ReloadResult::Refused | ReloadResult::Failed => 1,
        };
        self.policy_refused.with_label_values::<&str>(&[]).set(refused);
    }

    pub(crate) fn shadow_decided(&self, route: &str, direction: Direction) {
        self.shadow_decisions.with_label_values(&[route, direction.as_str()]).inc();
    }

    pub(crate) fn shadow_limited(&self, limit: &str) {
        self.shadow_limited.with_label_values(&[limit]).inc();
    }

    pub(super) fn forget_route(&self, route: &str) {
        for direction in Direction::ALL {
            drop(self.shadow_decisions.remove_label_values(&[route, direction.as_str()]));
        }
    }

    /// Drops the series of a limit that is in no bundle any more.
    pub(crate) fn forget_limit(&self, limit: &str) {
        drop(self.shadow_limited.remove_label_values(&[limit]));
    }
}
