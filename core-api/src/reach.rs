//! Reach: whose things an operation may touch.
//!
//! The edge grants a scope, the caller has an account; together they are a reach, and the
//! reach is part of every query over owned things. What is out of reach does not exist.

use crate::ids::AccountId;

/// Whose things may be read or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reach {
    /// This account's own.
    Own(AccountId),
    /// Everybody's but this account's.
    Others(AccountId),
    /// Everybody's.
    Any,
}
