//! The rules that hold in a SQLite database, each as a query for what contradicts it.
//!
//! A query names what it found: the subject, and the contradiction in a few words.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};
use uuid::Uuid;

use super::{BUSY_TIMEOUT, MIGRATIONS};
use crate::store::{OpenError, StoreError};
use crate::verify::{BROKEN_MAX, Broken, Cause, Report};

/// A rule of the database.
struct Rule {
    says: &'static str,
    subject: Subject,
    /// Selects subject and finding of whatever contradicts the rule.
    query: &'static str,
    advice: &'static str,
}

/// What a rule is about. Ids are selected as hexadecimal digits.
#[derive(Debug, Clone, Copy)]
enum Subject {
    Table,
    Sku,
    Order,
    Reservation,
    Payment,
    Job,
    Account,
    Session,
}

const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";

const SCHEMA: &str = "
    SELECT type || ' `' || name || '`', coalesce(sql, '')
      FROM sqlite_schema
     WHERE name NOT LIKE '\\_sqlx%' ESCAPE '\\'
     ORDER BY 1";

const SAME_SCHEMA: &str = "the tables, constraints, indexes and triggers are as they were made";

/// Stands for the subject where a rule could not be checked.
const UNASKED: &str = "cannot be checked";

const RESTORE: &str = "The file is damaged: stop the core and restore a backup.";
const INSPECT: &str = "Somebody wrote to the database past the core: find out who, and correct \
     the row by hand or restore a backup.";
const RECOUNT: &str =
    "Count the goods, correct the row of `stock` to the ledger, then `adjust` to what was counted.";

