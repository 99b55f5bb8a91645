//! Links that are sent by mail: how many of somebody's are good, and what ends them. Those that
//! the same batch has added count as those that were there before it.

use super::book::EmailLink;
use crate::ids::AccountId;
use crate::worksheet::Worksheet;

/// Links of one account that are good at once, of each kind: nobody's mailbox is filled by others.
const LINKS_MAX: usize = 3;

/// Whether another link to set a password may be sent.
pub(super) fn has_room_for_password_link(sheet: &Worksheet, account: AccountId) -> bool {
    let before = sheet.accounts.row(account).map_or(0, |row| row.live_links);
    let added = sheet.new.links.iter().filter(|new| new.account == account).count();
    usize::try_from(before).unwrap_or(usize::MAX).saturating_add(added) < LINKS_MAX
}

/// Whether another link to prove an address may be sent, where those count that `counts` picks.
pub(super) fn has_room_for_email_link(
    sheet: &Worksheet,
    account: AccountId,
    counts: impl Fn(&EmailLink) -> bool,
) -> bool {
    let before = sheet.accounts.row(account).into_iter().flat_map(|row| row.email_links.values());
    let added = sheet.new.email_links.iter().filter(|new| new.account == account);
    let links = before.chain(added.map(|new| &new.link));
    links.filter(|link| link.until > sheet.now && counts(link)).count() < LINKS_MAX
}

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
