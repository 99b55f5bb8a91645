//! The places where somebody can put a text, and what each of them answers to it.

use serde_json::{Value, json};
use stockade_test_support::Answer;

use crate::asked::{asked, percent_encoded};
use crate::shop::{Guest, LAMP};

/// A text, tried everywhere.
#[derive(Debug)]
pub(crate) struct Tried<'t> {
    pub(crate) text: &'t str,
    /// Another text of the list is the same for something that does not tell them apart.
    pub(crate) has_a_twin: bool,
    /// Where it stands in its list.
    pub(crate) line: usize,
}

impl Tried<'_> {
    pub(crate) async fn everywhere(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        self.as_product(guest).await.map_err(|fault| format!("as a product: {fault}"))?;
        self.as_category(guest).await.map_err(|fault| format!("as a category: {fault}"))?;
        self.as_sku(guest).await.map_err(|fault| format!("as a SKU: {fault}"))?;
        self.in_a_cart(guest).await.map_err(|fault| format!("in a cart: {fault}"))?;
        self.as_signature(guest).await.map_err(|fault| format!("as a signature: {fault}"))?;
        self.in_queries(guest).await.map_err(|fault| format!("in a query: {fault}"))?;
        self.in_paths(guest).await.map_err(|fault| format!("in a path: {fault}"))?;
        self.as_username(guest).await.map_err(|fault| format!("as a user name: {fault}"))?;
        self.as_key(guest).await.map_err(|fault| format!("as a key: {fault}"))?;
        self.as_full_name(guest).await.map_err(|fault| format!("as a full name: {fault}"))?;
        self.as_reason(guest).await.map_err(|fault| format!("as a reason: {fault}"))
    }

    /// The product's name where it can be one, and its description in any case.
    async fn as_product(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let text = self.text;
        let is_name = is_line(text, 3, 200);
        let description = if is_name { text } else { "" };
        let body = json!({"name": text, "description": description});
        let answer = guest.ask_as("admin", asked("POST", "/api/products").json(&body)).await?;
        if is_name {
            return is_kept(guest, &answer, &body).await;
        }
        is_located(&answer, "name: ")?;
        let body = json!({"name": "A probe", "description": text});
        let answer = guest.ask_as("admin", asked("POST", "/api/products").json(&body)).await?;
        let breaks = |c: char| matches!(c, '\n' | '\r' | '\t');
        if text.chars().any(|c| c.is_control() && !breaks(c)) || text.chars().count() > 5_000 {
            return is_located(&answer, "description: ");
        }
        is_kept(guest, &answer, &body).await
    }

    async fn as_category(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let body = json!({"name": self.text});
        let answer = guest.ask_as("admin", asked("POST", "/api/categories").json(&body)).await?;
        match answer.status {
            201 if is_line(self.text, 1, 100) => is_as_sent(&answer, &body),
            409 if self.has_a_twin => Ok(()),
            _ if is_line(self.text, 1, 100) => Err(told(&answer)),
            _ => is_located(&answer, "name: "),
        }
    }

    async fn as_sku(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let sku = json!({"sku": self.text, "price_minor": 1, "currency": "EUR"});
        let body = json!({"name": "A probe", "description": "", "skus": [sku]});
        let answer = guest.ask_as("admin", asked("POST", "/api/products").json(&body)).await?;
        if !is_sku(self.text) {
            return is_located(&answer, "skus[0].sku: ");
        }
        let shown = &answer.json()["skus"][0]["sku"];
        if answer.status == 201 && shown == self.text { Ok(()) } else { Err(told(&answer)) }
    }

    /// What was offered as a SKU a moment ago can be put into a cart.
    async fn in_a_cart(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let target = format!("/api/cart/lines/{}", percent_encoded(self.text));
        let line = asked("PUT", &target).json(&json!({"quantity": 1}));
        let answer = guest.ask_as("customer", line).await?;
        match answer.status {
            200 if is_sku(self.text) && answer.json()["sku"] == self.text => {}
            // It fills up.
            409 if is_sku(self.text) => {}
            400 | 404 | 405 if !is_sku(self.text) => return Ok(()),
            _ => return Err(told(&answer)),
        }
        let answer = guest.ask_as("customer", asked("DELETE", &target)).await?;
        if answer.status == 204 { Ok(()) } else { Err(told(&answer)) }
    }

    /// No text is a signature, and nothing of it is repeated.
    async fn as_signature(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let body = json!({"id": "evt_1", "type": self.text, "data": {"object": {}}});
        let webhook = asked("POST", "/api/webhooks/stripe").json(&body);
        let answer = guest.ask(webhook.field("Stripe-Signature", self.text)).await?;
        let is_refused = answer.status == 400 && answer.json()["code"] == "webhook_signature";
        // What no field can hold does not come as far as that.
        let is_field = !self.text.chars().any(|c| c.is_control() && c != '\t');
        if is_refused || (answer.status == 400 && !is_field) { Ok(()) } else { Err(told(&answer)) }
    }

    async fn in_queries(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        for name in ["category", "cursor", "limit", "q"] {
            let target = format!("/api/products?{name}={}", percent_encoded(self.text));
            let answer = guest.ask(asked("GET", &target)).await?;
            let is_searched = is_length(self.text, 1, 100) && !self.text.contains(char::is_control);
            let limit = self.text.parse().is_ok_and(|limit: u32| (1..=100).contains(&limit));
            match answer.status {
                200 if name == "limit" && limit => {}
                200 if name == "q" && is_searched => {}
                414 if target.len() > 8 * 1024 => {}
                _ => is_located(&answer, "")?,
            }
        }
        Ok(())
    }

    async fn in_paths(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let segment = percent_encoded(self.text);
        let paths = [
            format!("/api/products/{segment}"),
            format!("/api/orders/{segment}"),
            format!("/api/orders/{segment}/payments"),
            format!("/api/orders/{segment}/events"),
            format!("/api/inventory/{segment}/movements"),
            format!("/api/{segment}"),
        ];
        for path in paths {
            let answer = guest.ask_as("staff", asked("GET", &path)).await?;
            match answer.status {
                400 | 404 => {}
                // What was offered as a SKU a moment ago has a ledger.
                200 if is_sku(self.text) && path.ends_with("/movements") => {}
                405 if path.ends_with("/") => {}
                _ => return Err(format!("{} to {path}", told(&answer))),
            }
        }
        Ok(())
    }

    async fn as_username(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let email = format!("probe{}@example.com", self.line);
        let body = json!({"username": self.text, "password": "long enough to be", "email": email});
        let answer = guest.ask(asked("POST", "/api/auth/register").json(&body)).await?;
        let letters = self.text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        match answer.status {
            201 if letters && (3..=32).contains(&self.text.len()) => {
                let shown = &answer.json()["username"];
                if shown == self.text { Ok(()) } else { Err(told(&answer)) }
            }
            409 if self.has_a_twin && letters => Ok(()),
            _ => is_located(&answer, "`username` "),
        }
    }

    /// Several change it at the same time, so what is shown may be another's.
    async fn as_full_name(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let text = self.text;
        let call = asked("PATCH", "/api/me").field("If-Match", "*");
        let answer = guest.ask_as("customer", call.json(&json!({"name": text}))).await?;
        let is_name = is_length(text, 1, 200) && text.trim() == text;
        match answer.status {
            200 if is_name && !text.chars().any(char::is_control) => Ok(()),
            _ => is_located(&answer, "`name` "),
        }
    }

    /// The key of a movement, whose note it is too.
    async fn as_key(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let text = self.text;
        // Blanks around a field's value are not part of it (RFC 9110, 5.5).
        let key = text.trim_matches([' ', '\t']);
        let is_key = is_length(key, 1, 255) && key.bytes().all(|byte| byte.is_ascii_graphic());
        let call = asked("POST", &movements()).field("Idempotency-Key", text);
        let body = json!({"kind": "receive", "quantity": 1, "note": text});
        let answer = guest.ask_as("admin", call.json(&body)).await?;
        match answer.status {
            400 if !is_key => Ok(()),
            201 if is_key && is_note(text) => Ok(()),
            422 if is_key && self.has_a_twin => Ok(()),
            422 if is_key && !is_note(text) => is_located(&answer, ""),
            _ => Err(told(&answer)),
        }?;
        if is_key || !is_note(text) {
            return Ok(());
        }
        let call = asked("POST", &movements()).field("Idempotency-Key", self.line.to_string());
        let answer = guest.ask_as("admin", call.json(&body)).await?;
        if answer.status == 201 { Ok(()) } else { Err(told(&answer)) }
    }

    /// The reason of a stocktake.
    async fn as_reason(&self, guest: &mut Guest<'_>) -> Result<(), String> {
        let call = asked("POST", &format!("/api/inventory/{LAMP}/stocktake"));
        let call = call.field("Idempotency-Key", format!("counted-{}", self.line));
        let body = json!({"counted": 1_000, "reason": self.text});
        let answer = guest.ask_as("admin", call.json(&body)).await?;
        match answer.status {
            201 if is_note(self.text) => Ok(()),
            _ if is_note(self.text) => Err(told(&answer)),
            _ => is_located(&answer, "reason: "),
        }
    }
}

