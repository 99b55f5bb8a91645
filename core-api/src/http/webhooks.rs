//! `/api/webhooks/{provider}`: what a payment provider tells, signed.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, RequestExt as _};
use serde::Serialize;
use stockade_contract::outcome::Outcome;
use utoipa::ToSchema;

use super::body::{PathId, read_up_to};
use super::problem::Problem;
use crate::app::App;
use crate::metrics::Counted;
use crate::payments::{self, PROVIDER, ReceiveError};

/// Longest event, in bytes. Its whole body is signed, so that no part of it can be left out.
const EVENT_BYTES_MAX: usize = 256 * 1024;

const SIGNATURE: &str = "stripe-signature";

/// `POST /api/webhooks/{provider}`. Answered when the event and its effect are on disk.
pub(super) async fn receive(
    State(app): State<Arc<App>>,
    mut request: Request,
) -> Result<Response, Problem> {
    let PathId::<String>(provider) = request.extract_parts_with_state(&app).await?;
    if provider != PROVIDER {
        return Err(Problem::not_found());
    }
    let mut values = request.headers().get_all(SIGNATURE).iter();
    let first = values.next().and_then(|value| value.to_str().ok());
    // Several signature headers are as good as none.
    let signature = first.filter(|_| values.next().is_none()).unwrap_or_default().to_owned();
    let body = read_up_to(request, EVENT_BYTES_MAX).await?;
    let received = payments::receive(&app, &signature, &body).await?;
    let counted = Extension(Counted::Webhook(received.as_str()));
    Ok((counted, Json(ReceivedBody { received: true })).into_response())
}

/// An event is taken care of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReceivedBody {
    received: bool,
}

impl From<ReceiveError> for Problem {
    fn from(error: ReceiveError) -> Self {
        let problem = match error {
            // What exactly does not fit is for whoever holds a secret to know.
            ReceiveError::Unsigned(_) => {
                Self::new(400, "webhook_signature", "The signature does not fit")
                    .with_outcome(Outcome::WebhookRejected)
            }
            ReceiveError::NotAnEvent(_) => {
                Self::new(400, "invalid_event", "The body is not an event")
                    .with_detail(error.to_string())
            }
            ReceiveError::Write(error) => error.into(),
        };
        problem.counted(Counted::Webhook)
    }
}
