//! `/api/orders/{id}/payments` and `/api/payments/{id}/refunds`: money for orders, and back.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{JsonBody, PathId, REPLAYED};
use super::caller::Caller;
use super::page::PageBody;
use super::problem::Problem;
use crate::app::App;
use crate::idempotency::{Answered, Claim, ClaimName, Fingerprint, IdempotencyKey, KeyedOperation};
use crate::ids::{AccountId, OrderId, PaymentId, RefundId};
use crate::metrics::Counted;
use crate::money::{Currency, PriceMinor};
use crate::payments::{
    self, GatewayError, NewRefund, OpenError, OpenPayment, PROVIDER, Payment, PaymentState, Refund,
    RefundError, RefundReason, RefundState, Statement,
};

/// `POST /api/orders/{id}/payments`. The client secret is for the order's owner alone.
pub(super) async fn open(
    State(app): State<Arc<App>>,
    PathId(order): PathId<OrderId>,
    caller: Caller,
    key: IdempotencyKey,
) -> Result<Response, Problem> {
    let account = caller.owner()?;
    let name = ClaimName { account, operation: KeyedOperation::OpenPayment, key };
    let claim = Claim { name, fingerprint: Fingerprint::of(&order) };
    let opened = payments::open(&app, OpenPayment { order, account, claim }).await?;
    let (outcome, replayed) =
        if opened.is_replay { ("replayed", Some([REPLAYED])) } else { ("opened", None) };
    let client_secret = opened.client_secret.map(|secret| secret.as_str().to_owned());
    let body = OpenedBody { payment: PaymentBody::from(opened.payment), client_secret };
    let counted = Extension(Counted::Payment(outcome));
    Ok((StatusCode::CREATED, counted, replayed, Json(body)).into_response())
}

/// `GET /api/orders/{id}/payments`. Oldest first; all of them, for there are not many.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    PathId(order): PathId<OrderId>,
    caller: Caller,
) -> Result<Json<PageBody<StatementBody>>, Problem> {
    let found = payments::list(&app, caller.reach()?, order).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(PageBody::whole(found.into_iter().map(StatementBody::from).collect())))
}

/// `POST /api/payments/{id}/refunds`. Accepted here; the provider is asked at once, and again
/// until it is done.
pub(super) async fn refund(
    State(app): State<Arc<App>>,
    PathId(payment): PathId<PaymentId>,
    caller: Caller,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<RefundRequest>,
) -> Result<Response, Problem> {
    let account = caller.actor()?;
    let name = ClaimName { account, operation: KeyedOperation::RefundPayment, key };
    let claim = Claim { name, fingerprint: Fingerprint::of(&(payment, body.amount_minor)) };
    let (reach, amount) = (caller.reach()?, body.amount_minor);
    let wanted = NewRefund { payment, reach, amount, account, claim };
    let (refund, outcome, replayed) = match payments::refund(&app, wanted).await? {
        Answered::First(refund) => (refund, "accepted", None),
        Answered::Replayed(refund) => (refund, "replayed", Some([REPLAYED])),
    };
    let counted = Extension(Counted::Refund(outcome));
    Ok((StatusCode::CREATED, counted, replayed, Json(RefundBody::from(refund))).into_response())
}

/// What is wanted back.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a refund")]
pub(super) struct RefundRequest {
    /// All that is left, where it is left out.
    amount_minor: Option<PriceMinor>,
}

/// A payment as it is shown.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PaymentBody {
    id: PaymentId,
    order_id: OrderId,
    state: PaymentState,
    amount_minor: i64,
    currency: Currency,
    /// The provider's total of what was taken.
    captured_minor: i64,
    /// The provider's total of what went back.
    refunded_minor: i64,
    provider: &'static str,
    /// The provider's name for it.
    provider_ref: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
}

/// A payment together with what lets its owner pay.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OpenedBody {
    #[serde(flatten)]
    payment: PaymentBody,
    /// For the provider's own form: whoever holds it can pay this payment, and nothing else.
    client_secret: Option<String>,
}

/// A payment together with what went back of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StatementBody {
    #[serde(flatten)]
    payment: PaymentBody,
    refunds: Vec<RefundBody>,
}

/// Money on its way back.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct RefundBody {
    id: RefundId,
    payment_id: PaymentId,
    state: RefundState,
    reason: RefundReason,
    amount_minor: i64,
    currency: Currency,
    /// Who asked for it; the shop itself where it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    account_id: Option<AccountId>,
    #[schema(format = DateTime)]
    created_at: String,
}

impl From<Payment> for PaymentBody {
    fn from(payment: Payment) -> Self {
        Self {
            id: payment.id,
            order_id: payment.order,
            state: payment.state,
            amount_minor: payment.amount.minor,
            currency: payment.amount.currency,
            captured_minor: payment.captured_minor,
            refunded_minor: payment.refunded_minor,
            provider: PROVIDER,
            provider_ref: payment.reference.map(|reference| reference.as_str().to_owned()),
            created_at: payment.created_at.to_rfc3339(),
        }
    }
}

impl From<Statement> for StatementBody {
    fn from(statement: Statement) -> Self {
        let refunds = statement.refunds.into_iter().map(RefundBody::from).collect();
        Self { payment: PaymentBody::from(statement.payment), refunds }
    }
}

impl From<Refund> for RefundBody {
    fn from(refund: Refund) -> Self {
        Self {
            id: refund.id,
            payment_id: refund.payment,
            state: refund.state,
            reason: refund.reason,
            amount_minor: refund.amount.minor,
            currency: refund.amount.currency,
            account_id: refund.account,
            created_at: refund.created_at.to_rfc3339(),
        }
    }
}

impl From<OpenError> for Problem {
    fn from(error: OpenError) -> Self {
        let problem = match error {
            OpenError::NotFound => Self::not_found(),
            OpenError::State(_) => Self::order_state(&error),
            OpenError::TooManyUndecided | OpenError::TooMany => {
                Self::new(409, "too_many_payments", "The order has too many payments")
                    .with_detail(error.to_string())
            }
            OpenError::Claim(error) => error.into(),
            OpenError::Gateway(error) => error.into(),
            OpenError::Write(error) => error.into(),
        };
        problem.counted(Counted::Payment)
    }
}

impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        if error.may_pass() {
            let title = "Nobody can pay right now; try again with the same Idempotency-Key";
            Self::new(503, "payments_unavailable", title).caused_by(error)
        } else {
            let title = "The payment provider does not take this payment";
            Self::new(502, "payment_refused", title).caused_by(error)
        }
    }
}

impl From<RefundError> for Problem {
    fn from(error: RefundError) -> Self {
        let problem = match error {
            RefundError::NotFound => Self::not_found(),
            RefundError::TooMuch { .. } => {
                Self::new(409, "refund_too_large", "Less can be given back than is asked for")
                    .with_detail(error.to_string())
            }
            RefundError::TooMany => {
                Self::new(409, "too_many_refunds", "The payment has too many refunds")
                    .with_detail(error.to_string())
            }
            RefundError::Claim(error) => error.into(),
            RefundError::Write(error) => error.into(),
        };
        problem.counted(Counted::Refund)
    }
}
