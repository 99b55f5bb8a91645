//! Stripe's API: forms in, JSON out, a secret key as bearer token.
//!
//! A request is tried again a few times when the provider could not be reached or says that it
//! is busy or broken (429, 5xx), and only if trying again cannot do anything twice: it reads,
//! or it carries an idempotency key.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use http_body_util::Full;
use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use serde::de::DeserializeOwned;
use tokio::time::sleep;
use zeroize::Zeroizing;

use super::gateway::{
    GatewayError, Intent, NewIntent, NewRefund, PaymentGateway, ProviderKey, ProviderRefund,
    Reference,
};
use super::objects::{ErrorBody, IntentObject, RefundList, RefundObject};
use super::wire::{Answer, Base, NoAuthority, NotABase, Wire, WireError};

/// The version of the API whose answers are understood here.
const VERSION: &str = "2024-06-20";

/// Tries of one request.
const TRIES_MAX: u32 = 3;

/// The pause before the second try; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(200);

/// Longest code of an error that is repeated, in characters.
const CODE_CHARS_MAX: usize = 64;

/// Refunds of one payment that are looked at: as many as a page can hold.
const REFUNDS_SEEN_MAX: &str = "100";

/// Asks for the charge along with its payment intent: it says what was given back.
const WITH_CHARGE: (&str, &str) = ("expand[]", "latest_charge");

/// A gateway that speaks Stripe's API.
pub(crate) struct Stripe {
    base: Base,
    wire: Wire,
    /// `Bearer` and the secret key.
    authorization: HeaderValue,
}

impl fmt::Debug for Stripe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stripe").field("base", &self.base).finish_non_exhaustive()
    }
}

/// The secret key holds what no header can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the key is one line of visible characters")]
pub(crate) struct NotASecretKey;

/// One request to the provider.
struct Ask<'a> {
    method: Method,
    path: String,
    form: &'a [(&'a str, &'a str)],
    key: Option<&'a ProviderKey>,
}

