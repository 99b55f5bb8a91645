//! Consents, erasures and data keys: one implementation for both databases, as each has its own
//! type of connection.

use sqlx::FromRow;
use uuid::Uuid;

use crate::accounts::SessionOf;
use crate::clock::Timestamp;
use crate::ids::{AccountId, ConsentId, Id as _, SessionId};
use crate::privacy::{Consent, DocumentVersion, Erasure, Overdue, Purpose, Retained};
use crate::store::StoreError;

/// Data keys rewrapped at once.
pub(in crate::store) const KEYS_MAX: i64 = 256;

pub(in crate::store) const TIES_OF: &str = "
    SELECT count(*) FILTER (WHERE state IN ('pending_payment', 'paid', 'fulfilling')), count(*),
           (SELECT count(*) FROM session WHERE account_id = $1)
      FROM orders
     WHERE account_id = $1";

pub(in crate::store) const LAST_CONSENTS: &str = "
    SELECT c.purpose, c.version, c.given,
           (SELECT count(*) FROM consent WHERE account_id = $1 AND given) AS times
      FROM consent AS c
     WHERE c.account_id = $1
       AND NOT EXISTS (SELECT 1
                         FROM consent AS n
                        WHERE n.account_id = $1
                          AND n.purpose = c.purpose
                          AND n.id > c.id)";

pub(in crate::store) const INSERT_CONSENT: &str = "
    INSERT INTO consent (id, account_id, purpose, version, given, created_at)
    VALUES ($1, $2, $3, $4, $5, $6)";

pub(in crate::store) const CONSENTS: &str = "
    SELECT id, purpose, version, given, created_at
      FROM consent
     WHERE account_id = $1
       AND id > $2
     ORDER BY id
     LIMIT $3";

pub(in crate::store) const SESSIONS_OF: &str = "
    SELECT id, created_at, expires_at, ended_at, second_factor_at
      FROM session
     WHERE account_id = $1
       AND id > $2
     ORDER BY id
     LIMIT $3";

pub(in crate::store) const LETTERS_OF: &str = "
    SELECT m.id, m.account_id, k.wrapped, m.message, m.attempts
      FROM mail AS m
      JOIN data_key AS k ON k.account_id = m.account_id
     WHERE m.account_id = $1
       AND m.id > $2
     ORDER BY m.id
     LIMIT $3";

pub(in crate::store) const ERASURES: &str = "
    SELECT account_id, erased_at
      FROM erasure
     WHERE erased_at >= $1
       AND account_id > $2
     ORDER BY account_id
     LIMIT $3";

pub(in crate::store) const IS_UNERASED: &str = "
    SELECT EXISTS (SELECT 1 FROM account WHERE id = $1)
        OR NOT EXISTS (SELECT 1 FROM erasure WHERE account_id = $1)";

/// What goes with an account, those first that refer to others.
pub(in crate::store) const ERASE: [&str; 13] = [
    ERASE_REFRESH_TOKENS,
    ERASE_SESSIONS,
    ERASE_PASSWORD_LINKS,
    ERASE_EMAIL_LINKS,
    ERASE_CHALLENGES,
    ERASE_RECOVERY_CODES,
    ERASE_TOTP,
    ERASE_MAIL,
    ERASE_CONSENTS,
    ERASE_ANSWERS,
    ERASE_CART,
    ERASE_KEY,
    ERASE_ACCOUNT,
];

pub(in crate::store) const ERASE_REFRESH_TOKENS: &str = "
    DELETE FROM refresh_token
     WHERE session_id IN (SELECT id FROM session WHERE account_id = $1)";
pub(in crate::store) const ERASE_SESSIONS: &str = "DELETE FROM session WHERE account_id = $1";
pub(in crate::store) const ERASE_PASSWORD_LINKS: &str =
    "DELETE FROM password_link WHERE account_id = $1";
pub(in crate::store) const ERASE_EMAIL_LINKS: &str = "DELETE FROM email_link WHERE account_id = $1";
pub(in crate::store) const ERASE_CHALLENGES: &str =
    "DELETE FROM login_challenge WHERE account_id = $1";
pub(in crate::store) const ERASE_RECOVERY_CODES: &str =
    "DELETE FROM recovery_code WHERE account_id = $1";
pub(in crate::store) const ERASE_TOTP: &str = "DELETE FROM totp WHERE account_id = $1";
pub(in crate::store) const ERASE_MAIL: &str = "DELETE FROM mail WHERE account_id = $1";
pub(in crate::store) const ERASE_CONSENTS: &str = "DELETE FROM consent WHERE account_id = $1";
pub(in crate::store) const ERASE_ANSWERS: &str =
    "DELETE FROM idempotency_key WHERE account_id = $1";
