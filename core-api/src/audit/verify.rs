//! The proof that a trail is as it was written: every hash, no gap, every signature, and nothing
//! less than what was told outside.
//!
//! It reads page by page, so it holds little however long the trail is, and runs beside a core
//! that writes: what is added meanwhile is for the next time.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;
use stockade_audit::chain::{Checkpoint, Digest, Head, KeyRing};
use stockade_settings::store::StoreUrl;

use super::keys::{AuditKeyError, AuditKeys};
use super::row::AuditRow;
use crate::store::{OpenError, Store, StoreError, open_to_read, read_password};

mod told;

/// Rows read at once.
const ROWS_MAX: u32 = 1_000;

/// Checkpoints read at once.
const CHECKPOINTS_MAX: u32 = 500;

/// What of a trail is looked at.
#[derive(Debug, Clone, Copy)]
pub struct TrailPlace<'a> {
    /// The core's database.
    pub url: &'a StoreUrl,
    /// Its password, where it needs one.
    pub password_file: Option<&'a Path>,
    /// The first key that signs checkpoints, or its public half; those that follow it are beside it.
    pub key_file: &'a Path,
    /// Checkpoints as they were told outside the database.
    pub checkpoints_file: &'a Path,
}

/// What was proved, and what contradicts it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TrailReport {
    /// Rows whose hashes were computed again.
    pub rows: u64,
    /// Chains they are of.
    pub chains: u64,
    /// Checkpoints whose signatures were proved.
    pub checkpoints: u64,
    /// Of those, the ones that were told outside as well.
    pub told: u64,
    /// Whether everything was looked at that was to be.
    pub complete: bool,
    /// The first fault of each chain, of the checkpoints, and of what was told.
    pub faults: Vec<Fault>,
}

/// Something that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The chain it is in.
    pub chain: Option<u32>,
    /// The row of the chain, from 1.
    pub sequence: Option<u64>,
    /// The checkpoint that tells it, or that is at fault.
    pub checkpoint: Option<u64>,
    /// What differs.
    pub found: String,
}

