//! Acts as they are kept: rows of plain texts and numbers, each with its hash.
//!
//! A row's texts are kept as they were hashed, so that proving them needs no knowledge of the
//! closed sets: a later version proves what an earlier one wrote.

use stockade_audit::chain::{Digest, Head, link};

use super::act::Act;
use super::origin::Actor;
use super::read::Position;
use crate::clock::Timestamp;
use crate::ids::AccountId;

/// A row of the trail. A text that there is not is empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditRow {
    pub(crate) chain: u32,
    /// Counts the chain's rows, from 1.
    pub(crate) sequence: u64,
    pub(crate) at: Timestamp,
    /// An account's id, or who else.
    pub(crate) actor: String,
    pub(crate) roles: String,
    pub(crate) action: String,
    pub(crate) object_kind: String,
    pub(crate) object_id: String,
    pub(crate) outcome: String,
    pub(crate) detail: String,
    pub(crate) request: String,
    pub(crate) previous: Digest,
    pub(crate) hash: Digest,
}

impl AuditRow {
    /// The hash that fits its fields.
    pub(crate) fn computed(&self) -> Digest {
        link(
            &self.previous,
            &[
                &self.chain.to_be_bytes(),
                &self.sequence.to_be_bytes(),
                &self.at.micros().to_be_bytes(),
                self.actor.as_bytes(),
                self.roles.as_bytes(),
                self.action.as_bytes(),
                self.object_kind.as_bytes(),
                self.object_id.as_bytes(),
                self.outcome.as_bytes(),
                self.detail.as_bytes(),
                self.request.as_bytes(),
            ],
        )
    }

    /// Where it stands in a list, newest first.
    pub(crate) fn position(&self) -> Position {
        Position { at: self.at, chain: self.chain, sequence: self.sequence }
    }

    pub(crate) fn head(&self) -> Head {
        Head { chain: self.chain, sequence: self.sequence, hash: self.hash }
    }
}

/// The rows that follow `head`, and the head after them.
pub(crate) fn seal(head: Head, now: Timestamp, acts: &[Act]) -> (Vec<AuditRow>, Head) {
    let mut head = head;
    let mut rows = Vec::with_capacity(acts.len());
    for act in acts {
        let mut row = unsealed(head, now, act);
        row.hash = row.computed();
        head = row.head();
        rows.push(row);
    }
    (rows, head)
}

fn unsealed(head: Head, at: Timestamp, act: &Act) -> AuditRow {
    let (object_kind, object_id) = match act.object.0 {
        Some((kind, id)) => (kind.as_str(), id.hyphenated().to_string()),
        None => ("", String::new()),
    };
    AuditRow {
        chain: head.chain,
        sequence: head.sequence.saturating_add(1),
        at,
        actor: actor(act.actor),
        roles: act.origin.roles.clone(),
        action: act.action.as_str().to_owned(),
        object_kind: object_kind.to_owned(),
        object_id,
        outcome: act.outcome.as_str().to_owned(),
        detail: act.detail.map_or("", |detail| detail.as_str()).to_owned(),
        request: act.origin.request.clone(),
        previous: head.hash,
        hash: Digest::ZERO,
    }
}

/// Everybody who acts and has no account.
const WITHOUT_ACCOUNT: [Actor; 5] =
    [Actor::Anonymous, Actor::OtherIssuer, Actor::Edge, Actor::Operator, Actor::Core];

/// Whether rows can name somebody so.
pub(crate) fn is_actor(text: &str) -> bool {
    WITHOUT_ACCOUNT.iter().any(|one| actor(*one) == text) || text.parse::<AccountId>().is_ok()
}

fn actor(actor: Actor) -> String {
    match actor {
        Actor::Account(id) => id.to_string(),
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::OtherIssuer => "other_issuer".to_owned(),
        Actor::Edge => "edge".to_owned(),
        Actor::Operator => "operator".to_owned(),
        Actor::Core => "core".to_owned(),
    }
}
