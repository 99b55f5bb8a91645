//! What PostgreSQL adds to the rules of every database: that its constraints are in force.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use stockade_settings::store::PostgresUrl;
use zeroize::Zeroizing;

use super::check_schema;
use super::connect::Login;
use crate::store::StoreError;
use crate::store::repairs::{POSTGRES, repair, script};
use crate::store::rules::{
    ERASE_ONE, INSPECT, RECOUNT, Rule, SAME_SCHEMA, Subject, differences, rules,
};
use crate::verify::{Broken, Cause, Repair, Report};

/// One moment, and nothing is written.
const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// Everything in the schema, and how it was made.
pub(in crate::store) const SCHEMA: &str = r#"
    WITH relation AS (
        SELECT oid, relname FROM pg_class
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
           AND relname <> '_sqlx_migrations')
    SELECT 'column `' || r.relname || '.' || a.attname || '`',
           concat_ws(' ', format_type(a.atttypid, a.atttypmod), c.collname,
                     CASE WHEN a.attnotnull THEN 'not null' END, pg_get_expr(d.adbin, d.adrelid))
      FROM relation AS r
      JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef AS d ON d.adrelid = r.oid AND d.adnum = a.attnum
      LEFT JOIN pg_collation AS c ON c.oid = a.attcollation AND c.collname <> 'default'
     UNION ALL
    SELECT 'constraint `' || n.conname || '`',
           r.relname || ': ' || pg_get_constraintdef(n.oid)
      FROM relation AS r JOIN pg_constraint AS n ON n.conrelid = r.oid
     WHERE n.contype IN ('c', 'f', 'p', 'u', 'x')
     UNION ALL
    SELECT 'index `' || i.indexname || '`', i.indexdef
      FROM pg_indexes AS i WHERE i.schemaname = 'public' AND i.tablename <> '_sqlx_migrations'
     UNION ALL
    SELECT 'trigger `' || t.tgname || '`', t.tgenabled::text || ' ' || pg_get_triggerdef(t.oid)
      FROM relation AS r JOIN pg_trigger AS t ON t.tgrelid = r.oid
     WHERE NOT t.tgisinternal
     UNION ALL
    SELECT 'function `' || p.proname || '`', p.prosrc
      FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
     UNION ALL
    SELECT 'view `' || v.relname || '`', ''
      FROM pg_class AS v
     WHERE v.relnamespace = 'public'::regnamespace AND v.relkind NOT IN ('r', 'p', 'i', 'I', 't')
     ORDER BY 1"#;

/// What [`SCHEMA`] says of tables that were made just now: a line for each, name and text with a
/// tabulator between them, line ends within a text as `\n`.
const MADE: &str = include_str!("schema.txt");

const SOUND: [Rule; 2] = [
    Rule {
        says: "every reference is checked when it is written",
        subject: Subject::Table,
        query:
            "SELECT 'table `' || text(t.tgrelid::regclass) || '`', 'its references are not checked'
                  FROM pg_trigger AS t
                 WHERE t.tgisinternal AND t.tgenabled <> 'O'
                   AND (SELECT relnamespace FROM pg_class WHERE oid = t.tgrelid)
                       = 'public'::regnamespace
                 GROUP BY t.tgrelid",
        advice: "Enable all triggers of the tables, as a superuser.",
    },
    Rule {
        says: "every reference leads somewhere",
        subject: Subject::Table,
        query: "SELECT 'table `' || child || '`',
                       'refers to a row of `' || parent || '` that is not there'
                  FROM (SELECT 'order_line', 'orders', count(*) FROM order_line AS c
                         WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = c.order_id)
                         UNION ALL
                        SELECT 'sku', 'product', count(*) FROM sku AS c
                         WHERE NOT EXISTS (SELECT 1 FROM product WHERE id = c.product_id)
                         UNION ALL
                        SELECT 'product_image', 'product', count(*) FROM product_image AS c
                         WHERE NOT EXISTS (SELECT 1 FROM product WHERE id = c.product_id)
                         UNION ALL
                        SELECT 'session', 'account', count(*) FROM session AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'refresh_token', 'session', count(*) FROM refresh_token AS c
                         WHERE NOT EXISTS (SELECT 1 FROM session WHERE id = c.session_id)
                         UNION ALL
                        SELECT 'password_link', 'account', count(*) FROM password_link AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'data_key', 'account', count(*) FROM data_key AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'consent', 'account', count(*) FROM consent AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'order_event', 'orders', count(*) FROM order_event AS c
                         WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = c.order_id)
                         UNION ALL
                        SELECT 'payment', 'orders', count(*) FROM payment AS c
                         WHERE NOT EXISTS (SELECT 1 FROM orders WHERE id = c.order_id)
                         UNION ALL
                        SELECT 'refund', 'payment', count(*) FROM refund AS c
                         WHERE NOT EXISTS (SELECT 1 FROM payment WHERE id = c.payment_id)
                         UNION ALL
                        SELECT 'cart_line', 'sku', count(*) FROM cart_line AS c
                         WHERE NOT EXISTS (SELECT 1 FROM sku WHERE sku = c.sku)
                         UNION ALL
                        SELECT 'totp', 'account', count(*) FROM totp AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'recovery_code', 'account', count(*) FROM recovery_code AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'login_challenge', 'account', count(*) FROM login_challenge AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'email_link', 'account', count(*) FROM email_link AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'mail', 'account', count(*) FROM mail AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id)
                         UNION ALL
                        SELECT 'unsealed_account', 'account', count(*) FROM unsealed_account AS c
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id))
                    AS w (child, parent, rows)
                 WHERE rows > 0",
        advice: INSPECT,
    },
];