const RULES: [Rule; 25] = [
    Rule {
        says: "the database file is sound, and every CHECK, NOT NULL and UNIQUE holds",
        subject: Subject::Table,
        query: "SELECT 'the database', integrity_check
                  FROM pragma_integrity_check
                 WHERE integrity_check <> 'ok'",
        advice: RESTORE,
    },
    Rule {
        says: "every reference leads somewhere",
        subject: Subject::Table,
        query: "SELECT DISTINCT 'table `' || \"table\" || '`',
                       'refers to a row of `' || parent || '` that is not there'
                  FROM pragma_foreign_key_check",
        advice: INSPECT,
    },
    Rule {
        says: "every sku is stocked, and only skus are",
        subject: Subject::Sku,
        query: "SELECT sku, 'is sold and has no stock' FROM sku
                 WHERE sku NOT IN (SELECT sku FROM stock)
                 UNION ALL
                SELECT sku, 'has stock and was never sold' FROM stock
                 WHERE sku NOT IN (SELECT sku FROM sku)",
        advice: INSPECT,
    },
    Rule {
        says: "what is reserved is on hand: 0 <= reserved <= on hand",
        subject: Subject::Sku,
        query: "SELECT sku, reserved || ' reserved of ' || on_hand || ' on hand' FROM stock
                 WHERE NOT (0 <= reserved AND reserved <= on_hand)",
        advice: RECOUNT,
    },
    Rule {
        says: "the movements of a sku sum to what is on hand",
        subject: Subject::Sku,
        query: "SELECT s.sku, s.on_hand || ' on hand, movements sum to ' ||
                       coalesce(sum(m.on_hand_change), 0)
                  FROM stock AS s LEFT JOIN stock_movement AS m ON m.sku = s.sku
                 GROUP BY s.sku
                HAVING s.on_hand <> coalesce(sum(m.on_hand_change), 0)",
        advice: RECOUNT,
    },
    Rule {
        says: "the movements of a sku sum to what is reserved",
        subject: Subject::Sku,
        query: "SELECT s.sku, s.reserved || ' reserved, movements sum to ' ||
                       coalesce(sum(m.reserved_change), 0)
                  FROM stock AS s LEFT JOIN stock_movement AS m ON m.sku = s.sku
                 GROUP BY s.sku
                HAVING s.reserved <> coalesce(sum(m.reserved_change), 0)",
        advice: RECOUNT,
    },
    Rule {
        says: "the pending holds of a sku sum to what is reserved",
        subject: Subject::Sku,
        query: "SELECT s.sku, s.reserved || ' reserved, holds sum to ' ||
                       coalesce(sum(r.quantity), 0)
                  FROM stock AS s
                  LEFT JOIN reservation AS r ON r.sku = s.sku AND r.state = 'pending'
                 GROUP BY s.sku
                HAVING s.reserved <> coalesce(sum(r.quantity), 0)",
        advice: RECOUNT,
    },
    Rule {
        says: "only what is stocked moves",
        subject: Subject::Sku,
        query: "SELECT DISTINCT sku, 'moved and has no stock' FROM stock_movement
                 WHERE sku NOT IN (SELECT sku FROM stock)",
        advice: INSPECT,
    },
    Rule {
        says: "a movement changes what its kind says",
        subject: Subject::Sku,
        query: "SELECT sku, kind || ' of ' || quantity || ' changed on hand by ' ||
                       on_hand_change || ' and reserved by ' || reserved_change
                  FROM stock_movement
                 WHERE quantity < 1 OR CASE kind
                       WHEN 'receive' THEN on_hand_change <> quantity OR reserved_change <> 0
                       WHEN 'adjust' THEN abs(on_hand_change) <> quantity OR reserved_change <> 0
                       WHEN 'reserve' THEN on_hand_change <> 0 OR reserved_change <> quantity
                       WHEN 'release' THEN on_hand_change <> 0 OR reserved_change <> -quantity
                       WHEN 'expire' THEN on_hand_change <> 0 OR reserved_change <> -quantity
                       WHEN 'commit' THEN on_hand_change <> -quantity
                                       OR reserved_change <> -quantity
                       WHEN 'return' THEN on_hand_change <> quantity OR reserved_change <> 0
                       ELSE true END",
        advice: INSPECT,
    },
    Rule {
        says: "a movement of a hold is of the hold's sku and quantity",
        subject: Subject::Reservation,
        query: "SELECT DISTINCT hex(m.reservation_id), m.kind || ' of ' || m.quantity || ' `' ||
                       m.sku || '` does not fit the hold'
                  FROM stock_movement AS m LEFT JOIN reservation AS r ON r.id = m.reservation_id
                 WHERE m.reservation_id IS NOT NULL
                   AND (r.id IS NULL OR r.sku <> m.sku OR r.quantity <> m.quantity)",
        advice: INSPECT,
    },
    Rule {
        says: "a hold is taken once, and ends once in the way its state says",
        subject: Subject::Reservation,
        query: "SELECT hex(r.id), 'is ' || r.state || ', movements are: ' ||
                       coalesce(group_concat(m.kind), 'none')
                  FROM reservation AS r LEFT JOIN stock_movement AS m ON m.reservation_id = r.id
                 GROUP BY r.id
                HAVING total(m.kind = 'reserve') <> 1
                    OR total(m.kind = 'release') <> (r.state = 'released')
                    OR total(m.kind = 'expire') <> (r.state = 'expired')
                    OR total(m.kind = 'commit') <> (r.state = 'committed')
                    OR total(m.kind = 'return') > (r.state = 'committed')",
        advice: INSPECT,
    },
    Rule {
        says: "a pending hold is of an order that waits for payment",
        subject: Subject::Reservation,
        query: "SELECT hex(r.id), 'is pending, its order is ' || coalesce(o.state, 'not there')
                  FROM reservation AS r LEFT JOIN orders AS o ON o.id = r.order_id
                 WHERE r.state = 'pending' AND (o.id IS NULL OR o.state <> 'pending_payment')",
        advice: INSPECT,
    },
    Rule {
        says: "every hold is of an order's line",
        subject: Subject::Reservation,
        query: "SELECT hex(r.id), 'holds `' || r.sku || '` for no line of an order'
                  FROM reservation AS r
                  LEFT JOIN order_line AS l ON l.order_id = r.order_id AND l.sku = r.sku
                 WHERE l.order_id IS NULL",
        advice: INSPECT,
    },
    Rule {
        says: "every line of an order has a hold, in the state the order's own state asks for",
        subject: Subject::Order,
        query: "SELECT hex(o.id), 'is ' || o.state || ', and no hold on ' || l.quantity || ' `' ||
                       l.sku || '` is ' || o.hold
                  FROM (SELECT id, state, CASE state
                               WHEN 'pending_payment' THEN 'pending'
                               WHEN 'cancelled' THEN 'released'
                               WHEN 'expired' THEN 'expired'
                               ELSE 'committed' END AS hold
                          FROM orders) AS o
                  JOIN order_line AS l ON l.order_id = o.id
                 WHERE NOT EXISTS (SELECT 1 FROM reservation AS r
                                    WHERE r.order_id = l.order_id AND r.sku = l.sku
                                      AND r.quantity = l.quantity AND r.state = o.hold)",
        advice: INSPECT,
    },
    Rule {
        says: "an order has lines, and its total is their sum",
        subject: Subject::Order,
        query: "SELECT hex(o.id), 'the total is ' || o.total_minor || ', its ' ||
                       count(l.order_id) || ' lines sum to ' ||
                       coalesce(sum(l.quantity * l.unit_price_minor), 0)
                  FROM orders AS o LEFT JOIN order_line AS l ON l.order_id = o.id
                 GROUP BY o.id
                HAVING count(l.order_id) = 0
                    OR o.total_minor <> sum(l.quantity * l.unit_price_minor)",
        advice: "Compare with what the customer was told and paid, and correct the order by hand.",
    },
    Rule {
        says: "an order's lines are of skus that are or were sold",
        subject: Subject::Order,
        query: "SELECT DISTINCT hex(order_id), '`' || sku || '` was never sold' FROM order_line
                 WHERE sku NOT IN (SELECT sku FROM sku)",
        advice: INSPECT,
    },
    Rule {
        says: "an order holds a sku once at a time",
        subject: Subject::Order,
        query: "SELECT hex(order_id), count(*) || ' holds on `' || sku || '`' FROM reservation
                 WHERE state IN ('pending', 'committed')
                 GROUP BY order_id, sku HAVING count(*) > 1",
        advice: INSPECT,
    },
    Rule {
        says: "an order's events lead from its placing to its state",
        subject: Subject::Order,
        query: "SELECT hex(o.id), 'is ' || o.state || ', its events are: ' ||
                       coalesce((SELECT group_concat(e.from_state || ' > ' || e.to_state)
                                   FROM order_event AS e WHERE e.order_id = o.id), 'none')
                  FROM orders AS o
                 WHERE (o.state <> 'pending_payment') <> EXISTS
                           (SELECT 1 FROM order_event AS e
                             WHERE e.order_id = o.id AND e.to_state = o.state)
                    OR EXISTS (SELECT 1 FROM order_event AS e
                                WHERE e.order_id = o.id AND e.from_state = o.state)
                    OR EXISTS (SELECT 1 FROM order_event AS e
                                WHERE e.order_id = o.id AND e.from_state <> 'pending_payment'
                                  AND e.from_state NOT IN
                                      (SELECT b.to_state FROM order_event AS b
                                        WHERE b.order_id = o.id))",
        advice: INSPECT,
    },
    Rule {
        says: "an order that is paid has a payment of all that it costs",
        subject: Subject::Order,
        query: "SELECT hex(o.id), 'is ' || o.state || ' and costs ' || o.total_minor ||
                       ', its payments took ' || coalesce((SELECT group_concat(p.captured_minor)
                                   FROM payment AS p WHERE p.order_id = o.id), 'nothing')
                  FROM orders AS o
                 WHERE o.state IN ('paid', 'fulfilling', 'shipped', 'delivered', 'returned')
                   AND NOT EXISTS (SELECT 1 FROM payment AS p
                                    WHERE p.order_id = o.id AND p.currency = o.currency
                                      AND p.captured_minor >= o.total_minor)",
        advice: "Compare with the provider's books, and correct the order or the payment by hand.",
    },
    Rule {
        says: "what goes back of a payment was taken: 0 <= refunded <= captured",
        subject: Subject::Payment,
        query: "SELECT hex(p.id), p.captured_minor || ' taken, ' || p.refunded_minor ||
                       ' gone back, refunds sum to ' || coalesce(sum(r.amount_minor), 0)
                  FROM payment AS p
                  LEFT JOIN refund AS r ON r.payment_id = p.id AND r.state <> 'failed'
                 GROUP BY p.id
                HAVING NOT (0 <= p.refunded_minor AND p.refunded_minor <= p.captured_minor)
                    OR coalesce(sum(r.amount_minor), 0) > p.captured_minor",
        advice: "Compare with the provider's books, and correct the payment by hand.",
    },
    Rule {
        says: "a job is about a payment or a refund that is there",
        subject: Subject::Job,
        query: "SELECT hex(id), kind || ' of what is not there' FROM job
                 WHERE CASE kind
                       WHEN 'refund' THEN subject_id NOT IN (SELECT id FROM refund)
                       ELSE subject_id NOT IN (SELECT id FROM payment) END",
        advice: INSPECT,
    },
    Rule {
        says: "a user name is one account's",
        subject: Subject::Account,
        query: "SELECT hex(min(id)), count(*) || ' accounts have its user name' FROM account
                 GROUP BY username_folded HAVING count(*) > 1",
        advice: INSPECT,
    },
    Rule {
        says: "an e-mail address is one account's",
        subject: Subject::Account,
        query: "SELECT hex(min(id)), count(*) || ' accounts have its e-mail address' FROM account
                 GROUP BY email_folded HAVING count(*) > 1",
        advice: INSPECT,
    },
    Rule {
        says: "a session is refreshed with one token at a time",
        subject: Subject::Session,
        query: "SELECT hex(session_id), count(*) || ' tokens are not spent' FROM refresh_token
                 WHERE spent_at IS NULL GROUP BY session_id HAVING count(*) > 1",
        advice: "Somebody may refresh a session beside its owner: end it, and have them log in.",
    },
    Rule {
        says: "a category that products are put into is there",
        subject: Subject::Table,
        query: "SELECT DISTINCT 'table `product`', 'a product is in a category that is not there'
                  FROM product
                 WHERE category_id IS NOT NULL
                   AND category_id NOT IN (SELECT id FROM category)",
        advice: INSPECT,
    },
];

