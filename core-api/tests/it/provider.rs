//! Whoever plays the payment provider's part: what its mock is asked past the core, and the
//! signatures of its webhooks.

use std::net::SocketAddr;

use hmac::{Hmac, KeyInit as _, Mac as _};
use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use sha2::Sha256;
use tokio::net::TcpStream;

/// The secret key that the mock knows.
pub(crate) const KEY: &str = "sk_test_0123456789";

/// Asks the provider as the holder of its secret key.
pub(crate) async fn ask(provider: SocketAddr, method: &str, path: &str, form: &str) -> Value {
    let stream = TcpStream::connect(provider).await.unwrap();
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

/// Pays a payment that was opened, as its owner's browser would.
pub(crate) async fn confirm(provider: SocketAddr, opened: &Value, card: &str) -> Value {
    let [reference, secret] =
        ["provider_ref", "client_secret"].map(|name| opened[name].as_str().unwrap());
    let path = format!("/v1/payment_intents/{reference}/confirm");
    let form = format!("client_secret={secret}&payment_method={card}");
    ask(provider, "POST", &path, &form).await
}

/// Everything that happened there, oldest first.
pub(crate) async fn events(provider: SocketAddr) -> Vec<String> {
    let list = ask(provider, "GET", "/v1/events", "").await;
    list["data"].as_array().unwrap().iter().rev().map(Value::to_string).collect()
}

/// The header that says who sent this body, and when.
pub(crate) fn signature(secret: &str, seconds: u64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{seconds}.{body}").as_bytes());
    let tag: String =
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={tag}")
}
