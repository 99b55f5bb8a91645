//! Register: a new account, unless the name or the address is taken.

use super::book::Profile;
use super::forgot_password::Addressee;
use super::name::{EmailAddress, NameError, PhoneNumber, Role, Username};
use super::opaque::NoEntropy;
use super::password::{HashError, Password, PasswordHash};
use super::strength::{Chooser, StrongPassword, WeakPassword};
use super::verify_email::EmailProof;
use crate::app::App;
use crate::audit::{Action, Detail};
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
    #[error(transparent)]
    Proof(#[from] NoEntropy),
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
    phone: Option<PhoneNumber>,
    password: StrongPassword,
    role: Role,
    demo: bool,
}

impl Registration {
    /// A customer who registers themselves.
    pub(crate) fn customer(
        username: &str,
        email: &str,
        phone: Option<&str>,
        password: Password,
    ) -> Result<Self, NotARegistration> {
        let username = Username::parse(username)?;
        let email = EmailAddress::parse(email)?;
        let phone = phone.map(PhoneNumber::parse).transpose()?;
        let who = Chooser { username: &username, email: &email, has_factor: false };
        let password = password.strong_for(who)?;
        Ok(Self { username, email, phone, password, role: Role::customer(), demo: false })
    }

    /// An account for trying things out, in any role.
    pub(crate) fn demo(
        username: &str,
        password: Password,
        role: &str,
    ) -> Result<Self, NotARegistration> {
        let email = format!("{username}@demo.invalid");
        let role = Role::parse(role)?;
        Ok(Self { role, demo: true, ..Self::customer(username, &email, None, password)? })
    }

    pub(crate) fn username(&self) -> &Username {
        &self.username
    }
}

/// An account about to be.
#[derive(Debug, Clone)]
pub(crate) struct NewAccount {
    pub(crate) id: AccountId,
    pub(crate) profile: Profile,
    /// `None` until its owner chooses a password.
    pub(crate) hash: Option<PasswordHash>,
    pub(crate) role: Role,
    pub(crate) demo: bool,
    /// Whether its owner is sent a link to prove the address, and loses the account who never
    /// does: whoever registers themselves.
    pub(crate) asked_for_proof: bool,
}

/// Makes the account; its id is new.
pub(crate) async fn register(app: &App, wanted: Registration) -> Result<AccountId, RegisterError> {
    let hash = Some(app.passwords.hash(&wanted.password).await?);
    let id = app.ids.next(app.clock.now());
    let Registration { username, email, phone, role, demo, .. } = wanted;
    let to = Addressee { account: id, username: username.clone(), email: email.clone() };
    // Nobody reads what a demo account is sent.
    let proof = if demo { None } else { Some(EmailProof::write(app, &to, None)?) };
    let profile = Profile::new(username, email, phone);
    let asked_for_proof = proof.is_some();
    let account = NewAccount { id, profile, hash, role, demo, asked_for_proof };
    app.writer.submit(Register { account, proof }).await??;
    Ok(id)
}

/// An account about to be, and the message that asks to prove its address.
#[derive(Debug)]
struct Register {
    account: NewAccount,
    proof: Option<EmailProof>,
}

impl Write for Register {
    type Answer = Result<(), RegisterError>;

    fn wants(&self, wanted: &mut Wanted) {
        self.account.wants(wanted);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        self.account.decide(sheet)?;
        if let Some(proof) = &self.proof {
            proof.send(self.account.id, sheet);
        }
        let role = Detail::role(self.account.role.as_str());
        sheet.audit(Action::AccountRegistered, self.account.id).detailed(role);
        Ok(())
    }
}

impl Write for NewAccount {
    type Answer = Result<(), RegisterError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.usernames.insert(self.profile.username.folded());
        wanted.emails.insert(self.profile.email.folded());
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let profile = &self.profile;
        let (username, email) = (profile.username.folded(), profile.email.folded());
        if sheet.names.usernames.contains(&username) || sheet.names.emails.contains(&email) {
            return Err(RegisterError::Taken);
        }
        sheet.names.usernames.insert(username);
        sheet.names.emails.insert(email);
        sheet.new.accounts.push(self.clone());
        Ok(())
    }
}
