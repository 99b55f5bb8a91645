//! Columns: the class of everything that is stored, how it is kept, and where its subject finds
//! it in their export.
//!
//! A column that is not in this table fails a test of the store, and so does a confidential one that
//! is neither sealed under its subject's key nor kept as a digest or a wrapped key alone.

use std::collections::BTreeSet;

use serde_json::Value;

use super::SealedField;

/// How private a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Shown to anybody.
    Public,
    /// Shown to those who run the shop, and to whom it is about. May be logged.
    Internal,
    /// A person's: logged by nobody.
    Confidential,
}

/// How it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Clear,
    /// In the clear until the first core of this version has sealed it.
    Waiting,
    Sealed(SealedField),
    /// Nobody reads it back without a key from a file, or at all.
    Digest,
}

#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    class: Class,
    rest: Rest,
    /// Where it is found in the export: the list, and the member.
    exported: Option<&'static str>,
}

impl Column {
    const fn exported(self, exported: &'static str) -> Self {
        Self { exported: Some(exported), ..self }
    }
}

const fn column(name: &'static str, class: Class, rest: Rest) -> Column {
    Column { name, class, rest, exported: None }
}

const fn public(name: &'static str) -> Column {
    column(name, Class::Public, Rest::Clear)
}

const fn internal(name: &'static str) -> Column {
    column(name, Class::Internal, Rest::Clear)
}

const fn sealed(name: &'static str, field: SealedField) -> Column {
    column(name, Class::Confidential, Rest::Sealed(field))
}

const fn digest(name: &'static str) -> Column {
    column(name, Class::Confidential, Rest::Digest)
}

const fn waiting(name: &'static str) -> Column {
    column(name, Class::Confidential, Rest::Waiting)
}

struct Table {
    name: &'static str,
    columns: &'static [Column],
}

const fn table(name: &'static str, columns: &'static [Column]) -> Table {
    Table { name, columns }
}

