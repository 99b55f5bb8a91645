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

/// The first second of a day of the proleptic Gregorian calendar, in seconds since 1970 UTC.
pub(crate) fn start_of_day(year: i32, month: i32, day: i32) -> f64 {
    // Months are counted from March, so that the leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469;
    f64::from(days) * 86_400.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_1970() {
        assert_eq!(start_of_day(1970, 1, 1), 0.0);
        assert_eq!(start_of_day(2000, 2, 29), 951_782_400.0);
        assert_eq!(start_of_day(2027, 6, 30), 1_814_313_600.0);
    }
}
