//! Asking once or thrice, against the mock and against servers that misbehave.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::any;
use tokio::net::TcpListener;
use uuid::Uuid;

use super::*;
use crate::clock::Clock;
use crate::ids::Id;
use crate::money::{Currency, Money};
use crate::payments::gateway::{IntentStatus, RefundStatus};
use crate::payments::mock::PaymentMock;

const KEY: &str = "sk_test_0123456789";

fn gateway(addr: SocketAddr, key: &str) -> Stripe {
    let base = Base::parse(&format!("http://{addr}")).unwrap();
    Stripe::new(base, Wire::public().unwrap(), key.as_bytes()).unwrap()
}

fn wanted(payment: u128) -> NewIntent {
    let amount = Money { minor: 4_990, currency: Currency::EUR };
    let (payment, order) = (Id::from_uuid(Uuid::from_u128(payment)), Id::from_uuid(Uuid::nil()));
    NewIntent { payment, order, amount }
}

async fn mock() -> PaymentMock {
    let listen = "127.0.0.1:0".parse().unwrap();
    PaymentMock::start(listen, KEY.to_owned(), Clock::system()).await.unwrap()
}

/// What a browser does with a client secret.
async fn pay(mock: &PaymentMock, intent: &Intent) {
    let base = Base::parse(&format!("http://{}", mock.addr())).unwrap();
    let path = format!("/v1/payment_intents/{}/confirm", intent.facts.reference.as_str());
    let secret = intent.client_secret.as_ref().unwrap().as_str();
    let body = Full::new(Bytes::from(format!("client_secret={secret}")));
    let request = base.request(Method::POST, &path).body(body).unwrap();
    assert_eq!(Wire::public().unwrap().send(&base, request).await.unwrap().status, 200);
}

#[tokio::test]
async fn a_payment_goes_its_way_and_asking_twice_does_it_once() {
    let mock = mock().await;
    let gateway = gateway(mock.addr(), KEY);
    let (first, again) =
        (gateway.create(&wanted(1)).await.unwrap(), gateway.create(&wanted(1)).await.unwrap());
    assert_eq!(first.facts, again.facts);
    assert_eq!(first.facts.status, IntentStatus::Open);
    assert_eq!(first.facts.payment, Some(wanted(1).payment));
    let intent = first.facts.reference.clone();

    pay(&mock, &first).await;
    assert_eq!(gateway.retrieve(&intent).await.unwrap().facts.status, IntentStatus::Authorised);
    let job = |number| ProviderKey::of_job(Id::from_uuid(Uuid::from_u128(number)));
    for _ in 0..2 {
        let taken = gateway.capture(&job(1), &intent).await.unwrap().facts;
        assert_eq!((taken.status, taken.received_minor), (IntentStatus::Captured, 4_990));
    }
    let refund = NewRefund {
        refund: Id::from_uuid(Uuid::from_u128(9)),
        intent: intent.clone(),
        amount_minor: 990,
    };
    for _ in 0..2 {
        let given = gateway.refund(&job(2), &refund).await.unwrap();
        assert_eq!((given.status, given.refund), (RefundStatus::Succeeded, Some(refund.refund)));
    }
    let after = gateway.retrieve(&intent).await.unwrap().facts;
    assert_eq!((after.received_minor, after.refunded_minor), (4_990, Some(990)));

    let too_much = NewRefund { amount_minor: 4_001, ..refund };
    let refused = gateway.refund(&job(3), &too_much).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the payment provider refused with status 400, code `charge_already_refunded`"
    );
    let late = gateway.cancel(&job(4), &intent).await.unwrap_err();
    assert!(!late.may_pass(), "{late}");
}

