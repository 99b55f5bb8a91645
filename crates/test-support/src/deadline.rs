//! Waiting without hoping: for a condition or an event, until a deadline, and never for the
//! mere passing of time.

use std::fmt::Display;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How long anything may take that should take moments. Generous: machines may be busy.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How often a condition is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Looks again and again, until there is something to see.
///
/// # Panics
/// When [`PATIENCE`] has passed.
pub async fn eventually<T>(what: impl Display, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Some(seen) = look() {
            return seen;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
    }
}

/// Asks again and again, until the answer is yes.
///
/// # Panics
/// When [`PATIENCE`] has passed.
pub async fn eventually_yes<F>(what: impl Display, mut ask: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let deadline = Instant::now() + PATIENCE;
    let mut tick = interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if soon(&what, ask()).await {
            return;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain: {what}");
    }
}

/// What a future gives, in time.
///
/// # Panics
/// When [`PATIENCE`] has passed.
pub async fn soon<F: Future>(what: impl Display, event: F) -> F::Output {
    match timeout(PATIENCE, event).await {
        Ok(output) => output,
        Err(_) => panic!("waited {PATIENCE:?} in vain: {what}"),
    }
}
