//! The one reader of clocks in the edge.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Milliseconds since 1970 UTC.
#[expect(clippy::disallowed_methods, reason = "this is the clock that others ask")]
pub(crate) fn unix_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Seconds since 1970 UTC.
pub(crate) fn unix_secs() -> u64 {
    unix_millis() / 1000
}

/// Microseconds of a clock that never goes back, from a beginning of its own.
pub(crate) fn steady_micros() -> u64 {
    static BEGINNING: LazyLock<Instant> = LazyLock::new(Instant::now);
    u64::try_from(BEGINNING.elapsed().as_micros()).unwrap_or(u64::MAX)
}
