//! What comes in: bounded JSON bodies, idempotency keys, ids in paths.
//!
//! What is not JSON is 400 `invalid_json`; JSON that does not fit is 422 `invalid_request`,
//! naming the member.

use std::error::Error;
use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::body::{Bytes, to_bytes};
use axum::extract::rejection::{JsonDataError, JsonRejection};
use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use stockade_contract::headers::OUTCOME;
use stockade_contract::outcome::Outcome;

use super::problem::Problem;
use crate::app::App;
use crate::idempotency::IdempotencyKey;

/// Longest body, in bytes.
pub(super) const BODY_BYTES_MAX: usize = 64 * 1024;

/// Longest explanation of what is wrong with a body, in characters: it may quote the body.
const DETAIL_CHARS_MAX: usize = 200;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Says that an answer was given before.
pub(super) const REPLAYED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("idempotency-replayed"), HeaderValue::from_static("true"));

/// Tells the edge that a SKU became low.
pub(super) fn stock_low(lowers: bool) -> Option<[(HeaderName, HeaderValue); 1]> {
    let name = HeaderName::from_static(OUTCOME);
    let value = HeaderValue::from_static(Outcome::StockLow.as_str());
    lowers.then_some([(name, value)])
}

/// A JSON body.
#[derive(Debug)]
pub(super) struct JsonBody<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &Arc<App>) -> Result<Self, Problem> {
        if !is_of_type(request.headers(), "application/json") {
            return Err(unsupported("`content-type` must be `application/json`"));
        }
        let bytes = read(request).await?;
        match Json::from_bytes(&bytes) {
            Ok(Json(Object(body))) => Ok(Self(body)),
            // It did not fit before its end was seen: whether it is JSON is not known yet.
            Err(JsonRejection::JsonDataError(error)) => match serde_json::from_slice(&bytes) {
                Ok::<Value, _>(_) => Err(misfit(&error)),
                Err(error) => Err(not_json(&error)),
            },
            Err(error) => Err(not_json(cause(&error))),
        }
    }
}

/// Says where it stops being JSON.
fn not_json(error: &dyn Error) -> Problem {
    Problem::new(400, "invalid_json", "The body is not JSON").with_detail(bounded(error))
}

/// Says which member does not fit, and why.
fn misfit(error: &JsonDataError) -> Problem {
    Problem::invalid_request(bounded(cause(error)))
}

/// What is wrong with the body, without what axum says around it.
fn cause<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    error.source().unwrap_or(error)
}

fn bounded(error: &dyn Error) -> String {
    error.to_string().chars().take(DETAIL_CHARS_MAX).collect()
}

/// The whole body, if it is not too long.
pub(super) async fn read(request: Request) -> Result<Bytes, Problem> {
    read_up_to(request, BODY_BYTES_MAX).await
}

/// The whole body, if it is at most so many bytes.
pub(super) async fn read_up_to(request: Request, bytes_max: usize) -> Result<Bytes, Problem> {
    let read = to_bytes(request.into_body(), bytes_max).await;
    read.map_err(|_| too_large(format!("at most {bytes_max} bytes")))
}

pub(super) fn too_large(detail: String) -> Problem {
    Problem::new(413, "body_too_large", "The body is too long, or was not sent whole")
        .with_detail(detail)
}

/// Whether the body is of this media type, whatever its parameters.
pub(super) fn is_of_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    essence.trim().eq_ignore_ascii_case(wanted)
}

pub(super) fn unsupported(detail: &'static str) -> Problem {
    Problem::new(415, "unsupported_media_type", "The body is of another type than expected")
        .with_detail(detail)
}

impl FromRequestParts<Arc<App>> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else {
            let title = "The request needs an Idempotency-Key header";
            return Err(Problem::new(400, "idempotency_key_missing", title));
        };
        let key = value.to_str().ok().and_then(|text| Self::parse(text).ok());
        key.filter(|_| values.next().is_none()).ok_or_else(|| {
            let title = "The Idempotency-Key header is not 1 to 255 visible ASCII characters";
            Problem::new(400, "idempotency_key_invalid", title)
        })
    }
}

/// A value written as an object. Serde would take an array for one, too: its members in order.
#[derive(Debug)]
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// A whole number as somebody wrote it. One that does not fit becomes the nearest that does,
/// which is outside of every bound it is then held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Count(pub(super) u32);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(CountVisitor)
    }
}

struct CountVisitor;

impl Visitor<'_> for CountVisitor {
    type Value = Count;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Count, E> {
        Ok(Count(u32::try_from(number).unwrap_or(u32::MAX)))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Count, E> {
        Ok(Count(u32::try_from(number).unwrap_or(u32::MIN)))
    }
}

/// An id in the path. What is not an id names nothing.
#[derive(Debug)]
pub(super) struct PathId<T>(pub(super) T);

impl<T: FromStr> FromRequestParts<Arc<App>> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Path(text) = Path::<String>::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        text.parse().map(Self).map_err(|_| Problem::not_found())
    }
}

/// Two names in the path: a thing, and something of it.
#[derive(Debug)]
pub(super) struct PathPair<A, B>(pub(super) A, pub(super) B);

impl<A: FromStr, B: FromStr> FromRequestParts<Arc<App>> for PathPair<A, B> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Path((one, other)) = Path::<(String, String)>::from_request_parts(parts, app)
            .await
            .map_err(|_| Problem::not_found())?;
        let (Ok(one), Ok(other)) = (one.parse(), other.parse()) else {
            return Err(Problem::not_found());
        };
        Ok(Self(one, other))
    }
}

/// For members that may be left out, but where `null` is a value like others.
pub(super) fn present<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}
