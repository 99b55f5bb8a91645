//! What one request gets.

use crate::activation::Circumstances;
use crate::bundle::Bundle;
use crate::judge::{Asker, Caller, Judgement, Outcome};
use crate::role_set::RoleSet;

/// A request by somebody, and what it should get.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) held: RoleSet,
    pub(crate) at: Circumstances,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) expected: Outcome,
}

impl Request {
    /// What it gets.
    pub(crate) fn outcome(&self, bundle: &Bundle) -> Outcome {
        self.examine(bundle).outcome
    }

    /// The same, with how it came to that.
    pub(crate) fn examine<'b>(&self, bundle: &'b Bundle) -> Judgement<'b> {
        let asker = Asker { caller: Caller::holding(bundle, self.held), at: self.at };
        bundle.examine(&asker, &self.method, &self.path)
    }
}
