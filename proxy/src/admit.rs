//! Decides whether a request may reach the upstream.
//!
//! `admit` is the whole of the edge's judgement, top to bottom. Each guard takes what earlier
//! guards proved and returns what later guards need, so a wrong order does not compile. Nothing
//! else can make an [`Admission`].

use std::sync::Arc;

use crate::live_policy::InForce;

use crate::clean_path::CleanPath;
use crate::guards::authenticate::{self, Caller};
use crate::guards::authorize::{self, Permit};
use crate::guards::body_limit::{self, BodyBudget};
use crate::guards::{hygiene, route_match, route_network};
use crate::journey::{Journey, Step};
use crate::rejection::Rejection;
use crate::request_head::RequestHead;
use crate::token::TokenVerifier;

/// Proof that every guard agreed to this request.
#[derive(Debug)]
pub(crate) struct Admission {
    pub(crate) path: CleanPath,
    pub(crate) caller: Caller,
    pub(crate) body: BodyBudget,
    /// Private, so that only this file can build an admission.
    permit: Permit,
}

impl Admission {
    pub(crate) fn permit(&self) -> &Permit {
        &self.permit
    }
}

/// Asks every guard, in order. `now` is in seconds since 1970 UTC.
pub(crate) fn admit(
    policy: &Arc<InForce>,
    tokens: &TokenVerifier,
    head: &RequestHead<'_>,
    now: u64,
    journey: &mut Journey,
) -> Result<Admission, Rejection> {
    journey.policy = Some(policy.clone());
    let clean = journey.step(Step::Hygiene, hygiene::check(head))?;
    journey.path = Some(clean.path().as_str().to_owned());

    let route =
        journey.step(Step::Route, route_match::check(&policy.bundle, head.method, &clean))?;
    journey.route = Some(route.index);

    let body = journey.step(Step::Body, body_limit::check(route, head))?;
    let caller = authenticate::check(tokens, route, head, now);
    let caller = journey.step(Step::Authenticate, caller)?;

    let network = route_network::check(&policy.bundle, route, journey.client);
    journey.step(Step::Network, network)?;
    let permit = authorize::check(policy, route, &caller, journey.client);
    let permit = journey.step(Step::Authorize, permit)?;

    Ok(Admission { path: clean.into_path(), caller, body, permit })
}
