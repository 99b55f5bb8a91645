//! Who asks: the edge's assertion becomes a [`Caller`]. No token is parsed here.
//!
//! [`believe`] and [`require`] are the one place that enforces trust, for all routes alike.
//!
//! Fails closed: whatever cannot be believed is answered 401, whatever is for another
//! permission 403.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use stockade_contract::assertion::{Assertion, AssertionError, Expected, Scope};
use stockade_contract::{headers, internal};

use super::RouteFacts;
use super::problem::{Operation, Problem, RequestId};
use crate::app::App;
use crate::ids::{AccountId, SessionId};
use crate::metrics::Distrust;
use crate::reach::Reach;
use crate::start::AUDIENCE;

/// The subject the edge asserts for somebody without a token.
const ANONYMOUS: &str = "anonymous";

const LIVENESS: &str = "/livez";

/// Layer: lets through what the edge vouches for, and answers liveness to whoever asks.
pub(super) async fn believe(
    State(app): State<Arc<App>>,
    mut request: Request,
    next: Next,
) -> Response {
    // SECURITY: the only answer that needs no assertion; it says that the process runs.
    if request.method() == Method::GET && request.uri().path() == LIVENESS {
        return (StatusCode::OK, "ok\n").into_response();
    }
    let assertion = match verify(&app, &request) {
        Ok(assertion) => assertion,
        Err(problem) => return problem.into_response(),
    };
    let id = RequestId(assertion.request_id.clone());
    request.extensions_mut().insert(assertion);
    let mut response = next.run(request).await;
    response.extensions_mut().insert(id);
    response
}

fn verify(app: &App, request: &Request) -> Result<Assertion, Problem> {
    let Some(value) = the_one(request.headers()) else {
        app.metrics.assertion_rejected(Distrust::Missing);
        return Err(unbelieved("assertion_missing", "The request carries no assertion"));
    };
    let expected = Expected {
        audience: AUDIENCE,
        method: request.method().as_str(),
        path_and_query: request.uri().path_and_query().map_or("", |path| path.as_str()),
        now: app.clock.now().secs(),
    };
    app.assertions.verify(value.to_str().unwrap_or_default(), expected).map_err(|error| {
        app.metrics.assertion_rejected(reason(error));
        unbelieved("assertion_invalid", "The request's assertion is not believed")
    })
}

/// Several assertions are as good as none.
fn the_one(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(headers::ASSERTION).iter();
    values.next().filter(|_| values.next().is_none())
}

fn unbelieved(code: &'static str, title: &'static str) -> Problem {
    Problem::new(401, code, title)
        .with_header(WWW_AUTHENTICATE, HeaderValue::from_static("Stockade-Assertion"))
}

fn reason(error: AssertionError) -> Distrust {
    match error {
        AssertionError::Malformed => Distrust::Malformed,
        AssertionError::UnknownKey => Distrust::UnknownKey,
        AssertionError::BadSignature => Distrust::BadSignature,
        AssertionError::Expired => Distrust::Expired,
        AssertionError::OtherRequest => Distrust::OtherRequest,
    }
}

/// Layer of every route: the assertion must be for the route's own permission, and the edge
/// itself asks for nothing but what is internal.
pub(super) async fn require(
    State((app, route)): State<(Arc<App>, RouteFacts)>,
    request: Request,
    next: Next,
) -> Response {
    let fits = request.extensions().get::<Assertion>().is_some_and(|assertion| {
        let is_internal = route.permission == internal::PERMISSION;
        let is_edge = assertion.subject == internal::SUBJECT;
        assertion.permission == route.permission && is_internal == is_edge
    });
    let mut response = if fits {
        next.run(request).await
    } else {
        app.metrics.assertion_rejected(Distrust::OtherPermission);
        let title = "The request's assertion is for another permission";
        Problem::new(403, "assertion_mismatch", title).into_response()
    };
    response.extensions_mut().insert(Operation(route.operation));
    response
}

/// Who asks, and whose things they may reach.
#[derive(Debug)]
pub(super) struct Caller {
    account: Option<AccountId>,
    session: Option<SessionId>,
    scope: Scope,
}

impl Caller {
    /// The caller's account, for what the caller does in their own name.
    pub(super) fn owner(&self) -> Result<AccountId, Problem> {
        match self.scope {
            Scope::Own | Scope::Any => self.account.ok_or_else(no_account),
            Scope::Others => Err(Problem::new(
                403,
                "own_only",
                "This can only be done in one's own name, which is not allowed here",
            )),
        }
    }

    /// The caller's account, for what is done to anybody's things.
    pub(super) fn actor(&self) -> Result<AccountId, Problem> {
        self.account.ok_or_else(no_account)
    }

    /// The session that the caller's token belongs to.
    pub(super) fn session(&self) -> Result<SessionId, Problem> {
        self.session.ok_or_else(|| {
            Problem::new(403, "session_needed", "This needs a token that belongs to a session")
        })
    }

    /// Whose things may be read or changed.
    pub(super) fn reach(&self) -> Result<Reach, Problem> {
        match self.scope {
            Scope::Any => Ok(Reach::Any),
            Scope::Own => self.account.map(Reach::Own).ok_or_else(no_account),
            Scope::Others => self.account.map(Reach::Others).ok_or_else(no_account),
        }
    }
}

fn no_account() -> Problem {
    Problem::new(403, "account_needed", "This needs an account")
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, Problem> {
        let assertion = parts.extensions.get::<Assertion>().ok_or_else(no_account)?;
        let account = match assertion.subject.as_str() {
            ANONYMOUS => None,
            // A subject of some other issuer has no account here.
            subject => Some(subject.parse().map_err(|_| no_account())?),
        };
        // So has a session of theirs.
        let session = assertion.session.parse().ok();
        Ok(Self { account, session, scope: assertion.scope })
    }
}
