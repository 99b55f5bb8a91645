//! A world in which one can pay: a core, and the mock of a payment provider.

use std::net::SocketAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use sha2::Sha256;
use stockade_contract::assertion::Scope;
use stockade_core_api::{Clock, PaymentMock};
use tokio::net::TcpStream;
use uuid::Uuid;

use crate::call::{Answer, Call};
use crate::world::{World, fresh_key, secret, someone};

const KEY: &str = "sk_test_0123456789";
const OLD_SECRET: &str = "whsec_the_old_one";
const SECRET: &str = "whsec_the_new_one";

pub(crate) struct Till {
    pub(crate) world: World,
    pub(crate) mock: PaymentMock,
}

impl Till {
    pub(crate) async fn start() -> Self {
        let mock = mock("127.0.0.1:0".parse().unwrap()).await;
        let addr = mock.addr();
        let world = World::start_with(|settings| {
            let folder = settings.socket.as_ref().unwrap().parent().unwrap().to_owned();
            let payments = &mut settings.payments;
            payments.provider_url = format!("http://{addr}");
            payments.secret_key_file = secret(&folder, "stripe-key", KEY);
            payments.webhook_secret_files.extend(secret(&folder, "whsec-1", OLD_SECRET));
            payments.webhook_secret_files.extend(secret(&folder, "whsec-2", SECRET));
        })
        .await;
        Self { world, mock }
    }

    /// The provider forgets everything, and goes on where it was.
    pub(crate) async fn forget(self) -> Self {
        let Self { world, mock: old } = self;
        let addr = old.addr();
        drop(old);
        let mock = loop {
            let again = PaymentMock::start(addr, KEY.to_owned(), Clock::system()).await;
            if let Ok(mock) = again {
                break mock;
            }
            tokio::task::yield_now().await;
        };
        Self { world, mock }
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
        let path = format!("/v1/payment_intents/{}/confirm", opened.text("provider_ref"));
        let secret = opened.text("client_secret");
        self.provider("POST", &path, &format!("client_secret={secret}&payment_method={card}")).await
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
        let stream = TcpStream::connect(self.mock.addr()).await.unwrap();
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "mock")
            .header("authorization", format!("Bearer {KEY}"))
            .body(Full::new(Bytes::from(form.to_owned())))
            .unwrap();
        let response = sender.send_request(request).await.unwrap();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        serde_json::from_slice(&bytes).unwrap()
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
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{seconds}.{body}").as_bytes());
        let tag: String =
            mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        self.world
            .call("POST", "/api/webhooks/stripe")
            .raw("application/json", body)
            .header("stripe-signature", &format!("t={seconds},v1={tag}"))
    }

    /// Everything that happened at the provider's, oldest first.
    pub(crate) async fn events(&self) -> Vec<String> {
        let list = self.provider("GET", "/v1/events", "").await;
        list["data"].as_array().unwrap().iter().rev().map(Value::to_string).collect()
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
