//! Tells the mock's events to a webhook, signed, in order, a few times each.

use std::time::Duration;

use http_body_util::Full;
use hyper::Method;
use hyper::body::Bytes;
use hyper::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::sleep;

use super::super::signature::WebhookSecret;
use super::super::wire::{Base, Wire};
use crate::clock::Clock;

/// Tries of one event.
const TRIES_MAX: u32 = 5;

/// The pause before the second try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);

/// Tells events to one webhook.
#[derive(Debug)]
pub(super) struct Courier {
    pub(super) base: Base,
    pub(super) wire: Wire,
    pub(super) secret: WebhookSecret,
    pub(super) clock: Clock,
}

impl Courier {
    /// Carries events until nobody makes any more.
    pub(super) async fn carry(self, mut events: mpsc::Receiver<Value>) {
        while let Some(event) = events.recv().await {
            let body = Bytes::from(event.to_string());
            let mut pause = PAUSE;
            for _ in 0..TRIES_MAX {
                if self.is_taken(body.clone()).await {
                    break;
                }
                sleep(pause).await;
                pause *= 2;
            }
        }
    }

    async fn is_taken(&self, body: Bytes) -> bool {
        let signature = self.secret.header(&body, self.clock.now());
        let request = self
            .base
            .request(Method::POST, "")
            .header(CONTENT_TYPE, "application/json")
            .header("stripe-signature", signature)
            .body(Full::new(body));
        let Ok(request) = request else { return false };
        match self.wire.send(&self.base, request).await {
            Ok(answer) if (200..300).contains(&answer.status) => true,
            Ok(answer) => {
                tracing::debug!(status = answer.status, "the webhook refused an event");
                false
            }
            Err(error) => {
                tracing::debug!(%error, "the webhook did not answer");
                false
            }
        }
    }
}
