//! Every metric the core exports. The names are promises.
//!
//! Labels come from closed sets: operations of the route table, status classes, problem
//! codes. Never an account, a SKU or a path.

use std::time::Duration;

use prometheus::{HistogramVec, IntCounterVec, IntGaugeVec, Registry};
use stockade_telemetry::metrics::Metrics;

use crate::outbox::JobKind;

const PREFIX: &str = "stockade_core";

const BATCH_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

const NO_LABELS: &[&str] = &[];

/// What placing an order comes to: what became of it, or the code of the refusal.
const ORDER_OUTCOMES: [&str; 10] = [
    "placed",
    "replayed",
    "out_of_stock",
    "price_changed",
    "cart_empty",
    "unknown_sku",
    "invalid_request",
    "idempotency_key_reused",
    "busy",
    "internal",
];

/// What opening a payment comes to.
const PAYMENT_OUTCOMES: [&str; 10] = [
    "opened",
    "replayed",
    "not_found",
    "order_state",
    "too_many_payments",
    "payments_unavailable",
    "payment_refused",
    "idempotency_key_reused",
    "busy",
    "internal",
];

/// What asking for a refund comes to.
const REFUND_OUTCOMES: [&str; 8] = [
    "accepted",
    "replayed",
    "not_found",
    "refund_too_large",
    "too_many_refunds",
    "idempotency_key_reused",
    "busy",
    "internal",
];

/// What becomes of a provider's event.
const WEBHOOK_OUTCOMES: [&str; 8] = [
    "applied",
    "duplicate",
    "ignored",
    "unreadable",
    "webhook_signature",
    "invalid_event",
    "busy",
    "internal",
];

/// What a login comes to.
const LOGIN_OUTCOMES: [&str; 12] = [
    "issued",
    "mfa_required",
    "wrong_code",
    "mfa_token_invalid",
    "factor_missing",
    "login_locked",
    "invalid_grant",
    "invalid_token_request",
    "unsupported_grant_type",
    "body_too_large",
    "busy",
    "internal",
];

/// What a refresh token comes to; `reused` is one that was spent already.
const REFRESH_OUTCOMES: [&str; 8] = [
    "issued",
    "reused",
    "invalid_grant",
    "invalid_token_request",
    "unsupported_grant_type",
    "body_too_large",
    "busy",
    "internal",
];

/// What an upload comes to: `stored`, or the code of the refusal.
const UPLOAD_OUTCOMES: [&str; 16] = [
    "stored",
    "not_found",
    "too_many_images",
    "unsupported_media_type",
    "invalid_form",
    "invalid_request",
    "body_too_large",
    "upload_timeout",
    "image_type_mismatch",
    "image_dimensions",
    "image_animated",
    "image_invalid",
    "image_infected",
    "image_service_unavailable",
    "busy",
    "internal",
];

/// What a scanner says of an image; `failed` is nothing, and then the image is not taken.
const SCAN_OUTCOMES: [&str; 3] = ["clean", "infected", "failed"];

/// What handing a message over comes to; one that failed is tried again.
const MAIL_OUTCOMES: [&str; 3] = ["sent", "failed", "given_up"];

/// The core's metrics, registered once and shared.
#[derive(Debug)]
pub(crate) struct CoreMetrics {
    requests: IntCounterVec,
    request_seconds: HistogramVec,
    assertions_rejected: IntCounterVec,
    orders: IntCounterVec,
    payments: IntCounterVec,
    refunds: IntCounterVec,
    webhooks: IntCounterVec,
    jobs: IntCounterVec,
    logins: IntCounterVec,
    refreshes: IntCounterVec,
    mails: IntCounterVec,
    image_uploads: IntCounterVec,
    image_scans: IntCounterVec,
    erasures: IntCounterVec,
    retention_overdue_seconds: IntGaugeVec,
    stock_low: IntCounterVec,
    password_hash_seconds: HistogramVec,
    write_batch_size: HistogramVec,
    write_batch_seconds: HistogramVec,
    write_queue_depth: IntGaugeVec,
    writes_refused: IntCounterVec,
    audit_rows: IntCounterVec,
    audit_uncovered_seconds: IntGaugeVec,
}

/// Why a request was not taken as the edge's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Distrust {
    Missing,
    Malformed,
    UnknownKey,
    BadSignature,
    Expired,
    OtherRequest,
    OtherPermission,
}

impl Distrust {
    const ALL: [Self; 7] = [
        Self::Missing,
        Self::Malformed,
        Self::UnknownKey,
        Self::BadSignature,
        Self::Expired,
        Self::OtherRequest,
        Self::OtherPermission,
    ];

    fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::BadSignature => "bad_signature",
            Self::Expired => "expired",
            Self::OtherRequest => "other_request",
            Self::OtherPermission => "other_permission",
        }
    }
}

/// How one request ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answer {
    /// From the route table, or `none` where no route was reached.
    pub(crate) operation: &'static str,
    pub(crate) status: u16,
    /// What an operation that is counted by its outcome came to.
    pub(crate) outcome: Option<Counted>,
    pub(crate) duration: Duration,
}

