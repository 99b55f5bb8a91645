//! The rules that hold in a database, each as a query for what contradicts it.
//!
//! A query names what it found: the subject, and the contradiction in a few words. Both databases
//! understand the queries; only the function that makes a text of an id has two names. Each
//! database adds what it knows of its own soundness.

use stockade_settings::store::StoreUrl;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{postgres, sqlite};
use crate::verify::{BROKEN_MAX, Broken, Cause, Repair, Report};

/// A rule of the database.
pub(super) struct Rule {
    pub(super) says: &'static str,
    pub(super) subject: Subject,
    /// Selects subject and finding of whatever contradicts the rule.
    pub(super) query: &'static str,
    pub(super) advice: &'static str,
}

/// What a rule is about. Ids are selected as hexadecimal digits.
#[derive(Debug, Clone, Copy)]
pub(super) enum Subject {
    Table,
    Sku,
    Order,
    Reservation,
    Payment,
    Job,
    Account,
    Session,
}

pub(super) const SAME_SCHEMA: &str =
    "the tables, constraints, indexes and triggers are as they were made";

const REMAKE: &str = "Without them nothing keeps the other rules: make them again as in the migrations. A table or a \
     column comes back from a backup alone.";

/// Stands for the subject where a rule could not be checked.
const UNASKED: &str = "cannot be checked";

pub(super) const ERASE_ONE: &str =
    "Erase the account that is not theirs: `DELETE /api/admin/users/{id}`.";

pub(super) const RESTORE: &str = "Follow what is said of the other rules first. Where the file \
     itself is damaged: stop the core, put a backup in the file's place, and remove the `-wal` and \
     `-shm` files beside it.";
pub(super) const INSPECT: &str = "Somebody wrote to the database past the core: find out who, and \
     correct the row or restore a backup.";
pub(super) const RECOUNT: &str =
    "Correct the row of `stock` to the ledger, then count the goods and record a stocktake.";

