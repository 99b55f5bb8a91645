//! Payments, refunds and the provider's events in SQLite.

use sqlx::SqliteConnection;

use crate::store::rows::payments::payments;

/// All payments of the orders that a wanted payment, intent, refund or order leads to.
const WANTED: &str = "
    SELECT id, order_id, provider_ref, state, amount_minor, currency, captured_minor,
           refunded_minor, created_at
      FROM payment
     WHERE order_id IN
           (SELECT order_id FROM payment WHERE id IN (SELECT unhex(value) FROM json_each($1))
             UNION
            SELECT order_id FROM payment WHERE provider_ref IN (SELECT value FROM json_each($2))
             UNION
            SELECT p.order_id
              FROM refund AS r
              JOIN payment AS p ON p.id = r.payment_id
             WHERE r.id IN (SELECT unhex(value) FROM json_each($3))
             UNION
            SELECT unhex(value) FROM json_each($4))";

/// The refunds of these payments.
const REFUNDS: &str = "
    SELECT r.id, r.payment_id, r.amount_minor, p.currency, r.state, r.reason, r.account_id,
           r.created_at
      FROM json_each($1) AS w
     CROSS JOIN refund AS r
     CROSS JOIN payment AS p
     WHERE r.payment_id = unhex(w.value)
       AND p.id = r.payment_id
     ORDER BY r.id";

const EVENTS: &str = "
    SELECT id FROM provider_event WHERE id IN (SELECT value FROM json_each($1))";

const SAVE_PAYMENTS: &str = "
    INSERT INTO payment (id, order_id, provider_ref, state, amount_minor, currency,
                         captured_minor, refunded_minor, created_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4,
           value ->> 5, value ->> 6, value ->> 7, value ->> 8
      FROM json_each($1)
     WHERE true
        ON CONFLICT (id) DO UPDATE
       SET provider_ref = excluded.provider_ref,
           state = excluded.state,
           captured_minor = excluded.captured_minor,
           refunded_minor = excluded.refunded_minor";

const SAVE_REFUNDS: &str = "
    INSERT INTO refund (id, payment_id, amount_minor, state, reason, account_id, created_at)
    SELECT unhex(value ->> 0), unhex(value ->> 1), value ->> 2, value ->> 3, value ->> 4,
           unhex(value ->> 5), value ->> 6
      FROM json_each($1)
     WHERE true
        ON CONFLICT (id) DO UPDATE
       SET state = excluded.state";

const INSERT_EVENTS: &str = "
    INSERT INTO provider_event (id, kind, received_at)
    SELECT value ->> 0, value ->> 1, $2
      FROM json_each($1)";

payments!(SqliteConnection);
