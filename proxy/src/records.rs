//! Turns a finished journey into its decision record and its metrics. The one place that does.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use stockade_audit::{DecisionRecord, RecordLog, bounded};
use tokio::sync::watch;

use crate::clock;
use crate::journey::Journey;
use crate::metrics::EdgeMetrics;

/// How often waiting records are written.
const FLUSH_EVERY: Duration = Duration::from_millis(100);

/// Where records go.
#[derive(Debug)]
pub(crate) struct Records {
    log: Arc<RecordLog>,
    metrics: Arc<EdgeMetrics>,
}

/// What the client was sent, in terms of no protocol.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent<'a> {
    pub(crate) method: &'a str,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
    pub(crate) user_agent: Option<&'a str>,
}

impl Records {
    pub(crate) fn new(log: Arc<RecordLog>, metrics: Arc<EdgeMetrics>) -> Self {
        Self { log, metrics }
    }

    /// Records one request, whoever answered it.
    pub(crate) fn record(&self, journey: &Journey, sent: Sent<'_>) {
        let policy = journey.policy.as_deref();
        let route = journey
            .route
            .and_then(|route| policy?.bundle.routes().get(route))
            .map_or("-", |route| route.id.as_str());
        let (duration, edge) = journey.durations();
        let refusal = journey.refusal.as_ref();
        let admission = journey.admission();
        let client = journey.client.to_string();
        self.metrics.observe(route, journey, sent.status, (duration, edge));
        self.log.write(&DecisionRecord {
            time_ms: clock::unix_millis(),
            decision_id: journey.id.as_str(),
            method: sent.method,
            path: journey.path.as_deref().unwrap_or("-"),
            route,
            status: sent.status,
            code: refusal.map(|refusal| refusal.rejection.reason.code()),
            step: refusal.map(|refusal| refusal.step.name()),
            bytes: sent.bytes,
            duration_us: micros(duration),
            edge_us: micros(edge),
            client: &client,
            account: admission.and_then(|a| a.caller.principal()).map(|who| who.subject()),
            roles: admission.map_or("", |admission| admission.permit().roles()),
            scope: admission.map(|admission| admission.permit().scope().as_str()),
            user_agent: sent.user_agent.map(bounded),
            bundle: policy.map_or("-", |policy| &policy.hash),
        });
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}

/// Opens the file that records are appended to; readable by its owner alone.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// Writes waiting records until the edge stops, and once more then.
pub(crate) async fn flush(
    log: Arc<RecordLog>,
    mut sink: Box<dyn Write + Send>,
    metrics: Arc<EdgeMetrics>,
    mut stop: watch::Receiver<bool>,
) {
    let mut failing = false;
    loop {
        let stopped = tokio::time::timeout(FLUSH_EVERY, stop.wait_for(|&stop| stop)).await.is_ok();
        match log.flush_to(&mut *sink) {
            Ok(()) => failing = false,
            Err(error) if !failing => {
                failing = true;
                tracing::error!(%error, "cannot write decision records; they are lost and counted");
            }
            Err(_) => {}
        }
        metrics.records_lost(log.lost());
        if stopped {
            return;
        }
    }
}
