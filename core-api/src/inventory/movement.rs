//! Movements: the entries of the ledger.

use serde::{Deserialize, Serialize};

use super::{Delta, Quantity, Units};
use crate::clock::Timestamp;
use crate::ids::{AccountId, MovementId, OrderId, ReservationId};
use crate::sku::Sku;

/// Longest note, in characters.
pub(crate) const NOTE_CHARS_MAX: usize = 500;

/// What somebody wrote beside a movement: 1 to [`NOTE_CHARS_MAX`] characters on one line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Note(String);

/// The text is not a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a note or a reason is 1 to {NOTE_CHARS_MAX} characters on one line")]
pub(crate) struct NotANote;

impl Note {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Note {
    type Error = NotANote;

    fn try_from(text: String) -> Result<Self, NotANote> {
        let fits = !text.trim().is_empty()
            && text.chars().count() <= NOTE_CHARS_MAX
            && !text.chars().any(char::is_control);
        if fits { Ok(Self(text)) } else { Err(NotANote) }
    }
}

/// Why stock moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MovementKind {
    Receive,
    Adjust,
    Stocktake,
    Reserve,
    Release,
    Expire,
    Commit,
    Return,
}

impl MovementKind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Receive,
        Self::Adjust,
        Self::Stocktake,
        Self::Reserve,
        Self::Release,
        Self::Expire,
        Self::Commit,
        Self::Return,
    ];

    /// The stable word in the database and in answers.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Receive => "receive",
            Self::Adjust => "adjust",
            Self::Stocktake => "stocktake",
            Self::Reserve => "reserve",
            Self::Release => "release",
            Self::Expire => "expire",
            Self::Commit => "commit",
            Self::Return => "return",
        }
    }
}

/// A movement that somebody enters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) enum ByHand {
    /// So much arrived.
    Receive { quantity: Quantity, note: Option<Note> },
    /// There is so much more or less than the books say.
    Adjust { delta: Delta, reason: Note },
    /// So much is there.
    Stocktake { counted: Units, reason: Note },
}

impl ByHand {
    /// What it does to a SKU of which so much is on hand.
    pub(crate) fn cause(&self, on_hand: i64) -> Cause {
        match self.clone() {
            Self::Receive { quantity, note } => Cause::Receive { quantity, note },
            Self::Adjust { delta, reason } => Cause::Adjust { delta, reason },
            Self::Stocktake { counted, reason } => {
                let difference = i64::from(counted).saturating_sub(on_hand);
                Cause::Stocktake { difference, reason }
            }
        }
    }
}

/// What becomes of a hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HoldStep {
    Reserve,
    Release,
    Expire,
    /// It is paid for.
    Commit,
    /// What it took came back.
    Return,
}

/// What moves stock, and by how much.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    Receive {
        quantity: Quantity,
        note: Option<Note>,
    },
    Adjust {
        delta: Delta,
        reason: Note,
    },
    /// Counted, less what the books said; 0 where they were right.
    Stocktake {
        difference: i64,
        reason: Note,
    },
    Hold {
        step: HoldStep,
        hold: ReservationId,
        quantity: Quantity,
    },
}

/// An entry to be added to the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Movement {
    pub(crate) id: MovementId,
    pub(crate) sku: Sku,
    pub(crate) cause: Cause,
    /// Who moved it, where a person did.
    pub(crate) account: Option<AccountId>,
}

impl Movement {
    pub(crate) fn kind(&self) -> MovementKind {
        match &self.cause {
            Cause::Receive { .. } => MovementKind::Receive,
            Cause::Adjust { .. } => MovementKind::Adjust,
            Cause::Stocktake { .. } => MovementKind::Stocktake,
            Cause::Hold { step: HoldStep::Reserve, .. } => MovementKind::Reserve,
            Cause::Hold { step: HoldStep::Release, .. } => MovementKind::Release,
            Cause::Hold { step: HoldStep::Expire, .. } => MovementKind::Expire,
            Cause::Hold { step: HoldStep::Commit, .. } => MovementKind::Commit,
            Cause::Hold { step: HoldStep::Return, .. } => MovementKind::Return,
        }
    }

    /// How many units move, whichever way.
    pub(crate) fn quantity(&self) -> i64 {
        match &self.cause {
            Cause::Adjust { delta, .. } => delta.quantity().units(),
            Cause::Stocktake { difference, .. } => difference.saturating_abs(),
            Cause::Receive { quantity, .. } | Cause::Hold { quantity, .. } => quantity.units(),
        }
    }

    /// How it changes what is on hand, and what is reserved.
    pub(crate) fn changes(&self) -> (i64, i64) {
        match &self.cause {
            Cause::Receive { quantity, .. } => (quantity.units(), 0),
            Cause::Adjust { delta, .. } => (delta.units(), 0),
            Cause::Stocktake { difference, .. } => (*difference, 0),
            Cause::Hold { step: HoldStep::Reserve, quantity, .. } => (0, quantity.units()),
            Cause::Hold { step: HoldStep::Release | HoldStep::Expire, quantity, .. } => {
                (0, -quantity.units())
            }
            Cause::Hold { step: HoldStep::Commit, quantity, .. } => {
                (-quantity.units(), -quantity.units())
            }
            Cause::Hold { step: HoldStep::Return, quantity, .. } => (quantity.units(), 0),
        }
    }

    /// The hold it takes or gives back.
    pub(crate) fn hold(&self) -> Option<ReservationId> {
        match &self.cause {
            Cause::Receive { .. } | Cause::Adjust { .. } | Cause::Stocktake { .. } => None,
            Cause::Hold { hold, .. } => Some(*hold),
        }
    }

    pub(crate) fn note(&self) -> Option<&Note> {
        match &self.cause {
            Cause::Receive { note, .. } => note.as_ref(),
            Cause::Adjust { .. } | Cause::Stocktake { .. } | Cause::Hold { .. } => None,
        }
    }

    pub(crate) fn reason(&self) -> Option<&Note> {
        match &self.cause {
            Cause::Adjust { reason, .. } | Cause::Stocktake { reason, .. } => Some(reason),
            Cause::Receive { .. } | Cause::Hold { .. } => None,
        }
    }
}

/// An entry of the ledger as it is shown.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) id: MovementId,
    pub(crate) kind: MovementKind,
    pub(crate) quantity: i64,
    pub(crate) on_hand_change: i64,
    pub(crate) reserved_change: i64,
    pub(crate) reservation: Option<ReservationId>,
    pub(crate) order: Option<OrderId>,
    pub(crate) note: Option<String>,
    pub(crate) reason: Option<String>,
    pub(crate) created_at: Timestamp,
}
