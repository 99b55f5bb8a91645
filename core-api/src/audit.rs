//! The audit trail: who did what, and who tried, as a chain that tells when somebody changes it.
//!
//! # To audit one more act
//!
//! 1. Add a variant to [`Action`] (`audit/action.rs`), and to `ObjectKind` if it is about a
//!    kind of thing that is not there yet.
//! 2. Where the change is decided, after the last check, add one line:
//!
//! ```text
//! sheet.audit(Action::ProductWithdrawn, self.id);
//! ```
//!
//! A refusal that matters is `sheet.audit(Action::LoginFailed, account).refused(Detail::...)`.
//!
//! That is all: who acts is carried beside the request ([`Origin`]) and comes to the worksheet
//! with the operation, and the row is part of the transaction of the change. So what is
//! acknowledged has its row, and what cannot be told is not done.
//!
//! # What a row can hold
//!
//! Ids that this program or the edge made, numbers, and words of closed sets. The types of an
//! [`Act`] have no room for anything that somebody typed, so no secret can slip in and erasing a
//! person leaves a trail that is still whole: an account's id is a pseudonym.
//!
//! Not told are carts, messages, refresh tokens that are good, and what time alone does: holds that
//! run out are in the ledger.
//!
//! # What it costs
//!
//! A hash for each act, and one more statement for each batch of writes. What fails without
//! changing anything, such as a wrong password, is told too, and bounded by what bounds guessing:
//! the [throttle](crate::accounts) of the name, the few passwords that are hashed at once, and
//! the edge's limits by address. Nothing is written while a name is locked.
//!
//! | file | what |
//! |---|---|
//! | `audit/action.rs` | the closed sets |
//! | `audit/origin.rs` | who acts |
//! | `audit/act.rs` | acts as a batch of writes decides them |
//! | `audit/row.rs` | acts as they are kept, and their hashes |
//! | `audit/checkpoint.rs` | heads that are signed, in the database and outside |
//! | `audit/keys.rs` | the keys that sign them |
//! | `audit/verify.rs` | the proof |
//! | `audit/read.rs` | reading, which is an act as well |

mod act;
mod action;
mod checkpoint;
mod keys;
mod origin;
mod read;
mod row;
mod verify;

pub(crate) use act::{Act, Object, Trail};
pub(crate) use action::{Action, Detail};
pub(crate) use checkpoint::{CheckpointBasis, CheckpointFile, checkpoint_forever, checkpoint_now};
pub(crate) use keys::{AuditKeyError, AuditKeys};
pub(crate) use origin::{ANONYMOUS, Origin};
pub(crate) use read::{Looked, Position, ReadError, exported, read, verify_lately};
pub(crate) use row::{AuditRow, is_actor, seal};
pub use verify::{Fault, TrailError, TrailPlace, TrailReport, verify_trail};
