//! What people are written.
//!
//! A link carries its token behind a `#`, which browsers keep to themselves: it stands in no
//! server's log.

use super::{Letter, Message};
use crate::accounts::{EmailAddress, OpaqueToken, Username};
use crate::ids::LetterId;
use crate::vault::{SealError, Vault};

/// Writes messages for one shop.
#[derive(Debug)]
pub(crate) struct Texts {
    site: String,
}

/// A message, who it is for, and how it is sealed.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    pub(crate) id: LetterId,
    pub(crate) to: &'a EmailAddress,
    pub(crate) username: &'a Username,
    pub(crate) token: &'a OpaqueToken,
    pub(crate) vault: &'a Vault,
}

impl Texts {
    pub(crate) fn new(site: &str) -> Self {
        Self { site: site.trim_end_matches('/').to_owned() }
    }

    /// Asks somebody to prove their address.
    pub(crate) fn verify_email(&self, written: &Written<'_>) -> Result<Letter, SealError> {
        let text = format!(
            "Hello {},\n\nto confirm that this address is yours, open\n\n  \
             {}/verify-email#{}\n\nwithin a day. If you did not register, nothing is to be done.\n",
            written.username.as_str(),
            self.site,
            written.token.as_str()
        );
        written.seal("Confirm your address", text)
    }

    /// Gives somebody a way to set their password.
    pub(crate) fn reset_password(&self, written: &Written<'_>) -> Result<Letter, SealError> {
        let text = format!(
            "Hello {},\n\nto set a new password, open\n\n  {}/reset-password#{}\n\nwithin half \
             an hour. It works once, and ends every session. If you did not ask for it, nothing \
             is to be done: your password stays as it is.\n",
            written.username.as_str(),
            self.site,
            written.token.as_str()
        );
        written.seal("Set a new password", text)
    }
}

impl Written<'_> {
    fn seal(&self, subject: &str, text: String) -> Result<Letter, SealError> {
        let to = self.to.as_str().to_owned();
        let message = Message { to, subject: subject.to_owned(), text };
        Letter::seal(self.id, &message, self.vault)
    }
}
