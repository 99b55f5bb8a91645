//! The sweep: what has run out is put away, even when nobody asks for it.
//!
//! A sale sweeps the SKUs it sells by itself; this keeps what is shown as available right
//! for SKUs nobody is buying, and removes idempotency keys and sessions that are over.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::Write;

/// Half of the second after which what has run out is for sale again, also where it is shown.
const PERIOD: Duration = Duration::from_millis(500);

/// Puts away what has run out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sweep;

impl Write for Sweep {
    /// Whether any hold was given back.
    type Answer = bool;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.sweep = true;
    }

    fn decide(&self, sheet: &mut Worksheet) -> bool {
        sheet.sweep = true;
        !sheet.ended.is_empty()
    }
}

/// Sweeps whenever something is due, until it is dropped.
pub(crate) async fn sweep_forever(app: Arc<App>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // One sweep puts away a bounded part of what is due.
        while is_due(&app).await && sweep(&app).await {}
    }
}

async fn is_due(app: &App) -> bool {
    let due = app.store.anything_due(app.clock.now()).await;
    due.unwrap_or_else(|error| {
        tracing::warn!(error = ?error, "could not ask what is due");
        false
    })
}

/// Whether there may be more: what cannot be given back is left for `verify` to report.
async fn sweep(app: &App) -> bool {
    app.writer.submit(Sweep).await.unwrap_or_else(|error| {
        tracing::warn!(error = ?error, "could not sweep");
        false
    })
}
