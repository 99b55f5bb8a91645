//! Checkpoints as they were told outside the database, held against those in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

use serde::de::IgnoredAny;
use stockade_audit::chain::Checkpoint;

use super::{CHECKPOINTS_MAX, Cause, Fault, Proof};

/// Longest line, in bytes.
const LINE_BYTES_MAX: u64 = 16 * 1024;

/// The file, read line by line.
#[derive(Debug)]
pub(super) struct Told {
    path: PathBuf,
    lines: BufReader<File>,
}

impl Told {
    pub(super) fn open(path: &Path) -> Result<Self, Cause> {
        let failed = |why| Cause::Told { path: path.to_owned(), why };
        let lines = BufReader::new(File::open(path).map_err(failed)?);
        Ok(Self { path: path.to_owned(), lines })
    }

    /// Every line is a checkpoint that the database holds. Ends at the first that is not.
    pub(super) async fn compare(mut self, proof: &mut Proof<'_>) -> Result<(), Cause> {
        let mut held = BTreeMap::new();
        for place in 1_u64.. {
            let Some(line) = self.next()? else { break };
            // A line that was torn when the power went is told again behind it.
            if line.is_empty() || torn(&line) {
                continue;
            }
            let number = match told(&line, proof) {
                Ok(number) => number,
                Err(found) => {
                    let found = format!("line {place} of what was told outside is {found}");
                    proof.report.faults.push(Fault {
                        chain: None,
                        sequence: None,
                        checkpoint: None,
                        found,
                    });
                    return Ok(());
                }
            };
            if !held.contains_key(&number) {
                let page = proof.store.checkpoints(number.saturating_sub(1), CHECKPOINTS_MAX);
                held = page.await?.into_iter().collect();
            }
            if let Some(found) = differs(held.get(&number), &line) {
                proof.report.faults.push(Fault::of_checkpoint(number, found.to_owned()));
                return Ok(());
            }
            proof.report.told += 1;
        }
        Ok(())
    }

    fn next(&mut self) -> Result<Option<String>, Cause> {
        let mut line = Vec::new();
        let read = (&mut self.lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.and_then(|count| {
            let text = String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData)?;
            Ok((count > 0).then(|| text.trim_end().to_owned()))
        });
        read.map_err(|why| Cause::Told { path: self.path.clone(), why })
    }
}

/// Whether it is the beginning of a line and no more.
fn torn(line: &str) -> bool {
    let ends_early = |error: serde_json::Error| error.is_eof();
    line.starts_with('{') && serde_json::from_str::<IgnoredAny>(line).is_err_and(ends_early)
}

fn told(line: &str, proof: &Proof<'_>) -> Result<u64, String> {
    let read = Checkpoint::parse(line).map_err(|error| error.to_string())?;
    let not_signed = |error| format!("not one that can be believed: {error}");
    read.prove(proof.keys).map_err(not_signed)?;
    Ok(read.number())
}

fn differs(held: Option<&String>, line: &str) -> Option<&'static str> {
    match held {
        None => Some(
            "it was told outside and the database does not hold it: an old backup was restored, \
             or rows and checkpoints were cut off",
        ),
        Some(held) if held != line => {
            Some("it was told otherwise outside: the one in the database was put in its place")
        }
        Some(_) => None,
    }
}