/// The rules of both databases; `$text` is the function that makes a text of an id.
macro_rules! rules {
    ($text:literal) => {
        [
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
                         GROUP BY s.sku, s.on_hand
                        HAVING s.on_hand <> coalesce(sum(m.on_hand_change), 0)",
                advice: RECOUNT,
            },
            Rule {
                says: "the movements of a sku sum to what is reserved",
                subject: Subject::Sku,
                query: "SELECT s.sku, s.reserved || ' reserved, movements sum to ' ||
                               coalesce(sum(m.reserved_change), 0)
                          FROM stock AS s LEFT JOIN stock_movement AS m ON m.sku = s.sku
                         GROUP BY s.sku, s.reserved
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
                         GROUP BY s.sku, s.reserved
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
                         WHERE (quantity < 1 AND (kind <> 'stocktake' OR quantity < 0)) OR CASE kind
                               WHEN 'receive' THEN on_hand_change <> quantity OR reserved_change <> 0
                               WHEN 'adjust' THEN abs(on_hand_change) <> quantity OR reserved_change <> 0
                               WHEN 'stocktake' THEN abs(on_hand_change) <> quantity
                                                  OR reserved_change <> 0
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
                query: concat!(
                        "SELECT DISTINCT ",
                        $text,
                        "(m.reservation_id), m.kind || ' of ' || m.quantity || ' `' ||
                               m.sku || '` does not fit the hold'
                          FROM stock_movement AS m LEFT JOIN reservation AS r ON r.id = m.reservation_id
                         WHERE m.reservation_id IS NOT NULL
                           AND (r.id IS NULL OR r.sku <> m.sku OR r.quantity <> m.quantity)"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "a hold is taken once, and ends once in the way its state says",
                subject: Subject::Reservation,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(r.id), 'is ' || r.state || ', movements are: ' ||
                               coalesce(string_agg(m.kind, ','), 'none')
                          FROM reservation AS r LEFT JOIN stock_movement AS m ON m.reservation_id = r.id
                         GROUP BY r.id, r.state
                        HAVING count(*) FILTER (WHERE m.kind = 'reserve') <> 1
                            OR count(*) FILTER (WHERE m.kind = 'release')
                               <> CASE r.state WHEN 'released' THEN 1 ELSE 0 END
                            OR count(*) FILTER (WHERE m.kind = 'expire')
                               <> CASE r.state WHEN 'expired' THEN 1 ELSE 0 END
                            OR count(*) FILTER (WHERE m.kind = 'commit')
                               <> CASE r.state WHEN 'committed' THEN 1 ELSE 0 END
                            OR count(*) FILTER (WHERE m.kind = 'return')
                               > CASE r.state WHEN 'committed' THEN 1 ELSE 0 END"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "a pending hold is of an order that waits for payment",
                subject: Subject::Reservation,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(r.id), 'is pending, its order is ' || coalesce(o.state, 'not there')
                          FROM reservation AS r LEFT JOIN orders AS o ON o.id = r.order_id
                         WHERE r.state = 'pending'
                           AND (o.id IS NULL OR o.state <> 'pending_payment')"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "every hold is of an order's line",
                subject: Subject::Reservation,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(r.id), 'holds `' || r.sku || '` for no line of an order'
                          FROM reservation AS r
                          LEFT JOIN order_line AS l ON l.order_id = r.order_id AND l.sku = r.sku
                         WHERE l.order_id IS NULL"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "every line of an order has a hold, in the state the order's own state asks for",
                subject: Subject::Order,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(o.id), 'is ' || o.state || ', and no hold on ' || l.quantity || ' `' ||
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
                                              AND r.quantity = l.quantity AND r.state = o.hold)"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "an order has lines, and its total is their sum",
                subject: Subject::Order,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(o.id), 'the total is ' || o.total_minor || ', its ' ||
                               count(l.order_id) || ' lines sum to ' ||
                               coalesce(sum(l.quantity * l.unit_price_minor), 0)
                          FROM orders AS o LEFT JOIN order_line AS l ON l.order_id = o.id
                         GROUP BY o.id, o.total_minor
                        HAVING count(l.order_id) = 0
                            OR o.total_minor <> sum(l.quantity * l.unit_price_minor)"
                    ),
                advice: "Compare with what the customer was told and paid, and correct the order by hand.",
            },
            Rule {
                says: "an order's lines are of skus that are or were sold",
                subject: Subject::Order,
                query: concat!(
                        "SELECT DISTINCT ",
                        $text,
                        "(order_id), '`' || sku || '` was never sold' FROM order_line
                         WHERE sku NOT IN (SELECT sku FROM sku)"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "an order holds a sku once at a time",
                subject: Subject::Order,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(order_id), count(*) || ' holds on `' || sku || '`' FROM reservation
                         WHERE state IN ('pending', 'committed')
                         GROUP BY order_id, sku HAVING count(*) > 1"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "an order's events lead from its placing to its state",
                subject: Subject::Order,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(o.id), 'is ' || o.state || ', its events are: ' ||
                               coalesce((SELECT string_agg(e.from_state || ' > ' || e.to_state, ', ')
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
                                                WHERE b.order_id = o.id))"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "an order that is paid has a payment of all that it costs",
                subject: Subject::Order,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(o.id), 'is ' || o.state || ' and costs ' || o.total_minor ||
                               ', and no payment took that'
                          FROM orders AS o
                         WHERE o.state IN ('paid', 'fulfilling', 'shipped', 'delivered', 'returned')
                           AND NOT EXISTS (SELECT 1 FROM payment AS p
                                            WHERE p.order_id = o.id AND p.currency = o.currency
                                              AND p.captured_minor >= o.total_minor)"
                    ),
                advice: "Compare with the provider's books, and correct the order or the payment by hand.",
            },
            Rule {
                says: "what goes back of a payment was taken: 0 <= refunded <= captured",
                subject: Subject::Payment,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(p.id), p.captured_minor || ' taken, ' || p.refunded_minor ||
                               ' gone back, refunds sum to ' || coalesce(sum(r.amount_minor), 0)
                          FROM payment AS p
                          LEFT JOIN refund AS r ON r.payment_id = p.id AND r.state <> 'failed'
                         GROUP BY p.id, p.captured_minor, p.refunded_minor
                        HAVING NOT (0 <= p.refunded_minor AND p.refunded_minor <= p.captured_minor)
                            OR coalesce(sum(r.amount_minor), 0) > p.captured_minor"
                    ),
                advice: "Compare with the provider's books, and correct the payment by hand.",
            },
            Rule {
                says: "a job is about a payment or a refund that is there",
                subject: Subject::Job,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(id), kind || ' of what is not there' FROM job
                         WHERE CASE kind
                               WHEN 'refund' THEN subject_id NOT IN (SELECT id FROM refund)
                               ELSE subject_id NOT IN (SELECT id FROM payment) END"
                    ),
                advice: INSPECT,
            },
            Rule {
                says: "a user name is one account's",
                subject: Subject::Account,
                query: concat!(
                        "SELECT min(",
                        $text,
                        "(id)), count(*) || ' accounts have its user name' FROM account
                         WHERE username_digest IS NOT NULL
                         GROUP BY username_digest HAVING count(*) > 1"
                    ),
                advice: ERASE_ONE,
            },
            Rule {
                says: "an e-mail address is one account's",
                subject: Subject::Account,
                query: concat!(
                        "SELECT min(",
                        $text,
                        "(id)), count(*) || ' accounts have its e-mail address' FROM account
                         WHERE email_digest IS NOT NULL
                         GROUP BY email_digest HAVING count(*) > 1"
                    ),
                advice: ERASE_ONE,
            },
            Rule {
                says: "an account has a data key and sealed names, or waits to be sealed",
                subject: Subject::Account,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(a.id), CASE WHEN k.account_id IS NULL THEN 'has no data key'
                                      ELSE 'is not sealed whole' END
                          FROM account AS a
                          LEFT JOIN data_key AS k ON k.account_id = a.id
                          LEFT JOIN unsealed_account AS u ON u.account_id = a.id
                         WHERE u.account_id IS NULL
                           AND (k.account_id IS NULL
                                OR a.username IS NULL OR a.username_digest IS NULL
                                OR a.email IS NULL OR a.email_digest IS NULL)"
                    ),
                advice: "What it held cannot be read any more: restore a backup, or erase the account.",
            },
            Rule {
                says: "nothing waits to be sealed",
                subject: Subject::Account,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(account_id), 'is kept in the clear' FROM unsealed_account"
                    ),
                advice: "Start a core of this version: it seals what earlier ones wrote.",
            },
            Rule {
                says: "of an erased account nothing is left that is somebody's",
                subject: Subject::Account,
                query: concat!(
                        "SELECT DISTINCT ",
                        $text,
                        "(e.account_id), 'was erased and has a row in `' || r.name || '`'
                          FROM erasure AS e
                          JOIN (",
                        $crate::store::rows::privacy::belongings!(),
                        ") AS r ON r.id = e.account_id"
                    ),
                advice: "A backup was restored past the core, or a token was used in the moment of the \
                         erasure: run `stockade privacy replay-erasures`.",
            },
            Rule {
                says: "a session is refreshed with one token at a time",
                subject: Subject::Session,
                query: concat!(
                        "SELECT ",
                        $text,
                        "(session_id), count(*) || ' tokens are not spent' FROM refresh_token
                         WHERE spent_at IS NULL GROUP BY session_id HAVING count(*) > 1"
                    ),
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
        ]
    };
}

