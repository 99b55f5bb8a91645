//! What commands about the policy are answered with.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The most findings that fit an answer; a refusal says how many there are in all.
pub const FINDINGS_MAX: usize = 50;

/// Longest text of a finding, in bytes; the rest of it is left out.
pub const FINDING_TEXT_BYTES_MAX: usize = 400;

/// A bundle, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFacts {
    /// The bundle's SHA-256 in hex.
    pub hash: String,
    /// Its roles.
    pub roles: usize,
    /// Its permissions.
    pub permissions: usize,
    /// Its routes.
    pub routes: usize,
    /// Cells that Casbin was asked, and agreed on.
    pub proven_cells: usize,
}

/// What a command did to the policy in force, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// For a person.
    pub message: String,
    /// Whether another bundle is in force now; with a dry run, whether it would be.
    pub changed: bool,
    /// Whether it was only tried.
    pub dry_run: bool,
    /// The hash of the bundle that was in force before.
    pub before: String,
    /// The bundle in force now; with a dry run, the one that would be.
    pub after: BundleFacts,
}

/// Why a bundle was not put in force. The one before it still is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyRefusal {
    /// When, in seconds since 1970 UTC.
    pub at: u64,
    /// For a person.
    pub message: String,
    /// How many mistakes there are; `findings` holds the first [`FINDINGS_MAX`].
    pub found: usize,
    /// What is wrong, in the order of the files.
    pub findings: Vec<PolicyFinding>,
}

/// One mistake in a policy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyFinding {
    /// The kind of mistake, such as `P041`.
    pub code: String,
    /// The file, relative to the policy folder.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

/// The form that `stockade policy check` prints.
impl fmt::Display for PolicyFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, file, line, column, message, fix } = self;
        write!(f, "{file}:{line}:{column}: [{code}] {message}; {fix}")
    }
}

/// How a bundle came into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameBy {
    /// The edge started with it.
    Start,
    /// By command.
    Reload,
    /// The folder had changed.
    Watch,
    /// By command, from the bundles that are kept.
    Rollback,
    /// By command, from the candidate.
    Promote,
}

impl CameBy {
    /// For a person.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Reload => "reload",
            Self::Watch => "watch",
            Self::Rollback => "rollback",
            Self::Promote => "promote",
        }
    }
}

/// A bundle that was in force and can be again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptBundle {
    /// Its number for a rollback: 1 is the latest.
    pub number: usize,
    /// The bundle.
    pub bundle: BundleFacts,
    /// Until when it was in force, in seconds since 1970 UTC.
    pub until: u64,
}

/// What is tried beside the bundle in force, and what came of it so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialStatus {
    /// The bundle that is tried: the one in force with what its files try, or a candidate.
    pub bundle: BundleFacts,
    /// The candidate's folder; nothing where the files in force try something themselves.
    pub folder: Option<String>,
    /// Requests that would have got the same.
    pub same: u64,
    /// Requests that would have got something that they do not get now.
    pub widened: u64,
    /// Requests that would have got less.
    pub narrowed: u64,
}

/// How the policy stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyStatus {
    /// The bundle in force.
    pub in_force: BundleFacts,
    /// Since when, in seconds since 1970 UTC.
    pub since: u64,
    /// How it came into force.
    pub by: CameBy,
    /// The policy folder.
    pub folder: String,
    /// What is watched: `symlink`, `files` or `off`.
    pub watch: String,
    /// Whether a rollback holds: the folder is left alone until the next reload by command.
    pub held: bool,
    /// Whether a bundle is being read and proven at the moment.
    pub loading: bool,
    /// Why the newest bundle is not in force; nothing when it is.
    pub refused: Option<PolicyRefusal>,
    /// The bundles a rollback can return to, the latest first.
    pub kept: Vec<KeptBundle>,
    /// What is tried; nothing when nothing is.
    pub trial: Option<TrialStatus>,
    /// Why the newest candidate is not tried; nothing when it is, or there is none.
    pub candidate_refused: Option<PolicyRefusal>,
}
