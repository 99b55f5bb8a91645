//! Checkpoints: the heads of all chains, signed from time to time, in the database and in a file
//! outside it.
//!
//! A checkpoint is made [`ROWS_MAX`] rows after the last one, or [`AGE_MAX`] after the first row
//! that none covers, and when the core stops. Cores that share a database share its checkpoints;
//! each tells all of them in its own file and log. What a file tells that the database does not
//! hold is never taken back.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use stockade_audit::chain::{AuditKey, Checkpoint, Digest, Head, NotACheckpoint, Unsigned};
use tokio::time::{MissedTickBehavior, interval};

use super::keys::AuditKeyError;
use crate::app::App;
use crate::clock::Timestamp;
use crate::store::{Store, StoreError};
use crate::worksheet::{Wanted, Worksheet};
use crate::writer::{Write, WriteError};

/// Rows after which a checkpoint is made.
const ROWS_MAX: u64 = 1_000;

/// How long a row waits for a checkpoint.
const AGE_MAX: Duration = Duration::from_secs(60);

/// How often it is looked whether one is due.
const PAUSE: Duration = Duration::from_secs(5);

/// Lines that are told at once.
const LINES_MAX: u32 = 500;

/// Longest line that is looked for at the end of a file, in bytes.
const TAIL_BYTES_MAX: u64 = 16 * 1024;

