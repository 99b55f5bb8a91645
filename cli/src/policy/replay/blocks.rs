//! Logs as blocks of whole lines: the same for a file, an archive and a stream.
//!
//! Whoever has time asks for the next block and keeps its buffer, so there is one buffer for each
//! asker and none that grows.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

use crate::policy::log::{decoded, unreadable};

/// The size of a buffer, and more than any line is long. It fits a processor's own cache, so
/// that what was just read is still near when it is judged.
const BLOCK_BYTES: usize = 256 * 1024;

/// Some logs, read one after another.
pub(super) struct Blocks {
    waiting: VecDeque<PathBuf>,
    log: Option<Log>,
    /// How many logs were begun.
    begun: u64,
    bar: ProgressBar,
}

/// Whole lines of one log.
#[derive(Debug, Default)]
pub(super) struct Block {
    bytes: Vec<u8>,
    len: usize,
    /// Which log it is of, counted from one.
    pub(super) log: u64,
    /// How its log is called.
    pub(super) name: String,
    /// Where it begins in the log's text.
    pub(super) offset: u64,
    /// Whether it begins with the rest of a line that is longer than a block.
    pub(super) is_inside_a_line: bool,
    /// Whether its last line has no end, though the block holds all there is of it.
    pub(super) is_cut: bool,
}

struct Log {
    name: String,
    reader: Box<dyn Read + Send>,
    offset: u64,
    /// The beginning of a line whose end is in the next block.
    left: Vec<u8>,
    is_inside_a_line: bool,
}

impl Blocks {
    /// Logs to be read, each of which exists.
    pub(super) fn of(logs: &[PathBuf]) -> anyhow::Result<Self> {
        let mut total = Some(0);
        for log in logs.iter().filter(|log| !is_stdin(log)) {
            let about = fs::metadata(log).with_context(|| unreadable(&log.display()))?;
            if about.is_dir() {
                bail!("`{}` is a folder; name the files in it", log.display());
            }
            total = total.filter(|_| about.is_file()).map(|total| total + about.len());
        }
        let total = total.filter(|_| !logs.iter().any(|log| is_stdin(log)));
        let waiting = logs.iter().cloned().collect();
        Ok(Self { waiting, log: None, begun: 0, bar: bar(total) })
    }

    /// Fills `block` with what comes next; false where nothing is left.
    pub(super) fn next(&mut self, block: &mut Block) -> anyhow::Result<bool> {
        loop {
            let Some(log) = &mut self.log else {
                let Some(path) = self.waiting.pop_front() else {
                    self.bar.finish_and_clear();
                    return Ok(false);
                };
                self.log = Some(Log::open(&path, &self.bar)?);
                self.begun += 1;
                continue;
            };
            if log.fill(block).with_context(|| unreadable(&log.name))? {
                block.log = self.begun;
                return Ok(true);
            }
            self.log = None;
        }
    }

    /// Leaves everything unread, for all who ask.
    pub(super) fn give_up(&mut self) {
        self.waiting.clear();
        self.log = None;
        self.bar.finish_and_clear();
    }
}

impl Block {
    /// The lines, as they are.
    pub(super) fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl Log {
    fn open(path: &Path, bar: &ProgressBar) -> anyhow::Result<Self> {
        let name =
            if is_stdin(path) { "standard input".to_owned() } else { path.display().to_string() };
        let raw: Box<dyn Read + Send> = if is_stdin(path) {
            Box::new(bar.wrap_read(io::stdin()))
        } else {
            Box::new(bar.wrap_read(File::open(path).with_context(|| unreadable(&name))?))
        };
        let reader = decoded(raw, &name)?;
        Ok(Self { name, reader, offset: 0, left: Vec::new(), is_inside_a_line: false })
    }

    fn fill(&mut self, block: &mut Block) -> io::Result<bool> {
        block.bytes.resize(BLOCK_BYTES, 0);
        let (beginning, room) = block.bytes.split_at_mut(self.left.len());
        beginning.copy_from_slice(&self.left);
        let filled = self.left.len() + read_all(&mut self.reader, room)?;
        let is_end = filled < BLOCK_BYTES;
        let bytes = block.bytes.get(..filled).unwrap_or_default();
        // A line that is longer than a block is handed out in pieces.
        let whole = memchr::memrchr(b'\n', bytes).map_or(filled, |end| end + 1);
        block.len = if is_end { filled } else { whole };
        self.left.clear();
        self.left.extend_from_slice(bytes.get(block.len..).unwrap_or_default());
        let ends_inside = filled > 0 && block.bytes().last() != Some(&b'\n');
        block.is_cut = is_end && ends_inside;
        block.is_inside_a_line = std::mem::replace(&mut self.is_inside_a_line, ends_inside);
        block.name.clone_from(&self.name);
        block.offset = self.offset;
        self.offset += block.len as u64;
        Ok(block.len > 0)
    }
}

/// Reads until `room` is full or nothing is left.
fn read_all(reader: &mut dyn Read, room: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = room.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A bar on standard error, where that is a terminal; nothing elsewhere.
fn bar(total: Option<u64>) -> ProgressBar {
    let (bar, template) = match total {
        Some(total) => (
            ProgressBar::new(total),
            "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left",
        ),
        None => (ProgressBar::new_spinner(), "{spinner} {bytes}, {bytes_per_sec}"),
    };
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks how a log falls into blocks: length, whether it begins and ends inside of a line.
    #[track_caller]
    fn check(text: &[u8], expected: &[(usize, bool, bool)]) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, text).unwrap();
        let mut blocks = Blocks::of(&[file.path().to_owned()]).unwrap();
        let (mut block, mut found, mut whole) = (Block::default(), Vec::new(), Vec::new());
        while blocks.next(&mut block).unwrap() {
            assert_eq!(block.offset, whole.len() as u64);
            whole.extend_from_slice(block.bytes());
            found.push((block.bytes().len(), block.is_inside_a_line, block.is_cut));
        }
        assert_eq!(found, expected);
        assert!(whole == text);
    }

    #[test]
    fn blocks_end_with_a_line() {
        check(b"", &[]);
        check(b"one\ntwo\n", &[(8, false, false)]);
        check(b"one\ntwo", &[(7, false, true)]);
        let lines = [b'x'; 1000].map(|_| [b"y".repeat(999), b"\n".to_vec()].concat()).concat();
        let whole = BLOCK_BYTES / 1000 * 1000;
        let rest = lines.len() % whole;
        check(
            &lines,
            &[
                (whole, false, false),
                (whole, false, false),
                (whole, false, false),
                (rest, false, false),
            ],
        );
    }

    #[test]
    fn a_line_without_end_comes_in_pieces() {
        let long = b"x".repeat(BLOCK_BYTES + 5);
        check(&long, &[(BLOCK_BYTES, false, false), (5, true, true)]);
        let ended = [long, b"\nshort\n".to_vec()].concat();
        check(&ended, &[(BLOCK_BYTES, false, false), (12, true, false)]);
        check(&b"x".repeat(BLOCK_BYTES), &[(BLOCK_BYTES, false, false)]);
    }
}
