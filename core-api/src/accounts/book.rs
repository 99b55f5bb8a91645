//! Accounts as one batch of writes sees them: what is known of each, and what was changed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::name::{EmailAddress, FullName, PhoneNumber, Role, Username};
use super::opaque::TokenHash;
use super::password::PasswordHash;
use super::recovery::RecoveryDigest;
use super::throttle::{Throttle, ThrottleKey};
use super::totp::TotpSecret;
use crate::clock::Timestamp;
use crate::ids::AccountId;
use crate::vault::SubjectKey;
use crate::version::Version;

/// Logins of one account that may wait for their second factor at once; an older one goes.
const CHALLENGES_MAX: usize = 8;

/// What a batch asks for about accounts.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccountsWanted {
    pub(crate) ids: BTreeSet<AccountId>,
    /// Accounts whose sessions are looked at, and tell their role: nobody changes it meanwhile.
    pub(crate) held: BTreeSet<AccountId>,
    pub(crate) throttles: BTreeSet<ThrottleKey>,
    /// Also who else is a super-admin.
    pub(crate) super_admins: bool,
}

/// An account as one batch sees it.
#[derive(Debug, Clone)]
pub(crate) struct AccountRow {
    /// What is confidential of it is sealed under this.
    pub(crate) key: Arc<SubjectKey>,
    pub(crate) profile: Profile,
    pub(crate) role: Role,
    pub(crate) hash: Option<PasswordHash>,
    pub(crate) disabled_at: Option<Timestamp>,
    /// Tokens issued before this second are not believed any more.
    pub(crate) tokens_not_before: u64,
    pub(crate) factor: Factor,
    /// Logins that wait for their second factor, and until when.
    pub(crate) challenges: BTreeMap<TokenHash, Timestamp>,
    pub(crate) email_verified_at: Option<Timestamp>,
    /// Links to prove the address, and until when they are good.
    pub(crate) email_links: BTreeMap<TokenHash, EmailLink>,
    /// Links to set a password that are good.
    pub(crate) live_links: u32,
}

/// What an account's owner says of themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Profile {
    pub(crate) username: Username,
    pub(crate) email: EmailAddress,
    pub(crate) phone: Option<PhoneNumber>,
    pub(crate) full_name: Option<FullName>,
    /// Rises with every change of these.
    pub(crate) version: Version,
}

impl Profile {
    pub(crate) fn new(username: Username, email: EmailAddress, phone: Option<PhoneNumber>) -> Self {
        Self { username, email, phone, full_name: None, version: Version::FIRST }
    }
}

/// A link that was sent to an address, to prove it.
#[derive(Debug, Clone)]
pub(crate) struct EmailLink {
    pub(crate) until: Timestamp,
    /// The address, where it is not the account's yet.
    pub(crate) email: Option<EmailAddress>,
}

/// An account's second factor, if it has one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Factor {
    /// In force.
    pub(crate) secret: Option<TotpSecret>,
    /// Waits for its first code.
    pub(crate) pending: Option<TotpSecret>,
    /// The time step of the last code that was taken.
    pub(crate) last_step: u64,
    pub(crate) recovery: BTreeSet<RecoveryDigest>,
}

impl AccountRow {
    /// Whether it is a super-admin who can log in.
    fn is_super_admin(&self) -> bool {
        self.role.as_str() == Role::SUPER_ADMIN && self.disabled_at.is_none() && self.hash.is_some()
    }

    /// From now on, no token that was issued already is believed.
    pub(super) fn refuse_tokens_before(&mut self, now: Timestamp) {
        // Tokens tell whole seconds, so the next second is the first that is surely later.
        self.tokens_not_before = now.secs().saturating_add(1);
    }

    /// Adds a login that waits for its second factor.
    pub(super) fn challenge(&mut self, hash: TokenHash, now: Timestamp, life: Duration) {
        self.challenges.retain(|_, expires_at| *expires_at > now);
        while self.challenges.len() >= CHALLENGES_MAX {
            let oldest = self.challenges.iter().min_by_key(|(_, expires_at)| **expires_at);
            let Some(oldest) = oldest.map(|(hash, _)| *hash) else { break };
            self.challenges.remove(&oldest);
        }
        self.challenges.insert(hash, now.plus(life));
    }
}

