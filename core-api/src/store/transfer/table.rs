//! The tables of a shop, each after those it refers to, and how one is copied.

use futures::TryStreamExt as _;
use sqlx::postgres::PgConnection;
use sqlx::sqlite::{SqliteConnection, SqliteRow};
use sqlx::{Row as _, Sqlite};
use uuid::Uuid;

/// Rows written by one statement.
const ROWS_MAX: usize = 1000;

/// A table of both databases.
#[derive(Debug)]
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    columns: &'static [Kind],
    /// Asked of both.
    pub(in crate::store) count: &'static str,
    /// Asked of SQLite.
    pub(in crate::store) read: &'static str,
    /// Asked of PostgreSQL: a column is an array.
    pub(in crate::store) write: &'static str,
}

/// What a column holds; in each, a value may be missing.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Id,
    Text,
    Number,
    Flag,
    Bytes,
}

/// Values of one column.
#[derive(Debug)]
enum Column {
    Id(Vec<Option<Uuid>>),
    Text(Vec<Option<String>>),
    Number(Vec<Option<i64>>),
    Flag(Vec<Option<bool>>),
    Bytes(Vec<Option<Vec<u8>>>),
}

impl Table {
    /// Copies every row.
    pub(super) async fn copy(
        &self,
        source: &mut SqliteConnection,
        target: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let mut rows = sqlx::query::<Sqlite>(self.read).fetch(source);
        let (mut columns, mut waiting) = (self.empty(), 0);
        while let Some(row) = rows.try_next().await? {
            for (at, column) in columns.iter_mut().enumerate() {
                column.take(&row, at)?;
            }
            waiting += 1;
            if waiting == ROWS_MAX {
                self.write(std::mem::replace(&mut columns, self.empty()), target).await?;
                waiting = 0;
            }
        }
        self.write(columns, target).await
    }

    fn empty(&self) -> Vec<Column> {
        self.columns.iter().map(|kind| kind.column()).collect()
    }

    async fn write(
        &self,
        columns: Vec<Column>,
        target: &mut PgConnection,
    ) -> Result<(), sqlx::Error> {
        let mut insert = sqlx::query(self.write);
        for column in columns {
            insert = match column {
                Column::Id(values) => insert.bind(values),
                Column::Text(values) => insert.bind(values),
                Column::Number(values) => insert.bind(values),
                Column::Flag(values) => insert.bind(values),
                Column::Bytes(values) => insert.bind(values),
            };
        }
        insert.execute(target).await?;
        Ok(())
    }
}

impl Kind {
    fn column(self) -> Column {
        match self {
            Self::Id => Column::Id(Vec::new()),
            Self::Text => Column::Text(Vec::new()),
            Self::Number => Column::Number(Vec::new()),
            Self::Flag => Column::Flag(Vec::new()),
            Self::Bytes => Column::Bytes(Vec::new()),
        }
    }
}

impl Column {
    fn take(&mut self, row: &SqliteRow, at: usize) -> Result<(), sqlx::Error> {
        match self {
            Self::Id(values) => values.push(row.try_get(at)?),
            Self::Text(values) => values.push(row.try_get(at)?),
            Self::Number(values) => values.push(row.try_get(at)?),
            Self::Flag(values) => values.push(row.try_get(at)?),
            Self::Bytes(values) => values.push(row.try_get(at)?),
        }
        Ok(())
    }
}

