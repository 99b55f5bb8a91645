//! A database that an earlier version wrote is brought up to date, and nothing in it is lost.

use super::*;
use crate::ids::{Id as _, OrderId, ProductId};
use crate::inventory::MovementKind;
use crate::reach::Reach;
use crate::sku::Sku;
use crate::store::Slice;
use crate::verify::verify;
use stockade_settings::store::StoreUrl;

/// What the version before categories, cancellation and refresh tokens could have written.
const BEFORE: i64 = 5;
const WRITTEN_BEFORE: [&str; 9] = [
    "INSERT INTO account VALUES (zeroblob(16), 'ann', 'ann', 'a@b.org', 'a@b.org', 'h', 'staff', 0, 1)",
    "INSERT INTO session VALUES (zeroblob(16), zeroblob(16), 1, 2)",
    "INSERT INTO product VALUES (zeroblob(16), 'Lamp', 'Bright.', 1)",
    "INSERT INTO sku VALUES ('LAMP', zeroblob(16), 100, 'EUR')",
    "INSERT INTO stock VALUES ('LAMP', 9, 2)",
    "INSERT INTO orders VALUES (zeroblob(16), zeroblob(16), 'pending_payment', 200, 'EUR', 1, 9)",
    "INSERT INTO order_line VALUES (zeroblob(16), 'LAMP', 2, 100)",
    "INSERT INTO reservation VALUES (zeroblob(16), zeroblob(16), 'LAMP', 2, 'pending', 9)",
    "INSERT INTO stock_movement VALUES
        (unhex('00000000000000000000000000000001'), 'LAMP', 'receive', 9, 9, 0, NULL, NULL, 'n', 1),
        (unhex('00000000000000000000000000000002'), 'LAMP', 'reserve', 2, 0, 2, zeroblob(16),
         NULL, NULL, 2)",
];

#[tokio::test]
async fn an_earlier_database_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("core.db");
    let url = StoreUrl::Sqlite(file.clone());
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut earlier = options.foreign_keys(true).connect().await.unwrap();
    MIGRATIONS.run_to(BEFORE, &mut earlier).await.unwrap();
    for statement in WRITTEN_BEFORE {
        sqlx::query(statement).execute(&mut earlier).await.unwrap();
    }
    earlier.close().await.unwrap();
    assert!(verify(&url, None).await.unwrap_err().to_string().contains("another version"));

    let Opened { store, .. } = SqliteStore::open(&file).await.unwrap();

    let report = verify(&url, None).await.unwrap();
    assert!(report.is_intact(), "{report}");
    assert!(store.credentials("ann").await.unwrap().unwrap().hash.is_some());
    let order = store.order(Reach::Any, OrderId::from_uuid(uuid::Uuid::nil())).await.unwrap();
    assert_eq!(order.unwrap().lines.len(), 1);
    let product = store.product(ProductId::from_uuid(uuid::Uuid::nil())).await.unwrap().unwrap();
    assert_eq!((product.version.0, product.category, product.offers.len()), (1, None, 1));
    let slice = Slice { after: None, limit: 9 };
    let ledger = store.movements(&Sku::parse("LAMP").unwrap(), &slice).await.unwrap();
    let kinds: Vec<_> = ledger.iter().map(|entry| entry.kind).collect();
    assert_eq!(kinds, [MovementKind::Reserve, MovementKind::Receive]);
    assert_eq!(ledger[1].note.as_deref(), Some("n"));
}