/// Accounts and throttles in memory.
#[derive(Debug, Default)]
pub(crate) struct AccountBook {
    rows: BTreeMap<AccountId, AccountRow>,
    throttles: BTreeMap<ThrottleKey, Throttle>,
    /// Super-admins who can log in, where the batch asked for them.
    super_admins: BTreeSet<AccountId>,
    changed: BTreeSet<AccountId>,
    changed_profiles: BTreeSet<AccountId>,
    changed_throttles: BTreeSet<ThrottleKey>,
}

impl AccountBook {
    pub(crate) fn loaded(
        rows: BTreeMap<AccountId, AccountRow>,
        throttles: BTreeMap<ThrottleKey, Throttle>,
        super_admins: BTreeSet<AccountId>,
    ) -> Self {
        Self { rows, throttles, super_admins, ..Self::default() }
    }

    pub(crate) fn row(&self, id: AccountId) -> Option<&AccountRow> {
        self.rows.get(&id)
    }

    /// An account that is not disabled.
    pub(crate) fn active(&self, id: AccountId) -> Option<&AccountRow> {
        self.row(id).filter(|row| row.disabled_at.is_none())
    }

    /// An account that is about to be changed.
    pub(crate) fn change(&mut self, id: AccountId) -> Option<&mut AccountRow> {
        let row = self.rows.get_mut(&id);
        if row.is_some() {
            self.changed.insert(id);
        }
        row
    }

    /// What its owner says of themselves, about to be changed.
    pub(super) fn change_profile(&mut self, id: AccountId) -> Option<&mut Profile> {
        let row = self.rows.get_mut(&id)?;
        self.changed_profiles.insert(id);
        row.profile.version = row.profile.version.next();
        Some(&mut row.profile)
    }

    /// Forgets an account: whoever is decided next finds nobody there.
    pub(crate) fn forget(&mut self, id: AccountId) {
        self.rows.remove(&id);
        self.super_admins.remove(&id);
    }

    /// Whether nobody else could give roles any more.
    pub(crate) fn is_last_super_admin(&self, id: AccountId) -> bool {
        self.is_super_admin(id) && !self.has_other_super_admin(id)
    }

    fn is_super_admin(&self, id: AccountId) -> bool {
        self.super_admins.contains(&id)
    }

    fn has_other_super_admin(&self, id: AccountId) -> bool {
        self.super_admins.iter().any(|other| *other != id)
    }

    /// Counts a changed account as what it is now, for whoever is decided next.
    pub(super) fn count_super_admin(&mut self, id: AccountId) {
        if self.rows.get(&id).is_some_and(AccountRow::is_super_admin) {
            self.super_admins.insert(id);
        } else {
            self.super_admins.remove(&id);
        }
    }

    /// How much longer nothing is tried under this name.
    pub(crate) fn locked_for(&self, key: ThrottleKey, now: Timestamp) -> Option<Duration> {
        self.throttles.get(&key).and_then(|throttle| throttle.locked_for(now))
    }

    /// Notes a failure under this name.
    pub(crate) fn fail(&mut self, key: ThrottleKey, now: Timestamp) {
        let before = self.throttles.get(&key).copied().unwrap_or(Throttle::NEW);
        self.throttles.insert(key, before.failed(now));
        self.changed_throttles.insert(key);
    }

    /// Forgets what failed under this name.
    pub(crate) fn forgive(&mut self, key: ThrottleKey) {
        if self.throttles.remove(&key).is_some() {
            self.changed_throttles.insert(key);
        }
    }

    pub(crate) fn changed(&self) -> impl Iterator<Item = (AccountId, &AccountRow)> {
        self.changed.iter().filter_map(|id| self.rows.get(id).map(|row| (*id, row)))
    }

    pub(crate) fn changed_profiles(&self) -> impl Iterator<Item = (AccountId, &AccountRow)> {
        self.changed_profiles.iter().filter_map(|id| self.rows.get(id).map(|row| (*id, row)))
    }

    /// Throttles that were changed; nothing in place of one that was forgotten.
    pub(crate) fn changed_throttles(
        &self,
    ) -> impl Iterator<Item = (ThrottleKey, Option<&Throttle>)> {
        self.changed_throttles.iter().map(|key| (*key, self.throttles.get(key)))
    }
}
