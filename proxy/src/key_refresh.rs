//! Keeps the issuers' keys fresh, from the upstream, for as long as the edge runs.

use std::sync::Arc;
use std::time::Duration;

use stockade_contract::internal;
use stockade_telemetry::Readiness;
use tokio::sync::watch;

use crate::metrics::EdgeMetrics;
use crate::token::keys::{IssuerKeys, KeySet};
use crate::upstream::Upstream;

/// How often a good key set is asked for again.
const REFRESH_EVERY: Duration = Duration::from_secs(30);

/// How soon after a failure.
const RETRY_AFTER: Duration = Duration::from_millis(200);

/// Fetches until the edge stops; the edge is ready once every issuer has keys.
pub(crate) async fn run(
    upstream: Arc<Upstream>,
    issuers: Vec<Arc<IssuerKeys>>,
    metrics: Arc<EdgeMetrics>,
    readiness: Readiness,
    mut stop: watch::Receiver<bool>,
) {
    let mut told = false;
    loop {
        let fetched = fetch(&upstream, &issuers).await;
        metrics.keys_fetched(fetched.is_ok());
        let pause = match fetched {
            Ok(()) => {
                readiness.ready();
                told = false;
                REFRESH_EVERY
            }
            Err(error) => {
                if !told {
                    tracing::warn!(%error, "cannot fetch the upstream's keys; trying again");
                    told = true;
                }
                RETRY_AFTER
            }
        };
        if tokio::time::timeout(pause, stop.wait_for(|&stop| stop)).await.is_ok() {
            return;
        }
    }
}

async fn fetch(upstream: &Upstream, issuers: &[Arc<IssuerKeys>]) -> Result<(), String> {
    let bytes = upstream.ask(internal::JWKS).await.map_err(|error| error.to_string())?;
    for issuer in issuers {
        let keys = KeySet::parse(&bytes, &issuer.rules().algorithms);
        issuer.replace(keys.map_err(|error| error.to_string())?);
    }
    Ok(())
}
