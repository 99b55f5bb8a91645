//! Privacy: what is kept of people, for how long, and how it ends.
//!
//! | file | what |
//! |---|---|
//! | `privacy/class.rs` | the types of what is confidential |
//! | `privacy/columns.rs` | the class of every column, and what becomes of it |
//! | `privacy/consent.rs` | what somebody agreed to |
//! | `privacy/erase.rs` | the end of an account |
//! | `privacy/journal.rs` | the list of erased accounts, outside of the database |
//! | `privacy/replay.rs` | erasures that a restored backup has undone, done again |
//! | `privacy/retention.rs` | how long what is kept, and what removes it |
//! | `privacy/rewrap.rs` | data keys under the next key-encryption key |

mod class;
#[cfg(test)]
mod columns;
mod consent;
mod erase;
mod journal;
mod replay;
mod retention;
mod rewrap;

pub(crate) use class::{Confidential, SealedField, confidential_text};
#[cfg(test)]
pub(crate) use columns::classified;
pub(crate) use consent::{
    Consent, ConsentBook, ConsentError, DocumentVersion, NewConsent, NotAVersion, Purpose, decide,
};
#[cfg(test)]
pub(crate) use erase::Erase;
pub(crate) use erase::{By, EraseError, Erasure, Ties, erase};
pub(crate) use journal::{ErasureJournal, JournalError};
pub(crate) use replay::{ReplayError, replay};
pub(crate) use retention::{Overdue, RETENTION, Retained, keep_forever};
pub(crate) use rewrap::{Rewrap, RewrapError};
