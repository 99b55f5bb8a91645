//! A writer that waits for rows that somebody holds is the only one who waits.

use sqlx::PgConnection;
use stockade_test_support::deadline::soon;

use crate::world::{PRINT, World, someone};

const HELD: &str = "SELECT 1 FROM stock WHERE sku = $1 FOR UPDATE";

/// Since when a writer's transaction waits for a lock.
const WAITS_SINCE: &str = "
    SELECT xact_start::text
      FROM pg_stat_activity
     WHERE datname = current_database()
       AND application_name = 'stockade'
       AND wait_event_type = 'Lock'";

async fn waits_since(observer: &mut PgConnection) -> Option<String> {
    sqlx::query_scalar(WAITS_SINCE).fetch_optional(observer).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_of_other_goods_pass_one_that_waits() {
    let world = World::start().await;
    let (mut holder, mut observer) = (world.database().await, world.database().await);
    sqlx::query("BEGIN").execute(&mut holder).await.unwrap();
    sqlx::query(HELD).bind(PRINT).execute(&mut holder).await.unwrap();
    let held = world.order(someone(), PRINT, 1);
    let held = tokio::spawn(async move { held.send().await });
    let waiting = async {
        loop {
            if let Some(since) = waits_since(&mut observer).await {
                return since;
            }
        }
    };
    let since = soon("the order waits", waiting).await;

    let other = world.order(someone(), "MUG-BLUE", 1);
    soon("an order of other goods", other.send()).await.created();

    assert_eq!(waits_since(&mut observer).await, Some(since), "it did not wait for the first");
    sqlx::query("ROLLBACK").execute(&mut holder).await.unwrap();
    soon("the order that waited", held).await.unwrap().created();
    world.intact().await;
}