pub(in crate::store) const ERASE_CART: &str = "DELETE FROM cart_line WHERE account_id = $1";
pub(in crate::store) const ERASE_KEY: &str = "DELETE FROM data_key WHERE account_id = $1";
pub(in crate::store) const ERASE_ACCOUNT: &str = "DELETE FROM account WHERE id = $1";

pub(in crate::store) const INSERT_ERASURE: &str = "
    INSERT INTO erasure (account_id, erased_at)
    VALUES ($1, $2)
    ON CONFLICT (account_id) DO NOTHING";

pub(in crate::store) const KEYS_NOT_OF: &str = "
    SELECT account_id, wrapped
      FROM data_key
     WHERE substr(wrapped, 1, 8) <> $1
     ORDER BY account_id
     LIMIT $2";

pub(in crate::store) const REWRAP: &str = "
    UPDATE data_key
       SET wrapped = $2
     WHERE account_id = $1";

pub(in crate::store) const UNPROVED_ACCOUNTS: &str = "
    SELECT a.id
      FROM account AS a
     WHERE a.proof_asked_at <= $1
       AND a.email_verified_at IS NULL
       AND a.role = 'customer'
       AND NOT EXISTS (SELECT 1 FROM session WHERE account_id = a.id)
       AND NOT EXISTS (SELECT 1 FROM orders WHERE account_id = a.id)
     ORDER BY a.proof_asked_at
     LIMIT $2";

const OVERDUE_SESSIONS: &str =
    "SELECT count(*), min(expires_at) FROM session WHERE expires_at <= $1";
const OVERDUE_REFRESH_TOKENS: &str =
    "SELECT count(*), min(expires_at) FROM refresh_token WHERE expires_at <= $1";
const OVERDUE_PASSWORD_LINKS: &str =
    "SELECT count(*), min(expires_at) FROM password_link WHERE expires_at <= $1";
const OVERDUE_EMAIL_LINKS: &str =
    "SELECT count(*), min(expires_at) FROM email_link WHERE expires_at <= $1";
const OVERDUE_CHALLENGES: &str =
    "SELECT count(*), min(expires_at) FROM login_challenge WHERE expires_at <= $1";
const OVERDUE_THROTTLES: &str =
    "SELECT count(*), min(expires_at) FROM login_throttle WHERE expires_at <= $1";
const OVERDUE_ANSWERS: &str =
    "SELECT count(*), min(expires_at) FROM idempotency_key WHERE expires_at <= $1";
const OVERDUE_MAIL: &str = "SELECT count(*), min(due_at) FROM mail WHERE due_at <= $1";
const OVERDUE_UNPROVED: &str = "
    SELECT count(*), min(a.proof_asked_at)
      FROM account AS a
     WHERE a.proof_asked_at <= $1
       AND a.email_verified_at IS NULL
       AND a.role = 'customer'
       AND NOT EXISTS (SELECT 1 FROM session WHERE account_id = a.id)
       AND NOT EXISTS (SELECT 1 FROM orders WHERE account_id = a.id)";

/// Counts what is overdue, and finds the oldest.
pub(in crate::store) fn overdue_statement(of: Retained) -> &'static str {
    match of {
        Retained::Session => OVERDUE_SESSIONS,
        Retained::RefreshToken => OVERDUE_REFRESH_TOKENS,
        Retained::PasswordLink => OVERDUE_PASSWORD_LINKS,
        Retained::EmailLink => OVERDUE_EMAIL_LINKS,
        Retained::LoginChallenge => OVERDUE_CHALLENGES,
        Retained::LoginThrottle => OVERDUE_THROTTLES,
        Retained::IdempotencyKey => OVERDUE_ANSWERS,
        Retained::Mail => OVERDUE_MAIL,
        Retained::UnprovedAccount => OVERDUE_UNPROVED,
    }
}

pub(in crate::store) fn overdue((rows, since): (i64, Option<i64>)) -> Overdue {
    Overdue { rows, since: since.map(Timestamp::from_micros) }
}

/// An entry of the history of consents.
#[derive(Debug, FromRow)]
pub(in crate::store) struct ConsentRow {
    id: Uuid,
    purpose: String,
    version: String,
    given: bool,
    created_at: i64,
}

pub(in crate::store) fn consent(row: &ConsentRow) -> Result<Consent, StoreError> {
    Ok(Consent {
        id: ConsentId::from_uuid(row.id),
        purpose: purpose(&row.purpose)?,
        version: document_version(&row.version)?,
        given: row.given,
        at: Timestamp::from_micros(row.created_at),
    })
}

pub(in crate::store) fn purpose(text: &str) -> Result<Purpose, StoreError> {
    Purpose::parse(text).ok_or(StoreError::Unreadable("purpose"))
}

