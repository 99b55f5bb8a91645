//! The mock's books: payment intents, refunds, events, and answers under idempotency keys.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Most things of each kind that are remembered; the oldest are forgotten first.
const REMEMBERED_MAX: usize = 10_000;

/// Events that wait to be told.
const TELLING_MAX: usize = 1_000;

/// A form's members.
pub(super) type Form = BTreeMap<String, String>;

/// Why something is not done.
#[derive(Debug, Clone)]
pub(super) struct Declined {
    pub(super) status: u16,
    pub(super) kind: &'static str,
    pub(super) code: &'static str,
}

impl Declined {
    fn invalid(code: &'static str) -> Self {
        Self { status: 400, kind: "invalid_request_error", code }
    }
}

type Done = Result<Value, Declined>;

/// A payment intent.
#[derive(Debug, Clone)]
struct Intent {
    id: String,
    secret: String,
    status: &'static str,
    amount: i64,
    currency: String,
    received: i64,
    refunded: i64,
    metadata: Value,
}

#[derive(Debug, Default)]
pub(super) struct Books {
    /// Seconds since 1970.
    pub(super) now: u64,
    made: u64,
    intents: BTreeMap<String, Intent>,
    events: VecDeque<Value>,
    /// By idempotency key: what was asked, and what was answered.
    answers: BTreeMap<String, (String, Done)>,
    keys: VecDeque<String>,
    telling: Option<mpsc::Sender<Value>>,
}

impl Books {
    pub(super) fn answered(&self, key: &str) -> Option<(String, Done)> {
        self.answers.get(key).cloned()
    }

    pub(super) fn remember(&mut self, key: Option<&str>, asked: String, answer: &Done) {
        let Some(key) = key else { return };
        self.answers.insert(key.to_owned(), (asked, answer.clone()));
        self.keys.push_back(key.to_owned());
        if self.keys.len() > REMEMBERED_MAX {
            self.keys.pop_front().map(|oldest| self.answers.remove(&oldest));
        }
    }

    /// Everything that happens from now on.
    pub(super) fn subscribe(&mut self) -> mpsc::Receiver<Value> {
        let (telling, events) = mpsc::channel(TELLING_MAX);
        self.telling = Some(telling);
        events
    }

    pub(super) fn create(&mut self, form: &Form) -> Done {
        let number = |name: &str| form.get(name).and_then(|text| text.parse::<i64>().ok());
        let amount = number("amount").filter(|amount| *amount > 0);
        let amount = amount.ok_or(Declined::invalid("parameter_invalid_integer"))?;
        let currency = form.get("currency").filter(|text| text.len() == 3);
        let currency = currency.ok_or(Declined::invalid("parameter_missing"))?.clone();
        let id = self.name("pi");
        let secret = format!("{id}_secret_{}", self.random());
        let intent = Intent {
            id: id.clone(),
            secret,
            status: "requires_payment_method",
            amount,
            currency,
            received: 0,
            refunded: 0,
            metadata: metadata(form),
        };
        let object = intent.object();
        self.intents.insert(id, intent);
        if self.intents.len() > REMEMBERED_MAX {
            self.intents.pop_first();
        }
        self.happened("payment_intent.created", &object);
        Ok(object)
    }

    pub(super) fn intent(&self, id: &str) -> Done {
        self.intents.get(id).map(Intent::object).ok_or(MISSING)
    }

    pub(super) fn confirm(&mut self, id: &str, form: &Form) -> Done {
        let intent = self.intents.get_mut(id).ok_or(MISSING)?;
        if form.get("client_secret") != Some(&intent.secret) {
            return Err(MISSING);
        }
        if intent.status != "requires_payment_method" {
            return Err(Declined::invalid("payment_intent_unexpected_state"));
        }
        if form.get("payment_method").is_some_and(|card| card == "pm_card_chargeDeclined") {
            let object = intent.object();
            self.happened("payment_intent.payment_failed", &object);
            return Err(Declined { status: 402, kind: "card_error", code: "card_declined" });
        }
        intent.status = "requires_capture";
        let object = intent.object();
        self.happened("payment_intent.amount_capturable_updated", &object);
        Ok(object)
    }