/// Why nothing could be proved.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct TrailError(#[from] Cause);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error("the database cannot be opened for reading: {0}")]
    Open(#[from] OpenError),
    #[error(transparent)]
    Key(#[from] AuditKeyError),
    #[error("the database cannot be read")]
    Read(#[from] StoreError),
    #[error("cannot read the checkpoints that were told in `{}`: {why}", .path.display())]
    Told { path: PathBuf, why: io::Error },
}

/// Proves a whole trail.
///
/// # Errors
/// [`TrailError`] when it cannot be read; what can be read is in the report.
pub async fn verify_trail(place: TrailPlace<'_>) -> Result<TrailReport, TrailError> {
    let keys = AuditKeys::at(place.key_file).ring().map_err(Cause::from)?;
    let password = place.password_file.map(read_password).transpose().map_err(Cause::from)?;
    let store = open_to_read(place.url, password).await.map_err(Cause::from)?;
    let mut proof = Proof::new(&*store, &keys, None);
    // What was told before is in the database by now.
    let told = told::Told::open(place.checkpoints_file)?;
    let proved = proof.prove(None).await;
    let done = match proved {
        Ok(()) => told.compare(&mut proof).await,
        Err(error) => Err(Cause::from(error)),
    };
    let report = proof.report;
    store.close().await;
    done.map_err(TrailError)?;
    Ok(report)
}

/// A proof under way.
#[derive(Debug)]
pub(super) struct Proof<'a> {
    store: &'a dyn Store,
    keys: &'a KeyRing,
    /// When it ends, done or not.
    deadline: Option<Instant>,
    pub(super) report: TrailReport,
}

impl<'a> Proof<'a> {
    pub(super) fn new(store: &'a dyn Store, keys: &'a KeyRing, deadline: Option<Instant>) -> Self {
        let report = TrailReport { complete: true, ..TrailReport::default() };
        Self { store, keys, deadline, report }
    }

    /// Proves what follows a checkpoint that is believed, or everything.
    pub(super) async fn prove(&mut self, base: Option<&Checkpoint>) -> Result<(), StoreError> {
        // In this order: a checkpoint covers no row that is not there before it.
        let last = self.store.last_checkpoint().await?.map_or(0, |(number, _)| number);
        let heads = self.store.audit_heads().await?;
        if let Some(base) = base {
            self.covered(base, None).await?;
        }
        for head in &heads {
            let start = base.and_then(|base| base.head(head.chain));
            let new = Head { chain: head.chain, sequence: 0, hash: Digest::ZERO };
            self.rows(start.unwrap_or(new), *head).await?;
            self.report.chains += 1;
        }
        self.checkpoints(base.cloned(), last).await
    }

    fn late(&mut self) -> bool {
        let late = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        self.report.complete &= !late;
        late
    }

    /// Rows of a chain, up to its head.
    async fn rows(&mut self, start: Head, end: Head) -> Result<(), StoreError> {
        let mut last = start;
        while last.sequence < end.sequence && !self.late() {
            let rows = self.store.audit_rows(end.chain, last.sequence, ROWS_MAX).await?;
            if rows.is_empty() {
                break;
            }
            for row in rows {
                if let Some(fault) = out_of_place(last, &row) {
                    self.report.faults.push(fault);
                    return Ok(());
                }
                last = row.head();
                self.report.rows += 1;
            }
        }
        Ok(())
    }

    /// Checkpoints after `base`, up to a number.
    async fn checkpoints(&mut self, base: Option<Checkpoint>, last: u64) -> Result<(), StoreError> {
        let mut before = base;
        loop {
            let after = before.as_ref().map_or(0, Checkpoint::number);
            if after >= last || self.late() {
                return Ok(());
            }
            let lines = self.store.checkpoints(after, CHECKPOINTS_MAX).await?;
            if lines.is_empty() {
                return Ok(());
            }
            for (number, line) in lines {
                let read = match self.believe(number, &line, before.as_ref()) {
                    Ok(read) => read,
                    Err(found) => {
                        self.report.faults.push(Fault::of_checkpoint(number, found));
                        return Ok(());
                    }
                };
                self.covered(&read, before.as_ref()).await?;
                self.report.checkpoints += 1;
                before = Some(read);
            }
        }
    }

    /// The checkpoint of this line, if it is one, is signed, and follows the one before it.
    fn believe(
        &self,
        number: u64,
        line: &str,
        before: Option<&Checkpoint>,
    ) -> Result<Checkpoint, String> {
        let read = Checkpoint::parse(line).map_err(|error| error.to_string())?;
        read.prove(self.keys).map_err(|error| error.to_string())?;
        let next = before.map_or(0, Checkpoint::number).saturating_add(1);
        if read.number() != number {
            return Err(format!("it was signed as number {}", read.number()));
        }
        if number != next {
            return Err(format!("checkpoint {next} is missing before it"));
        }
        if read.previous() != before.map_or(Digest::ZERO, Checkpoint::digest) {
            return Err("it was signed behind another checkpoint than the one before it".to_owned());
        }
        Ok(read)
    }

    /// The rows that a checkpoint was signed over are those that are there.
    async fn covered(
        &mut self,
        read: &Checkpoint,
        before: Option<&Checkpoint>,
    ) -> Result<(), StoreError> {
        for head in read.heads() {
            let proved = before.and_then(|before| before.head(head.chain));
            let is_broken = |fault: &Fault| fault.chain == Some(head.chain);
            if proved == Some(*head) || self.report.faults.iter().any(is_broken) {
                continue;
            }
            let there = self.store.audit_hash(head.chain, head.sequence).await?;
            if there == Some(head.hash) {
                continue;
            }
            let sound = proved.map_or(0, |proved| proved.sequence);
            let fault = uncovered(*head, sound, there.is_some(), read.number());
            self.report.faults.push(match fault {
                Some(fault) => fault,
                None => self.cut(*head, read.number()).await?,
            });
        }
        Ok(())
    }

    /// The rows that are missing at the end of a chain.
    async fn cut(&self, head: Head, number: u64) -> Result<Fault, StoreError> {
        let heads = self.store.audit_heads().await?;
        let left = heads.iter().find(|one| one.chain == head.chain).map_or(0, |one| one.sequence);
        let (first, last) = (left.saturating_add(1), head.sequence);
        Ok(Fault {
            chain: Some(head.chain),
            sequence: Some(first),
            checkpoint: Some(number),
            found: format!(
                "rows {first} to {last} are gone: checkpoint {number} was signed over {last}"
            ),
        })
    }
}

/// What is wrong with a row that is to follow `last`.
fn out_of_place(last: Head, row: &AuditRow) -> Option<Fault> {
    let fault = |sequence: u64, found: String| {
        let (chain, sequence) = (Some(last.chain), Some(sequence));
        Some(Fault { chain, sequence, checkpoint: None, found })
    };
    let next = last.sequence.saturating_add(1);
    let computed = row.computed();
    if row.sequence != next {
        let found = format!("it is missing; the next row that is there is {}", row.sequence);
        return fault(next, found);
    }
    if computed != row.hash {
        let found = format!(
            "its fields are not those it was written with: its hash is {}, they give {computed}",
            row.hash
        );
        return fault(next, found);
    }
    if row.previous != last.hash && last.sequence > 0 {
        let found = format!(
            "it was rewritten: its hash is {}, and row {next} was written behind {}",
            last.hash, row.previous
        );
        return fault(last.sequence, found);
    }
    if row.previous != last.hash {
        return fault(next, format!("it follows {}, and nothing is before it", row.previous));
    }
    None
}

/// What a row that a checkpoint was signed over is not; nothing for one that is not there.
fn uncovered(head: Head, sound: u64, is_there: bool, number: u64) -> Option<Fault> {
    let found = format!(
        "it is not the row that checkpoint {number} was signed over: the chain was rewritten, \
         beginning after row {sound}, which a checkpoint still fits, and not after this one"
    );
    let (chain, sequence) = (Some(head.chain), Some(head.sequence));
    is_there.then_some(Fault { chain, sequence, checkpoint: Some(number), found })
}

impl Fault {
    pub(super) fn of_checkpoint(number: u64, found: String) -> Self {
        Self { chain: None, sequence: None, checkpoint: Some(number), found }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.chain, self.sequence, self.checkpoint) {
            (Some(chain), Some(sequence), _) => write!(f, "chain {chain}, row {sequence}: ")?,
            (_, _, Some(number)) => write!(f, "checkpoint {number}: ")?,
            _ => {}
        }
        f.write_str(&self.found)
    }
}

impl TrailReport {
    /// Whether nothing contradicts it.
    pub fn is_intact(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Display for TrailReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.faults {
            writeln!(f, "BROKEN  {fault}")?;
        }
        let Self { rows, chains, checkpoints, told, .. } = self;
        write!(f, "{rows} rows in {chains} chains and {checkpoints} checkpoints proved, ")?;
        write!(f, "{told} of them told outside; {} faults found", self.faults.len())
    }
}