pub(in crate::store) fn document_version(text: &str) -> Result<DocumentVersion, StoreError> {
    DocumentVersion::parse(text).map_err(|_| StoreError::Unreadable("version"))
}

/// A session of somebody, as they are shown it.
pub(in crate::store) type SessionOfRow = (Uuid, i64, i64, Option<i64>, Option<i64>);

pub(in crate::store) fn session_of(
    (id, began, ends, ended, second_factor): SessionOfRow,
) -> SessionOf {
    SessionOf {
        id: SessionId::from_uuid(id),
        began_at: Timestamp::from_micros(began),
        ends_at: Timestamp::from_micros(ends),
        ended_at: ended.map(Timestamp::from_micros),
        second_factor_at: second_factor.map(Timestamp::from_micros),
    }
}

pub(in crate::store) fn erasure((account, at): (Uuid, i64)) -> Erasure {
    Erasure { account: AccountId::from_uuid(account), at: Timestamp::from_micros(at) }
}

/// Reads and writes of one batch for a type of connection.
macro_rules! privacy {
    ($connection:ty) => {
        use std::collections::{BTreeMap, BTreeSet};

        use sqlx::{query, query_as};
        use uuid::Uuid;

        use crate::ids::{AccountId, Id as _};
        use crate::privacy::{ConsentBook, Ties};
        use crate::store::StoreError;
        use crate::store::rows::privacy::*;
        use crate::vault::WrappedKey;
        use crate::worksheet::{Wanted, Worksheet};

        pub(super) async fn load_ties(
            connection: &mut $connection,
            accounts: &BTreeSet<AccountId>,
        ) -> Result<BTreeMap<AccountId, Ties>, StoreError> {
            let mut ties = BTreeMap::new();
            for account in accounts {
                let count = query_as(TIES_OF).bind(account.uuid());
                let (open_orders, orders, sessions) = count.fetch_one(&mut *connection).await?;
                ties.insert(*account, Ties { open_orders, orders, sessions });
            }
            Ok(ties)
        }

        pub(super) async fn load_consents(
            connection: &mut $connection,
            accounts: &BTreeSet<AccountId>,
        ) -> Result<ConsentBook, StoreError> {
            let mut book = ConsentBook::default();
            for account in accounts {
                let found: Vec<(String, String, bool, i64)> = query_as(LAST_CONSENTS)
                    .bind(account.uuid())
                    .fetch_all(&mut *connection)
                    .await?;
                for (name, version, given, times) in found {
                    let last = (document_version(&version)?, given);
                    book.last.insert((*account, purpose(&name)?), last);
                    let times = usize::try_from(times).unwrap_or(usize::MAX);
                    book.given.insert(*account, times);
                }
            }
            Ok(book)
        }

        pub(super) async fn load_keys(
            connection: &mut $connection,
            wanted: &Wanted,
        ) -> Result<Vec<(AccountId, WrappedKey)>, StoreError> {
            let Some(name) = wanted.keys_not_of else { return Ok(Vec::new()) };
            let found = query_as(KEYS_NOT_OF).bind(name.to_vec()).bind(KEYS_MAX);
            let found: Vec<(Uuid, Vec<u8>)> = found.fetch_all(connection).await?;
            let key = |(account, wrapped)| (AccountId::from_uuid(account), WrappedKey(wrapped));
            Ok(found.into_iter().map(key).collect())
        }

        /// Consents and rewrapped keys; erasures at last, since they take everything along.
        pub(super) async fn save(
            connection: &mut $connection,
            sheet: &Worksheet,
        ) -> Result<(), StoreError> {
            for new in &sheet.new.consents {
                let consent = &new.consent;
                query(INSERT_CONSENT)
                    .bind(consent.id.uuid())
                    .bind(new.account.uuid())
                    .bind(consent.purpose.as_str())
                    .bind(consent.version.as_str())
                    .bind(consent.given)
                    .bind(consent.at.micros())
                    .execute(&mut *connection)
                    .await?;
            }
            for (account, wrapped) in &sheet.new.rewrapped {
                let update = query(REWRAP).bind(account.uuid()).bind(wrapped.0.as_slice());
                update.execute(&mut *connection).await?;
            }
            for erasure in &sheet.new.erased {
                for statement in ERASE {
                    let delete = query(statement).bind(erasure.account.uuid());
                    delete.execute(&mut *connection).await?;
                }
                let insert = query(INSERT_ERASURE).bind(erasure.account.uuid());
                insert.bind(erasure.at.micros()).execute(&mut *connection).await?;
            }
            Ok(())
        }
    };
}

pub(in crate::store) use privacy;
