//! Give money back: a part of what was taken, or all that is left of it. The row and the job
//! that asks the provider are one transaction.

use super::{Payment, Refund, RefundReason, RefundState};
use crate::app::App;
use crate::audit::Action;
use crate::idempotency::{Answered, Claim, ClaimError};
use crate::ids::{AccountId, PaymentId};
use crate::money::{Money, PriceMinor};
use crate::outbox::JobKind;
use crate::reach::Reach;
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Most refunds of one payment, failed ones included. The provider lists a hundred at once, and
/// what it does not list cannot be looked for; the rest is left for those made past us.
const REFUNDS_MAX: usize = 50;

/// Why nothing is given back.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RefundError {
    #[error("there is no such payment within reach")]
    NotFound,
    #[error("{wanted} is wanted back, {left} of it can be")]
    TooMuch { wanted: i64, left: i64 },
    #[error("the payment has {REFUNDS_MAX} refunds; give the rest back at the provider")]
    TooMany,
    #[error(transparent)]
    Claim(#[from] ClaimError),
    #[error("could not give anything back")]
    Write(#[from] WriteError),
}

/// A refund that somebody wants.
#[derive(Debug, Clone)]
pub(crate) struct NewRefund {
    pub(crate) payment: PaymentId,
    pub(crate) reach: Reach,
    /// `None` for all that is left.
    pub(crate) amount: Option<PriceMinor>,
    pub(crate) account: AccountId,
    pub(crate) claim: Claim,
}

/// Gives back; a repeated key gives back once.
pub(crate) async fn refund(app: &App, wanted: NewRefund) -> Result<Answered<Refund>, RefundError> {
    let refund = app.writer.submit(wanted).await??;
    app.outbox.wake();
    Ok(refund)
}

impl Write for NewRefund {
    type Answer = Result<Answered<Refund>, RefundError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.claims.insert(self.claim.name.clone());
        wanted.payments.insert(self.payment);
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let payment = self.within_reach(sheet).ok_or(RefundError::NotFound)?;
        if let Some(refund) = sheet.claims.find(&self.claim)? {
            return Ok(Answered::Replayed(refund));
        }
        if sheet.payments.refunds_of(payment.id).count() >= REFUNDS_MAX {
            return Err(RefundError::TooMany);
        }
        let left = sheet.payments.refundable(&payment);
        let wanted = self.amount.map_or(left, i64::from);
        if !(1..=left).contains(&wanted) {
            return Err(RefundError::TooMuch { wanted, left });
        }
        let refund = Refund {
            id: sheet.ids.next(sheet.now),
            payment: payment.id,
            amount: Money { minor: wanted, ..payment.amount },
            state: RefundState::Pending,
            reason: RefundReason::Requested,
            account: Some(self.account),
            created_at: sheet.now,
        };
        sheet.claims.keep(&self.claim, &refund, sheet.now)?;
        sheet.outbox.add(&sheet.ids, sheet.now, JobKind::refund_of(refund.id));
        sheet.payments.set_refund(refund.clone());
        sheet.audit(Action::RefundAsked, refund.id);
        Ok(Answered::First(refund))
    }
}

impl NewRefund {
    /// A payment is within reach where its order is.
    fn within_reach(&self, sheet: &Worksheet) -> Option<Payment> {
        let payment = sheet.payments.find(self.payment)?;
        let order = sheet.orders.find(Reach::Any, payment.order)?;
        let is_within = match self.reach {
            Reach::Any => true,
            Reach::Own(me) => order.account == me,
            Reach::Others(me) => order.account != me,
        };
        is_within.then(|| payment.clone())
    }
}
