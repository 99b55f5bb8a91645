//! The throttle: guessing one account's password or codes gets slower with every failure.
//!
//! It is kept by a keyed digest of the name that was tried, whether or not there is such an
//! account: a lock that only existing names had would tell which exist.

use std::time::Duration;

use crate::clock::Timestamp;

/// Failures in a row that cost nothing but themselves.
const FREE_FAILURES: u32 = 5;

/// How long the first lock is; each further failure doubles it.
const FIRST_LOCK: Duration = Duration::from_secs(30);

/// Longest lock: whoever locks somebody else out does so for no longer.
const LOCK_MAX: Duration = Duration::from_mins(15);

/// Without a failure for so long, all are forgotten.
const MEMORY: Duration = Duration::from_hours(24);

/// The digest of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ThrottleKey(pub(crate) [u8; 32]);

/// How often a name was tried in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Throttle {
    pub(crate) failures: u32,
    pub(crate) locked_until: Timestamp,
    /// When it is forgotten.
    pub(crate) expires_at: Timestamp,
}

impl Throttle {
    /// Nobody has failed yet.
    pub(crate) const NEW: Self = Self {
        failures: 0,
        locked_until: Timestamp::from_micros(0),
        expires_at: Timestamp::from_micros(0),
    };

    /// How much longer nothing is tried, if it is locked.
    pub(crate) fn locked_for(&self, now: Timestamp) -> Option<Duration> {
        let micros = self.locked_until.micros().saturating_sub(now.micros());
        u64::try_from(micros).ok().filter(|micros| *micros > 0).map(Duration::from_micros)
    }

    /// The same after one more failure.
    #[must_use]
    pub(crate) fn failed(self, now: Timestamp) -> Self {
        let before = if self.expires_at <= now { 0 } else { self.failures };
        let failures = before.saturating_add(1);
        let lock = failures.checked_sub(FREE_FAILURES).map(|beyond| {
            let doubled = FIRST_LOCK.saturating_mul(1_u32.checked_shl(beyond).unwrap_or(u32::MAX));
            doubled.min(LOCK_MAX)
        });
        let locked_until = lock.map_or(Self::NEW.locked_until, |lock| now.plus(lock));
        Self { failures, locked_until, expires_at: now.plus(MEMORY) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fifth_failure_locks_and_each_further_one_for_longer() {
        let now = Timestamp::from_micros(1_800_000_000_000_000);
        let mut throttle = Throttle::NEW;
        let mut locks = Vec::new();
        for _ in 0..44 {
            throttle = throttle.failed(now);
            locks.push(throttle.locked_for(now).map_or(0, |lock| lock.as_secs()));
        }
        assert_eq!(locks[..11], [0, 0, 0, 0, 30, 60, 120, 240, 480, 900, 900]);
        assert_eq!(locks[43], 900);
        assert_eq!(throttle.locked_for(now.plus(LOCK_MAX)), None);
        let later = now.plus(MEMORY);
        assert_eq!(throttle.failed(later).failures, 1);
    }
}
