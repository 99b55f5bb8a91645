//! `/internal`: what the edge itself asks, and no client can.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use jsonwebtoken::jwk::JwkSet;
use serde::{Deserialize, Serialize};
use stockade_contract::revocation::{Revocation, Revocations, Revoked};

use super::problem::Problem;
use crate::accounts;
use crate::app::App;

/// `GET /internal/jwks`. The keys that access tokens are verified with (RFC 7517).
pub(super) async fn jwks(State(app): State<Arc<App>>) -> Json<JwkSet> {
    Json(app.tokens.public_keys(app.clock.now()))
}

/// `GET /internal/revocations?after=SEQ`.
pub(super) async fn revocations(
    State(app): State<Arc<App>>,
    after: Result<Query<After>, QueryRejection>,
) -> Result<Json<Revocations>, Problem> {
    let Ok(Query(After { after })) = after else {
        return Err(Problem::invalid_request("`after` must be a sequence number"));
    };
    let items = accounts::revocations(&app, after).await?;
    Ok(Json(Revocations { items: items.into_iter().map(told).collect() }))
}

/// Whence the edge goes on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    after: u64,
}

fn told(one: accounts::Revoked) -> Revocation {
    let revoked = match one.revocation {
        accounts::Revocation::Subject { account, not_before } => {
            Revoked::Subject { id: account.to_string(), not_before }
        }
        accounts::Revocation::Session(session) => Revoked::Session { id: session.to_string() },
    };
    Revocation { seq: one.seq, revoked }
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
