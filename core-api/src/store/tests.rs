//! Every statement is one that its database understands, and its program may run.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _, SqlSafeStr as _};
use stockade_settings::store::StoreUrl;
use stockade_test_support::postgres::{Cluster, OWNER, PROGRAM};

use super::rows::{account_book, audit, catalog, orders, privacy};
use super::{migrate, postgres, sqlite, transfer};
use crate::privacy::classified;
use crate::verify::Repair;

/// The statements in a folder or file below this module: texts that are whole constants.
fn statements(place: &str) -> Vec<String> {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store").join(place);
    let files: Vec<_> = match fs::read_dir(&place) {
        Ok(entries) => entries.map(|entry| entry.unwrap().path()).collect(),
        Err(_) => vec![place],
    };
    let texts: Vec<_> = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
    let constants = texts.iter().flat_map(|text| text.split("const ").skip(1));
    let literals = constants.filter_map(|text| {
        let (_, text) = text.split_once(": &str =")?;
        let (text, _) = text.trim_start().strip_prefix('"')?.split_once("\";")?;
        Some(text.replace("\\\"", "\"").replace("\\\\", "\\"))
    });
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
    let is_statement = |text: &str| verbs.iter().any(|verb| text.trim_start().starts_with(verb));
    literals.filter(|text| is_statement(text)).collect()
}

/// Statements that are put together when the program is built; both databases understand them.
const COMPOSED: [&str; 14] = [
    audit::LIST,
    audit::LIST_OF_ACTOR,
    audit::LIST_OF_OBJECT,
    catalog::PRODUCTS,
    catalog::PRODUCTS_IN,
    catalog::PRODUCTS_LIKE,
    catalog::PRODUCT,
    orders::LIST_OWN,
    orders::LIST_OTHERS,
    orders::LIST_ANY,
    orders::FIND_OWN,
    orders::FIND_OTHERS,
    orders::FIND_ANY,
    privacy::IS_UNERASED,
];

fn shared() -> Vec<String> {
    let mut all = statements("rows");
    all.extend(statements("rows.rs"));
    all.extend(COMPOSED.map(str::to_owned));
    all.extend(transfer::TABLES.iter().map(|table| table.count.to_owned()));
    all
}

#[tokio::test]
async fn sqlite_understands_every_statement() {
    let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlite::MIGRATIONS.run(&mut database).await.unwrap();
    let mut all = shared();
    all.extend(statements("sqlite"));
    all.extend(sqlite::verify::queries().map(str::to_owned));
    all.extend(transfer::TABLES.iter().map(|table| table.read.to_owned()));
    assert!(all.len() > 100, "{} statements", all.len());
    for text in all {
        let prepared = database.prepare(AssertSqlSafe(text.clone()).into_sql_str()).await;
        assert!(prepared.is_ok(), "{text}: {prepared:?}");
    }
}

/// No statement makes what is sealed, or erases as the core does.
const MENDED_BY_COMMANDS: [&str; 5] = [
    "a user name is one account's",
    "an e-mail address is one account's",
    "an account has a data key and sealed names, or waits to be sealed",
    "nothing waits to be sealed",
    "of an erased account nothing is left that is somebody's",
];

#[test]
fn every_rule_says_how_it_is_mended() {
    let says = |rules: Vec<&'static str>, mend: fn(&str) -> Option<Repair>| {
        let silent = rules.into_iter().filter(|rule| mend(rule).is_none());
        let silent: Vec<_> = silent.filter(|rule| !MENDED_BY_COMMANDS.contains(rule)).collect();
        assert!(silent.is_empty(), "no repair is written for {silent:?}");
    };
    says(sqlite::verify::rules_said().collect(), sqlite::verify::mend);
    says(postgres::verify::rules_said().collect(), postgres::verify::mend);
}

async fn shop() -> String {
    let cluster = Cluster::shared();
    let name = cluster.create_database("template0");
    let Ok(StoreUrl::Postgres(owner)) = cluster.url(OWNER, &name).parse() else { unreachable!() };
    migrate(&owner, None, PROGRAM).await.unwrap();
    name
}

