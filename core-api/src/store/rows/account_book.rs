//! Accounts, throttles, revocations and messages of one batch: one implementation for both
//! databases, as each has its own type of connection. They differ in how they lock.

use std::collections::BTreeSet;

use sqlx::FromRow;
use uuid::Uuid;

use super::accounts::{parse_role, token_hash};
use super::sealing::{self, StoredProfile};
use super::whole;
use crate::accounts::{
    AccountRow, EmailLink, Factor, PasswordHash, RecoveryDigest, TokenHash, TotpSecret,
};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id as _, LetterId};
use crate::mail::Letter;
use crate::store::StoreError;
use crate::vault::{SubjectKey, Vault};

/// Messages taken at once.
pub(in crate::store) const TAKEN_MAX: i64 = 16;

pub(in crate::store) const ROW: &str = "
    SELECT a.id, k.wrapped, a.username, a.email, a.phone, a.full_name, a.version,
           a.role, a.password_hash, a.disabled_at, a.tokens_not_before, a.email_verified_at,
           t.secret, t.pending, t.last_step,
           (SELECT count(*) FROM password_link WHERE account_id = a.id AND expires_at > $2)
               AS live_links
      FROM account AS a
      JOIN data_key AS k ON k.account_id = a.id
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

pub(in crate::store) const RECOVERY_CODES: &str =
    "SELECT digest FROM recovery_code WHERE account_id = $1";

pub(in crate::store) const CHALLENGES: &str =
    "SELECT hash, expires_at FROM login_challenge WHERE account_id = $1";

pub(in crate::store) const EMAIL_LINKS: &str =
    "SELECT hash, expires_at, email FROM email_link WHERE account_id = $1";

pub(in crate::store) const SUPER_ADMINS: &str = "
    SELECT id
      FROM account
     WHERE role = 'super-admin'
       AND disabled_at IS NULL
       AND password_hash IS NOT NULL";

pub(in crate::store) const UPDATE_ACCOUNT: &str = "
    UPDATE account
       SET role = $2, password_hash = $3, disabled_at = $4, tokens_not_before = $5,
           email_verified_at = $6
     WHERE id = $1";

pub(in crate::store) const DELETE_TOTP: &str = "DELETE FROM totp WHERE account_id = $1";

pub(in crate::store) const INSERT_TOTP: &str = "
    INSERT INTO totp (account_id, secret, pending, last_step)
    VALUES ($1, $2, $3, $4)";

pub(in crate::store) const DELETE_RECOVERY_CODES: &str =
    "DELETE FROM recovery_code WHERE account_id = $1";

pub(in crate::store) const INSERT_RECOVERY_CODE: &str = "
    INSERT INTO recovery_code (account_id, digest)
    VALUES ($1, $2)";

pub(in crate::store) const DELETE_CHALLENGES: &str =
    "DELETE FROM login_challenge WHERE account_id = $1";

pub(in crate::store) const DELETE_EMAIL_LINKS: &str =
    "DELETE FROM email_link WHERE account_id = $1";

pub(in crate::store) const INSERT_CHALLENGE: &str = "
    INSERT INTO login_challenge (hash, account_id, expires_at)
    VALUES ($1, $2, $3)";

pub(in crate::store) const DELETE_THROTTLE: &str = "DELETE FROM login_throttle WHERE key = $1";

pub(in crate::store) const DELETE_EXPIRED_CHALLENGES: &str = "
    DELETE FROM login_challenge
     WHERE hash IN (SELECT hash FROM login_challenge WHERE expires_at <= $1 LIMIT 10000)";

pub(in crate::store) const DELETE_EXPIRED_EMAIL_LINKS: &str = "
    DELETE FROM email_link
     WHERE hash IN (SELECT hash FROM email_link WHERE expires_at <= $1 LIMIT 10000)";

