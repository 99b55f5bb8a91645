//! The form of values that stand for themselves: names, numbers, words.
//!
//! It is said here and not beside the types, so that the domains know nothing of it.

use utoipa::openapi::schema::{AdditionalProperties, KnownFormat, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ArrayBuilder, ObjectBuilder, Ref, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::accounts::{OpaqueToken, Password};
use crate::catalog::{
    CATEGORY_NAME_CHARS_MAX, CategoryName, DESCRIPTION_CHARS_MAX, Description, PRODUCT_NAME_CHARS,
    ProductName,
};
use crate::http::body::Count;
use crate::ids::{
    AccountId, CategoryId, ImageId, JobId, LetterId, MovementId, OrderId, PaymentId, ProductId,
    RefundId, ReservationId, SessionId,
};
use crate::images::ImageKey;
use crate::inventory::{
    Delta, MovementKind, NOTE_CHARS_MAX, Note, QUANTITY_MAX, Quantity, UNITS_MAX, Units,
};
use crate::money::{Currency, PRICE_MINOR_MAX, PriceMinor};
use crate::orders::OrderState;
use crate::payments::{PaymentState, RefundReason, RefundState};
use crate::sku::{SKU_CHARS_MAX, Sku};

macro_rules! schemas {
    ($($($type:ident)|+ => $schema:expr;)+) => {$($(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $type {}
    )+)+};
}

schemas! {
    AccountId | CategoryId | ImageId | JobId | LetterId | MovementId | OrderId | PaymentId | ProductId
        | RefundId | ReservationId | SessionId => string()
        .format(Some(SchemaFormat::Custom("uuid".to_owned())));
    Sku => chars(1, SKU_CHARS_MAX).pattern(Some("^[A-Za-z0-9][A-Za-z0-9._-]*$"));
    ImageKey => string().pattern(Some("^[0-9a-f]{32}$"));
    Currency => string().pattern(Some("^[A-Z]{3}$")).examples(["EUR"]);
    PriceMinor => whole(1, PRICE_MINOR_MAX, None);
    Count => whole(1, i64::from(QUANTITY_MAX), None);
    Quantity => whole(1, i64::from(QUANTITY_MAX), None);
    Delta => whole(-i64::from(QUANTITY_MAX), i64::from(QUANTITY_MAX), None)
        .description(Some("Not 0."));
    Units => whole(0, i64::from(UNITS_MAX), None);
    Note => chars(1, NOTE_CHARS_MAX);
    ProductName => chars(*PRODUCT_NAME_CHARS.start(), *PRODUCT_NAME_CHARS.end());
    Description => chars(0, DESCRIPTION_CHARS_MAX);
    CategoryName => chars(1, CATEGORY_NAME_CHARS_MAX);
    Password => string().format(Some(SchemaFormat::KnownFormat(KnownFormat::Password)));
    OpaqueToken => string();
    OrderState => string().enum_values(Some(OrderState::ALL.map(OrderState::as_str)));
    PaymentState => string().enum_values(Some(PaymentState::ALL.map(PaymentState::as_str)));
    RefundState => string().enum_values(Some(RefundState::ALL.map(RefundState::as_str)));
    RefundReason => string().enum_values(Some(RefundReason::ALL.map(RefundReason::as_str)));
    MovementKind => string().enum_values(Some(MovementKind::ALL.map(MovementKind::as_str)));
}

/// A moment, as RFC 3339 writes it.
pub(in crate::http) fn moment() -> Schema {
    string().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))).into()
}

/// One of these words.
pub(in crate::http) fn words(words: impl IntoIterator<Item = &'static str>) -> Schema {
    string().enum_values(Some(words)).into()
}

/// Any text.
pub(in crate::http) fn text() -> Schema {
    string().into()
}

/// A whole number within bounds.
pub(in crate::http) fn whole(least: i64, most: i64, default: Option<i64>) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::Integer)
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
        .minimum(Some(least))
        .maximum(Some(most))
        .default(default.map(Into::into))
}

/// True or false.
pub(crate) fn flag() -> Schema {
    ObjectBuilder::new().schema_type(Type::Boolean).into()
}

/// A schema that has a name.
pub(super) fn named(name: String) -> RefOr<Schema> {
    Ref::from_schema_name(name).into()
}

/// The schema of a value that stands for itself.
pub(super) fn of<T: PartialSchema>() -> RefOr<Schema> {
    T::schema()
}

/// One of these words.
pub(in crate::http) fn word(words: &[&str]) -> ObjectBuilder {
    string().enum_values(Some(words.iter().copied()))
}

/// A page of things.
pub(super) fn page(item: RefOr<Schema>) -> RefOr<Schema> {
    let next = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::String, Type::Null]))
        .description(Some("The `cursor` of the page that follows."));
    let items = ArrayBuilder::new().items(item);
    let page = ObjectBuilder::new().property("items", items).property("next", next);
    page.required("items").required("next").into()
}

/// Anything in braces.
pub(super) fn object() -> RefOr<Schema> {
    ObjectBuilder::new().into()
}

/// RFC 9457, and ours.
pub(super) fn problem() -> RefOr<Schema> {
    problem_members().into()
}

/// The same, and RFC 6749, 5.2.
pub(super) fn oauth_problem() -> RefOr<Schema> {
    let members = problem_members().property("error", string());
    members.property("error_description", string()).into()
}

fn problem_members() -> ObjectBuilder {
    let member = |says: &str| string().description(Some(says));
    ObjectBuilder::new()
        .description(Some("Why a request was not answered as asked (RFC 9457)."))
        .property("type", member("`urn:stockade:problem:` and the code."))
        .property("title", member("One sentence, the same for every occurrence of the code."))
        .property("status", whole(400, 599, None))
        .property("code", member("What programs branch on; never renamed."))
        .property("detail", member("What is wrong with this very request."))
        .property("decision_id", member("Names the edge's record of this request."))
        .required("type")
        .required("title")
        .required("status")
        .required("code")
        .additional_properties(Some(AdditionalProperties::FreeForm(true)))
}

fn string() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// A text of so many characters.
pub(in crate::http) fn chars(least: usize, most: usize) -> ObjectBuilder {
    string().min_length(Some(least)).max_length(Some(most))
}