/// Where the notes and reasons are.
pub(crate) fn movements() -> String {
    format!("/api/inventory/{LAMP}/movements")
}

/// Whether text is one line of so many characters, as names are described.
pub(crate) fn is_line(text: &str, least: usize, most: usize) -> bool {
    is_length(text, least, most)
        && text.trim().chars().count() >= least
        && !text.chars().any(char::is_control)
}

/// Whether text can be a note.
pub(crate) fn is_note(text: &str) -> bool {
    is_line(text, 1, 500)
}

fn is_length(text: &str, least: usize, most: usize) -> bool {
    (least..=most).contains(&text.chars().count())
}

fn is_sku(text: &str) -> bool {
    is_length(text, 1, 64)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

/// It was published, and is shown as it was sent, now and when it is read again.
async fn is_kept(guest: &mut Guest<'_>, answer: &Answer, sent: &Value) -> Result<(), String> {
    if answer.status != 201 {
        return Err(told(answer));
    }
    is_as_sent(answer, sent)?;
    let read = guest.ask(asked("GET", answer.header("location").unwrap())).await?;
    is_as_sent(&read, sent)
}

fn is_as_sent(answer: &Answer, sent: &Value) -> Result<(), String> {
    let shown = answer.json();
    let mut members = sent.as_object().unwrap().iter();
    let same = members.all(|(name, value)| shown[name] == *value);
    if same { Ok(()) } else { Err(format!("{sent} became {shown}")) }
}

/// It was refused for its value, and the refusal says where.
fn is_located(answer: &Answer, place: &str) -> Result<(), String> {
    let problem = if answer.status == 422 { answer.json() } else { Value::Null };
    let detail = problem["detail"].as_str();
    let told_where = detail.is_some_and(|text| !text.is_empty() && text.starts_with(place));
    if told_where { Ok(()) } else { Err(told(answer)) }
}

fn told(answer: &Answer) -> String {
    format!("{} {}", answer.status, String::from_utf8_lossy(&answer.body))
}