/// Asked twice: PostgreSQL, after it waited for a login that fails again just then, looks again at
/// this row alone and not at what the list was made of.
pub(in crate::store) const DELETE_EXPIRED_THROTTLES: &str = "
    DELETE FROM login_throttle
     WHERE key IN (SELECT key FROM login_throttle WHERE expires_at <= $1 LIMIT 10000)
       AND expires_at <= $1";

pub(in crate::store) const INSERT_EMAIL_LINK: &str = "
    INSERT INTO email_link (hash, account_id, expires_at, email)
    VALUES ($1, $2, $3, $4)";

pub(in crate::store) const PUT_THROTTLE: &str = "
    INSERT INTO login_throttle (key, failures, locked_until, expires_at)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (key) DO UPDATE
       SET failures = excluded.failures, locked_until = excluded.locked_until,
           expires_at = excluded.expires_at";

/// Revocations are told one at a time, so the next number is one more than the last.
pub(in crate::store) const INSERT_REVOCATION: &str = "
    INSERT INTO revocation (seq, kind, id, not_before, created_at)
    SELECT coalesce(max(seq), 0) + 1, $1, $2, $3, $4
      FROM revocation";

pub(in crate::store) const INSERT_LETTER: &str = "
    INSERT INTO mail (id, account_id, message, attempts, due_at)
    VALUES ($1, $2, $3, 0, $4)";

pub(in crate::store) const TAKE_LETTER: &str = "
    UPDATE mail
       SET attempts = $2, due_at = $3
     WHERE id = $1";

pub(in crate::store) const DELETE_LETTER: &str = "DELETE FROM mail WHERE id = $1";

#[derive(Debug, FromRow)]
pub(in crate::store) struct StoredRow {
    #[sqlx(flatten)]
    profile: StoredProfile,
    role: String,
    password_hash: Option<String>,
    disabled_at: Option<i64>,
    tokens_not_before: i64,
    email_verified_at: Option<i64>,
    secret: Option<Vec<u8>>,
    pending: Option<Vec<u8>>,
    last_step: Option<i64>,
    live_links: i64,
}

/// A token, and until when it is good.
pub(in crate::store) type Until = (TokenHash, Timestamp);

pub(in crate::store) fn until((hash, until): (Vec<u8>, i64)) -> Result<Until, StoreError> {
    Ok((token_hash(hash)?, Timestamp::from_micros(until)))
}

/// A link to prove an address: its hash, its end, and the address where it is another.
pub(in crate::store) type StoredLink = (Vec<u8>, i64, Option<Vec<u8>>);

/// What is kept of an account beside its row.
#[derive(Debug)]
pub(in crate::store) struct Beside {
    pub(in crate::store) codes: Vec<Vec<u8>>,
    pub(in crate::store) challenges: Vec<(Vec<u8>, i64)>,
    pub(in crate::store) email_links: Vec<StoredLink>,
}

pub(in crate::store) fn account_row(
    vault: &Vault,
    found: StoredRow,
    beside: Beside,
) -> Result<AccountRow, StoreError> {
    let (_, key, profile) = sealing::profile(vault, found.profile)?;
    let digest = |bytes: Vec<u8>| bytes.try_into().map(RecoveryDigest);
    let recovery: Result<BTreeSet<_>, _> = beside.codes.into_iter().map(digest).collect();
    let open = |sealed: Option<Vec<u8>>| {
        sealed.map(|sealed| sealing::open::<TotpSecret>(&key, sealed)).transpose()
    };
    let factor = Factor {
        secret: open(found.secret)?,
        pending: open(found.pending)?,
        last_step: whole(found.last_step.unwrap_or_default(), "time step")?,
        recovery: recovery.map_err(|_| StoreError::Unreadable("recovery code"))?,
    };
    let link = |link| email_link(&key, link);
    let email_links = beside.email_links.into_iter().map(link).collect::<Result<_, _>>()?;
    Ok(AccountRow {
        profile,
        role: parse_role(&found.role)?,
        hash: found.password_hash.map(PasswordHash),
        disabled_at: found.disabled_at.map(Timestamp::from_micros),
        tokens_not_before: whole(found.tokens_not_before, "second")?,
        factor,
        challenges: beside.challenges.into_iter().map(until).collect::<Result<_, _>>()?,
        email_verified_at: found.email_verified_at.map(Timestamp::from_micros),
        email_links,
        live_links: found.live_links.try_into().unwrap_or(u32::MAX),
        key,
    })
}

