//! The erasure journal: the ids of erased accounts, in a file outside of the database and of its
//! backups.
//!
//! A backup of before an erasure brings the account back, with its key. The journal is what then
//! tells: it is replayed before a core serves. One JSON object a line, added to and never
//! changed: `{"account", "erased_at", "mac"}`, the time in microseconds since 1970 UTC, the code
//! an HMAC-SHA-256 in hex under a key derived from `core.index_key_file`. It holds nothing of
//! anybody but an id that names nobody any more.

use std::collections::BTreeSet;
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::erase::Erasure;
use crate::clock::Timestamp;
use crate::ids::{AccountId, Id as _};
use crate::vault::{Purpose, Vault};

/// Longest line, in bytes.
const LINE_BYTES_MAX: usize = 512;

/// Why the journal is not used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("core.erasure_journal_file `{}`: {why}", .path.display())]
    File { path: PathBuf, why: io::Error },
    #[error(
        "core.erasure_journal_file `{}`, line {line}: not a line of this journal, or not made \
         with this `core.index_key_file`",
        .path.display()
    )]
    Line { path: PathBuf, line: usize },
    #[error("the task that writes the journal broke")]
    Interrupted,
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    account: AccountId,
    erased_at: i64,
    mac: String,
}

/// The journal, open for adding.
#[derive(Clone)]
pub(crate) struct ErasureJournal(Arc<Inner>);

struct Inner {
    path: PathBuf,
    vault: Arc<Vault>,
    state: Mutex<State>,
}

struct State {
    file: File,
    /// Accounts that are in it.
    known: BTreeSet<AccountId>,
    /// Where a write began that failed, and that is not taken back yet.
    torn_at: Option<u64>,
}

impl State {
    /// Adds all of it, or none: half a line that another follows would stop the next start.
    fn add(&mut self, text: &[u8]) -> io::Result<()> {
        self.mend()?;
        let end = self.file.metadata()?.len();
        let added = self.file.write_all(text).and_then(|()| self.file.sync_all());
        if added.is_err() {
            self.torn_at = Some(end);
            // Where this fails, too, it comes before whatever is added next.
            self.mend().ok();
        }
        added
    }

    fn mend(&mut self) -> io::Result<()> {
        if let Some(end) = self.torn_at {
            self.file.set_len(end).and_then(|()| self.file.sync_all())?;
            self.torn_at = None;
        }
        Ok(())
    }
}

impl fmt::Debug for ErasureJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ErasureJournal").field(&self.0.path).finish()
    }
}

impl ErasureJournal {
    /// Opens the journal, and makes it where there is none; with what it holds.
    pub(crate) fn open(
        path: &Path,
        vault: &Arc<Vault>,
    ) -> Result<(Self, Vec<Erasure>), JournalError> {
        let failed = |why| JournalError::File { path: path.to_owned(), why };
        let mut options = OpenOptions::new();
        let options = options.create(true).read(true).append(true).mode(0o600);
        let file = options.open(path).map_err(failed)?;
        let (erasures, whole) = read(&file, path, vault)?;
        // Whoever was killed while they wrote left half a line; what it said is in the database.
        file.set_len(whole).and_then(|()| file.sync_all()).map_err(failed)?;
        let known = erasures.iter().map(|erasure| erasure.account).collect();
        let (path, vault) = (path.to_owned(), Arc::clone(vault));
        let state = Mutex::new(State { file, known, torn_at: None });
        Ok((Self(Arc::new(Inner { path, vault, state })), erasures))
    }

    /// Adds those that are not in it yet, and waits until they are on disk. Says how many.
    pub(crate) async fn append(&self, erasures: &[Erasure]) -> Result<usize, JournalError> {
        let (inner, erasures) = (Arc::clone(&self.0), erasures.to_vec());
        let adding = tokio::task::spawn_blocking(move || inner.append(&erasures));
        adding.await.map_err(|_| JournalError::Interrupted)?
    }
}

impl Inner {
    fn append(&self, erasures: &[Erasure]) -> Result<usize, JournalError> {
        let failed = |why| JournalError::File { path: self.path.clone(), why };
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let new = |erasure: &&Erasure| !state.known.contains(&erasure.account);
        let new: Vec<_> = erasures.iter().filter(new).copied().collect();
        if new.is_empty() {
            return Ok(0);
        }
        let mut text = Vec::new();
        for erasure in &new {
            let line = Line {
                account: erasure.account,
                erased_at: erasure.at.micros(),
                mac: mac(&self.vault, *erasure),
            };
            serde_json::to_writer(&mut text, &line).map_err(|error| failed(error.into()))?;
            text.push(b'\n');
        }
        state.add(&text).map_err(failed)?;
        state.known.extend(new.iter().map(|erasure| erasure.account));
        Ok(new.len())
    }
}