pub(super) use rules;

/// Checks every rule on one moment of a database that this version wrote.
pub(crate) async fn check_everything(
    url: &StoreUrl,
    password: Option<Zeroizing<String>>,
) -> Result<Report, Cause> {
    match url {
        StoreUrl::Sqlite(file) => sqlite::verify::check_everything(file).await,
        StoreUrl::Postgres(url) => postgres::verify::check_everything(url, password).await,
    }
}

/// What mends an object of a schema: its name, how it was made, and how it is there.
pub(super) type Remake = fn(&str, Option<&str>, Option<&str>) -> Option<Repair>;

/// What is missing, changed or added between two descriptions of a schema: names and texts.
pub(super) fn differences(
    made: &[(String, String)],
    there: &[(String, String)],
    remake: Remake,
) -> Vec<Broken> {
    let text = |of: &[(String, String)], name: &str| {
        of.iter().find(|one| one.0 == name).map(|one| one.1.clone())
    };
    let missing = made.iter().filter(|one| !there.contains(one));
    let missing = missing.map(|(name, _)| (name, "is missing or was changed"));
    let added = there.iter().filter(|one| !made.iter().any(|(name, _)| *name == one.0));
    let added = added.map(|(name, _)| (name, "was added"));
    let broken = |(name, found): (&String, &str)| Broken {
        rule: SAME_SCHEMA,
        subject: name.clone(),
        found: found.to_owned(),
        advice: REMAKE,
        repair: remake(name, text(made, name).as_deref(), text(there, name).as_deref()),
    };
    missing.chain(added).map(broken).take(BROKEN_MAX).collect()
}

impl Rule {
    /// What was found against the rule, or why it could not be asked: a table that was made
    /// otherwise is a contradiction, too.
    pub(super) fn broken(
        &self,
        found: Result<Vec<(String, String)>, sqlx::Error>,
        repair: impl Fn(&str) -> Option<Repair>,
    ) -> Result<Vec<Broken>, sqlx::Error> {
        let found = match found {
            Err(sqlx::Error::Database(error)) => vec![(UNASKED.to_owned(), error.to_string())],
            found => found?,
        };
        let broken = |(subject, found): (String, String)| Broken {
            rule: self.says,
            subject: self.subject.name(&subject),
            found,
            advice: self.advice,
            repair: repair(self.says),
        };
        Ok(found.into_iter().take(BROKEN_MAX).map(broken).collect())
    }
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
