//! `/api/admin/audit`: the audit trail, for those who may look into it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::page::{Page, PageBody};
use super::problem::Problem;
use crate::app::App;
use crate::audit::{self, Action, AuditRow, Fault, Looked, Position, ReadError, TrailReport};
use crate::clock::Timestamp;

/// `GET /api/admin/audit`. Newest first.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    AuditPage { page, looked }: AuditPage,
) -> Result<Json<PageBody<ActBody>>, Problem> {
    let rows = audit::read(&app, &looked, &page.slice()).await?;
    Ok(Json(page.body(&app, rows, AuditRow::position)))
}

/// `GET /api/admin/audit/verify`: what was added lately, and the checkpoints over it.
pub(super) async fn verify(State(app): State<Arc<App>>) -> Result<Json<ProofBody>, Problem> {
    Ok(Json(ProofBody::from(audit::verify_lately(&app).await?)))
}

/// Which acts are listed.
#[derive(Debug)]
pub(super) struct AuditPage {
    page: Page<Position>,
    looked: Looked,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AuditQuery {
    limit: Option<u32>,
    cursor: Option<String>,
    actor: Option<String>,
    action: Option<String>,
    object: Option<Uuid>,
    since: Option<String>,
    until: Option<String>,
}

impl FromRequestParts<Arc<App>> for AuditPage {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Problem> {
        let Ok(Query(query)) = Query::<AuditQuery>::try_from_uri(&parts.uri) else {
            let detail = "the query takes `limit`, `cursor`, `actor`, `action`, `object`, which is \
                          an id, `since` and `until`";
            return Err(Problem::invalid_request(detail));
        };
        let page = Page::parse(app, query.limit, query.cursor)?;
        if query.actor.as_deref().is_some_and(|actor| !audit::is_actor(actor)) {
            let detail = "`actor` must be an account's id, or `anonymous`, `other_issuer`, `edge`, \
                          `operator` or `core`";
            return Err(Problem::invalid_request(detail));
        }
        let action = query.action.map(|word| Action::parse(&word).ok_or_else(no_action));
        let looked = Looked {
            actor: query.actor,
            action: action.transpose()?,
            object: query.object,
            since: moment(query.since.as_deref(), i64::MIN)?,
            until: moment(query.until.as_deref(), i64::MAX)?,
        };
        Ok(Self { page, looked })
    }
}

fn no_action() -> Problem {
    Problem::invalid_request("`action` must be one of those that acts have, such as `order.placed`")
}

fn moment(text: Option<&str>, otherwise: i64) -> Result<Timestamp, Problem> {
    let Some(text) = text else { return Ok(Timestamp::from_micros(otherwise)) };
    let detail = "`since` and `until` must be moments as RFC 3339 writes them";
    Timestamp::from_rfc3339(text).ok_or_else(|| Problem::invalid_request(detail))
}

/// An act as those see it who may look into the trail.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ActBody {
    chain: u32,
    /// Counts the chain's acts, from 1.
    sequence: u64,
    #[schema(format = DateTime)]
    at: String,
    /// An account's id, or who else: `anonymous`, `other_issuer`, `edge`, `operator`, `core`.
    actor: String,
    /// The roles that were active.
    roles: Vec<String>,
    action: String,
    /// What kind of thing it is about.
    object_kind: Option<String>,
    object_id: Option<String>,
    /// `done` or `refused`.
    outcome: String,
    detail: Option<String>,
    /// Names the edge's record of the request.
    decision_id: Option<String>,
    /// What the next act of the chain follows.
    hash: String,
}

impl From<AuditRow> for ActBody {
    fn from(row: AuditRow) -> Self {
        let some = |text: String| (!text.is_empty()).then_some(text);
        Self {
            chain: row.chain,
            sequence: row.sequence,
            at: row.at.to_rfc3339(),
            actor: row.actor,
            roles: row.roles.split_ascii_whitespace().map(str::to_owned).collect(),
            action: row.action,
            object_kind: some(row.object_kind),
            object_id: some(row.object_id),
            outcome: row.outcome,
            detail: some(row.detail),
            decision_id: some(row.request),
            hash: row.hash.to_string(),
        }
    }
}

/// What was proved of the trail.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ProofBody {
    /// Whether nothing contradicts it.
    intact: bool,
    /// Whether all of it was proved in the time there is.
    complete: bool,
    rows: u64,
    chains: u64,
    checkpoints: u64,
    faults: Vec<FaultBody>,
}

/// Something that is not as it was written.
#[derive(Debug, Serialize, ToSchema)]
struct FaultBody {
    chain: Option<u32>,
    sequence: Option<u64>,
    checkpoint: Option<u64>,
    found: String,
}

impl From<TrailReport> for ProofBody {
    fn from(report: TrailReport) -> Self {
        let intact = report.is_intact();
        let TrailReport { rows, chains, checkpoints, complete, faults, .. } = report;
        let faults = faults.into_iter().map(FaultBody::from).collect();
        Self { intact, complete, rows, chains, checkpoints, faults }
    }
}

impl From<Fault> for FaultBody {
    fn from(Fault { chain, sequence, checkpoint, found }: Fault) -> Self {
        Self { chain, sequence, checkpoint, found }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Write(error) => error.into(),
            ReadError::Store(error) => error.into(),
            ReadError::Key(error) => Self::internal(error),
        }
    }
}