/// What the file says, and how many of its bytes are whole lines.
fn read(file: &File, path: &Path, vault: &Vault) -> Result<(Vec<Erasure>, u64), JournalError> {
    let failed = |why| JournalError::File { path: path.to_owned(), why };
    let (mut erasures, mut whole, mut lines) = (Vec::new(), 0_u64, BufReader::new(file));
    for line in 1.. {
        let mut text = Vec::new();
        let limit = u64::try_from(LINE_BYTES_MAX).unwrap_or(u64::MAX);
        lines.by_ref().take(limit).read_until(b'\n', &mut text).map_err(failed)?;
        let misread = || JournalError::Line { path: path.to_owned(), line };
        if text.last() != Some(&b'\n') {
            // Nothing, or half a line at the end.
            let ends = text.len() < LINE_BYTES_MAX;
            return if ends { Ok((erasures, whole)) } else { Err(misread()) };
        }
        erasures.push(parse(&text, vault).ok_or_else(misread)?);
        whole = whole.saturating_add(u64::try_from(text.len()).unwrap_or(u64::MAX));
    }
    Ok((erasures, whole))
}

fn parse(text: &[u8], vault: &Vault) -> Option<Erasure> {
    let line: Line = serde_json::from_slice(text).ok()?;
    let at = Timestamp::from_micros(line.erased_at);
    let erasure = Erasure { account: line.account, at };
    (mac(vault, erasure) == line.mac).then_some(erasure)
}

fn mac(vault: &Vault, erasure: Erasure) -> String {
    let at = erasure.at.micros().to_be_bytes();
    let account = erasure.account.uuid();
    let digest = vault.digest(Purpose::ErasureJournal, account.as_bytes(), &at);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erasure(number: u128) -> Erasure {
        let account = AccountId::from_uuid(uuid::Uuid::from_u128(number));
        Erasure { account, at: Timestamp::from_micros(1_800_000_000_000_000) }
    }

    #[tokio::test]
    async fn what_was_added_is_read_again_but_for_half_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let (path, vault) = (folder.path().join("j"), Arc::new(crate::vault::tests::vault()));
        let (journal, erasures) = ErasureJournal::open(&path, &vault).unwrap();
        assert_eq!(erasures, []);
        assert_eq!(journal.append(&[erasure(1), erasure(2)]).await.unwrap(), 2);
        assert_eq!(journal.append(&[erasure(2), erasure(3)]).await.unwrap(), 1);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 3);
        std::fs::write(&path, format!("{text}{{\"account\":\"0000")).unwrap();
        let (journal, erasures) = ErasureJournal::open(&path, &vault).unwrap();
        assert_eq!(erasures, [erasure(1), erasure(2), erasure(3)]);
        assert_eq!(journal.append(&[erasure(4)]).await.unwrap(), 1);
        let (_, erasures) = ErasureJournal::open(&path, &vault).unwrap();
        assert_eq!(erasures.len(), 4);
    }

    #[tokio::test]
    async fn half_a_line_on_a_full_disk_is_taken_back_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let (path, vault) = (folder.path().join("j"), Arc::new(crate::vault::tests::vault()));
        let (journal, _) = ErasureJournal::open(&path, &vault).unwrap();
        journal.append(&[erasure(1)]).await.unwrap();
        // No disk is full when one likes: a write fails, and so does taking back what is there of
        // it.
        let writable = swap_file(&journal, File::open(&path).unwrap());
        assert!(journal.append(&[erasure(2)]).await.is_err());
        (&writable).write_all(b"{\"accou").unwrap();
        assert!(journal.append(&[erasure(2)]).await.is_err());
        swap_file(&journal, writable);
        assert_eq!(journal.append(&[erasure(2)]).await.unwrap(), 1);
        let (_, erasures) = ErasureJournal::open(&path, &vault).unwrap();
        assert_eq!(erasures, [erasure(1), erasure(2)]);
    }

    fn swap_file(journal: &ErasureJournal, file: File) -> File {
        std::mem::replace(&mut journal.0.state.lock().unwrap().file, file)
    }

    #[tokio::test]
    async fn a_line_that_was_changed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let (path, vault) = (folder.path().join("j"), Arc::new(crate::vault::tests::vault()));
        let (journal, _) = ErasureJournal::open(&path, &vault).unwrap();
        journal.append(&[erasure(1), erasure(2)]).await.unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let long = "x".repeat(LINE_BYTES_MAX);
        for (changed, line) in [
            (text.replace("000000000002", "000000000003"), 2),
            (text.replace("1800000000000000", "1800000000000001"), 1),
            (text.replace("mac", "cam"), 1),
            (format!("{text}\n"), 3),
            (format!("{text}{long}"), 3),
        ] {
            std::fs::write(&path, changed).unwrap();
            let error = ErasureJournal::open(&path, &vault).unwrap_err().to_string();
            assert!(error.contains(&format!("line {line}: not a line")), "{error}");
        }
    }
}
