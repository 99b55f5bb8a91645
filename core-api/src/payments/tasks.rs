//! What the outbox asks of the provider, and what comes of it.

use super::gateway::{self, GatewayError, IntentFacts, PaymentGateway, ProviderKey};
use super::settle::{may_capture, settle, settle_refund};
use super::{PaymentState, ProviderRefund, Reference, RefundState};
use crate::ids::JobId;
use crate::outbox::{Job, JobKind};
use crate::worksheet::Worksheet;

/// What a job asks of the provider.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Capture(Reference),
    Cancel(Reference),
    Refund(gateway::NewRefund),
}

/// What the provider made of it.
#[derive(Debug, Clone)]
pub(crate) enum TaskResult {
    Intent(IntentFacts),
    /// The refund, and its payment as it is by then, where that could be read.
    Refund(ProviderRefund, Option<IntentFacts>),
}

/// What a job asks now; `None` when nothing is left to be asked.
pub(crate) fn plan(sheet: &mut Worksheet, job: &Job) -> Option<Ask> {
    if let Some(id) = job.refund() {
        let refund = sheet.payments.refund(id)?;
        let payment = sheet.payments.find(refund.payment)?;
        let intent = payment.reference.clone()?;
        let amount_minor = refund.amount.minor;
        let wanted = gateway::NewRefund { refund: id, intent, amount_minor };
        return (refund.state == RefundState::Pending).then_some(Ask::Refund(wanted));
    }
    let payment = sheet.payments.find(job.payment()?)?.clone();
    let reference = payment.reference.clone()?;
    match payment.state {
        PaymentState::Cancelled | PaymentState::Captured => None,
        PaymentState::Open | PaymentState::Authorised if job.kind == JobKind::Cancel => {
            Some(Ask::Cancel(reference))
        }
        // Asked for once, and under way: whether it is still wanted is settled by its answer.
        PaymentState::Open | PaymentState::Authorised if job.attempts > 0 => {
            Some(Ask::Capture(reference))
        }
        PaymentState::Open | PaymentState::Authorised => {
            if may_capture(sheet, &payment) {
                return Some(Ask::Capture(reference));
            }
            sheet.outbox.add(&sheet.ids, sheet.now, JobKind::Cancel.of(payment.id));
            None
        }
    }
}

/// Asks the provider, under a key that follows from the job.
pub(crate) async fn carry_out(
    gateway: &dyn PaymentGateway,
    job: JobId,
    ask: &Ask,
) -> Result<TaskResult, GatewayError> {
    let key = ProviderKey::of_job(job);
    match ask {
        Ask::Capture(intent) => {
            let done = gateway.capture(&key, intent).await;
            as_it_is(gateway, intent, done).await
        }
        Ask::Cancel(intent) => {
            let done = gateway.cancel(&key, intent).await;
            as_it_is(gateway, intent, done).await
        }
        Ask::Refund(wanted) => {
            // A provider forgets keys after a day, and a job that has a new name has a new key:
            // whether it was made already is told by what was made.
            let refund = match gateway.find_refund(wanted).await? {
                Some(made) => made,
                None => gateway.refund(&key, wanted).await?,
            };
            // The money has gone; its webhook tells the total where this does not.
            let facts = gateway.retrieve(&wanted.intent).await.ok().map(|intent| intent.facts);
            Ok(TaskResult::Refund(refund, facts))
        }
    }
}

/// A refusal to do what cannot be done any more is no failure, nor is what broke after it was
/// done: the payment was decided.
async fn as_it_is(
    gateway: &dyn PaymentGateway,
    intent: &Reference,
    done: Result<gateway::Intent, GatewayError>,
) -> Result<TaskResult, GatewayError> {
    let failed = match done {
        Ok(intent) => return Ok(TaskResult::Intent(intent.facts)),
        Err(error) => error,
    };
    if !matches!(failed, GatewayError::Refused { .. }) && !failed.is_kept() {
        return Err(failed);
    }
    let now = gateway.retrieve(intent).await.map_err(|_| failed.clone())?.facts;
    let is_decided = match now.status {
        gateway::IntentStatus::Captured | gateway::IntentStatus::Cancelled => true,
        gateway::IntentStatus::Open | gateway::IntentStatus::Authorised => false,
    };
    if is_decided { Ok(TaskResult::Intent(now)) } else { Err(failed) }
}

/// Books what came of a job.
pub(crate) fn conclude(sheet: &mut Worksheet, job: &Job, result: &TaskResult) {
    let (payment, facts) = match result {
        TaskResult::Intent(facts) => (job.payment(), Some(facts)),
        TaskResult::Refund(told, facts) => {
            // Whatever the provider repeats of its metadata: it is this job's refund.
            settle_refund(sheet, &ProviderRefund { refund: job.refund(), ..told.clone() });
            let refund = job.refund().and_then(|id| sheet.payments.refund(id));
            (refund.map(|refund| refund.payment), facts.as_ref())
        }
    };
    if let (Some(payment), Some(facts)) = (payment, facts)
        && let Err(error) = settle(sheet, payment, facts)
    {
        tracing::error!(job.id = %job.id, %error, "an answer does not fit");
    }
}
