//! Accounts, throttles, revocations and messages of one batch: one implementation for both
//! databases, as each has its own type of connection. They differ in how they lock.

use std::collections::BTreeSet;

use sqlx::FromRow;
use uuid::Uuid;

use super::accounts::{parse_role, token_hash};
use super::whole;
use crate::accounts::{AccountRow, Factor, PasswordHash, RecoveryDigest, TokenHash};
use crate::clock::Timestamp;
use crate::ids::{Id as _, LetterId};
use crate::mail::Letter;
use crate::store::StoreError;
use crate::vault::Sealed;

/// Messages taken at once.
pub(in crate::store) const TAKEN_MAX: i64 = 16;

pub(in crate::store) const ROW: &str = "
    SELECT a.role, a.password_hash, a.disabled_at, a.tokens_not_before, a.email_verified_at,
           t.secret, t.pending, t.last_step,
           (SELECT count(*) FROM password_link WHERE account_id = a.id AND expires_at > $2)
               AS live_links
      FROM account AS a
      LEFT JOIN totp AS t ON t.account_id = a.id
     WHERE a.id = $1";

pub(in crate::store) const RECOVERY_CODES: &str =
    "SELECT digest FROM recovery_code WHERE account_id = $1";

pub(in crate::store) const CHALLENGES: &str =
    "SELECT hash, expires_at FROM login_challenge WHERE account_id = $1";

pub(in crate::store) const EMAIL_LINKS: &str =
    "SELECT hash, expires_at FROM email_link WHERE account_id = $1";

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

pub(in crate::store) const DELETE_EXPIRED_THROTTLES: &str = "
    DELETE FROM login_throttle
     WHERE key IN (SELECT key FROM login_throttle WHERE expires_at <= $1 LIMIT 10000)";

pub(in crate::store) const INSERT_EMAIL_LINK: &str = "
    INSERT INTO email_link (hash, account_id, expires_at)
    VALUES ($1, $2, $3)";

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
    INSERT INTO mail (id, message, attempts, due_at)
    VALUES ($1, $2, 0, $3)";

pub(in crate::store) const TAKE_LETTER: &str = "
    UPDATE mail
       SET attempts = $2, due_at = $3
     WHERE id = $1";

pub(in crate::store) const DELETE_LETTER: &str = "DELETE FROM mail WHERE id = $1";

#[derive(Debug, FromRow)]
pub(in crate::store) struct StoredRow {
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

pub(in crate::store) fn account_row(
    found: StoredRow,
    codes: Vec<Vec<u8>>,
    challenges: Vec<Until>,
    email_links: Vec<Until>,
) -> Result<AccountRow, StoreError> {
    let digest = |bytes: Vec<u8>| bytes.try_into().map(RecoveryDigest);
    let recovery: Result<BTreeSet<_>, _> = codes.into_iter().map(digest).collect();
    Ok(AccountRow {
        role: parse_role(&found.role)?,
        hash: found.password_hash.map(PasswordHash),
        disabled_at: found.disabled_at.map(Timestamp::from_micros),
        tokens_not_before: whole(found.tokens_not_before, "second")?,
        factor: Factor {
            secret: found.secret.map(Sealed),
            pending: found.pending.map(Sealed),
            last_step: whole(found.last_step.unwrap_or_default(), "time step")?,
            recovery: recovery.map_err(|_| StoreError::Unreadable("recovery code"))?,
        },
        challenges: challenges.into_iter().collect(),
        email_verified_at: found.email_verified_at.map(Timestamp::from_micros),
        email_links: email_links.into_iter().collect(),
        live_links: found.live_links.try_into().unwrap_or(u32::MAX),
    })
}

pub(in crate::store) fn letter((id, message, attempts): (Uuid, Vec<u8>, i64)) -> Letter {
    Letter {
        id: LetterId::from_uuid(id),
        message: Sealed(message),
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
            AccountBook, AccountRow, AccountsWanted, Revocation, Throttle, ThrottleKey,
        };
        use crate::clock::Timestamp;
        use crate::ids::{AccountId, Id as _};
        use crate::mail::Postbag;
        use crate::store::StoreError;
        use crate::store::rows::account_book::*;
        use crate::store::rows::accounts::{self, SESSION, SUBJECT};
        use crate::store::rows::signed;
        use crate::worksheet::Worksheet;

        pub(super) async fn load(
            connection: &mut $connection,
            wanted: &AccountsWanted,
            now: Timestamp,
        ) -> Result<AccountBook, StoreError> {
            lock(connection, wanted).await?;
            let mut rows = BTreeMap::new();
            for id in &wanted.ids {
                if let Some(row) = load_row(connection, *id, now).await? {
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
            id: AccountId,
            now: Timestamp,
        ) -> Result<Option<AccountRow>, StoreError> {
            let found = query_as(ROW).bind(id.uuid()).bind(now.micros());
            let Some(found) = found.fetch_optional(&mut *connection).await? else {
                return Ok(None);
            };
            let codes = query_scalar(RECOVERY_CODES).bind(id.uuid());
            let codes = codes.fetch_all(&mut *connection).await?;
            let challenges = tokens(connection, CHALLENGES, id).await?;
            let email_links = tokens(connection, EMAIL_LINKS, id).await?;
            account_row(found, codes, challenges, email_links).map(Some)
        }

        async fn tokens(
            connection: &mut $connection,
            statement: &'static str,
            id: AccountId,
        ) -> Result<Vec<Until>, StoreError> {
            let found = query_as(statement).bind(id.uuid()).fetch_all(connection).await?;
            found.into_iter().map(until).collect()
        }

        pub(super) async fn save(
            connection: &mut $connection,
            book: &AccountBook,
        ) -> Result<(), StoreError> {
            for (id, row) in book.changed() {
                save_row(connection, id, row).await?;
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
                    .bind(factor.secret.as_ref().map(|sealed| sealed.0.as_slice()))
                    .bind(factor.pending.as_ref().map(|sealed| sealed.0.as_slice()))
                    .bind(signed(factor.last_step))
                    .execute(&mut *connection)
                    .await?;
            }
            for code in &factor.recovery {
                let insert = query(INSERT_RECOVERY_CODE).bind(id.uuid()).bind(code.0.as_slice());
                insert.execute(&mut *connection).await?;
            }
            let challenges = row.challenges.iter().map(|token| (INSERT_CHALLENGE, token));
            let links = row.email_links.iter().map(|token| (INSERT_EMAIL_LINK, token));
            for (statement, (hash, until)) in challenges.chain(links) {
                let insert = query(statement).bind(hash.0.as_slice()).bind(id.uuid());
                insert.bind(until.micros()).execute(&mut *connection).await?;
            }
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
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            for new in &sheet.new.email_links {
                let insert = query(INSERT_EMAIL_LINK).bind(new.hash.0.as_slice());
                let insert = insert.bind(new.account.uuid()).bind(new.expires_at.micros());
                insert.execute(&mut *connection).await?;
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
            wanted: bool,
            now: Timestamp,
        ) -> Result<Postbag, StoreError> {
            if !wanted {
                return Ok(Postbag::default());
            }
            let found = query_as(DUE).bind(now.micros()).bind(TAKEN_MAX);
            let due = found.fetch_all(connection).await?.into_iter().map(letter).collect();
            Ok(Postbag { due, ..Postbag::default() })
        }

        pub(super) async fn save_mail(
            connection: &mut $connection,
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            for new in &sheet.mail.new {
                let insert = query(INSERT_LETTER).bind(new.id.uuid());
                let insert = insert.bind(new.message.0.as_slice()).bind(sheet.now.micros());
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