    pub(super) fn capture(&mut self, id: &str) -> Done {
        let intent = self.intents.get_mut(id).ok_or(MISSING)?;
        if intent.status != "requires_capture" {
            return Err(Declined::invalid("payment_intent_unexpected_state"));
        }
        (intent.status, intent.received) = ("succeeded", intent.amount);
        let object = intent.object();
        self.happened("payment_intent.succeeded", &object);
        Ok(object)
    }

    pub(super) fn cancel(&mut self, id: &str) -> Done {
        let intent = self.intents.get_mut(id).ok_or(MISSING)?;
        if !["requires_payment_method", "requires_capture"].contains(&intent.status) {
            return Err(Declined::invalid("payment_intent_unexpected_state"));
        }
        intent.status = "canceled";
        let object = intent.object();
        self.happened("payment_intent.canceled", &object);
        Ok(object)
    }

    pub(super) fn refund(&mut self, form: &Form) -> Done {
        let id = form.get("payment_intent").map(String::as_str).unwrap_or_default();
        let name = self.name("re");
        let intent = self.intents.get_mut(id).ok_or(MISSING)?;
        let left = intent.received - intent.refunded;
        let amount = form.get("amount").map_or(Some(left), |text| text.parse().ok());
        let amount = amount.filter(|amount| *amount > 0);
        let amount = amount.ok_or(Declined::invalid("parameter_invalid_integer"))?;
        if amount > left {
            return Err(Declined::invalid("charge_already_refunded"));
        }
        intent.refunded += amount;
        let refund = json!({
            "id": name, "object": "refund", "status": "succeeded", "amount": amount,
            "currency": intent.currency, "payment_intent": intent.id, "metadata": metadata(form),
        });
        let charge = intent.charge();
        self.happened("refund.created", &refund);
        self.happened("charge.refunded", &charge);
        Ok(refund)
    }

    /// Newest first, as Stripe lists them; at most 100.
    pub(super) fn events(&self) -> Value {
        let newest: Vec<_> = self.events.iter().rev().take(100).collect();
        json!({"object": "list", "data": newest, "has_more": self.events.len() > newest.len()})
    }

    fn happened(&mut self, kind: &str, object: &Value) {
        let event = json!({
            "id": self.name("evt"), "object": "event", "type": kind, "created": self.now,
            "data": {"object": object},
        });
        if let Some(telling) = &self.telling
            && telling.try_send(event.clone()).is_err()
        {
            tracing::warn!(kind, "too many events wait to be told; this one is only listed");
        }
        self.events.push_back(event);
        if self.events.len() > REMEMBERED_MAX {
            self.events.pop_front();
        }
    }

    /// A name that sorts by age and cannot be guessed.
    fn name(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{kind}_mock{:010}{}", self.made, self.random())
    }

    fn random(&self) -> String {
        let mut bytes = [0; 12];
        // Without randomness names would only be easier to guess, of a mock.
        getrandom::fill(&mut bytes).ok();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

const MISSING: Declined =
    Declined { status: 404, kind: "invalid_request_error", code: "resource_missing" };

impl Intent {
    fn object(&self) -> Value {
        let capturable = if self.status == "requires_capture" { self.amount } else { 0 };
        let charged = ["requires_capture", "succeeded"].contains(&self.status);
        json!({
            "id": self.id, "object": "payment_intent", "status": self.status,
            "amount": self.amount, "amount_capturable": capturable,
            "amount_received": self.received, "currency": self.currency,
            "capture_method": "manual", "client_secret": self.secret,
            "metadata": self.metadata,
            "latest_charge": if charged { self.charge() } else { Value::Null },
        })
    }

    fn charge(&self) -> Value {
        json!({
            "id": self.id.replacen("pi_", "ch_", 1), "object": "charge",
            "payment_intent": self.id, "captured": self.received > 0, "amount": self.amount,
            "amount_captured": self.received, "amount_refunded": self.refunded,
            "currency": self.currency, "metadata": self.metadata,
        })
    }
}

/// What the form calls `metadata[NAME]`.
fn metadata(form: &Form) -> Value {
    let member = |(name, value): (&String, &String)| {
        let name = name.strip_prefix("metadata[")?.strip_suffix(']')?;
        Some((name.to_owned(), Value::String(value.clone())))
    };
    form.iter().filter_map(member).collect()
}