#[rustfmt::skip]
const TABLES: [Table; 34] = [
    table(
        "account",
        &[
            internal("id").exported("account.id"),
            sealed("username", SealedField::Username).exported("account.username"),
            digest("username_digest"),
            sealed("email", SealedField::EmailAddress).exported("account.email"),
            digest("email_digest"),
            sealed("phone", SealedField::PhoneNumber).exported("account.phone"),
            sealed("full_name", SealedField::FullName).exported("account.name"),
            internal("version"),
            digest("password_hash"),
            internal("role").exported("account.roles"),
            internal("demo"),
            internal("created_at").exported("account.created_at"),
            internal("tokens_not_before"),
            internal("disabled_at").exported("account.disabled"),
            internal("email_verified_at").exported("account.email_verified"),
            internal("proof_asked_at"),
        ],
    ),
    table(
        "data_key",
        &[
            internal("account_id"),
            digest("wrapped"),
        ],
    ),
    table(
        "unsealed_account",
        &[
            internal("account_id"),
            waiting("username"),
            waiting("email"),
            waiting("phone"),
        ],
    ),
    table(
        "session",
        &[
            internal("id").exported("sessions.id"),
            internal("account_id"),
            internal("created_at").exported("sessions.began_at"),
            internal("expires_at").exported("sessions.ends_at"),
            internal("ended_at").exported("sessions.ended_at"),
            internal("second_factor_at").exported("sessions.second_factor_at"),
        ],
    ),
    table(
        "refresh_token",
        &[
            digest("hash"),
            internal("session_id"),
            internal("created_at"),
            internal("expires_at"),
            internal("spent_at"),
        ],
    ),
    table(
        "password_link",
        &[
            digest("hash"),
            internal("account_id"),
            internal("expires_at"),
        ],
    ),
    table(
        "email_link",
        &[
            digest("hash"),
            internal("account_id"),
            internal("expires_at"),
            sealed("email", SealedField::EmailAddress).exported("account.emails_to_prove"),
        ],
    ),
    table(
        "login_challenge",
        &[
            digest("hash"),
            internal("account_id"),
            internal("expires_at"),
        ],
    ),
    table(
        "login_throttle",
        &[
            digest("key"),
            internal("failures"),
            internal("locked_until"),
            internal("expires_at"),
        ],
    ),
    table(
        "totp",
        &[
            internal("account_id").exported("account.has_totp"),
            sealed("secret", SealedField::TotpSecret),
            sealed("pending", SealedField::TotpSecret),
            internal("last_step"),
        ],
    ),
    table(
        "recovery_code",
        &[
            internal("account_id"),
            digest("digest"),
        ],
    ),
    table(
        "mail",
        &[
            internal("id").exported("messages.id"),
            internal("account_id"),
            sealed("message", SealedField::Letter).exported("messages.subject"),
            internal("attempts").exported("messages.attempts"),
            internal("due_at"),
        ],
    ),
    table(
        "consent",
        &[
            internal("id"),
            internal("account_id"),
            internal("purpose").exported("consents.purpose"),
            internal("version").exported("consents.version"),
            internal("given").exported("consents.given"),
            internal("created_at").exported("consents.at"),
        ],
    ),
    table(
        "erasure",
        &[
            internal("account_id"),
            internal("erased_at"),
        ],
    ),
    table(
        "revocation",
        &[
            internal("seq"),
            internal("kind"),
            internal("id"),
            internal("not_before"),
            internal("created_at"),
        ],
    ),
    table(
        "idempotency_key",
        &[
            internal("account_id"),
            internal("operation"),
            internal("key"),
            digest("fingerprint"),
            internal("answer"),
            internal("expires_at"),
        ],
    ),
    table(
        "orders",
        &[
            internal("id").exported("orders.id"),
            internal("account_id"),
            internal("state").exported("orders.state"),
            internal("total_minor").exported("orders.total_minor"),
            internal("currency").exported("orders.currency"),
            internal("created_at").exported("orders.created_at"),
            internal("expires_at").exported("orders.expires_at"),
        ],
    ),
    table(
        "order_line",
        &[
            internal("order_id"),
            internal("sku").exported("orders.lines"),
            internal("quantity").exported("orders.lines"),
            internal("unit_price_minor").exported("orders.lines"),
        ],
    ),
    table(
        "order_event",
        &[
            internal("order_id"),
            internal("from_state"),
            internal("to_state"),
            internal("account_id"),
            internal("created_at"),
        ],
    ),
    table(
        "payment",
        &[
            internal("id").exported("orders.payments"),
            internal("order_id"),
            internal("provider_ref").exported("orders.payments"),
            internal("state").exported("orders.payments"),
            internal("amount_minor").exported("orders.payments"),
            internal("currency").exported("orders.payments"),
            internal("captured_minor").exported("orders.payments"),
            internal("refunded_minor").exported("orders.payments"),
            internal("created_at").exported("orders.payments"),
        ],
    ),
    table(
        "refund",
        &[
            internal("id").exported("orders.payments"),
            internal("payment_id"),
            internal("amount_minor").exported("orders.payments"),
            internal("state").exported("orders.payments"),
            internal("reason").exported("orders.payments"),
            internal("account_id"),
            internal("created_at").exported("orders.payments"),
        ],
    ),
    table(
        "provider_event",
        &[
            internal("id"),
            internal("kind"),
            internal("received_at"),
        ],
    ),
    table(
        "job",
        &[
            internal("id"),
            internal("kind"),
            internal("subject_id"),
            internal("attempts"),
            internal("due_at"),
            internal("dead_at"),
            internal("last_error"),
            internal("created_at"),
        ],
    ),
    table(
        "cart_line",
        &[
            internal("account_id"),
            internal("sku").exported("cart.sku"),
            internal("quantity").exported("cart.quantity"),
            internal("unit_price_minor").exported("cart.unit_price_minor"),
            internal("currency").exported("cart.currency"),
        ],
    ),
    table(
        "category",
        &[
            public("id"),
            public("name"),
            public("name_folded"),
            public("created_at"),
        ],
    ),
    table(
        "product",
        &[
            public("id"),
            public("name"),
            public("name_folded"),
            public("description"),
            internal("created_at"),
            public("category_id"),
            internal("version"),
            internal("deleted_at"),
        ],
    ),
    table(
        "sku",
        &[
            public("sku"),
            public("product_id"),
            public("price_minor"),
            public("currency"),
            internal("low_at"),
        ],
    ),
    table(
        "stock",
        &[
            internal("sku"),
            internal("on_hand"),
            internal("reserved"),
        ],
    ),
    table(
        "reservation",
        &[
            internal("id"),
            internal("order_id"),
            internal("sku"),
            internal("quantity"),
            internal("state"),
            internal("expires_at"),
        ],
    ),
    table(
        "stock_movement",
        &[
            internal("id"),
            internal("sku"),
            internal("kind"),
            internal("quantity"),
            internal("on_hand_change"),
            internal("reserved_change"),
            internal("reservation_id"),
            internal("account_id"),
            internal("note"),
            internal("reason"),
            internal("created_at"),
        ],
    ),
    table(
        "product_image",
        &[
            public("id"),
            public("product_id"),
            internal("key"),
            public("media_type"),
            public("width"),
            public("height"),
            public("thumbnail_width"),
            public("thumbnail_height"),
            public("alt"),
            internal("created_at"),
        ],
    ),
    table(
        "image_removal",
        &[
            internal("key"),
            internal("due_at"),
        ],
    ),
    table(
        "audit",
        &[
            internal("chain"),
            internal("sequence"),
            internal("at"),
            internal("actor"),
            internal("roles"),
            internal("request"),
            internal("action"),
            internal("object_kind"),
            internal("object_id"),
            internal("outcome"),
            internal("detail"),
            internal("previous"),
            internal("hash"),
        ],
    ),
    table(
        "audit_checkpoint",
        &[
            internal("number"),
            internal("line"),
        ],
    ),
];

