//! Decides whether a request may reach the upstream.
//!
//! `admit` is the whole of the edge's judgement, top to bottom. Each guard takes what earlier
//! guards proved and returns what later guards need, so a wrong order does not compile. Nothing
//! else can make an [`Admission`].

use stockade_policy::CleanPath;

use crate::asking::Asking;
use crate::clock;
use crate::cors::{self, Preflight};
use crate::guards::authenticate::{self, Caller, FailureBudget};
use crate::guards::authorize::{self, Permit};
use crate::guards::body_limit::{self, BodyBudget};
use crate::guards::hygiene::{self, CleanRequest};
use crate::guards::{ban, freshness, preflight, rate_limit, route_match, route_mfa, route_network};
use crate::journey::{Journey, Step};
use crate::limits::Subject;
use crate::live_policy::InForce;
use crate::rejection::Rejection;
use crate::request_head::RequestHead;
use crate::shared::Shared;

/// What the edge will do with a request that no guard refused.
#[derive(Debug)]
pub(crate) enum Verdict {
    Forward(Admission),
    /// A preflight is answered here and never forwarded.
    Answer(Preflight),
}

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

/// Asks every guard, in order.
pub(crate) fn admit(
    edge: &Shared,
    policy: &InForce,
    head: &RequestHead<'_>,
    journey: &mut Journey,
) -> Result<Verdict, Rejection> {
    let (bundle, now, steady) = (&policy.bundle, clock::unix_secs(), clock::steady_micros());
    journey.client = edge.proxies.client(journey.client, head.headers);
    journey.grant = bundle.cors().and_then(|cors| cors::grant(cors, head.headers));
    journey.step(Step::Ban, ban::check(&edge.bans, journey.client, now))?;

    let clean = journey.step(Step::Hygiene, hygiene::check(head))?;
    journey.path = Some(clean.path().as_str().to_owned());
    let route = journey.step(Step::Route, route_match::check(bundle, head, &clean))?;
    journey.route = Some(route.index);

    let address = Subject::address(journey.client.known());
    journey.limit(Step::AddressLimit, rate_limit::check(edge, bundle, route, address, steady))?;
    if let Some(answer) = answer_preflight(policy, head, &clean, journey) {
        return journey.step(Step::Preflight, answer).map(Verdict::Answer);
    }
    let body = journey.step(Step::Body, body_limit::check(route, head))?;

    let failures = FailureBudget::new(edge, address, steady);
    let caller = authenticate::check(&edge.tokens, route, head, now, &failures);
    let caller = journey.step(Step::Authenticate, caller)?;
    let asking = journey.settle(Asking::settle(bundle, caller, journey.client, now));
    journey.step(Step::Authenticate, freshness::check(edge, bundle, &asking, steady))?;
    if let Some(principal) = asking.caller.principal() {
        let subject = Subject::Principal(principal.subject());
        let found = rate_limit::check(edge, bundle, route, subject, steady);
        journey.limit(Step::PrincipalLimit, found)?;
    }

    journey.step(Step::Network, route_network::check(bundle, route, journey.client))?;
    journey.step(Step::Mfa, route_mfa::check(route, &asking.at))?;
    let permit = journey.step(Step::Authorize, authorize::check(bundle, route, &asking))?;

    Ok(Verdict::Forward(Admission { path: clean.into_path(), caller: asking.caller, body, permit }))
}

/// The answer to a preflight; `None` for any other request.
fn answer_preflight(
    policy: &InForce,
    head: &RequestHead<'_>,
    clean: &CleanRequest,
    journey: &Journey,
) -> Option<Result<Preflight, Rejection>> {
    let cors = policy.bundle.cors()?;
    cors::requested_method(head.method, head.headers)?;
    let methods = policy.bundle.routes().allow(clean.path().as_str()).unwrap_or_default();
    Some(preflight::check(cors, journey.grant.as_ref(), methods, head.headers))
}