const RULES: [Rule; 26] = rules!("text");

/// Every writer that changes stock, or an order's state, locks stock before it decides, and waits
/// for this; those of accounts, sessions, carts and jobs alone do not. A statement sees what was
/// committed before it began.
const LOCK: [&str; 2] = ["BEGIN", "LOCK TABLE stock IN EXCLUSIVE MODE"];

const CHECKED: &str = SOUND[0].says;

const CHECK_AGAIN: &str = "DO $enable$
DECLARE
    tampered regclass;
BEGIN
    FOR tampered IN SELECT DISTINCT tgrelid::regclass FROM pg_trigger
                     WHERE tgisinternal AND tgenabled <> 'O' LOOP
        EXECUTE format('ALTER TABLE %s ENABLE TRIGGER ALL', tampered);
    END LOOP;
END
$enable$";

/// Checks every rule on one moment of a database that this version wrote.
pub(in crate::store) async fn check_everything(
    url: &PostgresUrl,
    password: Option<Zeroizing<String>>,
) -> Result<Report, Cause> {
    let mut connection = Login::new(url, password.as_ref()).unhurried().connect().await?;
    check_schema(&mut connection).await?;
    sqlx::query(BEGIN).execute(&mut connection).await.map_err(StoreError::from)?;
    let report = check(&mut connection).await?;
    // It only read: to close it is to end it.
    connection.close().await.map_err(StoreError::from)?;
    Ok(report)
}

/// Checks every rule within a transaction, which may be one that has written.
pub(in crate::store) async fn check(moment: &mut PgConnection) -> Result<Report, StoreError> {
    let there: Vec<(String, String)> = sqlx::query_as(SCHEMA).fetch_all(&mut *moment).await?;
    let mut report =
        Report { checked: vec![SAME_SCHEMA], broken: differences(&made(), &there, remake) };
    for rule in SOUND.iter().chain(&RULES) {
        report.checked.push(rule.says);
        report.broken.extend(contradictions(moment, rule).await?);
    }
    Ok(report)
}

/// A rule that cannot be asked must not end the transaction for the others.
async fn contradictions(moment: &mut PgConnection, rule: &Rule) -> Result<Vec<Broken>, StoreError> {
    let mut question = moment.begin().await?;
    let found = sqlx::query_as(rule.query).fetch_all(&mut *question).await;
    question.rollback().await?;
    Ok(rule.broken(found, mend)?)
}

/// What mends a rule.
pub(in crate::store) fn mend(rule: &str) -> Option<Repair> {
    if rule == CHECKED {
        return Some(Repair { script: script(&LOCK, &[CHECK_AGAIN]), while_serving: true });
    }
    repair(&POSTGRES, rule, &LOCK)
}

/// Everything but tables and columns can be made again without a loss.
fn remake(name: &str, made: Option<&str>, there: Option<&str>) -> Option<Repair> {
    let (kind, _) = name.split_once(' ')?;
    let quote = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
    let object = quote(name.split('`').nth(1)?);
    let text = made.or(there)?;
    let mut statements = match kind {
        "index" => vec![format!("DROP INDEX IF EXISTS {object}")],
        "constraint" => {
            let (table, _) = text.split_once(": ")?;
            vec![format!("ALTER TABLE {} DROP CONSTRAINT IF EXISTS {object}", quote(table))]
        }
        "trigger" => {
            let table = text.split(" ON ").nth(1)?.split(' ').next()?;
            vec![format!("DROP TRIGGER IF EXISTS {object} ON {table}")]
        }
        "function" => Vec::new(),
        _ => return None,
    };
    match (kind, made) {
        ("index", Some(text)) => statements.push(text.to_owned()),
        ("constraint", Some(text)) => {
            let (table, definition) = text.split_once(": ")?;
            let table = quote(table);
            statements.push(format!("ALTER TABLE {table} ADD CONSTRAINT {object} {definition}"));
        }
        // The first letter says whether it fires.
        ("trigger", Some(text)) => statements.push(text.split_once(' ')?.1.to_owned()),
        ("function", Some(text)) => statements.push(format!(
            "CREATE OR REPLACE FUNCTION {object}() RETURNS trigger LANGUAGE plpgsql AS $made${text}$made$"
        )),
        ("function", None) => statements.push(format!("DROP FUNCTION {object}")),
        _ => {}
    }
    let statements: Vec<_> = statements.iter().map(String::as_str).collect();
    Some(Repair { script: script(&LOCK, &statements), while_serving: true })
}

fn made() -> Vec<(String, String)> {
    let lines = MADE.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(name, text)| (name.to_owned(), text.replace("\\n", "\n"))).collect()
}

/// Every rule, in its words.
#[cfg(test)]
pub(in crate::store) fn rules_said() -> impl Iterator<Item = &'static str> {
    SOUND.iter().chain(&RULES).map(|rule| rule.says)
}

/// Every query of a rule.
#[cfg(test)]
pub(in crate::store) fn queries() -> impl Iterator<Item = &'static str> {
    SOUND.iter().chain(&RULES).map(|rule| rule.query)
}
