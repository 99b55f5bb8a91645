//! Making accounts from the command line, for those who run the shop: how the first
//! super-admin comes to be.
//!
//! It writes through a connection of its own, so it works while the core runs and while it
//! does not.

use std::fmt;

use stockade_settings::CoreSettings;

use crate::accounts::{
    Import, ImportError, Invite, NameError, NewUser, NoEntropy, NotAnImport, OpaqueToken, Taken,
};
use crate::alone::{AloneError, Missing};
use crate::audit::Origin;
use crate::clock::Timestamp;
use crate::writer::{Desk, WriteError};

/// Makes accounts in the core's database.
#[derive(Debug)]
pub struct UserAdmin {
    desk: Desk,
}

/// A link by which somebody sets their password, once.
pub struct Invitation {
    /// Goes to `POST /api/auth/password/reset`, and into no log.
    pub token: String,
    /// When it stops being good.
    pub expires_at: Timestamp,
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct UserError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error(transparent)]
    Open(#[from] AloneError),
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Taken(#[from] Taken),
    #[error(transparent)]
    Entropy(#[from] NoEntropy),
    #[error(transparent)]
    NotAnImport(#[from] NotAnImport),
    #[error(transparent)]
    Import(#[from] ImportError),
    #[error("could not make the account")]
    Write(#[from] WriteError),
}

impl UserAdmin {
    /// Opens the core's database with the keys the settings name; a SQLite one is made and
    /// brought up to date where need be.
    ///
    /// # Errors
    /// [`UserError`] when it cannot be opened.
    pub async fn open(settings: &CoreSettings) -> Result<Self, UserError> {
        Ok(Self { desk: Desk::alone(settings, Missing::Made).await.map_err(Cause::from)?.0 })
    }

    /// Makes the accounts of an earlier backend: one JSON object a line, with `username`,
    /// `email`, `password_hash` (bcrypt), `role` and, if there is one, `phone`. All are made or
    /// none; the number of those that were.
    ///
    /// # Errors
    /// [`UserError`] names the line that is at fault, or says that the database refuses.
    pub async fn import(&mut self, text: &str) -> Result<usize, UserError> {
        let now = self.desk.clock.now();
        let import = Import::parse(text, &self.desk.ids, now).map_err(Cause::from)?;
        let count = import.len();
        let made = Origin::operator().scope(self.desk.carry_out(import)).await;
        made.map_err(Cause::from)?.map_err(Cause::from)?;
        Ok(count)
    }

    /// Makes an account without a password, and the link by which its owner chooses one.
    ///
    /// # Errors
    /// [`UserError`] when a name breaks a rule or is taken, or the database refuses.
    pub async fn create(
        &mut self,
        username: &str,
        email: &str,
        role: &str,
    ) -> Result<Invitation, UserError> {
        let user = NewUser::parse(username, email, role).map_err(Cause::from)?;
        let link = OpaqueToken::generate().map_err(Cause::from)?;
        let id = self.desk.ids.next(self.desk.clock.now());
        let invite = self.desk.carry_out(Invite::new(id, user, &link));
        let made = Origin::operator().scope(invite).await;
        let expires_at = made.map_err(Cause::from)?.map_err(Cause::from)?;
        Ok(Invitation { token: link.as_str().to_owned(), expires_at })
    }
}
