//! Verify: proof that nothing in the database contradicts anything else.
//!
//! It reads one moment of the database, on a connection that writes nothing, so it may run at
//! any time beside a core that serves. What it finds is for a person: it repairs nothing, and says
//! how that is done.

use std::fmt;
use std::path::Path;

use stockade_settings::store::StoreUrl;

use crate::images::{ObjectError, OpenObjectsError};
use crate::store::{OpenError, StoreError, check_everything, read_password};

/// Most contradictions of one kind that are reported.
pub(crate) const BROKEN_MAX: usize = 100;

/// How the advice is followed.
const WAY: &str = "Look at each row that is named, and make a backup. Then follow the advice from \
     the top, as the tables' owner; where a statement is refused, follow the next rule's first. \
     Verify again until nothing is found. What stays comes back from a backup alone.";

/// What was checked and what is broken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Every rule that was checked, as a sentence.
    pub checked: Vec<&'static str>,
    /// What contradicts a rule: at most 100 things for each.
    pub broken: Vec<Broken>,
}

/// Something that contradicts a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// The rule, as in [`Report::checked`].
    pub rule: &'static str,
    /// What it is about: ``sku `A-1` ``, or an order, or a table.
    pub subject: String,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub advice: &'static str,
    /// Statements that mend it, wherever the rule is broken; `None` where only a backup can.
    pub repair: Option<Repair>,
}

/// Statements to be run as the tables' owner, with `sqlite3` or `psql`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// One transaction, a statement after the other.
    pub script: String,
    /// Whether cores may go on serving meanwhile.
    pub while_serving: bool,
}

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct VerifyError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("the database cannot be opened for reading: {0}")]
    Open(#[from] OpenError),
    #[error("the database was written by another version of this program; start the core once")]
    OtherVersion,
    #[error("the database cannot be read")]
    Read(#[from] StoreError),
    #[error(transparent)]
    Images(#[from] OpenObjectsError),
    #[error("the files of images cannot be read")]
    Files(#[from] ObjectError),
}

/// Checks every rule on one moment of the core's database; a password, where one is needed, is
/// read from a file.
///
/// # Errors
/// [`VerifyError`] when the database cannot be read; what can be read is in the report.
pub async fn verify(url: &StoreUrl, password_file: Option<&Path>) -> Result<Report, VerifyError> {
    let password = password_file.map(read_password).transpose().map_err(Cause::from)?;
    Ok(check_everything(url, password).await?)
}

impl Report {
    /// Both reports in one.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.checked.extend(other.checked);
        self.broken.extend(other.broken);
        self
    }

    /// Whether nothing is broken.
    pub fn is_intact(&self) -> bool {
        self.broken.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rule in &self.checked {
            let broken: Vec<_> = self.broken.iter().filter(|one| one.rule == *rule).collect();
            writeln!(f, "{}  {rule}", if broken.is_empty() { "ok    " } else { "BROKEN" })?;
            for one in &broken {
                writeln!(f, "        {}: {}", one.subject, one.found)?;
            }
            if let Some(first) = broken.first() {
                writeln!(f, "        {}", first.advice)?;
            }
            let mut repairs: Vec<_> = broken.iter().filter_map(|one| one.repair.as_ref()).collect();
            repairs.dedup();
            repairs.into_iter().try_for_each(|repair| write!(f, "{repair}"))?;
        }
        let (checked, broken) = (self.checked.len(), self.broken.len());
        if broken > 0 {
            writeln!(f, "{WAY}")?;
        }
        write!(f, "{checked} rules checked, {broken} contradictions found")
    }
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let while_serving =
            if self.while_serving { "also while cores serve" } else { "without a core" };
        writeln!(f, "        mended by, {while_serving}:")?;
        self.script.lines().try_for_each(|line| writeln!(f, "            {line}"))
    }
}
