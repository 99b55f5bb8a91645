//! What happens when more is asked than can be done, and when those who ask go away.

use std::num::NonZeroUsize;

use sqlx::Connection as _;
use stockade_settings::store::Writers;
use tokio::task::JoinSet;

use crate::world::{PRINT, World, someone};

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_refuses_at_once_and_loses_nothing() {
    let world = World::start_with(|settings| {
        settings.write_queue_max = NonZeroUsize::MIN;
        settings.store.writers = Writers::ONE;
    })
    .await;
    let lock = world.hold_writes().await;
    // While the writer waits it holds one batch of 128, and one more waits in the queue.
    let mut tries: JoinSet<_> = (0..130)
        .map(|_| world.order(someone(), "MUG-BLUE", 1))
        .map(|call| async move { call.send().await })
        .collect();
    let mut answers = vec![tries.join_next().await.unwrap().unwrap()];
    answers[0].refused(503, "busy");
    lock.close().await.unwrap();
    answers.extend(tries.join_all().await);

    let (placed, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status.as_u16() == 201);
    assert!(!placed.is_empty());
    for answer in refused {
        answer.refused(503, "busy");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    let reserved = world.stock("MUG-BLUE").await.reserved;
    assert_eq!(reserved, i64::try_from(placed.len()).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_hangs_up_spoils_nothing() {
    let world = World::start().await;
    let lock = world.hold_writes().await;
    let (ann, bob) = (world.order(someone(), PRINT, 1), world.order(someone(), PRINT, 1));
    let (mut connection, request) = (ann.connect().await, ann.request());
    let anns = tokio::spawn(async move { connection.send_request(request).await });
    let bobs = tokio::spawn(async move { bob.send().await });
    // Reading does not wait for writing.
    world.stock(PRINT).await;
    anns.abort();
    assert!(anns.await.unwrap_err().is_cancelled());
    lock.close().await.unwrap();

    bobs.await.unwrap().created();
    // Whether or not the first try came through, asking again is one order.
    ann.send().await.created();
    assert_eq!(world.stock(PRINT).await.reserved, 2);
}
