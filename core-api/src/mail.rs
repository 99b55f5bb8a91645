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

pub(crate) use post::{Post, PostError};
pub(crate) use postman::deliver_forever;
pub(crate) use text::{Texts, Written};

use crate::ids::{Id as _, LetterId};
use crate::vault::{Purpose, SealError, Sealed, Vault};

/// A message to somebody.
#[derive(Serialize, Deserialize)]
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

/// A message that waits.
#[derive(Debug, Clone)]
pub(crate) struct Letter {
    pub(crate) id: LetterId,
    pub(crate) message: Sealed,
    /// How often it was tried.
    pub(crate) attempts: u32,
}

impl Letter {
    /// Seals a message.
    pub(crate) fn seal(id: LetterId, message: &Message, vault: &Vault) -> Result<Self, SealError> {
        let bytes = serde_json::to_vec(message).map_err(|_| SealError::Cipher)?;
        let message = vault.seal(Purpose::Mail, id.uuid().as_bytes(), &bytes)?;
        Ok(Self { id, message, attempts: 0 })
    }

    /// The message; nothing where it was sealed with another key.
    fn open(&self, vault: &Vault) -> Option<Message> {
        let bytes = vault.open(Purpose::Mail, self.id.uuid().as_bytes(), &self.message)?;
        serde_json::from_slice(&bytes).ok()
    }
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
