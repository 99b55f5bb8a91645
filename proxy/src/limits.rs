//! Rate limits: who has spent how much of which quota.
//!
//! Each key's whole history is one number, the time at which its quota will be whole again
//! (the generic cell rate algorithm, ITU-T I.371): a quota can be spent in one burst and comes
//! back evenly, and there is no window at whose edge it could be spent twice.
//!
//! Memory is bounded. A table that is full first forgets keys whose quota is whole, which changes
//! nothing; keys that still find no place share one quota, so that a flood of addresses meets a
//! limit rather than none.

use std::collections::HashMap;
use std::hash::{
    BuildHasher as _, BuildHasherDefault, DefaultHasher, Hash as _, Hasher, RandomState,
};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};

use stockade_policy::Limit;
use stockade_settings::Authentication;

/// Keys remembered at once, in all.
const KEYS_MAX: usize = 256 * 1024;

/// The table is split, so that workers seldom wait for one another.
const SHARDS: usize = 16;

/// How often a full shard looks for keys to forget, in microseconds.
const SWEEP_EVERY_MICROS: u64 = 1_000_000;

/// Whose quota it is.
#[derive(Debug, Clone, Copy, Hash)]
pub(crate) enum Subject<'a> {
    Address(Option<IpAddr>),
    Principal(&'a str),
}

impl Subject<'_> {
    /// One IPv6 client is given a /64 at least; an unknown address is one of its own.
    pub(crate) fn address(address: Option<IpAddr>) -> Self {
        Self::Address(address.map(|address| match address.to_canonical() {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => {
                IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)))
            }
        }))
    }
}

/// How a subject stands with one limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Requests left now.
    pub(crate) remaining: u64,
    /// Seconds until the quota is whole again.
    pub(crate) reset_secs: u64,
    /// Seconds until one more request is admitted; `None` when it is now.
    pub(crate) retry_after_secs: Option<u64>,
}

/// A quota within a window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Quota {
    /// Tells one limit's keys from another's, also across bundles.
    pub(crate) id: u64,
    pub(crate) requests: u32,
    pub(crate) window_secs: u32,
}

impl Quota {
    /// The edge's own budget for bad tokens.
    pub(crate) fn of_failures(settings: &Authentication) -> Self {
        Self {
            id: id_of(""),
            requests: settings.failures_max.get(),
            window_secs: settings.failures_window_secs.get(),
        }
    }
}

impl From<&Limit> for Quota {
    fn from(limit: &Limit) -> Self {
        Self {
            id: id_of(limit.name.as_str()),
            requests: limit.quota.get(),
            window_secs: limit.window_secs.get(),
        }
    }
}

/// By name, so that a new bundle that moves a limit leaves what was spent with it. A limit has a
/// name; the edge's own budget has none.
fn id_of(name: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

/// Takes a key for its own hash, which it is: half of it, since the other half chose the shard.
#[derive(Debug, Default)]
struct KeyIsHash(u64);

impl Hasher for KeyIsHash {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u128(&mut self, key: u128) {
        self.0 = u64::try_from(key >> 64).unwrap_or_default();
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

#[derive(Debug, Default)]
struct Shard {
    /// When each key's quota is whole again, in microseconds.
    whole_at: HashMap<u128, u64, BuildHasherDefault<KeyIsHash>>,
    swept_at: u64,
}

/// Remembers what was spent.
#[derive(Debug)]
pub(crate) struct Limiter {
    shards: [Mutex<Shard>; SHARDS],
    hashers: [RandomState; 2],
    shard_keys_max: usize,
}

impl Limiter {
    pub(crate) fn new() -> Self {
        Self::with_room_for(KEYS_MAX)
    }

    fn with_room_for(keys: usize) -> Self {
        Self {
            shards: Default::default(),
            hashers: Default::default(),
            shard_keys_max: keys.div_ceil(SHARDS),
        }
    }

    /// Spends one request, if there is one left. `now` is in microseconds of a steady clock.
    pub(crate) fn spend(&self, quota: Quota, subject: Subject<'_>, now: u64) -> Standing {
        self.visit(quota, subject, now, |whole_at| {
            let standing = quota.standing(*whole_at, now);
            if standing.retry_after_secs.is_none() {
                *whole_at = whole_at.saturating_add(quota.interval_micros());
            }
            standing
        })
    }

    /// How the subject stands, spending nothing.
    pub(crate) fn look(&self, quota: Quota, subject: Subject<'_>, now: u64) -> Standing {
        let key = self.key(quota, subject);
        let shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        let noted = shard.whole_at.get(&key).copied().unwrap_or_default();
        quota.standing(quota.whole_at(noted, now), now)
    }

    fn visit<T>(
        &self,
        quota: Quota,
        subject: Subject<'_>,
        now: u64,
        spend: impl FnOnce(&mut u64) -> T,
    ) -> T {
        let key = self.key(quota, subject);
        let mut shard = self.shard(key).lock().unwrap_or_else(PoisonError::into_inner);
        let full = shard.whole_at.len() >= self.shard_keys_max;
        if full && shard.swept_at.saturating_add(SWEEP_EVERY_MICROS) <= now {
            shard.swept_at = now;
            shard.whole_at.retain(|_, whole_at| *whole_at > now);
        }
        let full = shard.whole_at.len() >= self.shard_keys_max;
        let known = shard.whole_at.contains_key(&key);
        let key = if full && !known { self.shared_key(quota) } else { key };
        let whole_at = shard.whole_at.entry(key).or_default();
        *whole_at = quota.whole_at(*whole_at, now);
        spend(whole_at)
    }

    fn shard(&self, key: u128) -> &Mutex<Shard> {
        let [first, rest @ ..] = &self.shards;
        let at = usize::try_from(key % SHARDS as u128).unwrap_or_default();
        at.checked_sub(1).and_then(|at| rest.get(at)).unwrap_or(first)
    }

    /// Keyed hashes: nobody outside can aim at another's key.
    fn key(&self, quota: Quota, subject: Subject<'_>) -> u128 {
        self.hash(&(quota.id, subject))
    }

    fn shared_key(&self, quota: Quota) -> u128 {
        self.hash(&(quota.id, "everybody without a place"))
    }

    fn hash(&self, value: &impl std::hash::Hash) -> u128 {
        let [high, low] = &self.hashers;
        u128::from(high.hash_one(value)) << 64 | u128::from(low.hash_one(value))
    }
}

impl Quota {
    fn window_micros(self) -> u64 {
        u64::from(self.window_secs) * 1_000_000
    }

    /// One request's share of the window.
    fn interval_micros(self) -> u64 {
        (self.window_micros() / u64::from(self.requests)).max(1)
    }

    /// When a key's quota is whole again. Under another bundle the limit may have had a longer
    /// window: nobody owes more than a whole quota.
    fn whole_at(self, noted: u64, now: u64) -> u64 {
        noted.clamp(now, now.saturating_add(self.window_micros()))
    }

    /// How a key stands that is whole at `whole_at` (not before `now`), before it spends.
    fn standing(self, whole_at: u64, now: u64) -> Standing {
        let after = whole_at - now + self.interval_micros();
        let secs = |micros: u64| micros.div_ceil(1_000_000);
        match self.window_micros().checked_sub(after) {
            Some(left) => Standing {
                remaining: left / self.interval_micros(),
                reset_secs: secs(after),
                retry_after_secs: None,
            },
            None => Standing {
                remaining: 0,
                reset_secs: secs(whole_at - now),
                retry_after_secs: Some(secs(after - self.window_micros()).max(1)),
            },
        }
    }
}

#[cfg(test)]
mod tests;
