//! One bad operation fails alone, and an operation outlives whoever asked for it.

use stockade_settings::store::{StoreSettings, StoreUrl};
use tempfile::TempDir;

use super::*;
use crate::accounts::{EmailAddress, NewAccount, NewSession, Profile, Role, TokenHash, Username};
use crate::catalog::{Description, NewProduct, Offers};
use crate::clock::{SetClock, Timestamp};
use crate::inventory::{Listed, StockLevel};
use crate::money::{Currency, Money};
use crate::privacy::{By, Erase, EraseError};
use crate::sku::Sku;
use crate::store::{Opened, Slice, Store, open};

struct World {
    store: Box<dyn Store>,
    writer: Writer,
    task: WriterTasks,
    metrics: prometheus::Registry,
    _folder: TempDir,
}

impl World {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = StoreUrl::Sqlite(folder.path().join("core.db"));
        let vault = Arc::new(crate::vault::tests::vault());
        let opened = open(&url, &StoreSettings::default(), &vault).await.unwrap();
        let Opened { store, mut writers } = opened;
        let metrics = prometheus::Registry::new();
        let desk = Desk {
            store: writers.pop().unwrap(),
            clock: SetClock::at(Timestamp::from_micros(0)).clock(),
            ids: IdSource::default(),
            metrics: Arc::new(CoreMetrics::register(&metrics).unwrap()),
            low_at: None,
        };
        let (writer, task) = start(vec![desk], 64);
        Self { store, writer, task, metrics, _folder: folder }
    }

    async fn skus(&self) -> Vec<String> {
        let slice = Slice { after: None, limit: 100 };
        let stock = self.store.stock(Listed::All, None, &slice).await.unwrap();
        assert!(stock.iter().all(|one| one.level == StockLevel::default()));
        stock.into_iter().map(|one| one.sku.into()).collect()
    }

    fn batch_sizes(&self) -> Vec<(u64, f64)> {
        let families = self.metrics.gather();
        let family = families.iter().find(|one| one.name() == "stockade_core_write_batch_size");
        let metrics = family.unwrap().get_metric();
        let histograms = metrics.iter().map(|metric| metric.get_histogram());
        histograms.map(|one| (one.get_sample_count(), one.get_sample_sum())).collect()
    }
}

fn product(sku: &str) -> NewProduct {
    let price = Money { minor: 1, currency: Currency::EUR };
    NewProduct {
        id: IdSource::default().next(Timestamp::from_micros(0)),
        name: "product".to_owned().try_into().unwrap(),
        description: Description::default(),
        category: None,
        offers: Offers::collect([(Sku::parse(sku).unwrap(), price)].into_iter()).unwrap(),
    }
}

/// A session of an account that is not there, which only the database knows.
fn nobodys_session() -> NewSession {
    let (ids, now) = (IdSource::default(), Timestamp::from_micros(0));
    NewSession {
        id: ids.next(now),
        account: ids.next(now),
        began_at: now,
        second_factor_at: None,
        ends_at: Timestamp::from_micros(1),
        token: TokenHash([0; 32]),
    }
}

impl Write for NewSession {
    type Answer = ();

    fn wants(&self, _: &mut Wanted) {}

    fn decide(&self, sheet: &mut Worksheet) {
        sheet.sessions.begin(self.clone());
    }
}

#[tokio::test]
async fn a_bad_operation_does_not_fail_its_neighbours() {
    let world = World::start().await;

    let answers = tokio::join!(
        world.writer.submit(product("A")),
        world.writer.submit(nobodys_session()),
        world.writer.submit(product("C")),
    );

    assert!(answers.0.unwrap().is_ok() && answers.2.unwrap().is_ok());
    assert!(matches!(answers.1, Err(WriteError::Store(StoreError::Database(_)))));
    assert_eq!(world.skus().await, ["A", "C"]);
    assert_eq!(world.batch_sizes(), [(1, 3.0)], "all three were one batch");
}

#[tokio::test]
async fn an_operation_outlives_whoever_asked() {
    let world = World::start().await;
    let mut asked = Box::pin(world.writer.submit(product("A")));
    assert!(futures::poll!(&mut asked).is_pending());
    drop(asked);
    world.writer.submit(product("B")).await.unwrap().unwrap();
    assert_eq!(world.skus().await, ["A", "B"]);
}

#[tokio::test]
async fn draining_carries_out_what_waits_and_takes_no_more() {
    let World { store, writer, task, _folder, .. } = World::start().await;
    let mut asked = Box::pin(writer.submit(product("A")));
    assert!(futures::poll!(&mut asked).is_pending());
    task.drain().await;
    asked.await.unwrap().unwrap();
    assert!(!writer.runs());
    let late = writer.submit(product("B")).await;
    assert!(matches!(late, Err(WriteError::Stopped)));
    let slice = Slice { after: None, limit: 9 };
    assert_eq!(store.stock(Listed::All, None, &slice).await.unwrap().len(), 1);
}

/// An account that was sent a proof, and a session of it.
fn unproved(role: &str) -> (NewAccount, NewSession) {
    let id = IdSource::default().next(Timestamp::from_micros(0));
    let email = EmailAddress::parse(&format!("{role}@example.org")).unwrap();
    let profile = Profile::new(Username::parse(role).unwrap(), email, None);
    let role = Role::parse(role).unwrap();
    let account = NewAccount { id, profile, hash: None, role, demo: false, asked_for_proof: true };
    (account, NewSession { account: id, ..nobodys_session() })
}

#[tokio::test]
async fn retention_leaves_whoever_logged_in_or_became_staff_since_it_looked() {
    let world = World::start().await;
    let retention = |account: &NewAccount| {
        world.writer.submit(Erase { account: account.id, by: By::Retention, throttle: None })
    };
    let (staff, _) = unproved("staff");
    world.writer.submit(staff.clone()).await.unwrap().unwrap();
    assert!(matches!(retention(&staff).await.unwrap(), Err(EraseError::NotDue)));

    let (ann, session) = unproved("customer");
    world.writer.submit(ann.clone()).await.unwrap().unwrap();
    // The login and the end of the account are one batch.
    let (login, erased) = tokio::join!(world.writer.submit(session), retention(&ann));
    login.unwrap();
    assert!(matches!(erased.unwrap(), Err(EraseError::NotDue)));
    assert!(matches!(retention(&ann).await.unwrap(), Err(EraseError::NotDue)));
}
