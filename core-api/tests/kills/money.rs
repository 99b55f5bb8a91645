//! The core is killed after the provider has done what it was asked, and before anything here
//! says so: when a payment is opened, when its money is taken, when some of it goes back.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Child;

use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use stockade_core_api::{Clock, PaymentMock, verify};
use stockade_test_support::deadline::{eventually_yes, soon};
use tokio::net::UnixStream;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::call::{Answer, Call, call};
use crate::gate::{Fate, Gate};
use crate::provider::{self, KEY};
use crate::{ask, spawn, write_settings};

const WEBHOOK_SECRET: &str = "whsec_0123456789abcdef";

/// A shop on SQLite whose core can be killed, and a provider behind a gate.
struct Shop {
    mock: PaymentMock,
    gate: Gate,
    folder: tempfile::TempDir,
    url: String,
    core: Child,
    customer: String,
}

pub(crate) async fn run() {
    let mut shop = Shop::open().await;
    let order = shop.order().await;
    let payments = format!("/api/orders/{order}/payments");

    let open = shop.by_customer("POST", &payments).key("open");
    shop.killed_at("/v1/payment_intents", open.clone()).await;
    let opened = open.send().await;
    opened.created();
    assert_eq!(shop.payments(&order).await.len(), 1);
    let intents = shop.gate.seen("/v1/payment_intents");
    assert!(intents.len() == 2 && intents[0] == intents[1], "{intents:?}");

    provider::confirm(shop.provider(), &opened.body, "pm_card_visa").await;
    let authorised = provider::events(shop.provider()).await.pop().unwrap();
    shop.killed_at("/capture", shop.webhook(&authorised)).await;
    shop.tell().await;
    let paid = &shop.payments(&order).await[0];
    assert_eq!((&paid["state"], &paid["captured_minor"]), (&json!("captured"), &json!(300)));

    let refunds = format!("/api/payments/{}/refunds", opened.text("id"));
    let refund = shop.by_staff("POST", &refunds).key("refund").json(&json!({"amount_minor": 100}));
    shop.killed_at("/v1/refunds", refund.clone()).await;
    refund.send().await.created();
    shop.tell().await;
    let paid = &shop.payments(&order).await[0];
    assert_eq!(
        (&paid["refunded_minor"], &paid["refunds"][0]["state"]),
        (&json!(100), &json!("succeeded"))
    );
    assert_eq!(paid["refunds"].as_array().unwrap().len(), 1);

    let path = format!("/v1/payment_intents/{}", opened.text("provider_ref"));
    let there = provider::ask(shop.provider(), "GET", &path, "").await;
    let charge = &there["latest_charge"];
    assert_eq!(
        (&charge["amount_captured"], &charge["amount_refunded"]),
        (&json!(300), &json!(100))
    );
    shop.prove().await;
    println!("3 kills between provider and database: nothing taken, kept or given back twice");
}

impl Shop {
    async fn open() -> Self {
        let listen: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let mock = PaymentMock::start(listen, KEY.to_owned(), Clock::system()).await.unwrap();
        let gate = Gate::before(mock.addr()).await;
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("stripe-key", KEY), ("whsec", WEBHOOK_SECRET)] {
            fs::write(folder.path().join(name), text).unwrap();
            let mode = fs::Permissions::from_mode(0o600);
            fs::set_permissions(folder.path().join(name), mode).unwrap();
        }
        let url = format!("sqlite:{}", folder.path().join("shop.db").display());
        let payments = format!(
            "[core.payments]\nprovider_url = \"http://{}\"\nsecret_key_file = \"stripe-key\"\n\
             webhook_secret_files = [\"whsec\"]\n",
            gate.addr()
        );
        write_settings(folder.path(), &url, &payments);
        let core = spawn(folder.path());
        let shop = Self { mock, gate, folder, url, core, customer: Uuid::now_v7().to_string() };
        shop.listening().await;
        shop
    }

    fn provider(&self) -> SocketAddr {
        self.mock.addr()
    }

    fn socket(&self) -> PathBuf {
        self.folder.path().join("core.sock")
    }

    async fn listening(&self) {
        let socket = self.socket();
        let listens = || async { UnixStream::connect(&socket).await.is_ok() };
        eventually_yes("the core listens", listens).await;
    }

    fn call(&self, method: &'static str, path: &str) -> Call {
        call(&self.socket(), &Clock::system(), method, path)
    }

    fn by_customer(&self, method: &'static str, path: &str) -> Call {
        self.call(method, path).by(&self.customer).scope(Scope::Own)
    }

    fn by_staff(&self, method: &'static str, path: &str) -> Call {
        self.call(method, path).by(&Uuid::now_v7().to_string())
    }

    /// An order of three things at a euro each.
    async fn order(&self) -> String {
        let skus = [json!({"sku": "A", "price_minor": 100, "currency": "EUR"})];
        let product = json!({"name": "Product", "description": "Sold.", "skus": skus});
        self.call("POST", "/api/products").json(&product).send().await.created();
        let arrived = json!({"kind": "receive", "quantity": 10});
        let receive = self.by_staff("POST", "/api/inventory/A/movements").key("A").json(&arrived);
        receive.send().await.created();
        let order = self.by_customer("POST", "/api/orders").key("order");
        let order = order.json(&json!({"lines": [{"sku": "A", "quantity": 3}]})).send().await;
        order.text("id").to_owned()
    }

    /// Sends a request, kills the core once the provider has done what follows from it, and
    /// starts it again.
    async fn killed_at(&mut self, end: &'static str, request: Call) {
        let (told, done) = oneshot::channel();
        let (_held, go_on) = oneshot::channel();
        self.gate.next(end, Fate::AnswerHeld(told, go_on));
        let asking = tokio::spawn({
            let socket = self.socket();
            async move { ask(&socket, &request).await }
        });
        soon(format!("the provider has done {end}"), done).await.unwrap();
        self.core.kill().unwrap();
        self.core.wait().unwrap();
        asking.await.unwrap();
        self.core = spawn(self.folder.path());
        self.listening().await;
    }

    fn webhook(&self, event: &str) -> Call {
        let seconds = Clock::system().now().secs();
        self.call("POST", "/api/webhooks/stripe")
            .raw("application/json", event)
            .header("stripe-signature", &provider::signature(WEBHOOK_SECRET, seconds, event))
    }

    /// Tells the core everything that happened at the provider's.
    async fn tell(&self) {
        for event in provider::events(self.provider()).await {
            assert_eq!(self.webhook(&event).send().await.status, 200, "{event}");
        }
    }

    async fn payments(&self, order: &str) -> Vec<Value> {
        let list: Answer = self.call("GET", &format!("/api/orders/{order}/payments")).send().await;
        list.body["items"].as_array().unwrap().clone()
    }

    async fn prove(&mut self) {
        let dead = self.call("GET", "/api/admin/jobs/dead").send().await;
        assert_eq!(dead.body["items"], json!([]));
        self.core.kill().unwrap();
        self.core.wait().unwrap();
        let report = verify(&self.url.parse().unwrap(), None).await.unwrap();
        assert!(report.is_intact(), "{report}");
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        // An error says that it has ended by itself.
        drop(self.core.kill());
        drop(self.core.wait());
    }
}
