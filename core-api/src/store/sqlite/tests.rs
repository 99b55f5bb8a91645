//! A database that an earlier version wrote is brought up to date, and nothing in it is lost.

use super::*;
use crate::ids::{AccountId, Id as _, OrderId, ProductId};
use crate::inventory::MovementKind;
use crate::reach::Reach;
use crate::sku::Sku;
use crate::store::Slice;
use crate::verify::verify;
use stockade_settings::store::StoreUrl;

/// What the version before categories, cancellation and refresh tokens could have written.
const BEFORE: i64 = 5;
const WRITTEN_BEFORE: [&str; 9] = [
    "INSERT INTO account VALUES (zeroblob(16), 'Ann', 'ann', 'a@b.org', 'a@b.org', 'h', 'staff', 0, 1)",
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

    let vault = Arc::new(crate::vault::tests::vault());
    let Opened { store, .. } = SqliteStore::open(&file, &vault).await.unwrap();

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

/// What the version before data keys could have written: accounts in the clear, and a second
/// factor under the key from the file.
const BEFORE_DATA_KEYS: i64 = 42;

fn account(number: u128) -> AccountId {
    AccountId::from_uuid(uuid::Uuid::from_u128(number))
}

async fn write_accounts_in_the_clear(earlier: &mut SqliteConnection, vault: &Vault) {
    MIGRATIONS.run_to(BEFORE_DATA_KEYS, &mut *earlier).await.unwrap();
    let insert = "INSERT INTO account (id, username, username_folded, email, email_folded,
                                       role, demo, created_at, phone)
                  VALUES ($1, $2, $2, $3, $3, 'customer', 0, 1, '+33123456789')";
    sqlx::query("BEGIN").execute(&mut *earlier).await.unwrap();
    for number in 1..=300_u128 {
        sqlx::query(insert)
            .bind(account(number).uuid())
            .bind(format!("plainname{number}"))
            .bind(format!("plain{number}@example.org"))
            .execute(&mut *earlier)
            .await
            .unwrap();
    }
    let sealed = vault.before().seal_totp_secret(account(1), &[5; 20]);
    for (number, secret) in [(1, sealed.0), (299, vec![9; 60])] {
        sqlx::query("INSERT INTO totp (account_id, secret, last_step) VALUES ($1, $2, 7)")
            .bind(account(number).uuid())
            .bind(secret)
            .execute(&mut *earlier)
            .await
            .unwrap();
    }
    sqlx::query("COMMIT").execute(&mut *earlier).await.unwrap();
}

#[tokio::test]
async fn accounts_in_the_clear_are_sealed_and_whoever_stops_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("core.db");
    let url = StoreUrl::Sqlite(file.clone());
    let vault = Arc::new(crate::vault::tests::vault());
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut earlier = options.foreign_keys(true).connect().await.unwrap();
    write_accounts_in_the_clear(&mut earlier, &vault).await;
    earlier.close().await.unwrap();

    // The second transaction meets a factor that another key sealed; the first one is done.
    let error = SqliteStore::open(&file, &vault).await.unwrap_err().to_string();
    assert!(error.contains(&account(299).to_string()), "{error}");
    let waiting = "SELECT count(*) FROM unsealed_account";
    let mut database =
        SqliteConnection::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let count: i64 = sqlx::query_scalar(waiting).fetch_one(&mut database).await.unwrap();
    assert_eq!(count, 300 - 256);
    let report = verify(&url, None).await.unwrap();
    assert!(report.to_string().contains("is kept in the clear"), "{report}");
    let delete = "DELETE FROM totp WHERE account_id = $1";
    sqlx::query(delete).bind(account(299).uuid()).execute(&mut database).await.unwrap();
    database.close().await.unwrap();

    let Opened { store, writers } = SqliteStore::open(&file, &vault).await.unwrap();
    let last = store.account(account(300)).await.unwrap().unwrap();
    assert_eq!(last.profile.email.as_str(), "plain300@example.org");
    assert_eq!(last.profile.phone.unwrap().as_str(), "+33123456789");
    assert_eq!(store.credentials("plainname7").await.unwrap().unwrap().id, account(7));
    assert!(store.account(account(1)).await.unwrap().unwrap().has_factor);
    store.close().await;
    for writer in writers {
        writer.close().await;
    }
    assert!(verify(&url, None).await.unwrap().is_intact());
    let bytes = std::fs::read(&file).unwrap();
    for plain in [b"plain300@example".as_slice(), b"plainname", b"+33123456789"] {
        assert!(!bytes.windows(plain.len()).any(|window| window == plain));
    }
}

#[tokio::test]
async fn what_was_sealed_is_wiped_also_after_a_kill_in_between() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("core.db");
    let vault = Arc::new(crate::vault::tests::vault());
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let mut killed = options.foreign_keys(true).connect().await.unwrap();
    write_accounts_in_the_clear(&mut killed, &vault).await;
    sqlx::query("DELETE FROM totp").execute(&mut killed).await.unwrap();
    migrate(&mut killed).await.unwrap();
    unsealed::seal_everything(&mut killed, &vault).await.unwrap();
    killed.close().await.unwrap();
    let is_plain = || {
        let bytes = std::fs::read(&file).unwrap();
        bytes.windows(9).any(|window| window == b"plainname")
    };
    assert!(is_plain(), "it is there before");

    let Opened { store, writers } = SqliteStore::open(&file, &vault).await.unwrap();
    store.close().await;
    for writer in writers {
        writer.close().await;
    }
    assert!(!is_plain());
}
