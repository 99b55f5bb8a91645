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
use crate::record_text::{self, Texts};
use crate::shadow::{self, Tried};
use crate::token::Principal;

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
        let bundle = journey.policy.as_deref().map(|policy| &*policy.bundle);
        let route = journey.route.and_then(|route| bundle?.routes().get(route));
        let route_id = route.map_or("-", |route| route.id.as_str());
        let (duration, edge) = journey.durations();
        self.metrics.observe(route_id, journey, sent.status, (duration, edge));
        let refusal = journey.refusal.as_ref();
        let asking = journey.asking.as_ref();
        let mut texts = Texts::new();
        let client = texts.show(journey.client);
        let asked = bundle.zip(asking);
        let held = asked.and_then(|(bundle, asking)| record_text::held(bundle, asking));
        let held = held.map(|held| texts.names(held));
        let roles = asked.map(|(bundle, asking)| bundle.role_names(asking.activation.roles));
        let roles = texts.names(roles.into_iter().flatten());
        let conditions = asked.and_then(|(bundle, asking)| texts.conditions(bundle, route, asking));
        let tried = self.shadow(journey, route_id, sent.method);
        self.log.write(&DecisionRecord {
            time_ms: clock::unix_millis(),
            decision_id: journey.id.as_str(),
            method: sent.method,
            path: journey.path.as_deref().unwrap_or("-"),
            route: route_id,
            status: sent.status,
            code: refusal.map(|refusal| refusal.rejection.reason.code()),
            step: refusal.map(|refusal| refusal.step.name()),
            bytes: sent.bytes,
            duration_us: micros(duration),
            edge_us: micros(edge),
            client: texts.get(&client),
            account: asking.and_then(|asking| asking.caller.principal()).map(Principal::subject),
            held: held.as_ref().map(|part| texts.get(part)),
            roles: texts.get(&roles),
            mfa_s: asking.and_then(|asking| asking.at.mfa_age_secs),
            conditions: conditions.as_ref().map(|part| texts.get(part)),
            scope: journey.admission().map(|admission| admission.permit().scope().as_str()),
            user_agent: sent.user_agent.map(bounded),
            bundle: journey.policy.as_deref().map_or("-", |policy| &policy.hash),
            shadow_bundle: tried.map(|tried| tried.hash),
            shadow: tried.map(|tried| tried.words),
        });
    }

    /// What the policy that is tried would have decided, of a request that got as far as a route
    /// and a settled caller.
    fn shadow<'j>(&self, journey: &'j Journey, route: &str, method: &str) -> Option<Tried<'j>> {
        let (policy, asking) = (journey.policy.as_deref()?, journey.asking.as_ref()?);
        let tried = shadow::decide(policy, asking, method, journey.path.as_deref()?)?;
        self.metrics.policy.shadow_decided(route, tried.direction);
        Some(tried)
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
