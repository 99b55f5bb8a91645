//! Register: a new account, unless the name or the address is taken.

use super::name::{EmailAddress, NameError, Role, Username};
use super::password::{HashError, Password, PasswordHash, StrongPassword, WeakPassword};
use crate::app::App;
use crate::ids::AccountId;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why there is no new account.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RegisterError {
    #[error("the user name or the e-mail address is taken")]
    Taken,
    #[error("could not keep the password")]
    Hash(#[from] HashError),
    #[error("could not register")]
    Write(#[from] WriteError),
}

/// Why what was filled in is not a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotARegistration {
    #[error(transparent)]
    Name(#[from] NameError),
    #[error(transparent)]
    Password(#[from] WeakPassword),
}

/// What somebody fills in to have an account.
#[derive(Debug, Clone)]
pub(crate) struct Registration {
    username: Username,
    email: EmailAddress,
    password: StrongPassword,
    role: Role,
    demo: bool,
}

impl Registration {
    /// A customer who registers themselves.
    pub(crate) fn customer(
        username: &str,
        email: &str,
        password: Password,
    ) -> Result<Self, NotARegistration> {
        let username = Username::parse(username)?;
        let email = EmailAddress::parse(email)?;
        let password = password.strong_for(&username, &email)?;
        Ok(Self { username, email, password, role: Role::customer(), demo: false })
    }

    /// An account for trying things out, in any role.
    pub(crate) fn demo(
        username: &str,
        password: Password,
        role: &str,
    ) -> Result<Self, NotARegistration> {
        let email = format!("{username}@demo.invalid");
        let role = Role::parse(role)?;
        Ok(Self { role, demo: true, ..Self::customer(username, &email, password)? })
    }

    pub(crate) fn username(&self) -> &Username {
        &self.username
    }
}

/// An account about to be.
#[derive(Debug, Clone)]
pub(crate) struct NewAccount {
    pub(crate) id: AccountId,
    pub(crate) username: Username,
    pub(crate) email: EmailAddress,
    /// `None` until its owner chooses a password.
    pub(crate) hash: Option<PasswordHash>,
    pub(crate) role: Role,
    pub(crate) demo: bool,
}

/// Makes the account; its id is new.
pub(crate) async fn register(app: &App, wanted: Registration) -> Result<AccountId, RegisterError> {
    let hash = Some(app.passwords.hash(&wanted.password).await?);
    let id = app.ids.next(app.clock.now());
    let Registration { username, email, role, demo, .. } = wanted;
    app.writer.submit(NewAccount { id, username, email, hash, role, demo }).await??;
    Ok(id)
}

impl Write for NewAccount {
    type Answer = Result<(), RegisterError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.usernames.insert(self.username.folded());
        wanted.emails.insert(self.email.folded());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let (username, email) = (self.username.folded(), self.email.folded());
        if sheet.names.usernames.contains(&username) || sheet.names.emails.contains(&email) {
            return Err(RegisterError::Taken);
        }
        sheet.names.usernames.insert(username);
        sheet.names.emails.insert(email);
        sheet.new.accounts.push(self.clone());
        Ok(())
    }
}
