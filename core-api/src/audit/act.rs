//! Acts as a batch of writes decides them.

use std::sync::Arc;

use uuid::Uuid;

use super::action::{Action, Detail, ObjectKind, Outcome};
use super::origin::{Actor, Origin};
use crate::ids::{
    AccountId, CategoryId, Id as _, JobId, MovementId, OrderId, PaymentId, ProductId, RefundId,
    SessionId,
};

/// What an act is about: a thing that this program named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Object(pub(super) Option<(ObjectKind, Uuid)>);

impl Object {
    /// Nothing that has a name.
    pub(crate) const NONE: Self = Self(None);
}

macro_rules! objects {
    ($($id:ident is $kind:ident,)+) => {$(
        impl From<$id> for Object {
            fn from(id: $id) -> Self {
                Self(Some((ObjectKind::$kind, id.uuid())))
            }
        }
    )+};
}

objects! {
    AccountId is Account,
    SessionId is Session,
    ProductId is Product,
    CategoryId is Category,
    MovementId is Movement,
    OrderId is Order,
    PaymentId is Payment,
    RefundId is Refund,
    JobId is Job,
}

impl<I: Into<Self>> From<Option<I>> for Object {
    fn from(id: Option<I>) -> Self {
        id.map_or(Self::NONE, Into::into)
    }
}

/// One act: a row of the trail about to be.
#[derive(Debug, Clone)]
pub(crate) struct Act {
    pub(super) origin: Arc<Origin>,
    pub(super) actor: Actor,
    pub(super) action: Action,
    pub(super) object: Object,
    pub(super) outcome: Outcome,
    pub(super) detail: Option<Detail>,
}

impl Act {
    /// It was refused, and why.
    pub(crate) fn refused(&mut self, why: Detail) {
        (self.outcome, self.detail) = (Outcome::Refused, Some(why));
    }

    /// There is more to say of it.
    pub(crate) fn detailed(&mut self, detail: Detail) -> &mut Self {
        self.detail = Some(detail);
        self
    }

    /// Whoever acted has just proved to be this account.
    pub(crate) fn by(&mut self, account: AccountId) -> &mut Self {
        self.actor = Actor::Account(account);
        self
    }
}

/// The acts of one batch, in the order in which they were decided.
#[derive(Debug)]
pub(crate) struct Trail {
    /// Whose operation is decided now.
    origin: Arc<Origin>,
    acts: Vec<Act>,
}

impl Trail {
    /// Nothing was done yet; what is done before the first operation is the core's doing.
    pub(crate) fn new() -> Self {
        Self { origin: Origin::current(), acts: Vec::new() }
    }

    /// From now on, this one acts.
    pub(crate) fn turn(&mut self, origin: &Arc<Origin>) {
        self.origin = Arc::clone(origin);
    }

    pub(crate) fn add(&mut self, action: Action, object: Object) -> &mut Act {
        let act = Act {
            origin: Arc::clone(&self.origin),
            actor: self.origin.actor,
            action,
            object,
            outcome: Outcome::Done,
            detail: None,
        };
        // The list is not empty once this one is in it.
        self.acts.push_mut(act)
    }

    pub(crate) fn acts(&self) -> &[Act] {
        &self.acts
    }
}
