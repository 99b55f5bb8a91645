//! Payments, refunds and the provider's events in PostgreSQL.

use sqlx::postgres::PgConnection;

use crate::store::rows::payments::payments;

/// All payments of the orders that a wanted payment, intent, refund or order leads to.
const WANTED: &str = "
    SELECT id, order_id, provider_ref, state, amount_minor, currency, captured_minor,
           refunded_minor, created_at
      FROM payment
     WHERE order_id IN
           (SELECT order_id FROM payment WHERE id IN (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS value)
             UNION
            SELECT order_id FROM payment WHERE provider_ref IN (SELECT value FROM jsonb_array_elements_text($2::jsonb) AS value)
             UNION
            SELECT p.order_id
              FROM refund AS r
              JOIN payment AS p ON p.id = r.payment_id
             WHERE r.id IN (SELECT value::uuid FROM jsonb_array_elements_text($3::jsonb) AS value)
             UNION
            SELECT value::uuid FROM jsonb_array_elements_text($4::jsonb) AS value)";

/// The refunds of these payments.
const REFUNDS: &str = "
    SELECT r.id, r.payment_id, r.amount_minor, p.currency, r.state, r.reason, r.account_id,
           r.created_at
      FROM refund AS r
      JOIN payment AS p ON p.id = r.payment_id
     WHERE r.payment_id IN
           (SELECT value::uuid FROM jsonb_array_elements_text($1::jsonb) AS value)
     ORDER BY r.id";

const EVENTS: &str = "
    SELECT id FROM provider_event WHERE id IN (SELECT value FROM jsonb_array_elements_text($1::jsonb) AS value)";

const SAVE_PAYMENTS: &str = "
    INSERT INTO payment (id, order_id, provider_ref, state, amount_minor, currency,
                         captured_minor, refunded_minor, created_at)
    SELECT (value ->> 0)::uuid, (value ->> 1)::uuid, value ->> 2, value ->> 3,
           (value ->> 4)::bigint, value ->> 5, (value ->> 6)::bigint, (value ->> 7)::bigint,
           (value ->> 8)::bigint
      FROM jsonb_array_elements($1::jsonb) AS value
        ON CONFLICT (id) DO UPDATE
       SET provider_ref = excluded.provider_ref,
           state = excluded.state,
           captured_minor = excluded.captured_minor,
           refunded_minor = excluded.refunded_minor";

const SAVE_REFUNDS: &str = "
    INSERT INTO refund (id, payment_id, amount_minor, state, reason, account_id, created_at)
    SELECT (value ->> 0)::uuid, (value ->> 1)::uuid, (value ->> 2)::bigint, value ->> 3,
           value ->> 4, (value ->> 5)::uuid, (value ->> 6)::bigint
      FROM jsonb_array_elements($1::jsonb) AS value
        ON CONFLICT (id) DO UPDATE
       SET state = excluded.state";

/// Another writer may just have received an event that changes nothing.
const INSERT_EVENTS: &str = "
    INSERT INTO provider_event (id, kind, received_at)
    SELECT value ->> 0, value ->> 1, $2::bigint
      FROM jsonb_array_elements($1::jsonb) AS value
        ON CONFLICT (id) DO NOTHING";

payments!(PgConnection);
