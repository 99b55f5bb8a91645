//! Every metric the edge exports. The names are promises.

mod policy;

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec, Registry};
use stockade_contract::outcome::Outcome;
use stockade_telemetry::metrics::Metrics;

pub(crate) use self::policy::{PolicyMetrics, ReloadResult};
use crate::guards::authenticate::Caller;
use crate::journey::Journey;
use crate::rejection::Reason;
use crate::token::CacheOutcome;

/// Why a connection never became a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Refused {
    Capacity,
    PerAddress,
    Handshake,
    HandshakeTimeout,
    Http2,
}

impl Refused {
    const ALL: [Self; 5] =
        [Self::Capacity, Self::PerAddress, Self::Handshake, Self::HandshakeTimeout, Self::Http2];

    fn as_str(self) -> &'static str {
        match self {
            Self::Capacity => "capacity",
            Self::PerAddress => "per_address",
            Self::Handshake => "handshake",
            Self::HandshakeTimeout => "handshake_timeout",
            Self::Http2 => "http2",
        }
    }
}

/// The edge's metrics, registered once and shared.
#[derive(Debug)]
pub(crate) struct EdgeMetrics {
    requests: IntCounterVec,
    rejections: IntCounterVec,
    request_seconds: HistogramVec,
    own_seconds: HistogramVec,
    connections: IntGaugeVec,
    refused: IntCounterVec,
    token_cache: IntCounterVec,
    outcomes: IntCounterVec,
    records_lost: IntGaugeVec,
    key_fetches: IntCounterVec,
    revocation_fetches: IntCounterVec,
    pub(crate) policy: PolicyMetrics,
}

impl EdgeMetrics {
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Metrics::under(registry, "stockade_edge");
        let own_buckets = [1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 5e-3, 2.5e-2, 0.1, 1.0];
        let this = Self {
            requests: metrics.counter(
                "requests_total",
                "Requests answered.",
                &["route", "status_class"],
            )?,
            rejections: metrics.counter("rejections_total", "Requests refused.", &["reason"])?,
            request_seconds: metrics.histogram(
                "request_duration_seconds",
                "Time from a request's head to the end of its answer.",
                &["route"],
            )?,
            own_seconds: metrics.histogram_with(
                "own_duration_seconds",
                "The part of a request's time that was not waiting for the upstream.",
                &[],
                &own_buckets,
            )?,
            connections: metrics.gauge("connections", "Connections open.", &["protocol"])?,
            refused: metrics.counter(
                "connections_refused_total",
                "Connections that never became a request.",
                &["reason"],
            )?,
            token_cache: metrics.counter(
                "token_cache_total",
                "Believed tokens, by whether the signature had been verified before.",
                &["result"],
            )?,
            outcomes: metrics.counter(
                "outcomes_total",
                "Outcomes that the upstream signalled.",
                &["outcome"],
            )?,
            records_lost: metrics.gauge(
                "decision_records_lost",
                "Decision records dropped since the start.",
                &[],
            )?,
            revocation_fetches: metrics.counter(
                "revocation_fetches_total",
                "Questions for the upstream's revocations, by their result.",
                &["result"],
            )?,
            key_fetches: metrics.counter(
                "key_fetches_total",
                "Fetches of the upstream's key set.",
                &["result"],
            )?,
            policy: PolicyMetrics::register(&metrics)?,
        };
        this.start_at_zero();
        Ok(this)
    }

    /// A series that appears with its first event hides that event from `rate()`.
    fn start_at_zero(&self) {
        for reason in Reason::ALL {
            self.rejections.with_label_values(&[reason.code()]);
        }
        for refused in Refused::ALL {
            self.refused.with_label_values(&[refused.as_str()]);
        }
        for outcome in Outcome::ALL {
            self.outcomes.with_label_values(&[outcome.as_str()]);
        }
        for result in ["hit", "miss"] {
            self.token_cache.with_label_values(&[result]);
        }
        for result in ["ok", "failed"] {
            self.key_fetches.with_label_values(&[result]);
            self.revocation_fetches.with_label_values(&[result]);
        }
        for protocol in ["h1", "h2"] {
            self.connections.with_label_values(&[protocol]);
        }
        self.records_lost.with_label_values::<&str>(&[]);
    }

    /// Counts one finished request.
    pub(crate) fn observe(
        &self,
        route: &str,
        journey: &Journey,
        status: u16,
        (total, own): (Duration, Duration),
    ) {
        self.requests.with_label_values(&[route, status_class(status)]).inc();
        self.request_seconds.with_label_values(&[route]).observe(total.as_secs_f64());
        self.own_seconds.with_label_values::<&str>(&[]).observe(own.as_secs_f64());
        if let Some(refusal) = &journey.refusal {
            self.rejections.with_label_values(&[refusal.rejection.reason.code()]).inc();
        }
        if let Some(outcome) = journey.outcome {
            self.outcomes.with_label_values(&[outcome.as_str()]).inc();
        }
        if let Some(Caller::Known { cached, .. }) = journey.asking.as_ref().map(|a| &a.caller) {
            let result = match cached {
                CacheOutcome::Hit => "hit",
                CacheOutcome::Miss => "miss",
            };
            self.token_cache.with_label_values(&[result]).inc();
        }
    }

    pub(crate) fn refused(&self, why: Refused) {
        self.refused.with_label_values(&[why.as_str()]).inc();
    }

    pub(crate) fn connections(&self, protocol: &'static str, change: i64) {
        self.connections.with_label_values(&[protocol]).add(change);
    }

    pub(crate) fn records_lost(&self, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.records_lost.with_label_values::<&str>(&[]).set(count);
    }

    pub(crate) fn keys_fetched(&self, ok: bool) {
        self.key_fetches.with_label_values(&[if ok { "ok" } else { "failed" }]).inc();
    }

    pub(crate) fn revocations_fetched(&self, ok: bool) {
        self.revocation_fetches.with_label_values(&[if ok { "ok" } else { "failed" }]).inc();
    }

    /// Drops the series of a route that is in no bundle any more.
    pub(crate) fn forget_route(&self, route: &str) {
        for class in STATUS_CLASSES {
            // One that is not there needs no dropping.
            drop(self.requests.remove_label_values(&[route, class]));
        }
        drop(self.request_seconds.remove_label_values(&[route]));
        self.policy.forget_route(route);
    }
}

const STATUS_CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "none"];

fn status_class(status: u16) -> &'static str {
    match status {
        200..=299 => "2xx",
        300..=399 => "3xx",
        400..=499 => "4xx",
        500..=599 => "5xx",
        _ => "none",
    }
}
