//! Idempotency keys: a repeated request gets the first answer and has no second effect.
//!
//! A key belongs to one account and one operation and lives for a day. It is kept in the
//! transaction whose answer it keeps, so that neither exists without the other. A refusal
//! changes nothing and keeps no key: a retry is judged afresh.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::ids::AccountId;

/// How long a key is remembered.
pub(crate) const KEY_LIFE: Duration = Duration::from_hours(24);

/// Longest key, in characters.
pub(crate) const KEY_CHARS_MAX: usize = 255;

/// What a client calls one attempt: 1 to 255 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct IdempotencyKey(String);

/// The text is not an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an idempotency key is 1 to {KEY_CHARS_MAX} visible ASCII characters")]
pub(crate) struct NotAKey;

impl IdempotencyKey {
    pub(crate) fn parse(text: &str) -> Result<Self, NotAKey> {
        let fits = (1..=KEY_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if fits { Ok(Self(text.to_owned())) } else { Err(NotAKey) }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// An operation whose answers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum KeyedOperation {
    PlaceOrder,
    RecordMovement,
    OpenPayment,
    RefundPayment,
}

impl KeyedOperation {
    pub(crate) const ALL: [Self; 4] =
        [Self::PlaceOrder, Self::RecordMovement, Self::OpenPayment, Self::RefundPayment];

    /// The stable word in the database.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::PlaceOrder => "place_order",
            Self::RecordMovement => "record_movement",
            Self::OpenPayment => "open_payment",
            Self::RefundPayment => "refund_payment",
        }
    }
}

/// Which key of which account is meant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ClaimName {
    pub(crate) account: AccountId,
    pub(crate) operation: KeyedOperation,
    pub(crate) key: IdempotencyKey,
}

/// A key together with what was asked under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim {
    pub(crate) name: ClaimName,
    pub(crate) fingerprint: Fingerprint,
}

/// A hash over what was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u8; 32]);

impl Fingerprint {
    /// Over the meaning of a request, not its spelling.
    pub(crate) fn of(wanted: &impl Serialize) -> Self {
        // Plain values: serialising cannot fail, and an empty text would only refuse more.
        Self(Sha256::digest(serde_json::to_vec(wanted).unwrap_or_default()).into())
    }
}

/// An answer, and whether it was given before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answered<T> {
    First(T),
    Replayed(T),
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("the idempotency key was used for another request")]
    Reused,
    #[error("the answer kept under the idempotency key cannot be read")]
    Unreadable,
}

/// What is kept under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeptAnswer {
    pub(crate) fingerprint: Fingerprint,
    pub(crate) answer: String,
    pub(crate) expires_at: Timestamp,
}

/// The keys of one batch: those in force, and those the batch adds.
#[derive(Debug, Default)]
pub(crate) struct Claims {
    kept: BTreeMap<ClaimName, KeptAnswer>,
    fresh: Vec<ClaimName>,
}

impl Claims {
    /// The keys in force when the batch begins.
    pub(crate) fn loaded(kept: BTreeMap<ClaimName, KeptAnswer>) -> Self {
        Self { kept, fresh: Vec::new() }
    }

    /// The answer kept under this key, if there is one.
    pub(crate) fn find<T: DeserializeOwned>(&self, claim: &Claim) -> Result<Option<T>, ClaimError> {
        let Some(kept) = self.kept.get(&claim.name) else { return Ok(None) };
        if kept.fingerprint != claim.fingerprint {
            return Err(ClaimError::Reused);
        }
        serde_json::from_str(&kept.answer).map(Some).map_err(|_| ClaimError::Unreadable)
    }

    /// Keeps an answer, from now on and for the neighbours in the batch too.
    pub(crate) fn keep(
        &mut self,
        claim: &Claim,
        answer: &impl Serialize,
        now: Timestamp,
    ) -> Result<(), ClaimError> {
        let answer = serde_json::to_string(answer).map_err(|_| ClaimError::Unreadable)?;
        let expires_at = now.plus(KEY_LIFE);
        let kept = KeptAnswer { fingerprint: claim.fingerprint, answer, expires_at };
        self.kept.insert(claim.name.clone(), kept);
        self.fresh.push(claim.name.clone());
        Ok(())
    }

    /// What the batch adds.
    pub(crate) fn fresh(&self) -> impl Iterator<Item = (&ClaimName, &KeptAnswer)> {
        self.fresh.iter().filter_map(|name| Some((name, self.kept.get(name)?)))
    }
}
