//! Tokens whose signature was verified, by their SHA-256.
//!
//! Bounded in size and time. The key covers the generation of the key sets, so that a changed
//! key set leaves every earlier entry behind. Failures are never remembered.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest::{Context, SHA256};
use moka::sync::Cache;

use super::Principal;

/// Tokens remembered at once.
const ENTRIES_MAX: u64 = 100_000;

/// How long a token is remembered without a new look at its signature.
const LIFETIME: Duration = Duration::from_secs(15 * 60);

/// Whether a token's signature had been verified before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheOutcome {
    Hit,
    Miss,
}

/// What a token is remembered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct TokenKey([u8; 32]);

impl TokenKey {
    pub(super) fn of(token: &str, generation: u64) -> Self {
        let mut context = Context::new(&SHA256);
        context.update(&generation.to_be_bytes());
        context.update(token.as_bytes());
        // SHA-256 is 32 bytes long; were it not, every token would be a miss of one key.
        Self(context.finish().as_ref().try_into().unwrap_or_default())
    }
}

#[derive(Debug)]
pub(super) struct TokenCache {
    verified: Cache<TokenKey, Arc<Principal>>,
}

impl TokenCache {
    pub(super) fn new() -> Self {
        let verified = Cache::builder().max_capacity(ENTRIES_MAX).time_to_live(LIFETIME).build();
        Self { verified }
    }

    pub(super) fn get(&self, key: &TokenKey) -> Option<Arc<Principal>> {
        self.verified.get(key)
    }

    pub(super) fn insert(&self, key: TokenKey, principal: Arc<Principal>) {
        self.verified.insert(key, principal);
    }
}