fn email_link(
    key: &SubjectKey,
    (hash, until, email): StoredLink,
) -> Result<(TokenHash, EmailLink), StoreError> {
    let until = Timestamp::from_micros(until);
    let email = email.map(|sealed| sealing::open(key, sealed)).transpose()?;
    Ok((token_hash(hash)?, EmailLink { until, email }))
}

/// A message that waits: its id, whose it is, their key, the message, attempts.
pub(in crate::store) type StoredLetter = (Uuid, Uuid, Vec<u8>, Vec<u8>, i64);

pub(in crate::store) fn letter(
    vault: &Vault,
    (id, account, wrapped, message, attempts): StoredLetter,
) -> Letter {
    let account = AccountId::from_uuid(account);
    let key = sealing::key(vault, account, wrapped).ok();
    Letter {
        id: LetterId::from_uuid(id),
        account,
        message: key.and_then(|key| sealing::open(&key, message).ok()),
        attempts: attempts.try_into().unwrap_or(u32::MAX),
    }
}

/// Reads and writes for a type of connection. `lock` takes what is to be read for the batch
/// alone, `tell` makes revocations wait for each other, `DUE` selects messages to be handed over.
macro_rules! account_book {
    ($connection:ty) => {
        use std::collections::{BTreeMap, BTreeSet};

        use sqlx::{query, query_as, query_scalar};

        use crate::accounts::{
            AccountBook, AccountRow, AccountsWanted, EmailAddress, Revocation, Throttle,
            ThrottleKey, TokenHash,
        };
        use crate::clock::Timestamp;
        use crate::ids::{AccountId, Id as _};
        use crate::mail::Postbag;
        use crate::store::StoreError;
        use crate::store::rows::account_book::*;
        use crate::store::rows::accounts::{self, SESSION, SUBJECT};
        use crate::store::rows::{sealing, signed};
        use crate::vault::{SubjectKey, Vault};
        use crate::worksheet::Worksheet;

        pub(super) async fn load(
            connection: &mut $connection,
            vault: &Vault,
            wanted: &AccountsWanted,
            now: Timestamp,
        ) -> Result<AccountBook, StoreError> {
            lock(connection, wanted).await?;
            let mut rows = BTreeMap::new();
            for id in &wanted.ids {
                if let Some(row) = load_row(connection, vault, *id, now).await? {
                    rows.insert(*id, row);
                }
            }
            let mut throttles = BTreeMap::new();
            for key in &wanted.throttles {
                let found = query_as(accounts::THROTTLE).bind(key.0.as_slice());
                if let Some(found) = found.fetch_optional(&mut *connection).await? {
                    throttles.insert(*key, accounts::throttle(found)?);
                }
            }
            let mut super_admins = BTreeSet::new();
            if wanted.super_admins {
                let found = query_scalar(SUPER_ADMINS).fetch_all(connection).await?;
                super_admins.extend(found.into_iter().map(AccountId::from_uuid));
            }
            Ok(AccountBook::loaded(rows, throttles, super_admins))
        }

        async fn load_row(
            connection: &mut $connection,
            vault: &Vault,
            id: AccountId,
            now: Timestamp,
        ) -> Result<Option<AccountRow>, StoreError> {
            let found = query_as(ROW).bind(id.uuid()).bind(now.micros());
            let Some(found) = found.fetch_optional(&mut *connection).await? else {
                return Ok(None);
            };
            let codes = query_scalar(RECOVERY_CODES).bind(id.uuid());
            let codes = codes.fetch_all(&mut *connection).await?;
            let challenges = query_as(CHALLENGES).bind(id.uuid());
            let challenges = challenges.fetch_all(&mut *connection).await?;
            let email_links = query_as(EMAIL_LINKS).bind(id.uuid()).fetch_all(connection).await?;
            account_row(vault, found, Beside { codes, challenges, email_links }).map(Some)
        }

        /// The key of an account that is written to.
        pub(super) async fn key(
            connection: &mut $connection,
            vault: &Vault,
            account: AccountId,
        ) -> Result<SubjectKey, StoreError> {
            let found = query_scalar(sealing::KEY).bind(account.uuid());
            // Whoever was there a moment ago was erased meanwhile.
            let wrapped = found.fetch_optional(connection).await?.ok_or(StoreError::Conflict)?;
            sealing::key(vault, account, wrapped)
        }

        pub(super) async fn save(
            connection: &mut $connection,
            vault: &Vault,
            book: &AccountBook,
        ) -> Result<(), StoreError> {
            for (id, row) in book.changed() {
                save_row(connection, id, row).await?;
            }
            for (id, row) in book.changed_profiles() {
                save_profile(connection, vault, id, row).await?;
            }
            for (key, throttle) in book.changed_throttles() {
                save_throttle(connection, key, throttle).await?;
            }
            Ok(())
        }

        async fn save_row(
            connection: &mut $connection,
            id: AccountId,
            row: &AccountRow,
        ) -> Result<(), StoreError> {
            query(UPDATE_ACCOUNT)
                .bind(id.uuid())
                .bind(row.role.as_str())
                .bind(row.hash.as_ref().map(|hash| hash.0.as_str()))
                .bind(row.disabled_at.map(Timestamp::micros))
                .bind(signed(row.tokens_not_before))
                .bind(row.email_verified_at.map(Timestamp::micros))
                .execute(&mut *connection)
                .await?;
            let deletes =
                [DELETE_TOTP, DELETE_RECOVERY_CODES, DELETE_CHALLENGES, DELETE_EMAIL_LINKS];
            for statement in deletes {
                query(statement).bind(id.uuid()).execute(&mut *connection).await?;
            }
            let factor = &row.factor;
            if factor.secret.is_some() || factor.pending.is_some() {
                query(INSERT_TOTP)
                    .bind(id.uuid())
                    .bind(sealing::seal(&row.key, factor.secret.as_ref())?)
                    .bind(sealing::seal(&row.key, factor.pending.as_ref())?)
                    .bind(signed(factor.last_step))
                    .execute(&mut *connection)
                    .await?;
            }
            for code in &factor.recovery {
                let insert = query(INSERT_RECOVERY_CODE).bind(id.uuid()).bind(code.0.as_slice());
                insert.execute(&mut *connection).await?;
            }
            for (hash, until) in &row.challenges {
                let insert = query(INSERT_CHALLENGE).bind(hash.0.as_slice()).bind(id.uuid());
                insert.bind(until.micros()).execute(&mut *connection).await?;
            }
            for (hash, link) in &row.email_links {
                let email = sealing::seal(&row.key, link.email.as_ref())?;
                insert_email_link(connection, (*hash, id), link.until, email).await?;
            }
            Ok(())
        }

        async fn insert_email_link(
            connection: &mut $connection,
            (hash, account): (TokenHash, AccountId),
            until: Timestamp,
            email: Option<Vec<u8>>,
        ) -> Result<(), StoreError> {
            let insert = query(INSERT_EMAIL_LINK).bind(hash.0.as_slice()).bind(account.uuid());
            insert.bind(until.micros()).bind(email).execute(connection).await?;
            Ok(())
        }

        async fn save_profile(
            connection: &mut $connection,
            vault: &Vault,
            id: AccountId,
            row: &AccountRow,
        ) -> Result<(), StoreError> {
            let sealed = sealing::SealedProfile::seal(vault, &row.key, &row.profile)?;
            query(sealing::UPDATE_PROFILE)
                .bind(id.uuid())
                .bind(sealed.username)
                .bind(sealed.username_digest.to_vec())
                .bind(sealed.email)
                .bind(sealed.email_digest.to_vec())
                .bind(sealed.phone)
                .bind(sealed.full_name)
                .bind(row.profile.version.0)
                .execute(connection)
                .await?;
            Ok(())
        }

        async fn save_throttle(
            connection: &mut $connection,
            key: ThrottleKey,
            throttle: Option<&Throttle>,
        ) -> Result<(), StoreError> {
            match throttle {
                None => query(DELETE_THROTTLE).bind(key.0.as_slice()).execute(connection).await?,
                Some(throttle) => {
                    query(PUT_THROTTLE)
                        .bind(key.0.as_slice())
                        .bind(i64::from(throttle.failures))
                        .bind(throttle.locked_until.micros())
                        .bind(throttle.expires_at.micros())
                        .execute(connection)
                        .await?
                }
            };
            Ok(())
        }

        /// What is added beside accounts: links to prove an address, and revocations.
        pub(super) async fn save_additions(
            connection: &mut $connection,
            vault: &Vault,
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            for new in &sheet.new.email_links {
                let key = key(connection, vault, new.account).await?;
                let email = sealing::seal::<EmailAddress>(&key, new.link.email.as_ref())?;
                let link = (new.hash, new.account);
                insert_email_link(connection, link, new.link.until, email).await?;
            }
            if sheet.new.revocations.is_empty() {
                return Ok(());
            }
            tell(connection).await?;
            for revocation in &sheet.new.revocations {
                let (kind, id, not_before) = match revocation {
                    Revocation::Subject { account, not_before } => {
                        (SUBJECT, account.uuid(), Some(signed(*not_before)))
                    }
                    Revocation::Session(session) => (SESSION, session.uuid(), None),
                };
                let insert = query(INSERT_REVOCATION).bind(kind).bind(id).bind(not_before);
                insert.bind(sheet.now.micros()).execute(&mut *connection).await?;
            }
            Ok(())
        }

        pub(super) async fn load_mail(
            connection: &mut $connection,
            vault: &Vault,
            wanted: bool,
            now: Timestamp,
        ) -> Result<Postbag, StoreError> {
            if !wanted {
                return Ok(Postbag::default());
            }
            let found = query_as(DUE).bind(now.micros()).bind(TAKEN_MAX);
            let found = found.fetch_all(connection).await?.into_iter();
            let due = found.map(|found| letter(vault, found)).collect();
            Ok(Postbag { due, ..Postbag::default() })
        }

        pub(super) async fn save_mail(
            connection: &mut $connection,
            vault: &Vault,
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            for new in &sheet.mail.new {
                let key = key(connection, vault, new.account).await?;
                let message = sealing::seal(&key, new.message.as_ref())?;
                let insert = query(INSERT_LETTER).bind(new.id.uuid()).bind(new.account.uuid());
                let insert = insert.bind(message).bind(sheet.now.micros());
                insert.execute(&mut *connection).await?;
            }
            for (id, attempts, due_at) in &sheet.mail.taken {
                let take = query(TAKE_LETTER).bind(id.uuid()).bind(i64::from(*attempts));
                take.bind(due_at.micros()).execute(&mut *connection).await?;
            }
            for id in &sheet.mail.gone {
                query(DELETE_LETTER).bind(id.uuid()).execute(&mut *connection).await?;
            }
            Ok(())
        }

        pub(super) async fn remove_expired(
            connection: &mut $connection,
            now: Timestamp,
        ) -> Result<(), StoreError> {
            let expired =
                [DELETE_EXPIRED_CHALLENGES, DELETE_EXPIRED_EMAIL_LINKS, DELETE_EXPIRED_THROTTLES];
            for statement in expired {
                query(statement).bind(now.micros()).execute(&mut *connection).await?;
            }
            Ok(())
        }
    };
}

pub(in crate::store) use account_book;
