//! What operators' commands say to a running edge: one JSON object a line, each way.
//!
//! Over a Unix socket that only its owner can open, and whose peer is checked.

pub mod policy;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use self::policy::{PolicyChange, PolicyRefusal, PolicyStatus, TrialStatus};

/// Longest line, in bytes.
pub const LINE_BYTES_MAX: usize = 256 * 1024;

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// Refuse everything from a network for a while.
    Ban {
        /// An address or a network in CIDR notation.
        network: String,
        /// For how long, in seconds.
        secs: u64,
    },
    /// Lift a ban.
    Unban {
        /// The network, as it was banned.
        network: String,
    },
    /// List the bans in force.
    Bans,
    /// Read and prove the policy folder, and put it in force.
    PolicyReload {
        /// Only say what would be.
        dry_run: bool,
    },
    /// Say how the policy stands.
    PolicyStatus,
    /// Return to a bundle that was in force before.
    PolicyRollback {
        /// Its number, from 1, or the beginning of its hash; left out, the latest.
        to: Option<String>,
    },
    /// Try a candidate beside the policy in force.
    PolicyShadow {
        /// The candidate's folder, as the edge sees it; left out, the candidate is dropped.
        folder: Option<PathBuf>,
    },
    /// Put the candidate in force.
    PolicyPromote,
}

/// The edge's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// It is done; the line says what.
    Done {
        /// For a person.
        message: String,
    },
    /// It is not done; the line says why.
    Refused {
        /// For a person.
        message: String,
    },
    /// The bans in force.
    Bans {
        /// Each with its network and its end.
        bans: Vec<BanEntry>,
    },
    /// A command about the policy is done.
    PolicyChange {
        /// What it did.
        change: PolicyChange,
    },
    /// Something is tried now, or nothing is.
    PolicyTrial {
        /// For a person.
        message: String,
        /// What is tried.
        trial: Option<TrialStatus>,
    },
    /// A bundle is refused; the one in force stays.
    PolicyRefused {
        /// Why.
        refusal: PolicyRefusal,
    },
    /// How the policy stands.
    PolicyStatus {
        /// The bundle in force, the ones before it, and what was refused.
        status: Box<PolicyStatus>,
    },
}

/// One ban in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BanEntry {
    /// The network in CIDR notation.
    pub network: String,
    /// Until when, in seconds since 1970 UTC.
    pub until: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_readable_line() {
        let command = Command::Ban { network: "192.0.2.0/24".to_owned(), secs: 60 };
        let line = serde_json::to_string(&command).unwrap();
        assert_eq!(line, r#"{"command":"ban","network":"192.0.2.0/24","secs":60}"#);
        assert_eq!(serde_json::from_str::<Command>(&line).unwrap(), command);
        assert!(serde_json::from_str::<Command>(r#"{"command":"open_the_door"}"#).is_err());
    }
}
