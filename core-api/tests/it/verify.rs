//! `verify` finds every contradiction that somebody wrote past the core.

use sqlx::SqliteConnection;
use stockade_core_api::{Report, verify};
use stockade_settings::store::StoreUrl;

use crate::world::{PRINT, World, someone};

async fn report(world: &World) -> Report {
    verify(world.settings.store.url.as_ref().unwrap(), None).await.unwrap()
}

async fn run(database: &mut SqliteConnection, statement: &'static str) {
    sqlx::query(statement).execute(database).await.unwrap();
}

/// A shop with an order in every state there is.
async fn busy() -> World {
    let world = World::start().await;
    let ann = someone();
    world.order(ann, PRINT, 1).send().await.created();
    world.clock.advance(std::time::Duration::from_secs(900));
    let cancelled = world.order(ann, PRINT, 2).send().await.text("id").to_owned();
    world.cancel(ann, &cancelled).send().await;
    world.order(ann, PRINT, 3).send().await.created();
    world.adjust(PRINT, -1, "torn").send().await.created();
    world
}

/// What is wrong after these statements: rules and subjects.
async fn broken_by(statements: &[&'static str]) -> Vec<(&'static str, String)> {
    let world = busy().await;
    world.intact().await;
    let mut database = world.database().await;
    for statement in ["PRAGMA foreign_keys = OFF", "PRAGMA ignore_check_constraints = ON"] {
        run(&mut database, statement).await;
    }
    for statement in statements {
        run(&mut database, statement).await;
    }
    let report = report(&world).await;
    assert!(report.to_string().contains("BROKEN"), "{report}");
    assert!(report.broken.iter().all(|one| report.checked.contains(&one.rule)));
    assert!(report.broken.iter().all(|one| one.advice.ends_with('.')));
    report.broken.into_iter().map(|one| (one.rule, one.subject)).collect()
}

#[track_caller]
fn names(broken: &[(&'static str, String)], rule: &str, subject: &str) {
    let found = broken.iter().any(|(says, about)| says.contains(rule) && about.contains(subject));
    assert!(found, "{rule}, {subject}: {broken:?}");
}

const UNLOCK: [&str; 3] = [
    "DROP TRIGGER stock_movement_is_not_updated",
    "DROP TRIGGER stock_movement_is_not_deleted",
    "DROP INDEX stock_movement_ends_hold",
];

#[tokio::test]
async fn a_shop_that_runs_is_intact() {
    let world = busy().await;
    let report = report(&world).await;
    assert!(report.is_intact() && report.checked.len() > 20, "{report}");
    assert!(report.to_string().ends_with("rules checked, 0 contradictions found"));
    // So is one that is stopped, and nothing is left behind by looking.
    let world = world.restart().await;
    world.intact().await;
}

#[tokio::test]
async fn stock_that_the_ledger_does_not_explain_is_found() {
    let broken =
        broken_by(&["UPDATE stock SET on_hand = on_hand + 1 WHERE sku = 'PRINT-10'"]).await;
    assert_eq!(broken.len(), 1, "{broken:?}");
    names(&broken, "sum to what is on hand", "PRINT-10");

    let broken = broken_by(&["UPDATE stock SET reserved = 0 WHERE sku = 'PRINT-10'"]).await;
    names(&broken, "movements of a sku sum to what is reserved", "PRINT-10");
    names(&broken, "holds of a sku sum to what is reserved", "PRINT-10");

    let broken =
        broken_by(&["UPDATE stock SET reserved = on_hand + 1 WHERE sku = 'PRINT-10'"]).await;
    names(&broken, "0 <= reserved", "PRINT-10");
    names(&broken, "CHECK", "the database");
}

#[tokio::test]
async fn a_ledger_that_was_changed_is_found() {
    let change = "UPDATE stock_movement SET quantity = 7 WHERE kind = 'adjust'";
    let broken = broken_by(&[UNLOCK[0], change]).await;
    names(&broken, "are as they were made", "stock_movement_is_not_updated");
    names(&broken, "changes what its kind says", "PRINT-10");

    let twice = "INSERT INTO stock_movement
                 SELECT randomblob(16), sku, 'expire', quantity, 0, -quantity, reservation_id,
                        NULL, NULL, NULL, created_at
                   FROM stock_movement WHERE kind = 'release'";
    let broken = broken_by(&[UNLOCK[2], twice]).await;
    names(&broken, "ends once", "hold `");
    names(&broken, "sum to what is reserved", "PRINT-10");

    let broken = broken_by(&[UNLOCK[1], "DELETE FROM stock_movement WHERE kind = 'reserve'"]).await;
    names(&broken, "ends once", "hold `");

    let elsewhere = "UPDATE stock_movement SET sku = 'NOTHING' WHERE kind = 'release'";
    let broken = broken_by(&[UNLOCK[0], elsewhere]).await;
    names(&broken, "only what is stocked moves", "NOTHING");
    names(&broken, "of the hold's sku and quantity", "hold `");
}

#[tokio::test]
async fn orders_and_holds_that_do_not_fit_are_found() {
    let cancelled = "UPDATE orders SET state = 'cancelled' WHERE state = 'pending_payment'";
    let broken = broken_by(&[cancelled]).await;
    names(&broken, "a pending hold is of an order that waits", "hold `");
    names(&broken, "every line of an order has a hold", "order `");

    let broken = broken_by(&["UPDATE orders SET total_minor = 1 WHERE state = 'expired'"]).await;
    assert_eq!(broken.len(), 1, "{broken:?}");
    names(&broken, "its total is their sum", "order `");

    let broken = broken_by(&["DELETE FROM order_line"]).await;
    names(&broken, "an order has lines", "order `");
    names(&broken, "every hold is of an order's line", "hold `");

    let broken = broken_by(&["UPDATE reservation SET quantity = 9 WHERE state = 'pending'"]).await;
    names(&broken, "every line of an order has a hold", "order `");
    names(&broken, "holds of a sku sum", "PRINT-10");

    let broken = broken_by(&["DELETE FROM reservation WHERE state = 'released'"]).await;
    names(&broken, "every line of an order has a hold", "order `");
    names(&broken, "of the hold's sku and quantity", "hold `");

    let broken = broken_by(&["UPDATE order_line SET sku = 'NOTHING'"]).await;
    names(&broken, "are or were sold", "order `");
}

#[tokio::test]
async fn orders_and_payments_that_do_not_fit_are_found() {
    let broken = broken_by(&["UPDATE orders SET state = 'paid' WHERE state = 'expired'"]).await;
    names(&broken, "has a payment of all that it costs", "order `");
    names(&broken, "events lead from its placing to its state", "order `");

    let unlock = "DROP TRIGGER order_event_is_not_deleted";
    let broken = broken_by(&[unlock, "DELETE FROM order_event"]).await;
    names(&broken, "are as they were made", "order_event_is_not_deleted");
    names(&broken, "events lead from its placing to its state", "order `");

    let payment = "INSERT INTO payment
                   SELECT id, id, 'pi_1', 'captured', 9, 'EUR', 9, 10, 0 FROM orders LIMIT 1";
    let broken = broken_by(&[payment]).await;
    names(&broken, "0 <= refunded <= captured", "payment `");
    let refund = "INSERT INTO refund
                  SELECT id, id, 10, 'pending', 'late', NULL, 0 FROM orders LIMIT 1";
    let taken = "INSERT INTO payment
                 SELECT id, id, 'pi_1', 'captured', 9, 'EUR', 9, 0, 0 FROM orders LIMIT 1";
    let broken = broken_by(&[taken, refund]).await;
    names(&broken, "0 <= refunded <= captured", "payment `");

    let job =
        "INSERT INTO job VALUES (randomblob(16), 'refund', randomblob(16), 0, 0, NULL, NULL, 0)";
    let broken = broken_by(&[job]).await;
    names(&broken, "a job is about a payment or a refund", "job `");
}

#[tokio::test]
async fn what_leads_nowhere_or_is_there_twice_is_found() {
    let broken = broken_by(&["DELETE FROM product"]).await;
    names(&broken, "every reference leads somewhere", "table `sku`");
    let broken = broken_by(&["DELETE FROM stock WHERE sku = 'MUG-BLUE'"]).await;
    names(&broken, "every sku is stocked", "MUG-BLUE");
    let broken = broken_by(&["UPDATE product SET category_id = randomblob(16)"]).await;
    names(&broken, "a category that products are put into", "product");

    // Without its constraint, a table takes what the constraint forbids.
    let broken = broken_by(&[
        "DROP TABLE account",
        "CREATE TABLE account AS
         SELECT randomblob(16) AS id, 'ann' AS username_folded, 'a' AS email_folded
           FROM (VALUES (1), (2))",
    ])
    .await;
    names(&broken, "are as they were made", "table `account`");
    names(&broken, "a user name is one account's", "account `");
    names(&broken, "an e-mail address is one account's", "account `");

    let broken = broken_by(&[
        "DROP TABLE reservation",
        "CREATE TABLE reservation AS
         SELECT randomblob(16) AS id, id AS order_id, 'PRINT-10' AS sku, 1 AS quantity,
                'pending' AS state, 0 AS expires_at
           FROM orders, (VALUES (1), (2))",
    ])
    .await;
    names(&broken, "an order holds a sku once", "order `");

    let broken = broken_by(&[
        "DROP INDEX refresh_token_unspent",
        "INSERT INTO refresh_token
         SELECT randomblob(32), zeroblob(16), 0, 1, NULL FROM (VALUES (1), (2))",
    ])
    .await;
    names(&broken, "one token at a time", "session `");
}

#[tokio::test]
async fn what_cannot_be_verified_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("core.db");
    let url = StoreUrl::Sqlite(file.clone());
    let error = verify(&url, None).await.unwrap_err().to_string();
    assert!(error.starts_with("the database cannot be opened for reading: "), "{error}");
    assert!(!file.exists());

    std::fs::write(&file, "").unwrap();
    let error = verify(&url, None).await.unwrap_err().to_string();
    assert!(error.contains("another version of this program"), "{error}");
}
