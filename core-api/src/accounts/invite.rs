//! Invite: an account whose owner chooses the password by a one-time link.

use std::time::Duration;

use super::book::Profile;
use super::name::{EmailAddress, NameError, Role, Username};
use super::opaque::{OpaqueToken, TokenHash};
use super::register::NewAccount;
use super::set_password::NewLink;
use crate::audit::{Action, Detail};
use crate::clock::Timestamp;
use crate::ids::AccountId;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::Write;

/// How long an invitation is good for.
pub(crate) const INVITATION_LIFE: Duration = Duration::from_hours(24);

/// The user name or the e-mail address is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the user name or the e-mail address is taken")]
pub(crate) struct Taken;

/// Somebody who is to have an account.
#[derive(Debug, Clone)]
pub(crate) struct NewUser {
    username: Username,
    email: EmailAddress,
    role: Role,
}

impl NewUser {
    pub(crate) fn parse(username: &str, email: &str, role: &str) -> Result<Self, NameError> {
        Ok(Self {
            username: Username::parse(username)?,
            email: EmailAddress::parse(email)?,
            role: Role::parse(role)?,
        })
    }
}

/// An account and its link, about to be.
#[derive(Debug, Clone)]
pub(crate) struct Invite {
    account: NewAccount,
    link: TokenHash,
}

impl Invite {
    pub(crate) fn new(id: AccountId, user: NewUser, link: &OpaqueToken) -> Self {
        let NewUser { username, email, role } = user;
        let profile = Profile::new(username, email, None);
        let account =
            NewAccount { id, profile, role, hash: None, demo: false, asked_for_proof: false };
        Self { account, link: link.hash() }
    }
}

impl Write for Invite {
    /// When the link stops being good.
    type Answer = Result<Timestamp, Taken>;

    fn wants(&self, wanted: &mut Wanted) {
        self.account.wants(wanted);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        self.account.decide(sheet).map_err(|_| Taken)?;
        let (hash, account) = (self.link, self.account.id);
        let expires_at = sheet.now.plus(INVITATION_LIFE);
        sheet.new.links.push(NewLink { hash, account, expires_at });
        sheet
            .audit(Action::AccountInvited, account)
            .detailed(Detail::role(self.account.role.as_str()));
        Ok(expires_at)
    }
}
