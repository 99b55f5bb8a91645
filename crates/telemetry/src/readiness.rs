//! Whether a program wants traffic. Written by what knows, read by the ops listener.
//!
//! Reasons are fixed words, so that an answer to a probe can never carry a secret.

use std::sync::Arc;

use tokio::sync::watch;

/// What a program says of itself before anybody has called it ready.
const STARTING: &str = "starting";

/// A shared answer to "do you want traffic?". Clones see the same answer.
#[derive(Debug, Clone)]
pub struct Readiness {
    answer: Arc<watch::Sender<Result<(), &'static str>>>,
}

impl Readiness {
    /// Not ready: `starting`.
    pub fn new() -> Self {
        Self { answer: Arc::new(watch::Sender::new(Err(STARTING))) }
    }

    /// Wants traffic from now on.
    pub fn ready(&self) {
        self.answer.send_modify(|answer| *answer = Ok(()));
    }

    /// Wants no traffic from now on, and says why.
    pub fn not_ready(&self, reason: &'static str) {
        self.answer.send_modify(|answer| *answer = Err(reason));
    }

    /// The answer at this moment.
    ///
    /// # Errors
    ///
    /// The reason why no traffic is wanted.
    pub fn check(&self) -> Result<(), &'static str> {
        *self.answer.borrow()
    }

    /// Until traffic is wanted.
    pub async fn until_ready(&self) {
        // The sender is this value itself, so that waiting cannot fail.
        drop(self.answer.subscribe().wait_for(Result::is_ok).await);
    }
}

impl Default for Readiness {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_not_ready_before_it_says_so() {
        assert_eq!(Readiness::new().check(), Err("starting"));
    }

    #[test]
    fn clones_share_the_last_answer() {
        let readiness = Readiness::new();
        let seen_elsewhere = readiness.clone();

        readiness.ready();
        assert_eq!(seen_elsewhere.check(), Ok(()));

        readiness.not_ready("draining");
        assert_eq!(seen_elsewhere.check(), Err("draining"));
    }
}
