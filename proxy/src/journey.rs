//! What is known about one request so far, and the record it leaves.

use std::sync::Arc;
use std::time::{Duration, Instant};

use stockade_contract::outcome::Outcome;
use stockade_policy::RouteId;

use crate::admit::Admission;
use crate::asking::Asking;
use crate::client_addr::ClientAddr;
use crate::cors::Grant;
use crate::decision_id::DecisionId;
use crate::guards::rate_limit::Standings;
use crate::listener::pace::BodyPace;
use crate::live_policy::InForce;
use crate::rejection::Rejection;
use crate::response_headers::ResponseHeaders;

/// A step of the judgement, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Ban,
    Hygiene,
    Route,
    AddressLimit,
    Preflight,
    Body,
    Authenticate,
    PrincipalLimit,
    Network,
    Mfa,
    Authorize,
    Forward,
}

impl Step {
    /// The word in the record.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ban => "ban",
            Self::Hygiene => "hygiene",
            Self::Route => "route",
            Self::AddressLimit => "address_limit",
            Self::Preflight => "preflight",
            Self::Body => "body",
            Self::Authenticate => "authenticate",
            Self::PrincipalLimit => "principal_limit",
            Self::Network => "network",
            Self::Mfa => "mfa",
            Self::Authorize => "authorize",
            Self::Forward => "forward",
        }
    }
}

/// A refusal and the step that made it.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) step: Step,
    pub(crate) rejection: Rejection,
}

/// One request, from its head to its record.
#[derive(Debug)]
pub(crate) struct Journey {
    pub(crate) id: DecisionId,
    pub(crate) client: ClientAddr,
    pub(crate) route: Option<RouteId>,
    /// The canonical path, once there is one.
    pub(crate) path: Option<String>,
    pub(crate) refusal: Option<Refusal>,
    pub(crate) outcome: Option<Outcome>,
    /// The policy the request began under, and ends under.
    pub(crate) policy: Option<Arc<InForce>>,
    /// Who asks, once that is settled.
    pub(crate) asking: Option<Asking>,
    /// How an HTTP/2 body is coming along.
    pub(crate) pace: Option<BodyPace>,
    /// What the client's page may read.
    pub(crate) grant: Option<Grant>,
    /// How the caller stands with every limit that was asked.
    pub(crate) standings: Standings,
    admission: Option<Admission>,
    started: Instant,
    forwarded: Option<Instant>,
    answered: Option<Instant>,
}

impl Journey {
    pub(crate) fn begin() -> Self {
        Self {
            id: DecisionId::next(),
            client: ClientAddr::Unknown,
            route: None,
            path: None,
            refusal: None,
            outcome: None,
            policy: None,
            asking: None,
            pace: None,
            grant: None,
            standings: Standings::new(),
            admission: None,
            started: Instant::now(),
            forwarded: None,
            answered: None,
        }
    }

    /// Records what a step found, and hands it on untouched.
    pub(crate) fn step<T>(
        &mut self,
        step: Step,
        found: Result<T, Rejection>,
    ) -> Result<T, Rejection> {
        if let Err(rejection) = &found {
            self.refuse(step, rejection.clone());
        }
        found
    }

    /// The same for a limit, keeping the standings whatever was found.
    pub(crate) fn limit(
        &mut self,
        step: Step,
        (standings, found): (Standings, Result<(), Rejection>),
    ) -> Result<(), Rejection> {
        self.standings.extend(standings);
        self.step(step, found)
    }

    /// Records a refusal; the first one stands.
    pub(crate) fn refuse(&mut self, step: Step, rejection: Rejection) {
        self.refusal.get_or_insert(Refusal { step, rejection });
    }

    /// Who asks is settled.
    pub(crate) fn settle(&mut self, asking: Asking) -> Asking {
        self.asking = Some(asking.clone());
        asking
    }

    pub(crate) fn admit(&mut self, admission: Admission) {
        self.admission = Some(admission);
    }

    pub(crate) fn admission(&self) -> Option<&Admission> {
        self.admission.as_ref()
    }

    pub(crate) fn admission_mut(&mut self) -> Option<&mut Admission> {
        self.admission.as_mut()
    }

    /// What the answer says of itself, by the policy the request began under.
    pub(crate) fn response_headers(&self) -> &ResponseHeaders {
        self.policy.as_ref().map_or(ResponseHeaders::default(), |policy| &policy.headers)
    }

    /// The request leaves for the upstream.
    pub(crate) fn forwarded(&mut self) {
        self.forwarded = Some(Instant::now());
    }

    /// The head of the upstream's answer is here.
    pub(crate) fn answered(&mut self) {
        self.answered.get_or_insert_with(Instant::now);
    }

    /// How long it took in all, and how much of that was the edge's own.
    pub(crate) fn durations(&self) -> (Duration, Duration) {
        let total = self.started.elapsed();
        let upstream = match (self.forwarded, self.answered) {
            (Some(forwarded), Some(answered)) => answered.duration_since(forwarded),
            (Some(forwarded), None) => forwarded.elapsed(),
            (None, _) => Duration::ZERO,
        };
        (total, total.saturating_sub(upstream))
    }
}