pub(in crate::store) const TABLES: [Table; 34] = [
    Table {
        name: "account",
        columns: &[Kind::Id, Kind::Bytes, Kind::Bytes, Kind::Bytes, Kind::Bytes, Kind::Bytes, Kind::Bytes, Kind::Number, Kind::Text, Kind::Text, Kind::Flag, Kind::Number, Kind::Number, Kind::Number, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM account",
        read: "SELECT id, username, username_digest, email, email_digest, phone, full_name,
                      version, password_hash, role, demo, created_at, tokens_not_before,
                      disabled_at, email_verified_at, proof_asked_at
                 FROM account",
        write: "INSERT INTO account (id, username, username_digest, email, email_digest, phone,
                        full_name, version, password_hash, role, demo, created_at,
                        tokens_not_before, disabled_at, email_verified_at, proof_asked_at)
                SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bytea[],
                                     $5::bytea[],
                                     $6::bytea[],
                                     $7::bytea[],
                                     $8::bigint[],
                                     $9::text[],
                                     $10::text[],
                                     $11::boolean[],
                                     $12::bigint[],
                                     $13::bigint[],
                                     $14::bigint[],
                                     $15::bigint[],
                                     $16::bigint[])",
    },
    // Wrapped as they are: both databases are opened with the same key files.
    Table {
        name: "data_key",
        columns: &[Kind::Id, Kind::Bytes],
        count: "SELECT count(*) FROM data_key",
        read: "SELECT account_id, wrapped
                 FROM data_key",
        write: "INSERT INTO data_key (account_id, wrapped)
                SELECT * FROM unnest($1::uuid[], $2::bytea[])",
    },
    Table {
        name: "unsealed_account",
        columns: &[Kind::Id, Kind::Text, Kind::Text, Kind::Text],
        count: "SELECT count(*) FROM unsealed_account",
        read: "SELECT account_id, username, email, phone
                 FROM unsealed_account",
        write: "INSERT INTO unsealed_account (account_id, username, email, phone)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[])",
    },
    Table {
        name: "consent",
        columns: &[Kind::Id, Kind::Id, Kind::Text, Kind::Text, Kind::Flag, Kind::Number],
        count: "SELECT count(*) FROM consent",
        read: "SELECT id, account_id, purpose, version, given, created_at
                 FROM consent",
        write: "INSERT INTO consent (id, account_id, purpose, version, given, created_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[],
                                     $5::boolean[],
                                     $6::bigint[])",
    },
    Table {
        name: "erasure",
        columns: &[Kind::Id, Kind::Number],
        count: "SELECT count(*) FROM erasure",
        read: "SELECT account_id, erased_at
                 FROM erasure",
        write: "INSERT INTO erasure (account_id, erased_at)
                SELECT * FROM unnest($1::uuid[], $2::bigint[])",
    },
    Table {
        name: "session",
        columns: &[Kind::Id, Kind::Id, Kind::Number, Kind::Number, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM session",
        read: "SELECT id, account_id, created_at, expires_at, ended_at, second_factor_at
                 FROM session",
        write: "INSERT INTO session (id, account_id, created_at, expires_at, ended_at, second_factor_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[])",
    },
    Table {
        name: "refresh_token",
        columns: &[Kind::Bytes, Kind::Id, Kind::Number, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM refresh_token",
        read: "SELECT hash, session_id, created_at, expires_at, spent_at
                 FROM refresh_token",
        write: "INSERT INTO refresh_token (hash, session_id, created_at, expires_at, spent_at)
                SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bigint[], $4::bigint[],
                                     $5::bigint[])",
    },
    Table {
        name: "password_link",
        columns: &[Kind::Bytes, Kind::Id, Kind::Number],
        count: "SELECT count(*) FROM password_link",
        read: "SELECT hash, account_id, expires_at
                 FROM password_link",
        write: "INSERT INTO password_link (hash, account_id, expires_at)
                SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bigint[])",
    },
    Table {
        name: "totp",
        columns: &[Kind::Id, Kind::Bytes, Kind::Bytes, Kind::Number],
        count: "SELECT count(*) FROM totp",
        read: "SELECT account_id, secret, pending, last_step
                 FROM totp",
        write: "INSERT INTO totp (account_id, secret, pending, last_step)
                SELECT * FROM unnest($1::uuid[], $2::bytea[], $3::bytea[], $4::bigint[])",
    },
    Table {
        name: "recovery_code",
        columns: &[Kind::Id, Kind::Bytes],
        count: "SELECT count(*) FROM recovery_code",
        read: "SELECT account_id, digest
                 FROM recovery_code",
        write: "INSERT INTO recovery_code (account_id, digest)
                SELECT * FROM unnest($1::uuid[], $2::bytea[])",
    },
    Table {
        name: "login_challenge",
        columns: &[Kind::Bytes, Kind::Id, Kind::Number],
        count: "SELECT count(*) FROM login_challenge",
        read: "SELECT hash, account_id, expires_at
                 FROM login_challenge",
        write: "INSERT INTO login_challenge (hash, account_id, expires_at)
                SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bigint[])",
    },
    Table {
        name: "login_throttle",
        columns: &[Kind::Bytes, Kind::Number, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM login_throttle",
        read: "SELECT key, failures, locked_until, expires_at
                 FROM login_throttle",
        write: "INSERT INTO login_throttle (key, failures, locked_until, expires_at)
                SELECT * FROM unnest($1::bytea[], $2::bigint[], $3::bigint[], $4::bigint[])",
    },
    Table {
        name: "email_link",
        columns: &[Kind::Bytes, Kind::Id, Kind::Number, Kind::Bytes],
        count: "SELECT count(*) FROM email_link",
        read: "SELECT hash, account_id, expires_at, email
                 FROM email_link",
        write: "INSERT INTO email_link (hash, account_id, expires_at, email)
                SELECT * FROM unnest($1::bytea[], $2::uuid[], $3::bigint[], $4::bytea[])",
    },
    Table {
        name: "mail",
        columns: &[Kind::Id, Kind::Id, Kind::Bytes, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM mail",
        read: "SELECT id, account_id, message, attempts, due_at
                 FROM mail",
        write: "INSERT INTO mail (id, account_id, message, attempts, due_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bigint[],
                                     $5::bigint[])",
    },
    Table {
        name: "revocation",
        columns: &[Kind::Number, Kind::Text, Kind::Id, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM revocation",
        read: "SELECT seq, kind, id, not_before, created_at
                 FROM revocation",
        write: "INSERT INTO revocation (seq, kind, id, not_before, created_at)
                SELECT * FROM unnest($1::bigint[], $2::text[], $3::uuid[], $4::bigint[], $5::bigint[])",
    },
    Table {
        name: "category",
        columns: &[Kind::Id, Kind::Text, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM category",
        read: "SELECT id, name, name_folded, created_at
                 FROM category",
        write: "INSERT INTO category (id, name, name_folded, created_at)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[])",
    },
    Table {
        name: "product",
        columns: &[Kind::Id, Kind::Text, Kind::Text, Kind::Number, Kind::Id, Kind::Number, Kind::Number, Kind::Text],
        count: "SELECT count(*) FROM product",
        read: "SELECT id, name, description, created_at, category_id, version,
                      deleted_at, name_folded
                 FROM product",
        write: "INSERT INTO product (id, name, description, created_at, category_id, version,
                        deleted_at, name_folded)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[],
                                     $5::uuid[],
                                     $6::bigint[],
                                     $7::bigint[],
                                     $8::text[])",
    },
    Table {
        name: "product_image",
        columns: &[Kind::Id, Kind::Id, Kind::Bytes, Kind::Text, Kind::Number, Kind::Number, Kind::Number, Kind::Number, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM product_image",
        read: "SELECT id, product_id, key, media_type, width, height, thumbnail_width,
                      thumbnail_height, alt, created_at
                 FROM product_image",
        write: "INSERT INTO product_image (id, product_id, key, media_type, width, height,
                        thumbnail_width, thumbnail_height, alt, created_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::text[],
                                     $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
                                     $9::text[], $10::bigint[])",
    },
    Table {
        name: "image_removal",
        columns: &[Kind::Bytes, Kind::Number],
        count: "SELECT count(*) FROM image_removal",
        read: "SELECT key, due_at FROM image_removal",
        write: "INSERT INTO image_removal (key, due_at)
                SELECT * FROM unnest($1::bytea[], $2::bigint[])",
    },
    Table {
        name: "sku",
        columns: &[Kind::Text, Kind::Id, Kind::Number, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM sku",
        read: "SELECT sku, product_id, price_minor, currency, low_at
                 FROM sku",
        write: "INSERT INTO sku (sku, product_id, price_minor, currency, low_at)
                SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[],
                                     $5::bigint[])",
    },
    Table {
        name: "stock",
        columns: &[Kind::Text, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM stock",
        read: "SELECT sku, on_hand, reserved
                 FROM stock",
        write: "INSERT INTO stock (sku, on_hand, reserved)
                SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[])",
    },
    Table {
        name: "orders",
        columns: &[Kind::Id, Kind::Id, Kind::Text, Kind::Number, Kind::Text, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM orders",
        read: "SELECT id, account_id, state, total_minor, currency, created_at,
                      expires_at
                 FROM orders",
        write: "INSERT INTO orders (id, account_id, state, total_minor, currency, created_at,
                        expires_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[],
                                     $5::text[],
                                     $6::bigint[],
                                     $7::bigint[])",
    },
    Table {
        name: "order_line",
        columns: &[Kind::Id, Kind::Text, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM order_line",
        read: "SELECT order_id, sku, quantity, unit_price_minor
                 FROM order_line",
        write: "INSERT INTO order_line (order_id, sku, quantity, unit_price_minor)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[])",
    },
    Table {
        name: "order_event",
        columns: &[Kind::Id, Kind::Text, Kind::Text, Kind::Id, Kind::Number],
        count: "SELECT count(*) FROM order_event",
        read: "SELECT order_id, from_state, to_state, account_id, created_at
                 FROM order_event",
        write: "INSERT INTO order_event (order_id, from_state, to_state, account_id, created_at)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[],
                                     $4::uuid[], $5::bigint[])",
    },
    Table {
        name: "payment",
        columns: &[Kind::Id, Kind::Id, Kind::Text, Kind::Text, Kind::Number, Kind::Text, Kind::Number, Kind::Number, Kind::Number],
        count: "SELECT count(*) FROM payment",
        read: "SELECT id, order_id, provider_ref, state, amount_minor, currency,
                      captured_minor, refunded_minor, created_at
                 FROM payment",
        write: "INSERT INTO payment (id, order_id, provider_ref, state, amount_minor, currency,
                        captured_minor, refunded_minor, created_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[],
                                     $4::text[], $5::bigint[], $6::text[],
                                     $7::bigint[], $8::bigint[], $9::bigint[])",
    },
    Table {
        name: "refund",
        columns: &[Kind::Id, Kind::Id, Kind::Number, Kind::Text, Kind::Text, Kind::Id, Kind::Number],
        count: "SELECT count(*) FROM refund",
        read: "SELECT id, payment_id, amount_minor, state, reason, account_id,
                      created_at
                 FROM refund",
        write: "INSERT INTO refund (id, payment_id, amount_minor, state, reason, account_id,
                        created_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[],
                                     $4::text[], $5::text[], $6::uuid[],
                                     $7::bigint[])",
    },
    Table {
        name: "provider_event",
        columns: &[Kind::Text, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM provider_event",
        read: "SELECT id, kind, received_at
                 FROM provider_event",
        write: "INSERT INTO provider_event (id, kind, received_at)
                SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])",
    },
    Table {
        name: "job",
        columns: &[Kind::Id, Kind::Text, Kind::Id, Kind::Number, Kind::Number, Kind::Number, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM job",
        read: "SELECT id, kind, subject_id, attempts, due_at, dead_at,
                      last_error, created_at
                 FROM job",
        write: "INSERT INTO job (id, kind, subject_id, attempts, due_at, dead_at,
                        last_error, created_at)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::uuid[],
                                     $4::bigint[], $5::bigint[], $6::bigint[],
                                     $7::text[], $8::bigint[])",
    },
    Table {
        name: "cart_line",
        columns: &[Kind::Id, Kind::Text, Kind::Number, Kind::Number, Kind::Text],
        count: "SELECT count(*) FROM cart_line",
        read: "SELECT account_id, sku, quantity, unit_price_minor, currency
                 FROM cart_line",
        write: "INSERT INTO cart_line (account_id, sku, quantity, unit_price_minor, currency)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[],
                                     $4::bigint[], $5::text[])",
    },
    Table {
        name: "reservation",
        columns: &[Kind::Id, Kind::Id, Kind::Text, Kind::Number, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM reservation",
        read: "SELECT id, order_id, sku, quantity, state, expires_at
                 FROM reservation",
        write: "INSERT INTO reservation (id, order_id, sku, quantity, state, expires_at)
                SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[],
                                     $5::text[],
                                     $6::bigint[])",
    },
    Table {
        name: "stock_movement",
        columns: &[Kind::Id, Kind::Text, Kind::Text, Kind::Number, Kind::Number, Kind::Number, Kind::Id, Kind::Id, Kind::Text, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM stock_movement",
        read: "SELECT id, sku, kind, quantity, on_hand_change, reserved_change,
                      reservation_id, account_id, note, reason,
                      created_at
                 FROM stock_movement",
        write: "INSERT INTO stock_movement (id, sku, kind, quantity, on_hand_change, reserved_change,
                        reservation_id, account_id, note,
                        reason, created_at)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bigint[],
                                     $5::bigint[],
                                     $6::bigint[],
                                     $7::uuid[],
                                     $8::uuid[],
                                     $9::text[],
                                     $10::text[],
                                     $11::bigint[])",
    },
    Table {
        name: "idempotency_key",
        columns: &[Kind::Id, Kind::Text, Kind::Text, Kind::Bytes, Kind::Text, Kind::Number],
        count: "SELECT count(*) FROM idempotency_key",
        read: "SELECT account_id, operation, key, fingerprint, answer, expires_at
                 FROM idempotency_key",
        write: "INSERT INTO idempotency_key (account_id, operation, key, fingerprint, answer, expires_at)
                SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[],
                                     $5::text[],
                                     $6::bigint[])",
    },
    Table {
        name: "audit",
        columns: &[Kind::Number, Kind::Number, Kind::Number, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Text, Kind::Bytes, Kind::Bytes],
        count: "SELECT count(*) FROM audit",
        read: "SELECT chain, sequence, at, actor, roles, action, object_kind, object_id,
                      outcome, detail, request, previous, hash
                 FROM audit",
        write: "INSERT INTO audit (chain, sequence, at, actor, roles, action, object_kind,
                        object_id, outcome, detail, request, previous, hash)
                SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[],
                                     $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
                                     $10::text[], $11::text[], $12::bytea[], $13::bytea[])",
    },
    Table {
        name: "audit_checkpoint",
        columns: &[Kind::Number, Kind::Text],
        count: "SELECT count(*) FROM audit_checkpoint",
        read: "SELECT number, line FROM audit_checkpoint",
        write: "INSERT INTO audit_checkpoint (number, line)
                SELECT * FROM unnest($1::bigint[], $2::text[])",
    },
];