/// Checks every rule on one moment of a database that this version wrote.
pub(crate) async fn check_everything(file: &Path) -> Result<Report, Cause> {
    // Not opened read-only: SQLite looks at no CHECK in a file it cannot write.
    let options = SqliteConnectOptions::new().filename(file).pragma("query_only", "ON");
    let connected = options.busy_timeout(BUSY_TIMEOUT).connect().await;
    let mut connection = connected.map_err(OpenError::Connect)?;
    let mut moment = connection.begin().await.map_err(StoreError::from)?;
    if !is_current(&mut moment).await {
        return Err(Cause::OtherVersion);
    }
    let mut report = Report { checked: vec![SAME_SCHEMA], broken: compare(&mut moment).await? };
    for rule in &RULES {
        report.checked.push(rule.says);
        report.broken.extend(contradictions(&mut moment, rule).await?);
    }
    moment.rollback().await.map_err(StoreError::from)?;
    Ok(report)
}

/// Whether exactly the migrations of this version were applied.
async fn is_current(moment: &mut SqliteConnection) -> bool {
    let applied = sqlx::query_as::<_, (i64, Vec<u8>)>(APPLIED).fetch_all(moment).await;
    let ours = MIGRATIONS.iter().map(|one| (one.version, one.checksum.to_vec()));
    applied.is_ok_and(|applied| applied.into_iter().eq(ours))
}

