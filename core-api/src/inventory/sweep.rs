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

const PERIOD: Duration = Duration::from_secs(1);

/// Puts away what has run out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sweep;

impl Write for Sweep {
    type Answer = ();

    fn wants(&self, wanted: &mut Wanted) {
        wanted.sweep = true;
    }

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.sweep = true;
    }
}

/// Sweeps whenever something is due, until it is dropped.
pub(crate) async fn sweep_forever(app: Arc<App>) {
    let mut ticks = interval(PERIOD);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match app.store.anything_due(app.clock.now()).await {
            Ok(false) => {}
            Ok(true) => {
                if let Err(error) = app.writer.submit(Sweep).await {
                    tracing::warn!(error = ?error, "could not sweep");
                }
            }
            Err(error) => tracing::warn!(error = ?error, "could not ask what is due"),
        }
    }
}
