//! What SQLite adds to the rules of every database: that its file is sound.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{ConnectOptions, Connection};

use super::{BUSY_TIMEOUT, MIGRATIONS};
use crate::store::repairs::{SQLITE, repair, script};
use crate::store::rules::{
    ERASE_ONE, INSPECT, RECOUNT, RESTORE, Rule, SAME_SCHEMA, Subject, differences, rules,
};
use crate::store::{OpenError, StoreError};
use crate::verify::{Broken, Cause, Repair, Report};

const APPLIED: &str = "SELECT version, checksum FROM _sqlx_migrations ORDER BY version";

const SCHEMA: &str = "
    SELECT type || ' `' || name || '`', coalesce(sql, '')
      FROM sqlite_schema
     WHERE name NOT LIKE '\\_sqlx%' ESCAPE '\\'
     ORDER BY 1";

const SOUND: [Rule; 2] = [
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
];

const RULES: [Rule; 26] = rules!("hex");

/// The one lock there is.
const LOCK: [&str; 1] = ["BEGIN IMMEDIATE"];

const INTACT: &str = SOUND[0].says;

/// Checks every rule on one moment of a database that this version wrote.
pub(in crate::store) async fn check_everything(file: &Path) -> Result<Report, Cause> {
    // Not opened read-only: SQLite looks at no CHECK in a file it cannot write.
    let options = SqliteConnectOptions::new().filename(file).pragma("query_only", "ON");
    let connected = options.busy_timeout(BUSY_TIMEOUT).connect().await;
    let mut connection = connected.map_err(OpenError::Connect)?;
    let mut moment = connection.begin().await.map_err(StoreError::from)?;
    if !is_current(&mut moment).await {
        return Err(Cause::OtherVersion);
    }
    let mut report = Report { checked: vec![SAME_SCHEMA], broken: compare(&mut moment).await? };
    for rule in SOUND.iter().chain(&RULES) {
        report.checked.push(rule.says);
        let found = sqlx::query_as(rule.query).fetch_all(&mut *moment).await;
        report.broken.extend(rule.broken(found, mend).map_err(StoreError::from)?);
    }
    moment.rollback().await.map_err(StoreError::from)?;
    Ok(report)
}

/// Whether exactly the migrations of this version were applied.
pub(in crate::store) async fn is_current(moment: &mut SqliteConnection) -> bool {
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
    Ok(differences(&made, &there, remake))
}

/// What mends a rule.
pub(in crate::store) fn mend(rule: &str) -> Option<Repair> {
    if rule == INTACT {
        return Some(Repair { script: script(&LOCK, &["REINDEX"]), while_serving: true });
    }
    repair(&SQLITE, rule, &LOCK)
}

/// Indexes and triggers hold nothing that is not in a table.
fn remake(name: &str, made: Option<&str>, there: Option<&str>) -> Option<Repair> {
    let (kind, _) = name.split_once(' ').filter(|(kind, _)| ["index", "trigger"].contains(kind))?;
    let quoted = name.split('`').nth(1)?.replace('"', "\"\"");
    let drop = there.map(|_| format!("DROP {} \"{quoted}\"", kind.to_uppercase()));
    let statements: Vec<_> = drop.as_deref().into_iter().chain(made).collect();
    Some(Repair { script: script(&LOCK, &statements), while_serving: true })
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
