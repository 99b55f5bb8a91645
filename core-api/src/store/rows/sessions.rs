//! Sessions and refresh tokens.

use sqlx::FromRow;
use uuid::Uuid;

use super::accounts::{parse_role, token_hash};
use super::whole;
use crate::accounts::{RefreshToken, Session, TokenHash};
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id, SessionId};
use crate::store::StoreError;

pub(in crate::store) const KNOWS_TOKEN: &str =
    "SELECT EXISTS (SELECT 1 FROM refresh_token WHERE hash = $1)";

#[derive(Debug, FromRow)]
pub(in crate::store) struct SessionRow {
    id: Uuid,
    account_id: Uuid,
    role: String,
    tokens_not_before: i64,
    created_at: i64,
    second_factor_at: Option<i64>,
    expires_at: i64,
    ended: bool,
}

pub(in crate::store) fn session(row: &SessionRow) -> Result<(SessionId, Session), StoreError> {
    let session = Session {
        id: SessionId::from_uuid(row.id),
        account: AccountId::from_uuid(row.account_id),
        role: parse_role(&row.role)?,
        tokens_not_before: whole(row.tokens_not_before, "second")?,
        began_at: Timestamp::from_micros(row.created_at),
        second_factor_at: row.second_factor_at.map(Timestamp::from_micros),
        ends_at: Timestamp::from_micros(row.expires_at),
        ended: row.ended,
    };
    Ok((session.id, session))
}

/// A refresh token, and whether it is spent.
pub(in crate::store) fn token(
    (hash, session, spent): (Vec<u8>, Uuid, bool),
) -> Result<(TokenHash, RefreshToken), StoreError> {
    Ok((token_hash(hash)?, RefreshToken { session: SessionId::from_uuid(session), spent }))
}
