//! Mail: messages are written down together with what they speak of, and sent afterwards.
//!
//! A message waits, sealed, in the database until a server took it. It is tried again for some
//! hours, and may then arrive twice but is never lost without being counted.
//!
//! | file | what |
//! |---|---|
//! | `mail/text.rs` | what people are written |
//! | `mail/post.rs` | the server, or the folder, that takes messages |
//! | `mail/postman.rs` | the task that brings them there |

mod post;
mod postman;
mod text;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

pub(crate) use post::{Post, PostError};
pub(crate) use postman::deliver_forever;
pub(crate) use text::{Texts, Written};

use crate::ids::{AccountId, LetterId};
use crate::privacy::{Confidential, SealedField};

/// A message to somebody.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Message {
    pub(crate) to: String,
    pub(crate) subject: String,
    pub(crate) text: String,
}

impl std::fmt::Debug for Message {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Message(..)")
    }
}

impl Confidential for Message {
    const FIELD: SealedField = SealedField::Letter;

    fn to_plain(&self) -> Zeroizing<Vec<u8>> {
        // Texts alone: there is nothing that cannot be written.
        Zeroizing::new(serde_json::to_vec(self).unwrap_or_default())
    }

    fn from_plain(plain: &[u8]) -> Option<Self> {
        serde_json::from_slice(plain).ok()
    }
}

/// A message that waits.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) id: LetterId,
    /// Whom it is written to.
    pub(crate) account: AccountId,
    /// Nothing where it was sealed with another key.
    pub(crate) message: Option<Message>,
    /// How often it was tried.
    pub(crate) attempts: u32,
}

/// Messages of one batch.
#[derive(Debug, Default)]
pub(crate) struct Postbag {
    /// Those that are due, where the batch asked for them.
    pub(crate) due: Vec<Letter>,
    pub(crate) new: Vec<Letter>,
    /// Those that are handed over now, and when they are tried again unless they are gone.
    pub(crate) taken: Vec<(LetterId, u32, crate::clock::Timestamp)>,
    /// Those that were handed over, or given up.
    pub(crate) gone: Vec<LetterId>,
}
