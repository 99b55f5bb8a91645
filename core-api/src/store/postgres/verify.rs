//! What PostgreSQL adds to the rules of every database: that its constraints are in force.

use sqlx::Connection as _;
use sqlx::postgres::PgConnection;
use stockade_settings::store::PostgresUrl;
use zeroize::Zeroizing;

use super::check_schema;
use super::connect::Login;
use crate::store::StoreError;
use crate::store::rules::{INSPECT, RECOUNT, Rule, SAME_SCHEMA, Subject, differences, rules};
use crate::verify::{Broken, Cause, Report};

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
        advice: "Enable all triggers of the table, then verify again.",
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
                         WHERE NOT EXISTS (SELECT 1 FROM account WHERE id = c.account_id))
                    AS w (child, parent, rows)
                 WHERE rows > 0",
        advice: INSPECT,
    },
];

const RULES: [Rule; 26] = rules!("text");

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
    let mut report = Report { checked: vec![SAME_SCHEMA], broken: differences(&made(), &there) };
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
    Ok(rule.broken(found)?)
}

fn made() -> Vec<(String, String)> {
    let lines = MADE.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(name, text)| (name.to_owned(), text.replace("\\n", "\n"))).collect()
}

/// Every query of a rule.
#[cfg(test)]
pub(in crate::store) fn queries() -> impl Iterator<Item = &'static str> {
    SOUND.iter().chain(&RULES).map(|rule| rule.query)
}