#[tokio::test]
async fn postgres_understands_every_statement() {
    let url = Cluster::shared().url(PROGRAM, &shop().await);
    let mut database = PgConnection::connect(&url).await.unwrap();
    let mut all = shared();
    all.extend(statements("postgres"));
    all.extend(statements("postgres.rs"));
    all.extend(postgres::verify::queries().map(str::to_owned));
    all.extend(transfer::TABLES.iter().map(|table| table.write.to_owned()));
    assert!(all.len() > 100, "{} statements", all.len());
    for text in all {
        let prepared = database.prepare(AssertSqlSafe(text.clone()).into_sql_str()).await;
        assert!(prepared.is_ok(), "{text}: {prepared:?}");
    }
}

#[tokio::test]
async fn the_described_schema_is_what_the_migrations_make() {
    let url = Cluster::shared().url("postgres", &shop().await);
    let mut database = PgConnection::connect(&url).await.unwrap();
    let rows: Vec<(String, String)> =
        sqlx::query_as(postgres::verify::SCHEMA).fetch_all(&mut database).await.unwrap();
    let line = |(name, text): (String, String)| format!("{name}\t{}\n", text.replace('\n', "\\n"));
    let made: String = rows.into_iter().map(line).collect();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/postgres/schema.txt");
    let written = fs::read_to_string(&file).unwrap();
    assert!(made == written, "{} must hold:\n{made}", file.display());
}

#[tokio::test]
async fn what_a_database_refuses_is_not_told_with_its_values() {
    use std::error::Error as _;

    use super::StoreError;

    let url = Cluster::shared().url(PROGRAM, &shop().await);
    let mut postgres = PgConnection::connect(&url).await.unwrap();
    let mut sqlite = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlite::MIGRATIONS.run(&mut sqlite).await.unwrap();
    let twice = "INSERT INTO category (id, name, name_folded, created_at)
                 VALUES ($1, 'zcanary', 'zcanary', 0), ($2, 'zcanary', 'zcanary', 0)";
    let null = "INSERT INTO category (id, name, name_folded, created_at)
                VALUES ($1, 'zcanary', 'zcanary', 0), ($2, 'zcanary', NULL, 0)";
    for statement in [twice, null] {
        let (one, two) = (uuid::Uuid::from_u128(1), uuid::Uuid::from_u128(2));
        let there = sqlx::query(statement).bind(one).bind(two);
        let here = sqlx::query(statement).bind(one).bind(two);
        let refused = [
            there.execute(&mut postgres).await.map(|_| ()).unwrap_err(),
            here.execute(&mut sqlite).await.map(|_| ()).unwrap_err(),
        ];
        for error in refused {
            let error = StoreError::from(error);
            let told = format!("{error:?} {error} {}", error.source().unwrap());
            assert!(!told.contains("zcanary"), "{told}");
            assert!(told.contains("category") && error.source().unwrap().source().is_none());
        }
    }
}

#[tokio::test]
async fn every_column_has_its_class() {
    let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlite::MIGRATIONS.run(&mut database).await.unwrap();
    let columns = "SELECT t.name || '.' || c.name
                     FROM sqlite_schema AS t, pragma_table_info(t.name) AS c
                    WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite%'
                      AND t.name <> '_sqlx_migrations'";
    let there: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut database).await.unwrap();
    assert_eq!(BTreeSet::from_iter(there), classified());

    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/postgres/schema.txt");
    let schema = fs::read_to_string(file).unwrap();
    let lines = schema.lines().filter_map(|line| line.strip_prefix("column `"));
    let there = lines.map(|line| line.split('`').next().unwrap().to_owned());
    assert_eq!(there.collect::<BTreeSet<_>>(), classified());
}

