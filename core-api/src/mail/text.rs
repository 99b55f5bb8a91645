//! What people are written.
//!
//! A link carries its token behind a `#`, which browsers keep to themselves: it stands in no
//! server's log.

use super::{Letter, Message};
use crate::accounts::{Addressee, OpaqueToken};
use crate::ids::LetterId;

/// Writes messages for one shop.
#[derive(Debug)]
pub(crate) struct Texts {
    site: String,
}

/// A message with a link, and whom it is for.
#[derive(Debug)]
pub(crate) struct Written<'a> {
    pub(crate) id: LetterId,
    pub(crate) to: &'a Addressee,
    pub(crate) token: &'a OpaqueToken,
}

impl Texts {
    pub(crate) fn new(site: &str) -> Self {
        Self { site: site.trim_end_matches('/').to_owned() }
    }

    /// Asks somebody to prove their address.
    pub(crate) fn verify_email(&self, written: &Written<'_>) -> Letter {
        let text = format!(
            "Hello {},\n\nto confirm that this address is yours, open\n\n  \
             {}/verify-email#{}\n\nwithin a day. If you did not register, nothing is to be done.\n",
            written.to.username.as_str(),
            self.site,
            written.token.as_str()
        );
        written.letter("Confirm your address", text)
    }

    /// Tells somebody that another address is to be in the place of theirs.
    pub(crate) fn email_is_to_change(&self, id: LetterId, to: &Addressee) -> Letter {
        let text = format!(
            "Hello {},\n\nsomebody who is logged in to your account asked to replace this address \
             by another. If that was you, nothing is to be done. If not, set a new password, which \
             ends every session:\n\n  {}/forgot-password\n",
            to.username.as_str(),
            self.site,
        );
        letter(id, to, "Your address is to change", text)
    }

    /// Gives somebody a way to set their password.
    pub(crate) fn reset_password(&self, written: &Written<'_>) -> Letter {
        let text = format!(
            "Hello {},\n\nto set a new password, open\n\n  {}/reset-password#{}\n\nwithin half \
             an hour. It works once, and ends every session. If you did not ask for it, nothing \
             is to be done: your password stays as it is.\n",
            written.to.username.as_str(),
            self.site,
            written.token.as_str()
        );
        written.letter("Set a new password", text)
    }
}

impl Written<'_> {
    fn letter(&self, subject: &str, text: String) -> Letter {
        letter(self.id, self.to, subject, text)
    }
}

fn letter(id: LetterId, to: &Addressee, subject: &str, text: String) -> Letter {
    let address = to.email.as_str().to_owned();
    let message = Some(Message { to: address, subject: subject.to_owned(), text });
    Letter { id, account: to.account, message, attempts: 0 }
}