/// Why no checkpoint was made, or it was not told.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CheckpointError {
    #[error(transparent)]
    Key(#[from] AuditKeyError),
    #[error("the last one in the database is {0}")]
    Unreadable(#[from] NotACheckpoint),
    #[error("chain {chain} has fewer rows than checkpoint {number} was signed over")]
    Shorter { chain: u32, number: u64 },
    #[error("the database was not asked where the trail stands")]
    NoBasis,
    #[error("could not read the trail")]
    Store(#[from] StoreError),
    #[error("could not write it down")]
    Write(#[from] WriteError),
    #[error("cannot tell it in `{}`: {why}", .path.display())]
    File { path: PathBuf, why: io::Error },
    #[error("`{}` tells of checkpoint {told}, the database holds {held}: an old backup was restored, or the trail was cut; see `stockade audit verify`", .path.display())]
    Behind { path: PathBuf, told: u64, held: u64 },
}

/// What a checkpoint is made of.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointBasis {
    /// The line of the last one.
    pub(crate) last: Option<String>,
    pub(crate) heads: Vec<Head>,
}

/// Makes checkpoints until it is dropped.
pub(crate) async fn checkpoint_forever(app: Arc<App>) {
    let mut ticks = interval(PAUSE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut watch = Watch::default();
    if let Err(error) = app.checkpoints.follow(&*app.store).await {
        tracing::error!(error = ?error, "where the audit trail stands was not told: {error}");
    }
    loop {
        ticks.tick().await;
        if let Err(error) = watch.look(&app).await {
            tracing::error!(error = ?error, "no checkpoint of the audit trail: {error}");
        }
    }
}

/// What is known about rows that no checkpoint covers, or whose checkpoint is not told.
#[derive(Debug, Default)]
struct Watch {
    /// The oldest of them is at least so old.
    since: Option<Timestamp>,
    /// Before this moment, it is not tried again.
    pause: Option<Timestamp>,
}

impl Watch {
    /// Makes a checkpoint if one is due, and tells it. What fails is tried again later.
    async fn look(&mut self, app: &App) -> Result<(), CheckpointError> {
        let now = app.clock.now();
        let uncovered = uncovered(&*app.store).await?;
        let since = *self.since.get_or_insert(now);
        let age = u64::try_from(now.micros().saturating_sub(since.micros())).unwrap_or_default();
        let age = Duration::from_micros(age);
        app.metrics.audit_uncovered(age);
        let is_due = uncovered == 0 || uncovered >= ROWS_MAX || age >= AGE_MAX;
        if !is_due || self.pause.is_some_and(|until| now < until) {
            return Ok(());
        }
        self.pause = Some(now.plus(AGE_MAX));
        if uncovered == 0 {
            // The last one may not be told yet: telling it failed, or another core made it.
            app.checkpoints.follow(&*app.store).await?;
        } else {
            checkpoint_now(app).await?;
        }
        *self = Self::default();
        app.metrics.audit_uncovered(Duration::ZERO);
        Ok(())
    }
}

/// Rows that no checkpoint covers.
async fn uncovered(store: &dyn Store) -> Result<u64, CheckpointError> {
    let last = store.last_checkpoint().await?.map(|(_, line)| Checkpoint::parse(&line));
    let last = last.transpose()?;
    let covered = |chain| last.as_ref().and_then(|last| last.head(chain)).map_or(0, |h| h.sequence);
    let heads = store.audit_heads().await?;
    let rows = heads.iter().map(|head| head.sequence.abs_diff(covered(head.chain)));
    Ok(rows.fold(0, u64::saturating_add))
}

/// Makes a checkpoint where there is anything new, and tells what was not told yet.
pub(crate) async fn checkpoint_now(app: &App) -> Result<(), CheckpointError> {
    let key = app.audit_keys.signer()?;
    app.writer.submit(MakeCheckpoint { key }).await??;
    app.checkpoints.follow(&*app.store).await
}

#[derive(Debug)]
struct MakeCheckpoint {
    key: AuditKey,
}

impl Write for MakeCheckpoint {
    type Answer = Result<(), CheckpointError>;

    fn wants(&self, wanted: &mut Wanted) {
        wanted.checkpoint = true;
    }

    fn decide(&self, sheet: &mut Worksheet) -> Self::Answer {
        let basis = sheet.checkpoint.as_ref().ok_or(CheckpointError::NoBasis)?;
        let last = basis.last.as_deref().map(Checkpoint::parse).transpose()?;
        let before = last.as_ref().map_or(&[] as &[Head], Checkpoint::heads);
        if sheet.new.checkpoint.is_some() || before == basis.heads {
            return Ok(());
        }
        let number = last.as_ref().map_or(0, Checkpoint::number);
        // SECURITY: what was cut off is not signed away.
        let grown = |old: &&Head| {
            basis.heads.iter().any(|new| new.chain == old.chain && new.sequence >= old.sequence)
        };
        if let Some(old) = before.iter().find(|old| !grown(old)) {
            return Err(CheckpointError::Shorter { chain: old.chain, number });
        }
        let unsigned = Unsigned {
            number: number.saturating_add(1),
            at: sheet.now.micros(),
            previous: last.as_ref().map_or(Digest::ZERO, Checkpoint::digest),
            heads: basis.heads.clone(),
        };
        sheet.new.checkpoint = Some(unsigned.sign(&self.key));
        Ok(())
    }
}

/// Where checkpoints are told outside the database: a line each, in their order.
#[derive(Debug, Clone)]
pub(crate) struct CheckpointFile {
    path: PathBuf,
}

impl CheckpointFile {
    /// The file, made where there is none.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        append(path)?;
        Ok(Self { path: path.to_owned() })
    }

    /// Tells what the database holds and the file does not tell yet.
    async fn follow(&self, store: &dyn Store) -> Result<(), CheckpointError> {
        let failed = |why| CheckpointError::File { path: self.path.clone(), why };
        let mut told = self.last().map_err(failed)?;
        let held = store.last_checkpoint().await?.map_or(0, |(number, _)| number);
        if held < told {
            return Err(CheckpointError::Behind { path: self.path.clone(), told, held });
        }
        while told < held {
            let lines = store.checkpoints(told, LINES_MAX).await?;
            let Some((last, _)) = lines.last() else { break };
            told = *last;
            // A few lines, written to a local disk.
            self.tell(&lines).map_err(failed)?;
        }
        Ok(())
    }

    fn tell(&self, lines: &[(u64, String)]) -> io::Result<()> {
        let mut file = append(&self.path)?;
        for (number, line) in lines {
            writeln!(file, "{line}")?;
            tracing::info!(checkpoint = number, %line, "the audit trail stands here");
        }
        file.sync_all()
    }

    /// The number of the last checkpoint that is told whole; a torn line is ended, and told again.
    fn last(&self) -> io::Result<u64> {
        let mut file = File::open(&self.path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES_MAX)))?;
        let mut tail = Vec::new();
        file.take(TAIL_BYTES_MAX).read_to_end(&mut tail)?;
        if !tail.is_empty() && !tail.ends_with(b"\n") {
            append(&self.path)?.write_all(b"\n")?;
        }
        let lines = tail.split(|byte| *byte == b'\n').rev();
        let read = |line: &[u8]| Checkpoint::parse(str::from_utf8(line).ok()?).ok();
        Ok(lines.filter_map(read).map(|checkpoint| checkpoint.number()).next().unwrap_or(0))
    }
}

/// The file, its owner's alone.
fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}