#[test]
fn every_reference_is_asked_whether_it_leads_somewhere() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/postgres/schema.txt");
    let schema = fs::read_to_string(file).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let asked: Vec<_> = postgres::verify::queries().map(words).collect();
    let references = schema.lines().filter(|line| line.contains(": FOREIGN KEY ("));
    let mut count = 0;
    for line in references {
        let (child, reference) = line.split_once('\t').unwrap().1.split_once(": ").unwrap();
        let (column, parent) = reference.split_once(") REFERENCES ").unwrap();
        let column = column.strip_prefix("FOREIGN KEY (").unwrap();
        let (parent, key) = parent.strip_suffix(')').unwrap().split_once('(').unwrap();
        // A product's category has a rule of its own.
        let arm = match child {
            "product" => format!("{column} NOT IN (SELECT {key} FROM {parent})"),
            _ => format!(
                "SELECT '{child}', '{parent}', count(*) FROM {child} AS c \
                 WHERE NOT EXISTS (SELECT 1 FROM {parent} WHERE {key} = c.{column})"
            ),
        };
        assert!(asked.iter().any(|query| query.contains(&arm)), "nobody asks: {arm}");
        count += 1;
    }
    assert_eq!(count, 19);
}

#[tokio::test]
async fn a_name_that_is_tried_again_while_it_is_swept_stays_locked() {
    let url = Cluster::shared().url("postgres", &shop().await);
    let mut database = PgConnection::connect(&url).await.unwrap();
    let insert = "INSERT INTO login_throttle VALUES (sha256('k'), 5, 0, 10)";
    sqlx::query(insert).execute(&mut database).await.unwrap();
    let mut login = PgConnection::connect(&url).await.unwrap();
    let renew = "UPDATE login_throttle SET failures = 6, expires_at = 100";
    for statement in ["BEGIN", renew] {
        sqlx::query(statement).execute(&mut login).await.unwrap();
    }
    let mut sweeper = PgConnection::connect(&url).await.unwrap();
    let sweep = tokio::spawn(async move {
        let delete = sqlx::query(account_book::DELETE_EXPIRED_THROTTLES).bind(20_i64);
        delete.execute(&mut sweeper).await.unwrap().rows_affected()
    });
    let waits = "SELECT count(*) FROM pg_stat_activity
                  WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut database).await.unwrap() == 0 {
        tokio::task::yield_now().await;
    }
    sqlx::query("COMMIT").execute(&mut login).await.unwrap();
    assert_eq!(sweep.await.unwrap(), 0);
}

#[tokio::test]
async fn tables_are_not_made_for_a_program_without_a_role() {
    let name = Cluster::shared().create_database("template0");
    let owner = Cluster::shared().url(OWNER, &name);
    let Ok(StoreUrl::Postgres(url)) = owner.parse() else { unreachable!() };
    let error = migrate(&url, None, "stokade").await.unwrap_err().to_string();
    let mut database = PgConnection::connect(&owner).await.unwrap();
    let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'";
    let tables: i64 = sqlx::query_scalar(tables).fetch_one(&mut database).await.unwrap();
    assert_eq!(tables, 0);
    assert!(error.contains("there is no role `stokade`"), "{error}");
}

#[tokio::test]
async fn who_reads_without_hurry_may_read_for_long_and_write_nothing() {
    let url = Cluster::shared().url(PROGRAM, &shop().await);
    let Ok(StoreUrl::Postgres(url)) = url.parse() else { unreachable!() };
    for (login, most) in [
        (postgres::Login::new(&url, None), "30s"),
        (postgres::Login::new(&url, None).unhurried(), "0"),
    ] {
        let mut reader = login.for_reading().connect().await.unwrap();
        for (setting, expected) in [("statement_timeout", most), ("transaction_read_only", "on")] {
            let show = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
            let found: String = show.fetch_one(&mut reader).await.unwrap();
            assert_eq!(found, expected, "{setting}");
        }
    }
}

#[tokio::test]
async fn super_admins_are_found_without_a_look_at_everybody() {
    let mut database = SqliteConnection::connect("sqlite::memory:").await.unwrap();
    sqlite::MIGRATIONS.run(&mut database).await.unwrap();
    let explain = format!("EXPLAIN QUERY PLAN {}", account_book::SUPER_ADMINS);
    let plan: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(explain)).fetch_all(&mut database).await.unwrap();
    assert!(plan.iter().any(|step| step.3.contains("account_super_admin")), "{plan:?}");
}