/// Why the provider cannot be spoken to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    #[error("provider_url: {0}")]
    Url(#[from] NotABase),
    #[error("secret_key_file: {0}")]
    Key(#[from] NotASecretKey),
    #[error(transparent)]
    Tls(#[from] NoAuthority),
}

impl Stripe {
    /// The API at this address, for the holder of this secret key.
    pub(crate) fn at(url: &str, key: &[u8]) -> Result<Self, SetupError> {
        let base = Base::parse(url)?;
        let wire = Wire::public()?;
        Ok(Self::new(base, wire, key)?)
    }

    fn new(base: Base, wire: Wire, key: &[u8]) -> Result<Self, NotASecretKey> {
        let is_line = !key.is_empty() && key.iter().all(u8::is_ascii_graphic);
        let mut bearer = Zeroizing::new(b"Bearer ".to_vec());
        bearer.extend_from_slice(key);
        let header = HeaderValue::from_bytes(&bearer).ok().filter(|_| is_line);
        let mut authorization = header.ok_or(NotASecretKey)?;
        authorization.set_sensitive(true);
        Ok(Self { base, wire, authorization })
    }

    async fn intent(&self, ask: Ask<'_>) -> Result<Intent, GatewayError> {
        self.ask::<IntentObject>(ask).await?.intent().ok_or(GatewayError::Unreadable("intent"))
    }

    async fn ask<T: DeserializeOwned>(&self, ask: Ask<'_>) -> Result<T, GatewayError> {
        let may_repeat = ask.method == Method::GET || ask.key.is_some();
        let tries = if may_repeat { TRIES_MAX } else { 1 };
        let mut pause = PAUSE;
        let mut tried = 1;
        loop {
            let (error, again) = match self.try_once(&ask).await {
                Ok(answer) if (200..300).contains(&answer.status) => {
                    return serde_json::from_slice(&answer.body)
                        .map_err(|_| GatewayError::Unreadable("JSON"));
                }
                Ok(answer) => refusal(&answer),
                Err(WireError::Connect(why)) => (GatewayError::Unreachable(why), true),
                // It may have been done. A job asks again later, under the same key.
                Err(WireError::Lost(why)) => (GatewayError::Unreachable(why), false),
            };
            if !again || tried >= tries {
                return Err(error);
            }
            sleep(pause).await;
            (pause, tried) = (pause * 2, tried + 1);
        }
    }

    async fn try_once(&self, ask: &Ask<'_>) -> Result<Answer, WireError> {
        let form = form_urlencoded::Serializer::new(String::new()).extend_pairs(ask.form).finish();
        let mut path = ask.path.clone();
        let mut body = Full::default();
        if ask.method == Method::GET {
            path = format!("{path}?{form}");
        } else {
            body = Full::new(Bytes::from(form));
        }
        let mut request = self
            .base
            .request(ask.method.clone(), &path)
            .header(AUTHORIZATION, &self.authorization)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("stripe-version", VERSION);
        if let Some(key) = ask.key {
            request = request.header("idempotency-key", key.as_str());
        }
        let request = request.body(body).map_err(|error| WireError::Connect(error.to_string()))?;
        self.wire.send(&self.base, request).await
    }
}

/// What a status means, and whether to ask again at once.
fn refusal(answer: &Answer) -> (GatewayError, bool) {
    match answer.status {
        status @ (429 | 500..) => (GatewayError::Busy(status), true),
        // Another request under the same key is being carried out.
        409 => (GatewayError::Busy(409), false),
        status @ (401 | 403) => (GatewayError::Key(status), false),
        status => {
            let body: Option<ErrorBody> = serde_json::from_slice(&answer.body).ok();
            let code = body.map(ErrorBody::code).unwrap_or_default();
            let plain = |letter: &char| letter.is_ascii_alphanumeric() || *letter == '_';
            let code = code.chars().filter(plain).take(CODE_CHARS_MAX).collect();
            (GatewayError::Refused { status, code }, false)
        }
    }
}

#[async_trait]
impl PaymentGateway for Stripe {
    async fn create(&self, intent: &NewIntent) -> Result<Intent, GatewayError> {
        let key = ProviderKey::of_payment(intent.payment);
        let amount = intent.amount.minor.to_string();
        let currency = intent.amount.currency.to_string().to_ascii_lowercase();
        let (payment, order) = (intent.payment.to_string(), intent.order.to_string());
        // Taken only once the order's stock is sure: what cannot be delivered is let go of,
        // not given back.
        let form = [
            ("amount", amount.as_str()),
            ("currency", currency.as_str()),
            ("capture_method", "manual"),
            ("metadata[payment_id]", payment.as_str()),
            ("metadata[order_id]", order.as_str()),
            WITH_CHARGE,
        ];
        let path = "/v1/payment_intents".to_owned();
        self.intent(Ask { method: Method::POST, path, form: &form, key: Some(&key) }).await
    }

    async fn retrieve(&self, intent: &Reference) -> Result<Intent, GatewayError> {
        let path = format!("/v1/payment_intents/{}", intent.as_str());
        self.intent(Ask { method: Method::GET, path, form: &[WITH_CHARGE], key: None }).await
    }

    async fn capture(&self, key: &ProviderKey, intent: &Reference) -> Result<Intent, GatewayError> {
        let path = format!("/v1/payment_intents/{}/capture", intent.as_str());
        let ask = Ask { method: Method::POST, path, form: &[WITH_CHARGE], key: Some(key) };
        self.intent(ask).await
    }

    async fn cancel(&self, key: &ProviderKey, intent: &Reference) -> Result<Intent, GatewayError> {
        let path = format!("/v1/payment_intents/{}/cancel", intent.as_str());
        let ask = Ask { method: Method::POST, path, form: &[WITH_CHARGE], key: Some(key) };
        self.intent(ask).await
    }

    async fn refund(
        &self,
        key: &ProviderKey,
        refund: &NewRefund,
    ) -> Result<ProviderRefund, GatewayError> {
        let (amount, id) = (refund.amount_minor.to_string(), refund.refund.to_string());
        let form = [
            ("payment_intent", refund.intent.as_str()),
            ("amount", amount.as_str()),
            ("metadata[refund_id]", id.as_str()),
        ];
        let path = "/v1/refunds".to_owned();
        let ask = Ask { method: Method::POST, path, form: &form, key: Some(key) };
        let object = self.ask::<RefundObject>(ask).await?;
        object.refund().ok_or(GatewayError::Unreadable("refund"))
    }

    async fn find_refund(
        &self,
        refund: &NewRefund,
    ) -> Result<Option<ProviderRefund>, GatewayError> {
        let form = [("payment_intent", refund.intent.as_str()), ("limit", REFUNDS_SEEN_MAX)];
        let path = "/v1/refunds".to_owned();
        let ask = Ask { method: Method::GET, path, form: &form, key: None };
        let RefundList { data, has_more } = self.ask(ask).await?;
        match data.into_iter().find(|made| made.ours() == Some(refund.refund)) {
            // That it cannot be read does not mean that it was not made.
            Some(made) => made.refund().map(Some).ok_or(GatewayError::Unreadable("refund")),
            // It may be among those that were not shown: nobody may guess that it is not.
            None if has_more => Err(GatewayError::Unreadable("more refunds than one page")),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
