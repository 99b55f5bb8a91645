//! Signals the core gives the edge about an answer.
//!
//! They travel in the [`OUTCOME`](crate::headers::OUTCOME) response header, which the edge
//! consumes and strips: a client never sees one.

/// What happened in the core, as far as the edge's limits and metrics care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A password was wrong, or the account does not exist.
    LoginFailed,
    /// An order asked for more than is available.
    StockExhausted,
    /// No more is available of a SKU than its threshold, since just now.
    StockLow,
    /// A webhook's signature does not fit.
    WebhookRejected,
}

impl Outcome {
    /// Every outcome, for metrics that register their labels at the start.
    pub const ALL: [Self; 4] =
        [Self::LoginFailed, Self::StockExhausted, Self::StockLow, Self::WebhookRejected];

    /// The stable word used on the wire and as a metric label.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LoginFailed => "login_failed",
            Self::StockExhausted => "stock_exhausted",
            Self::StockLow => "stock_low",
            Self::WebhookRejected => "webhook_rejected",
        }
    }

    /// Reads the header's value; an unknown word is `None`, so that a newer core is understood.
    pub fn parse(value: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_survives_the_wire() {
        for outcome in Outcome::ALL {
            assert_eq!(Outcome::parse(outcome.as_str()), Some(outcome));
        }
        assert_eq!(Outcome::parse("from the future"), None);
    }
}
