//! `/internal`: what the edge itself asks, and no client can.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use jsonwebtoken::jwk::JwkSet;
use serde::Serialize;

use super::problem::Problem;
use crate::app::App;

/// `GET /internal/jwks`. The keys that access tokens are verified with (RFC 7517).
pub(super) async fn jwks(State(app): State<Arc<App>>) -> Json<JwkSet> {
    Json(app.tokens.key().public().clone())
}

/// `GET /internal/readyz`. Whether requests can be answered: reading and writing work.
pub(super) async fn ready(State(app): State<Arc<App>>) -> Result<Json<ReadyBody>, Problem> {
    app.readiness.check().map_err(not_ready)?;
    if !app.writer.runs() {
        return Err(not_ready("the writer has stopped"));
    }
    app.store.ping().await?;
    Ok(Json(ReadyBody { status: "ready" }))
}

fn not_ready(reason: &'static str) -> Problem {
    Problem::new(503, "not_ready", "The core takes no requests now").with_detail(reason)
}

#[derive(Debug, Serialize)]
pub(super) struct ReadyBody {
    status: &'static str,
}