#[tokio::test]
async fn what_stands_in_the_way_is_told_apart() {
    let mock = mock().await;
    let stranger = gateway(mock.addr(), "sk_test_another").create(&wanted(1)).await.unwrap_err();
    assert_eq!(stranger, GatewayError::Key(401));
    let gone = Reference::parse("pi_gone").unwrap();
    let missing = gateway(mock.addr(), KEY).retrieve(&gone).await.unwrap_err();
    assert!(matches!(missing, GatewayError::Refused { status: 404, .. }), "{missing}");
    let addr = mock.addr();
    drop(mock);
    tokio::task::yield_now().await;
    let nobody = gateway(addr, KEY).retrieve(&gone).await.unwrap_err();
    assert!(matches!(nobody, GatewayError::Unreachable(_)) && nobody.may_pass(), "{nobody}");
}

/// A server that fails twice, and how often it was asked under which keys.
async fn flaky(status: u16) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (addr, asked) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&asked);
    let answer = any(move |headers: HeaderMap| async move {
        assert!(headers.contains_key("authorization"));
        let good = r#"{"id":"pi_1","status":"canceled","currency":"eur"}"#;
        match count.fetch_add(1, Ordering::SeqCst) {
            0 | 1 => (StatusCode::from_u16(status).unwrap(), "{}"),
            _ => (StatusCode::OK, good),
        }
    });
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (addr, asked)
}

#[tokio::test]
async fn only_what_may_pass_is_tried_again_and_not_for_ever() {
    for (status, asked_times) in [(500, 3), (503, 3), (429, 3), (400, 1), (402, 1), (409, 1)] {
        let (addr, asked) = flaky(status).await;
        let answer = gateway(addr, KEY).create(&wanted(1)).await;
        assert_eq!(answer.is_ok(), asked_times == 3, "{status}");
        assert_eq!(asked.load(Ordering::SeqCst), asked_times, "{status}");
    }
    // Without an idempotency key, what changes something is asked once.
    let (addr, asked) = flaky(500).await;
    let ask = Ask { method: Method::POST, path: "/v1/x".to_owned(), form: &[], key: None };
    assert!(gateway(addr, KEY).intent(ask).await.is_err());
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_refund_of_ours_that_cannot_be_read_is_not_taken_for_none() {
    let wanted = NewRefund {
        refund: Id::from_uuid(Uuid::from_u128(9)),
        intent: Reference::parse("pi_1").unwrap(),
        amount_minor: 1,
    };
    let theirs = r#"{"id":"re_1","status":"unheard_of"}"#.to_owned();
    let ours = |status: &str| {
        format!(
            r#"{{"id":"re_2","status":"{status}","metadata":{{"refund_id":"{}"}}}}"#,
            wanted.refund
        )
    };
    let found = |list: Vec<String>| {
        let page = format!(r#"{{"data":[{}],"has_more":false}}"#, list.join(","));
        let wanted = wanted.clone();
        async move {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let addr = listener.local_addr().unwrap();
            let router = Router::new().fallback(any(move || async move { page }));
            tokio::spawn(async move { axum::serve(listener, router).await });
            gateway(addr, KEY).find_refund(&wanted).await
        }
    };
    assert_eq!(found(vec![theirs.clone()]).await, Ok(None));
    let made = found(vec![theirs.clone(), ours("succeeded")]).await.unwrap().unwrap();
    assert_eq!(made.status, RefundStatus::Succeeded);
    let unreadable = found(vec![theirs, ours("unheard_of")]).await;
    assert_eq!(unreadable, Err(GatewayError::Unreadable("refund")));
}

#[test]
fn money_is_spoken_of_over_tls_or_on_loopback_alone() {
    for good in ["https://api.stripe.com", "http://127.0.0.1:1/x/", "http://[::1]:9"] {
        assert!(Base::parse(good).is_ok(), "{good}");
    }
    for bad in [
        "http://api.stripe.com",
        "http://10.0.0.1:1",
        "ftp://127.0.0.1",
        "https://u:p@host",
        "https://host/?a=b",
        "127.0.0.1",
        "",
    ] {
        assert!(Base::parse(bad).is_err(), "{bad}");
    }
    let base = Base::parse("https://api.stripe.com").unwrap();
    assert!(Stripe::new(base, Wire::public().unwrap(), b"two\nlines").is_err());
}
