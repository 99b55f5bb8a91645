//! Who acts: carried beside the request, from the layer that believes the edge's assertion to
//! the queue of the writers.
//!
//! It is carried by the task rather than by every signature between the two, so that no operation
//! can be submitted in somebody else's name, or forgets to say whose. What runs outside a request
//! is the core itself.

use std::future::Future;
use std::sync::Arc;

use stockade_contract::assertion::Assertion;
use stockade_contract::internal;

use crate::ids::AccountId;

/// The subject the edge asserts for somebody without a token.
pub(crate) const ANONYMOUS: &str = "anonymous";

/// Longest set of roles that is told, in bytes.
const ROLES_BYTES_MAX: usize = 512;

/// Longest name of a request that is told, in bytes.
const REQUEST_BYTES_MAX: usize = 64;

tokio::task_local! {
    static ORIGIN: Arc<Origin>;
}

/// Who acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Actor {
    /// Somebody with an account; its id is a pseudonym.
    Account(AccountId),
    /// Somebody without a token.
    Anonymous,
    /// Somebody with a token of another issuer; the decision record says who.
    OtherIssuer,
    /// The edge itself.
    Edge,
    /// Somebody at the command line of the machine.
    Operator,
    /// The core itself.
    Core,
}

/// Who acts, as what, and in which request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(super) actor: Actor,
    /// The roles that were active, separated by one space: names of the policy.
    pub(super) roles: String,
    /// The edge's decision id; empty outside a request.
    pub(super) request: String,
}

impl Origin {
    /// Whoever the edge vouches for.
    pub(crate) fn of(assertion: &Assertion) -> Arc<Self> {
        let actor = match assertion.subject.as_str() {
            ANONYMOUS => Actor::Anonymous,
            internal::SUBJECT => Actor::Edge,
            subject => subject.parse().map_or(Actor::OtherIssuer, Actor::Account),
        };
        let roles = told(&assertion.roles, ROLES_BYTES_MAX, b" -_");
        let request = told(&assertion.request_id, REQUEST_BYTES_MAX, b"-");
        Arc::new(Self { actor, roles, request })
    }

    /// Somebody at the command line.
    pub(crate) fn operator() -> Arc<Self> {
        Arc::new(Self::outside(Actor::Operator))
    }

    /// Whoever acts in this task.
    pub(crate) fn current() -> Arc<Self> {
        ORIGIN.try_with(Arc::clone).unwrap_or_else(|_| Arc::new(Self::outside(Actor::Core)))
    }

    /// Does something in this name.
    pub(crate) fn scope<F: Future>(self: Arc<Self>, work: F) -> impl Future<Output = F::Output> {
        ORIGIN.scope(self, work)
    }

    fn outside(actor: Actor) -> Self {
        Self { actor, roles: String::new(), request: String::new() }
    }
}

/// The text, if it is one of the edge's own words; nothing in place of any other.
fn told(text: &str, bytes_max: usize, between: &[u8]) -> String {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || between.contains(&byte);
    let fits = text.len() <= bytes_max && text.bytes().all(fits);
    if fits { text.to_owned() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_edge_are_told() {
        assert_eq!(told("staff super-admin", 512, b" -_"), "staff super-admin");
        for text in ["a\n", "<b>", "é", &"a".repeat(513)] {
            assert_eq!(told(text, 512, b" -_"), "", "{text}");
        }
    }

    #[tokio::test]
    async fn a_task_of_its_own_is_the_core_unless_it_is_told() {
        let operator = Origin::operator();
        let (inside, spawned, carried) = Arc::clone(&operator)
            .scope(async {
                let spawned = tokio::spawn(async { Origin::current() }).await.unwrap();
                let carried = Origin::current().scope(async { Origin::current() });
                (Origin::current(), spawned, tokio::spawn(carried).await.unwrap())
            })
            .await;
        assert_eq!((inside, carried), (Arc::clone(&operator), operator));
        assert_eq!(spawned.actor, Actor::Core);
    }
}
