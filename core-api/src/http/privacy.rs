//! `/api/me` beyond reading it: putting right, consents, and the end of an account.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::accounts::show;
use super::body::{JsonBody, Object, PathId, present};
use super::caller::Caller;
use super::precondition::IfMatch;
use super::problem::Problem;
use crate::accounts::{
    self, EmailAddress, FullName, NameError, Owner, PhoneNumber, Rectification, RectifyError,
};
use crate::app::App;
use crate::ids::AccountId;
use crate::privacy::{
    self, By, Consent, ConsentError, DocumentVersion, EraseError, NotAVersion, Purpose,
};
use crate::store::Slice;

/// Entries of the history that are shown.
const HISTORY_MAX: u32 = 3000;

/// Most entries that are sent at once.
const CONSENTS_MAX: usize = Purpose::ALL.len();

/// `PATCH /api/me`, made on the version that `If-Match` names.
pub(super) async fn rectify(
    State(app): State<Arc<App>>,
    caller: Caller,
    IfMatch(expected): IfMatch,
    JsonBody(body): JsonBody<RectifyRequest>,
) -> Result<Response, Problem> {
    let owner = caller.owner()?;
    let refused = |error: NameError| Problem::invalid_request(error.to_string());
    let name = body.name.map(|name| name.as_deref().map(FullName::parse).transpose());
    let phone = body.phone.map(|phone| phone.as_deref().map(PhoneNumber::parse).transpose());
    let wanted = Rectification {
        expected,
        full_name: name.transpose().map_err(refused)?,
        phone: phone.transpose().map_err(refused)?,
        email: body.email.as_deref().map(EmailAddress::parse).transpose().map_err(refused)?,
    };
    accounts::rectify(&app, owner, caller.session().ok(), wanted).await?;
    Ok(show(&app, owner).await?.into_response())
}

/// `GET /api/me/consents`.
pub(super) async fn consents(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<ConsentsBody>, Problem> {
    Ok(Json(standing(&app, caller.owner()?).await?))
}

/// `PUT /api/me/consents`.
pub(super) async fn consent(
    State(app): State<Arc<App>>,
    caller: Caller,
    JsonBody(body): JsonBody<ConsentsRequest>,
) -> Result<Json<ConsentsBody>, Problem> {
    let owner = caller.owner()?;
    let mut wanted = Vec::new();
    for Object(entry) in body.consents {
        if wanted.iter().any(|(purpose, _, _)| *purpose == entry.purpose) {
            return Err(Problem::invalid_request("`consents` names a purpose twice"));
        }
        let version = DocumentVersion::parse(&entry.version);
        let version =
            version.map_err(|error: NotAVersion| Problem::invalid_request(error.to_string()))?;
        wanted.push((entry.purpose, version, entry.given));
    }
    if wanted.is_empty() || wanted.len() > CONSENTS_MAX {
        let detail = format!("`consents` must have 1 to {CONSENTS_MAX} entries");
        return Err(Problem::invalid_request(detail));
    }
    privacy::decide(&app, owner, wanted).await?;
    Ok(Json(standing(&app, owner).await?))
}

async fn standing(app: &App, owner: AccountId) -> Result<ConsentsBody, Problem> {
    let slice = Slice { after: None, limit: HISTORY_MAX };
    let history = app.store.consents(owner, &slice).await?;
    let given = |purpose: Purpose| {
        let last = history.iter().rev().find(|consent| consent.purpose == purpose);
        StandingBody { purpose, given: last.is_some_and(|consent| consent.given) }
    };
    Ok(ConsentsBody {
        standing: Purpose::ALL.into_iter().map(given).collect(),
        history: history.into_iter().map(ConsentBody::from).collect(),
    })
}

/// `DELETE /api/me`.
pub(super) async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller,
) -> Result<Json<ErasedBody>, Problem> {
    let (account, session) = (caller.owner()?, caller.session()?);
    privacy::erase(&app, account, By::Owner(Owner { account, session })).await?;
    Ok(Json(ErasedBody::new(account)))
}

/// `DELETE /api/admin/users/{id}`.
pub(super) async fn erase_user(
    State(app): State<Arc<App>>,
    PathId(account): PathId<AccountId>,
) -> Result<Json<ErasedBody>, Problem> {
    privacy::erase(&app, account, By::Admin).await?;
    Ok(Json(ErasedBody::new(account)))
}

