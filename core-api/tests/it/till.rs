//! A world in which one can pay: a core, and the mock of a payment provider.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use stockade_contract::assertion::Scope;
use stockade_core_api::{Clock, PaymentMock};
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::gate::Gate;
use crate::provider::{self, KEY};
use crate::world::{World, fresh_key, secret, someone};

const OLD_SECRET: &str = "whsec_the_old_one";
pub(crate) const SECRET: &str = "whsec_the_new_one";

pub(crate) struct Till {
    pub(crate) world: World,
    pub(crate) mock: PaymentMock,
    /// What the core takes for the provider.
    pub(crate) gate: Gate,
}

impl Till {
    pub(crate) async fn start() -> Self {
        let mock = mock("127.0.0.1:0".parse().unwrap()).await;
        let gate = Gate::before(mock.addr()).await;
        let addr = gate.addr();
        let world = World::start_with(|settings| {
            let folder = settings.socket.as_ref().unwrap().parent().unwrap().to_owned();
            let payments = &mut settings.payments;
            payments.provider_url = format!("http://{addr}");
            payments.secret_key_file = secret(&folder, "stripe-key", KEY);
            payments.webhook_secret_files.extend(secret(&folder, "whsec-1", OLD_SECRET));
            payments.webhook_secret_files.extend(secret(&folder, "whsec-2", SECRET));
        })
        .await;
        Self { world, mock, gate }
    }

    /// The provider forgets everything, and goes on where it was.
    pub(crate) async fn forget(self) -> Self {
        let Self { world, mock: old, gate } = self;
        let addr = old.addr();
        drop(old);
        let mock = loop {
            let again = PaymentMock::start(addr, KEY.to_owned(), Clock::system()).await;
            if let Ok(mock) = again {
                break mock;
            }
            tokio::task::yield_now().await;
        };
        Self { world, mock, gate }
    }

    /// Time passes and the core hears all that happens, until a payment is like this.
    pub(crate) async fn in_time(&self, order: &str, at: usize, is_so: impl Fn(&Value) -> bool) {
        let waiting = async {
            while !is_so(&self.payments(order).await[at]) {
                self.world.clock.advance(Duration::from_secs(1));
                self.world.call("GET", "/api/admin/jobs/dead").send().await;
                tokio::task::yield_now().await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(60), waiting).await;
        assert!(done.is_ok(), "{:?}", self.payments(order).await);
    }

    /// An order of this account, waiting for its money.
    pub(crate) async fn ordered(&self, account: Uuid, sku: &str, quantity: u32) -> String {
        let order = self.world.order(account, sku, quantity).send().await;
        order.created();
        order.text("id").to_owned()
    }

    pub(crate) fn open(&self, account: Uuid, order: &str) -> Call {
        self.world.by(account, "POST", format!("/api/orders/{order}/payments")).key(&fresh_key())
    }

    /// A payment that its owner has agreed to, as a browser would.
    pub(crate) async fn confirmed(&self, account: Uuid, order: &str) -> Answer {
        let opened = self.open(account, order).send().await;
        opened.created();
        self.confirm(&opened, "pm_card_visa").await;
        opened
    }

    pub(crate) async fn confirm(&self, opened: &Answer, card: &str) -> Value {
        provider::confirm(self.mock.addr(), &opened.body, card).await
    }

    /// Takes the money past the core.
    pub(crate) async fn capture(&self, opened: &Answer) {
        let path = format!("/v1/payment_intents/{}/capture", opened.text("provider_ref"));
        assert_eq!(self.provider("POST", &path, "").await["status"], "succeeded");
    }

    /// A payment as its provider sees it.
    pub(crate) async fn intent(&self, opened: &Answer) -> Value {
        let path = format!("/v1/payment_intents/{}", opened.text("provider_ref"));
        self.provider("GET", &path, "").await
    }

    pub(crate) async fn provider(&self, method: &str, path: &str, form: &str) -> Value {
        provider::ask(self.mock.addr(), method, path, form).await
    }

    /// A webhook with this body, signed now.
    pub(crate) fn webhook(&self, body: &str) -> Call {
        self.signed(body, SECRET)
    }

    pub(crate) fn signed_with_the_old_secret(&self, body: &str) -> Call {
        self.signed(body, OLD_SECRET)
    }

    fn signed(&self, body: &str, secret: &str) -> Call {
        let seconds = self.world.clock.clock().now().secs();
        self.world
            .call("POST", "/api/webhooks/stripe")
            .raw("application/json", body)
            .header("stripe-signature", &provider::signature(secret, seconds, body))
    }

    /// Everything that happened at the provider's, oldest first.
    pub(crate) async fn events(&self) -> Vec<String> {
        provider::events(self.mock.addr()).await
    }

    /// Tells the core everything that happened, again and again.
    pub(crate) async fn tell(&self) {
        for event in self.events().await {
            let answer = self.webhook(&event).send().await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }

    pub(crate) fn step(&self, order: &str, step: &str) -> Call {
        let path = format!("/api/orders/{order}/{step}");
        self.world.by(someone(), "POST", path).scope(Scope::Any)
    }

    pub(crate) fn refund(&self, payment: &str, amount: Option<i64>) -> Call {
        let body = amount.map_or(json!({}), |minor| json!({"amount_minor": minor}));
        self.world
            .by(someone(), "POST", format!("/api/payments/{payment}/refunds"))
            .scope(Scope::Any)
            .key(&fresh_key())
            .json(&body)
    }

    pub(crate) async fn state(&self, order: &str) -> String {
        let order = self.world.call("GET", format!("/api/orders/{order}")).send().await;
        order.text("state").to_owned()
    }

    /// The payments of an order.
    pub(crate) async fn payments(&self, order: &str) -> Vec<Value> {
        let list = self.world.call("GET", format!("/api/orders/{order}/payments")).send().await;
        list.body["items"].as_array().unwrap().clone()
    }

    /// Until a payment of the order is like this, while the core hears all that happens.
    pub(crate) async fn until(&self, order: &str, at: usize, is_so: impl Fn(&Value) -> bool) {
        let told = async {
            loop {
                self.tell().await;
                if is_so(&self.payments(order).await[at]) {
                    break;
                }
                tokio::task::yield_now().await;
            }
        };
        let done = tokio::time::timeout(Duration::from_secs(60), told).await;
        assert!(done.is_ok(), "{:?}", self.payments(order).await);
    }

    /// Until the order is paid.
    pub(crate) async fn until_paid(&self, order: &str) {
        self.until(order, 0, |payment| payment["state"] == "captured").await;
        assert_eq!(self.state(order).await, "paid");
    }
}

async fn mock(listen: SocketAddr) -> PaymentMock {
    PaymentMock::start(listen, KEY.to_owned(), Clock::system()).await.unwrap()
}
