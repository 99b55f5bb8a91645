//! Administer an account: its role, whether it may log in, the end of its sessions.
//!
//! There is always a super-admin who can log in: the last one stays, also when two are taken
//! away at the same time, as the writer looks at all of them in the transaction that changes one.

use super::book::AccountRow;
use super::name::Role;
use super::revocation::Revocation;
use crate::app::App;
use crate::audit::{Action, Detail};
use crate::ids::AccountId;
use crate::store::StoreError;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Why an account was not changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AdministerError {
    #[error("there is no such account")]
    Unknown,
    #[error("it is the last super-admin who can log in")]
    LastSuperAdmin,
    #[error("could not read the account")]
    Store(#[from] StoreError),
    #[error("could not change the account")]
    Write(#[from] WriteError),
}

/// What is to become of an account; what is left out stays.
#[derive(Debug, Clone)]
pub(crate) struct Administer {
    pub(crate) account: AccountId,
    pub(crate) role: Option<Role>,
    pub(crate) disabled: Option<bool>,
    pub(crate) end_sessions: bool,
}

/// Changes the account.
pub(crate) async fn administer(app: &App, wanted: Administer) -> Result<(), AdministerError> {
    app.writer.submit(wanted).await?
}

impl Administer {
    /// The role it will have, and whether it will be disabled.
    fn outcome(&self, row: &AccountRow) -> (Role, bool) {
        let role = self.role.clone().unwrap_or_else(|| row.role.clone());
        (role, self.disabled.unwrap_or(row.disabled_at.is_some()))
    }

    /// Tells that somebody tried to take the last super-admin away.
    fn refuse_last(&self, sheet: &mut Worksheet, changes_role: bool) {
        let action = if changes_role { Action::RoleChanged } else { Action::AccountDisabled };
        sheet.audit(action, self.account).refused(Detail::LastSuperAdmin);
    }
}

impl Write for Administer {
    type Answer = Result<(), AdministerError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.accounts.ids.insert(self.account);
        wanted.accounts.super_admins = true;
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let (now, id) = (sheet.now, self.account);
        let row = sheet.accounts.row(id).ok_or(AdministerError::Unknown)?.clone();
        let (role, disabled) = self.outcome(&row);
        let stays = role.as_str() == Role::SUPER_ADMIN && !disabled;
        if !stays && sheet.accounts.is_last_super_admin(id) {
            self.refuse_last(sheet, role != row.role);
            return Err(AdministerError::LastSuperAdmin);
        }
        let changes_role = role != row.role;
        let disables = disabled && row.disabled_at.is_none();
        let enables = !disabled && row.disabled_at.is_some();
        let ends = disables || self.end_sessions;
        if changes_role {
            sheet.audit(Action::RoleChanged, id).detailed(Detail::role(role.as_str()));
        }
        if disables || enables {
            let action = if disables { Action::AccountDisabled } else { Action::AccountEnabled };
            sheet.audit(action, id);
        }
        let row = sheet.accounts.change(id).ok_or(AdministerError::Unknown)?;
        row.role = role;
        row.disabled_at = disabled.then(|| row.disabled_at.unwrap_or(now));
        if changes_role || ends {
            row.refuse_tokens_before(now);
            let revoked = Revocation::of_subject(id, row);
            sheet.new.revocations.push(revoked);
        }
        sheet.accounts.count_super_admin(id);
        if ends {
            sheet.sessions.end_all(id);
            sheet.audit(Action::SessionsEnded, id);
        }
        Ok(())
    }
}