/// Compares the schema with one that was made just now.
async fn compare(moment: &mut SqliteConnection) -> Result<Vec<Broken>, StoreError> {
    let mut model = SqliteConnectOptions::new().in_memory(true).connect().await?;
    MIGRATIONS.run(&mut model).await.map_err(|_| StoreError::Unreadable("migration"))?;
    let made: Vec<(String, String)> = sqlx::query_as(SCHEMA).fetch_all(&mut model).await?;
    let there: Vec<(String, String)> = sqlx::query_as(SCHEMA).fetch_all(moment).await?;
    let missing = made.iter().filter(|one| !there.contains(one));
    let missing = missing.map(|(name, _)| (name, "is missing or was changed"));
    let added = there.iter().filter(|one| !made.iter().any(|(name, _)| *name == one.0));
    let added = added.map(|(name, _)| (name, "was added"));
    let broken = |(name, found): (&String, &str)| Broken {
        rule: SAME_SCHEMA,
        subject: name.clone(),
        found: found.to_owned(),
        advice: "Without them nothing keeps the other rules: make them again as in the migrations.",
    };
    Ok(missing.chain(added).map(broken).take(BROKEN_MAX).collect())
}

async fn contradictions(
    moment: &mut SqliteConnection,
    rule: &Rule,
) -> Result<Vec<Broken>, StoreError> {
    let found: Vec<(String, String)> = match sqlx::query_as(rule.query).fetch_all(moment).await {
        Ok(found) => found,
        // A table that was made otherwise cannot be asked; that is a contradiction, too.
        Err(sqlx::Error::Database(error)) => vec![(UNASKED.to_owned(), error.to_string())],
        Err(error) => return Err(error.into()),
    };
    let broken = |(subject, found): (String, String)| Broken {
        rule: rule.says,
        subject: rule.subject.name(&subject),
        found,
        advice: rule.advice,
    };
    Ok(found.into_iter().take(BROKEN_MAX).map(broken).collect())
}

impl Subject {
    fn name(self, text: &str) -> String {
        let id = || Uuid::try_parse(text).map_or_else(|_| text.to_owned(), |id| id.to_string());
        match self {
            _ if text == UNASKED => text.to_owned(),
            Self::Table => text.to_owned(),
            Self::Sku => format!("sku `{text}`"),
            Self::Order => format!("order `{}`", id()),
            Self::Reservation => format!("hold `{}`", id()),
            Self::Payment => format!("payment `{}`", id()),
            Self::Job => format!("job `{}`", id()),
            Self::Account => format!("account `{}`", id()),
            Self::Session => format!("session `{}`", id()),
        }
    }
}