fn all() -> impl Iterator<Item = (&'static str, Column)> {
    TABLES.iter().flat_map(|table| table.columns.iter().map(|column| (table.name, *column)))
}

/// Every column that has a class.
pub(crate) fn classified() -> BTreeSet<String> {
    all().map(|(table, column)| format!("{table}.{}", column.name)).collect()
}

#[test]
fn what_is_confidential_is_never_kept_in_the_clear() {
    for (table, column) in all() {
        let kept = !matches!(column.rest, Rest::Clear);
        let is_confidential = column.class == Class::Confidential;
        assert_eq!(kept, is_confidential, "{table}.{}: {column:?}", column.name);
        assert!(column.rest != Rest::Waiting || table == "unsealed_account", "{table}");
    }
    for field in SealedField::ALL {
        assert!(all().any(|(_, column)| column.rest == Rest::Sealed(field)), "{field:?}");
    }
}

#[test]
fn what_is_exported_is_in_the_description_and_digests_are_not() {
    let document: Value = serde_json::from_str(&crate::openapi()).unwrap();
    let schemas = &document["components"]["schemas"];
    let members = |schemas_of: &[&str]| {
        let text = |name: &&str| schemas[*name].to_string();
        schemas_of.iter().map(text).collect::<String>()
    };
    for (table, column) in all() {
        // Whoever saw the secret of a second factor could show it.
        let is_owed = matches!(column.rest, Rest::Sealed(_)) && table != "totp";
        assert!(!is_owed || column.exported.is_some(), "{table}.{} is exported", column.name);
        let Some(exported) = column.exported else { continue };
        assert_ne!(column.rest, Rest::Digest, "{exported}");
        let (list, member) = exported.split_once('.').unwrap();
        let within = match list {
            "account" => members(&["AccountBody", "OwnAccountBody"]),
            "consents" => members(&["ConsentBody"]),
            "sessions" => members(&["SessionBody"]),
            "cart" => members(&["CartLineBody"]),
            "orders" => members(&["OrderBody", "PaidOrderBody"]),
            _ => members(&["MessageBody"]),
        };
        assert!(within.contains(&format!("\"{member}\"")), "{exported} in {within}");
    }
}