/// What is put right; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a change of an account")]
pub(super) struct RectifyRequest {
    /// What its owner is called by others; `null` takes it off.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "present")]
    name: Option<Option<String>>,
    /// As E.164 writes it, such as `+33123456789`; `null` takes it off.
    #[schema(value_type = Option<String>)]
    #[serde(default, deserialize_with = "present")]
    phone: Option<Option<String>>,
    /// Is the account's once the link that is sent there was opened.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "present")]
    email: Option<String>,
}

/// What is agreed to from now on, or no longer is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "consents")]
pub(super) struct ConsentsRequest {
    #[schema(value_type = Vec<ConsentRequest>, min_items = 1, max_items = 2)]
    consents: Vec<Object<ConsentRequest>>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, expecting = "a consent")]
pub(super) struct ConsentRequest {
    purpose: Purpose,
    /// Of the text that was shown: letters, digits, dots and hyphens.
    #[schema(min_length = 1, max_length = 32, pattern = "^[A-Za-z0-9.-]*$")]
    version: String,
    given: bool,
}

/// What somebody agreed to.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentsBody {
    /// How each purpose stands.
    standing: Vec<StandingBody>,
    /// Everything that was decided, in its order.
    history: Vec<ConsentBody>,
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StandingBody {
    purpose: Purpose,
    given: bool,
}

/// One decision.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConsentBody {
    purpose: Purpose,
    version: String,
    given: bool,
    #[schema(format = DateTime)]
    at: String,
}

impl From<Consent> for ConsentBody {
    fn from(consent: Consent) -> Self {
        Self {
            purpose: consent.purpose,
            version: consent.version.as_str().to_owned(),
            given: consent.given,
            at: consent.at.to_rfc3339(),
        }
    }
}

/// An account that is no more, and what stays of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ErasedBody {
    /// Names nobody any more.
    id: AccountId,
    stays: [StaysBody; 4],
}

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct StaysBody {
    what: &'static str,
    why: &'static str,
}

impl ErasedBody {
    fn new(id: AccountId) -> Self {
        let stays = |what, why| StaysBody { what, why };
        Self {
            id,
            stays: [
                stays(
                    "orders and movements of stock, under an id that names nobody any more",
                    "commercial and tax law ask for the books to be kept",
                ),
                stays(
                    "the same id in the lists of erasures and of revoked tokens",
                    "it keeps a backup from bringing the account back, and old tokens from use",
                ),
                stays(
                    "the same id in the audit trail, beside what was done and when",
                    "nobody can take a row out of it, so that it proves what happened",
                ),
                stays(
                    "sealed copies in backups, until those are deleted",
                    "they open only with a key that is replaced and destroyed as often as backups \
                     are; a restored backup is erased again before it serves",
                ),
            ],
        }
    }
}

impl From<RectifyError> for Problem {
    fn from(error: RectifyError) -> Self {
        match error {
            RectifyError::Account => Self::not_found(),
            RectifyError::Stale(_) => {
                Self::new(412, "precondition_failed", "It was changed since; read it again")
            }
            RectifyError::Taken => Self::new(409, "email_taken", "The e-mail address is taken"),
            RectifyError::TooManyLinks => Self::new(
                409,
                "links_waiting",
                "Enough links were sent; open one, or wait until they are no longer good",
            ),
            RectifyError::Fresh(error) => error.into(),
            RectifyError::Entropy(error) => Self::internal(error),
            RectifyError::Store(error) => error.into(),
            RectifyError::Write(error) => error.into(),
        }
    }
}

impl From<ConsentError> for Problem {
    fn from(error: ConsentError) -> Self {
        match error {
            ConsentError::Account => Self::not_found(),
            ConsentError::Full => {
                Self::new(409, "consents_full", "Too much was agreed to; only taking back is left")
            }
            ConsentError::Write(error) => error.into(),
        }
    }
}

impl From<EraseError> for Problem {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::Account | EraseError::NotDue => Self::not_found(),
            EraseError::OpenOrders(_) => {
                let title = "Orders wait for payment or shipping; cancel them, or wait";
                Self::new(409, "orders_open", title).with_detail(error.to_string())
            }
            EraseError::LastSuperAdmin => {
                let title = "It is the last super-admin who can log in; make another first";
                Self::new(409, "last_super_admin", title)
            }
            EraseError::Fresh(error) => error.into(),
            EraseError::Store(error) => error.into(),
            EraseError::Write(error) => error.into(),
        }
    }
}
