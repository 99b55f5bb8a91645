//! Lists in pages: `?limit=` and an opaque `cursor=`.
//!
//! A cursor is where the last page ended, signed, so that it can only be one this core gave
//! out, and only for the list it was given for.

use std::fmt;
use std::sync::Arc;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::problem::Problem;
use crate::app::App;
use crate::ids::{AccountId, CategoryId, Id, JobId, MovementId, OrderId, ProductId};
use crate::sku::Sku;
use crate::store::Slice;

pub(super) const LIMIT_DEFAULT: u32 = 20;
pub(super) const LIMIT_MAX: u32 = 100;

/// Bytes of the signature that a cursor carries.
const TAG_BYTES: usize = 16;

/// Longest cursor accepted, in characters.
const CURSOR_CHARS_MAX: usize = 128;

/// A list that is given out in pages.
pub(super) trait Listed: Sized {
    /// Tells one list's cursors from another's.
    const LIST: &'static [u8];

    fn to_bytes(&self) -> Vec<u8>;
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
}

macro_rules! listed_by_id {
    ($($id:ident $list:literal)+) => {$(
        impl Listed for $id {
            const LIST: &'static [u8] = $list;

            fn to_bytes(&self) -> Vec<u8> {
                self.uuid().as_bytes().to_vec()
            }

            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Uuid::from_slice(bytes).ok().map(Self::from_uuid)
            }
        }
    )+};
}

listed_by_id! {
    AccountId b"users\0"
    ProductId b"products\0"
    CategoryId b"categories\0"
    MovementId b"movements\0"
    OrderId b"orders\0"
    JobId b"dead jobs\0"
}

impl Listed for Sku {
    const LIST: &'static [u8] = b"inventory\0";

    fn to_bytes(&self) -> Vec<u8> {
        self.as_str().as_bytes().to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        str::from_utf8(bytes).ok().and_then(|text| Self::parse(text).ok())
    }
}

/// Signs cursors. It cannot be printed.
pub(crate) struct CursorKey(Zeroizing<[u8; 32]>);

impl fmt::Debug for CursorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CursorKey(..)")
    }
}

impl CursorKey {
    /// A key of its own, from a secret that others are derived from too.
    pub(crate) fn derive(master: &[u8]) -> Self {
        Self(Zeroizing::new(mac(master, &[b"stockade cursor key v1"])))
    }

    fn sign<K: Listed>(&self, position: &K) -> String {
        let mut bytes = position.to_bytes();
        bytes.extend_from_slice(&self.tag::<K>(&bytes));
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn verify<K: Listed>(&self, cursor: &str) -> Option<K> {
        if cursor.len() > CURSOR_CHARS_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let (position, tag) = bytes.split_last_chunk::<TAG_BYTES>()?;
        self.begin::<K>(position).verify_truncated_left(tag).ok()?;
        K::from_bytes(position)
    }

    fn tag<K: Listed>(&self, position: &[u8]) -> Vec<u8> {
        let tag = self.begin::<K>(position).finalize().into_bytes();
        tag.iter().copied().take(TAG_BYTES).collect()
    }

    fn begin<K: Listed>(&self, position: &[u8]) -> Hmac<Sha256> {
        keyed(&*self.0, &[K::LIST, position])
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    keyed(key, parts).finalize().into_bytes().into()
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Hmac<Sha256> {
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length (RFC 2104, 3)")]
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    parts.iter().for_each(|part| mac.update(part));
    mac
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// Which page of the list `K` is wanted.
#[derive(Debug)]
pub(super) struct Page<K> {
    after: Option<K>,
    limit: u32,
}

impl<K: Listed> FromRequestParts<Arc<App>> for Page<K> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Ok(Query(query)) = Query::<PageQuery>::try_from_uri(&parts.uri) else {
            return Err(Problem::invalid_request("the query takes `limit` and `cursor`"));
        };
        Self::parse(app, query.limit, query.cursor)
    }
}

impl<K: Listed> Page<K> {
    /// The page that these parameters name.
    pub(super) fn parse(
        app: &App,
        limit: Option<u32>,
        cursor: Option<String>,
    ) -> Result<Self, Problem> {
        let limit = limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            return Err(Problem::invalid_request(format!("`limit` must be 1 to {LIMIT_MAX}")));
        }
        let after = match cursor {
            None => None,
            Some(cursor) => Some(app.cursors.verify(&cursor).ok_or_else(|| {
                Problem::invalid_request("`cursor` must be the `next` of a page of this list")
            })?),
        };
        Ok(Self { after, limit })
    }
}

/// A page as a client sees it.
#[derive(Debug, Serialize)]
pub(super) struct PageBody<T> {
    items: Vec<T>,
    next: Option<String>,
}

impl<T> PageBody<T> {
    /// A list that is always given out whole.
    pub(super) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

impl<K: Listed + Clone> Page<K> {
    /// The page, and one thing more to know whether there is another page.
    pub(super) fn slice(&self) -> Slice<K> {
        Slice { after: self.after.clone(), limit: self.limit.saturating_add(1) }
    }

    /// The page's body; `position` says where a thing stands in the list.
    pub(super) fn body<T, B: From<T>>(
        &self,
        app: &App,
        things: impl IntoIterator<Item = T>,
        position: impl Fn(&T) -> K,
    ) -> PageBody<B> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut things: Vec<T> = things.into_iter().collect();
        let more = things.len() > limit;
        things.truncate(limit);
        let last = things.last().filter(|_| more);
        let next = last.map(|last| app.cursors.sign(&position(last)));
        PageBody { items: things.into_iter().map(B::from).collect(), next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_list_and_unchanged() {
        let key = CursorKey::derive(b"one");
        let id = OrderId::from_uuid(Uuid::from_u128(7));
        let cursor = key.sign(&id);

        assert_eq!(key.verify(&cursor), Some(id));
        assert_eq!(key.verify::<ProductId>(&cursor), None);
        assert_eq!(CursorKey::derive(b"two").verify::<OrderId>(&cursor), None);
        assert_eq!(key.verify::<OrderId>(&format!("A{cursor}")), None);
        assert_eq!(key.verify::<OrderId>(""), None);
        assert_eq!(key.verify::<OrderId>(&"A".repeat(129)), None);
    }

    #[test]
    fn the_longest_sku_has_a_cursor() {
        let (key, sku) = (CursorKey::derive(b"one"), Sku::parse(&"A".repeat(64)).unwrap());
        assert_eq!(key.verify(&key.sign(&sku)), Some(sku));
    }
}
