//! Names a decision: sortable by time, unique without asking the system for randomness.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock;

const COUNTER_BITS: u32 = 32;

/// 48 bits of milliseconds, 48 bits drawn once a process, 32 bits of a counter, in hex.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecisionId(u128);

impl DecisionId {
    pub(crate) fn next() -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0) >> 16);
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = u128::from(COUNTER.fetch_add(1, Ordering::Relaxed)) & ((1 << COUNTER_BITS) - 1);
        let millis = u128::from(clock::unix_millis()) << 80;
        Self(millis | u128::from(*PROCESS) << COUNTER_BITS | count)
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_differ_and_sort_by_time() {
        let (first, second) = (DecisionId::next(), DecisionId::next());
        assert_ne!(first, second);
        assert!(first.to_string() < second.to_string());
        assert_eq!(first.to_string().len(), 32);
    }
}
