//! What operators are told about the policy: in answers, in `status` and in the log.

use stockade_contract::control::Answer;
use stockade_contract::control::policy::{
    BundleFacts, CameBy, FINDING_TEXT_BYTES_MAX, FINDINGS_MAX, KeptBundle, PolicyFinding,
    PolicyRefusal, PolicyStatus, TrialStatus,
};
use stockade_policy::{Bundle, Finding};

use super::kept::Kept;
use super::{LoadFailure, Origin};
use crate::clock;
use crate::live_policy::InForce;
use crate::metrics::ReloadResult;
use crate::policy_folder::PolicyError;
use crate::shadow::Direction;
use crate::shared::Shared;

/// Characters of a hash that a person reads.
const SHORT: usize = 12;

pub(super) fn at_start(shared: &Shared, origin: &Origin) -> PolicyStatus {
    PolicyStatus {
        in_force: facts(&shared.policy.current()),
        since: clock::unix_secs(),
        by: CameBy::Start,
        folder: origin.folder.display().to_string(),
        watch: origin.watch.as_str().to_owned(),
        held: false,
        loading: false,
        refused: None,
        kept: Vec::new(),
        trial: trial(&shared.policy.current()),
        candidate_refused: None,
    }
}

pub(super) fn facts(policy: &InForce) -> BundleFacts {
    facts_of(&policy.bundle, &policy.hash)
}

/// What is tried beside a policy, and what came of it.
pub(super) fn trial(policy: &InForce) -> Option<TrialStatus> {
    let trial = policy.trial.as_deref()?;
    let candidate = trial.candidate();
    let bundle = match candidate {
        Some(candidate) => facts(&candidate.policy),
        None => facts_of(policy.bundle.shadow()?, &policy.hash),
    };
    Some(TrialStatus {
        bundle,
        folder: candidate.map(|candidate| candidate.folder.display().to_string()),
        same: trial.count(Direction::Same),
        widened: trial.count(Direction::Widened),
        narrowed: trial.count(Direction::Narrowed),
    })
}

fn facts_of(bundle: &Bundle, hash: &str) -> BundleFacts {
    BundleFacts {
        hash: hash.to_owned(),
        roles: bundle.roles().count(),
        permissions: bundle.permissions().count(),
        routes: bundle.routes().len(),
        proven_cells: bundle.proof().cells,
    }
}

pub(super) fn kept(kept: &Kept) -> Vec<KeptBundle> {
    let entry = |(number, former): (usize, &super::kept::Former)| KeptBundle {
        number,
        bundle: facts(&former.policy),
        until: former.until,
    };
    (1..).zip(kept.iter()).map(entry).collect()
}

pub(super) fn replaced(before: &str, after: &str, changed: bool) -> String {
    if changed {
        format!("bundle {} is in force, in place of {}", short(after), short(before))
    } else {
        format!("bundle {} stays in force: the folder holds the same", short(after))
    }
}

pub(super) fn would_replace(before: &str, after: &BundleFacts, changed: bool) -> String {
    let BundleFacts { hash, roles, permissions, routes, .. } = after;
    let what = format!("{roles} roles, {permissions} permissions, {routes} routes");
    if changed {
        let (after, before) = (short(hash), short(before));
        format!("bundle {after} ({what}) is proven and would replace {before}; nothing was changed")
    } else {
        format!("bundle {} ({what}) is in force already; nothing was changed", short(hash))
    }
}

pub(super) fn rolled_back(before: &str, after: &str) -> String {
    format!(
        "bundle {} is in force again, in place of {}, until the next `stockade policy reload`: \
         the folder is not watched until then",
        short(after),
        short(before)
    )
}

pub(super) fn short(hash: &str) -> &str {
    hash.get(..SHORT).unwrap_or(hash)
}

pub(super) fn result(failure: &LoadFailure) -> ReloadResult {
    match failure {
        LoadFailure::Policy(PolicyError::Folder(_) | PolicyError::Changing(_)) => {
            ReloadResult::Failed
        }
        LoadFailure::Policy(PolicyError::Refused { .. })
        | LoadFailure::Unfit(_)
        | LoadFailure::Panic => ReloadResult::Refused,
    }
}

/// What was not understood is refused; what was not read could not be tried.
pub(super) fn refusal_answer(failure: &LoadFailure) -> Answer {
    let refusal = refusal(failure);
    match result(failure) {
        ReloadResult::Failed => Answer::Refused { message: refusal.message },
        ReloadResult::Refused | ReloadResult::Replaced | ReloadResult::Unchanged => {
            Answer::PolicyRefused { refusal }
        }
    }
}

pub(super) fn refusal(failure: &LoadFailure) -> PolicyRefusal {
    let findings = match failure {
        LoadFailure::Policy(PolicyError::Refused { findings, .. }) => findings.as_slice(),
        LoadFailure::Policy(_) | LoadFailure::Unfit(_) | LoadFailure::Panic => &[],
    };
    let message = match findings.len() {
        0 => failure.to_string(),
        1 => "1 finding: the policy is refused".to_owned(),
        count => format!("{count} findings: the policy is refused"),
    };
    PolicyRefusal {
        at: clock::unix_secs(),
        message,
        found: findings.len(),
        findings: findings.iter().take(FINDINGS_MAX).map(finding).collect(),
    }
}

fn finding(finding: &Finding) -> PolicyFinding {
    PolicyFinding {
        code: finding.code.as_str().to_owned(),
        file: cut(&finding.file),
        line: finding.line,
        column: finding.column,
        message: cut(&finding.message),
        fix: cut(&finding.fix),
    }
}

fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(FINDING_TEXT_BYTES_MAX);
    text.get(..end).unwrap_or_default().to_owned()
}