/// An operation that is counted by its outcome.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Counted {
    Order(&'static str),
    Payment(&'static str),
    Refund(&'static str),
    Webhook(&'static str),
    Login(&'static str),
    Refresh(&'static str),
    Upload(&'static str),
}

/// How an attempt at a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JobOutcome {
    Done,
    /// It is tried again later.
    Failed,
    /// It waits for a person.
    Dead,
}

impl JobOutcome {
    const ALL: [Self; 3] = [Self::Done, Self::Failed, Self::Dead];

    fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Dead => "dead",
        }
    }
}

impl CoreMetrics {
    /// Registers every metric; what is counted by a closed set is counted from 0.
    pub(crate) fn register(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self::register_under(&Metrics::under(registry, PREFIX))?;
        preset(&metrics.orders, &ORDER_OUTCOMES);
        preset(&metrics.payments, &PAYMENT_OUTCOMES);
        preset(&metrics.refunds, &REFUND_OUTCOMES);
        preset(&metrics.webhooks, &WEBHOOK_OUTCOMES);
        for kind in JobKind::ALL {
            for outcome in JobOutcome::ALL {
                metrics.jobs.with_label_values(&[kind.as_str(), outcome.as_str()]).inc_by(0);
            }
        }
        preset(&metrics.logins, &LOGIN_OUTCOMES);
        preset(&metrics.refreshes, &REFRESH_OUTCOMES);
        preset(&metrics.mails, &MAIL_OUTCOMES);
        metrics.writes_refused(0);
        metrics.acts_told(0);
        metrics.audit_uncovered(Duration::ZERO);
        preset(&metrics.image_uploads, &UPLOAD_OUTCOMES);
        preset(&metrics.image_scans, &SCAN_OUTCOMES);
        preset_plain(&metrics.erasures);
        preset_plain(&metrics.stock_low);
        preset(&metrics.assertions_rejected, &Distrust::ALL.map(Distrust::as_str));
        Ok(metrics)
    }

    #[expect(clippy::too_many_lines, reason = "a list of metrics, a few lines each")]
    fn register_under(metrics: &Metrics<'_>) -> Result<Self, prometheus::Error> {
        Ok(Self {
            requests: metrics.counter(
                "requests_total",
                "Requests answered.",
                &["operation", "status_class"],
            )?,
            request_seconds: metrics.histogram(
                "request_duration_seconds",
                "Time to answer.",
                &["operation"],
            )?,
            assertions_rejected: metrics.counter(
                "assertions_rejected_total",
                "Requests without an assertion that fits them.",
                &["reason"],
            )?,
            orders: metrics.counter("orders_total", "Orders asked for.", &["outcome"])?,
            payments: metrics.counter("payments_total", "Payments asked for.", &["outcome"])?,
            refunds: metrics.counter("refunds_total", "Refunds asked for.", &["outcome"])?,
            webhooks: metrics.counter(
                "webhooks_total",
                "Events that a payment provider sent.",
                &["outcome"],
            )?,
            jobs: metrics.counter(
                "jobs_total",
                "Attempts at jobs of the outbox.",
                &["kind", "outcome"],
            )?,
            logins: metrics.counter("logins_total", "Logins tried.", &["outcome"])?,
            refreshes: metrics.counter("refreshes_total", "Refresh tokens shown.", &["outcome"])?,
            mails: metrics.counter("mails_total", "Messages handed over.", &["outcome"])?,
            image_uploads: metrics.counter(
                "image_uploads_total",
                "Images sent by somebody.",
                &["outcome"],
            )?,
            image_scans: metrics.counter(
                "image_scans_total",
                "Images that the scanner was asked about.",
                &["outcome"],
            )?,
            erasures: metrics.counter("erasures_total", "Accounts erased.", NO_LABELS)?,
            retention_overdue_seconds: metrics.gauge(
                "retention_overdue_seconds",
                "How long the oldest row is kept beyond its time.",
                &["rule"],
            )?,
            stock_low: metrics.counter(
                "stock_low_total",
                "Movements that left no more of a SKU than its threshold.",
                NO_LABELS,
            )?,
            password_hash_seconds: metrics.histogram(
                "password_hash_seconds",
                "Time to hash one password, without waiting.",
                NO_LABELS,
            )?,
            write_batch_size: metrics.histogram_with(
                "write_batch_size",
                "Operations in one transaction.",
                NO_LABELS,
                BATCH_BUCKETS,
            )?,
            write_batch_seconds: metrics.histogram(
                "write_batch_seconds",
                "Time for one transaction.",
                NO_LABELS,
            )?,
            write_queue_depth: metrics.gauge(
                "write_queue_depth",
                "Operations still waiting when a batch was taken.",
                NO_LABELS,
            )?,
            writes_refused: metrics.counter(
                "writes_refused_total",
                "Operations that were not done, as they and what is told of them could not be \
                 written.",
                NO_LABELS,
            )?,
            audit_rows: metrics.counter(
                "audit_rows_total",
                "Rows added to the audit trail.",
                NO_LABELS,
            )?,
            audit_uncovered_seconds: metrics.gauge(
                "audit_uncovered_seconds",
                "How long rows of the audit trail have waited for a checkpoint that is told outside.",
                NO_LABELS,
            )?,
        })
    }

    /// Counts one answered request.
    pub(crate) fn answered(&self, answer: &Answer) {
        let labels = [answer.operation, status_class(answer.status)];
        self.requests.with_label_values(&labels).inc();
        let seconds = answer.duration.as_secs_f64();
        self.request_seconds.with_label_values(&[answer.operation]).observe(seconds);
        if let Some(counted) = answer.outcome {
            self.counted(counted);
        }
    }

    fn counted(&self, counted: Counted) {
        let (counter, known, outcome) = match counted {
            Counted::Order(outcome) => (&self.orders, ORDER_OUTCOMES.as_slice(), outcome),
            Counted::Payment(outcome) => (&self.payments, PAYMENT_OUTCOMES.as_slice(), outcome),
            Counted::Refund(outcome) => (&self.refunds, REFUND_OUTCOMES.as_slice(), outcome),
            Counted::Webhook(outcome) => (&self.webhooks, WEBHOOK_OUTCOMES.as_slice(), outcome),
            Counted::Login(outcome) => (&self.logins, LOGIN_OUTCOMES.as_slice(), outcome),
            Counted::Upload(outcome) => (&self.image_uploads, UPLOAD_OUTCOMES.as_slice(), outcome),
            Counted::Refresh(outcome) => (&self.refreshes, REFRESH_OUTCOMES.as_slice(), outcome),
        };
        debug_assert!(known.contains(&outcome), "the outcome `{outcome}` is not in its closed set");
        counter.with_label_values(&[outcome]).inc();
    }

    /// Counts a request whose assertion was not believed.
    pub(crate) fn assertion_rejected(&self, reason: Distrust) {
        self.assertions_rejected.with_label_values(&[reason.as_str()]).inc();
    }

    /// Counts an attempt at a job.
    pub(crate) fn job_ended(&self, kind: JobKind, outcome: JobOutcome) {
        self.jobs.with_label_values(&[kind.as_str(), outcome.as_str()]).inc();
    }

    /// Counts messages that were handed over, or not; the outcome is one of the closed set.
    pub(crate) fn mails(&self, outcome: &'static str, count: usize) {
        debug_assert!(MAIL_OUTCOMES.contains(&outcome), "`{outcome}` is not in its closed set");
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.mails.with_label_values(&[outcome]).inc_by(count);
    }

    /// Counts what the scanner said; the outcome is one of the closed set.
    pub(crate) fn image_scanned(&self, outcome: &'static str) {
        debug_assert!(SCAN_OUTCOMES.contains(&outcome), "`{outcome}` is not in its closed set");
        self.image_scans.with_label_values(&[outcome]).inc();
    }

    /// Counts an account that was erased.
    pub(crate) fn erased(&self) {
        self.erasures.with_label_values(NO_LABELS).inc();
    }

    /// How long the oldest row is overdue under a rule of the retention table.
    pub(crate) fn overdue(&self, rule: &'static str, age: Duration) {
        let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.retention_overdue_seconds.with_label_values(&[rule]).set(age);
    }

    pub(crate) fn password_hashed(&self, took: Duration) {
        self.password_hash_seconds.with_label_values(NO_LABELS).observe(took.as_secs_f64());
    }

    /// Counts movements that left a SKU low that was not.
    pub(crate) fn stock_lowered(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.stock_low.with_label_values(NO_LABELS).inc_by(count);
    }

    pub(crate) fn write_queue(&self, waiting: usize) {
        let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
        self.write_queue_depth.with_label_values(NO_LABELS).set(waiting);
    }

    /// Counts rows that were added to the audit trail.
    pub(crate) fn acts_told(&self, count: usize) {
        self.audit_rows
            .with_label_values(NO_LABELS)
            .inc_by(u64::try_from(count).unwrap_or(u64::MAX));
    }

    /// Counts operations that could not be written, nor told.
    pub(crate) fn writes_refused(&self, count: usize) {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        self.writes_refused.with_label_values(NO_LABELS).inc_by(count);
    }

    pub(crate) fn audit_uncovered(&self, age: Duration) {
        let secs = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.audit_uncovered_seconds.with_label_values(NO_LABELS).set(secs);
    }

    pub(crate) fn batch_written(&self, size: usize, took: Duration) {
        let size = u32::try_from(size).unwrap_or(u32::MAX);
        self.write_batch_size.with_label_values(NO_LABELS).observe(f64::from(size));
        self.write_batch_seconds.with_label_values(NO_LABELS).observe(took.as_secs_f64());
    }
}

fn preset(counter: &IntCounterVec, labels: &[&str]) {
    for label in labels {
        counter.with_label_values(&[label]).inc_by(0);
    }
}

fn preset_plain(counter: &IntCounterVec) {
    counter.with_label_values(NO_LABELS).inc_by(0);
}

fn status_class(status: u16) -> &'static str {
    match status / 100 {
        1 => "1xx",
        2 => "2xx",
        3 => "3xx",
        4 => "4xx",
        _ => "5xx",
    }
}
