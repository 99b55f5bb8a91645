//! Names a decision: sortable by time, unique without asking the system for randomness.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock;

const COUNTER_BITS: u32 = 32;

/// 48 bits of milliseconds, 48 bits drawn once a process, 32 bits of a counter, in hex. Written
/// once, since it is told several times.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct DecisionId([u8; 32]);

impl DecisionId {
    pub(crate) fn next() -> Self {
        static PROCESS: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0) >> 16);
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let count = u128::from(COUNTER.fetch_add(1, Ordering::Relaxed)) & ((1 << COUNTER_BITS) - 1);
        let millis = u128::from(clock::unix_millis()) << 80;
        Self::of(millis | u128::from(*PROCESS) << COUNTER_BITS | count)
    }

    fn of(number: u128) -> Self {
        let digits = number.to_be_bytes().into_iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        let mut text = [b'0'; 32];
        for (place, digit) in text.iter_mut().zip(digits) {
            *place = if digit < 10 { b'0' + digit } else { b'a' - 10 + digit };
        }
        Self(text)
    }

    pub(crate) fn as_str(&self) -> &str {
        // INVARIANT: hex digits are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Debug for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DecisionId({self})")
    }
}

impl fmt::Display for DecisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
        assert_eq!(DecisionId::of(0xAB).to_string(), format!("{:032x}", 0xAB));
    }
}
