//! What a webhook tells: an event of Stripe's, read after its signature was believed.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::gateway::{IntentFacts, ProviderRefund, Reference};
use super::objects::{ChargeObject, IntentObject, RefundObject};

/// Longest type of an event, in characters.
const KIND_CHARS_MAX: usize = 100;

/// An event, and what it means here.
#[derive(Debug, Clone)]
pub(crate) struct ProviderEvent {
    pub(crate) id: Reference,
    pub(crate) kind: String,
    pub(crate) news: News,
}

/// What an event means here.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Intent(IntentFacts),
    Refund(ProviderRefund),
    /// Nothing: it is about something else.
    Nothing,
    /// Its object is not one of its type, as far as can be told here.
    Unreadable,
}

/// The body is not an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is not an event: {0}")]
pub(crate) struct NotAnEvent(&'static str);

#[derive(Deserialize)]
struct Envelope<'b> {
    id: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(borrow)]
    data: Data<'b>,
}

#[derive(Deserialize)]
struct Data<'b> {
    #[serde(borrow)]
    object: &'b RawValue,
}

impl ProviderEvent {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, NotAnEvent> {
        let envelope: Envelope<'_> = serde_json::from_slice(body)
            .map_err(|_| NotAnEvent("it has no `id`, `type` and `data.object`"))?;
        let id = Reference::parse(&envelope.id).ok_or(NotAnEvent("`id` is no name"))?;
        let kind = envelope.kind;
        let plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._".contains(&byte);
        if !(1..=KIND_CHARS_MAX).contains(&kind.len()) || !kind.bytes().all(plain) {
            return Err(NotAnEvent("`type` is no name"));
        }
        let news = News::of(&kind, envelope.data.object.get());
        Ok(Self { id, kind, news: news.unwrap_or(News::Unreadable) })
    }
}

impl News {
    /// `None` where the object cannot be read.
    fn of(kind: &str, object: &str) -> Option<Self> {
        match kind {
            "payment_intent.created"
            | "payment_intent.processing"
            | "payment_intent.requires_action"
            | "payment_intent.payment_failed"
            | "payment_intent.amount_capturable_updated"
            | "payment_intent.succeeded"
            | "payment_intent.canceled" => {
                let object: IntentObject = serde_json::from_str(object).ok()?;
                object.intent().map(|intent| Self::Intent(intent.facts))
            }
            "charge.captured" | "charge.succeeded" | "charge.refunded" => {
                let object: ChargeObject = serde_json::from_str(object).ok()?;
                if !object.is_taken() {
                    return Some(Self::Nothing);
                }
                object.facts().map(Self::Intent)
            }
            "refund.created" | "refund.updated" | "refund.failed" | "charge.refund.updated" => {
                let object: RefundObject = serde_json::from_str(object).ok()?;
                object.refund().map(Self::Refund)
            }
            _ => Some(Self::Nothing),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payments::gateway::IntentStatus;

    #[test]
    fn an_event_is_read_by_its_type() {
        let body = r#"{"id":"evt_1","object":"event","type":"payment_intent.succeeded","data":
            {"object":{"id":"pi_1","status":"succeeded","currency":"eur","amount":1999,
             "amount_received":1999,"metadata":{"payment_id":"x"},"latest_charge":"ch_1"}}}"#;
        let event = ProviderEvent::parse(body.as_bytes()).unwrap();
        let News::Intent(facts) = event.news else { panic!("{event:?}") };
        assert_eq!((facts.status, facts.received_minor), (IntentStatus::Captured, 1999));
        assert_eq!((facts.payment, facts.refunded_minor), (None, None));
    }

    #[test]
    fn an_unknown_type_is_news_of_nothing() {
        let body = br#"{"id":"evt_2","type":"customer.created","data":{"object":{"a":[1]}}}"#;
        assert!(matches!(ProviderEvent::parse(body).unwrap().news, News::Nothing));
    }

    #[test]
    fn what_is_no_event_is_refused() {
        for body in [
            "",
            "[]",
            "é{}",
            r#"{"id":"evt_1","type":"payment_intent.succeeded"}"#,
            r#"{"id":"evt/1","type":"a.b","data":{"object":{}}}"#,
            r#"{"id":"evt_1","type":"A b","data":{"object":{}}}"#,
        ] {
            assert!(ProviderEvent::parse(body.as_bytes()).is_err(), "{body}");
        }
    }

    #[test]
    fn an_object_that_is_not_of_its_type_is_told_apart() {
        for body in [
            r#"{"id":"evt_1","type":"payment_intent.succeeded","data":{"object":{"id":"pi_1"}}}"#,
            r#"{"id":"evt_1","type":"charge.refunded","data":{"object":7}}"#,
        ] {
            let event = ProviderEvent::parse(body.as_bytes()).unwrap();
            assert!(matches!(event.news, News::Unreadable), "{body}");
        }
    }

    #[test]
    fn a_charge_that_cannot_be_read_is_told_apart_from_nobodys() {
        let news = |intent: &str, captured: bool, currency: &str, taken: i64| {
            let body = format!(
                r#"{{"id":"evt_1","type":"charge.captured","data":{{"object":{{
                    "payment_intent":{intent},"captured":{captured},"currency":"{currency}",
                    "amount_captured":{taken}}}}}}}"#
            );
            ProviderEvent::parse(body.as_bytes()).unwrap().news
        };
        assert!(matches!(news(r#""pi_1""#, true, "eur", 1), News::Intent(_)));
        // Not made by us, and not taken yet.
        assert!(matches!(news("null", true, "eur", 1), News::Nothing));
        assert!(matches!(news(r#""pi_1""#, false, "eur", 1), News::Nothing));
        for (intent, currency, taken) in
            [(r#""pi/1""#, "eur", 1), (r#""pi_1""#, "euro", 1), (r#""pi_1""#, "eur", -1)]
        {
            let unreadable = matches!(news(intent, true, currency, taken), News::Unreadable);
            assert!(unreadable, "{intent} {currency} {taken}");
        }
    }
}
