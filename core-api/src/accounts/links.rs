//! Links that are sent by mail, and what ends them. Those that the same batch has added end as
//! those that were there before it.

use crate::ids::AccountId;
use crate::worksheet::Worksheet;

/// No link that was sent before sets a password any more.
pub(super) fn spend_password_links(sheet: &mut Worksheet, account: AccountId) {
    sheet.links.retain(|_, owner| *owner != account);
    sheet.new.spent_links.insert(account);
}

/// No link that was sent before proves an address any more.
pub(super) fn spend_email_links(sheet: &mut Worksheet, account: AccountId) {
    if let Some(row) = sheet.accounts.change(account) {
        row.email_links.clear();
    }
    sheet.new.email_links.retain(|new| new.account != account);
}

/// No link that was sent before puts another address in the place of the account's.
pub(super) fn end_email_changes(sheet: &mut Worksheet, account: AccountId) {
    if let Some(row) = sheet.accounts.change(account) {
        row.email_links.retain(|_, link| link.email.is_none());
    }
    sheet.new.email_links.retain(|new| new.account != account || new.link.email.is_none());
}
