//! Records on their way to a file: bounded in memory, never waited for.

use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::DecisionRecord;

/// Bytes that may wait to be written. A line is about half a kilobyte.
const PENDING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Lines waiting to be written.
///
/// Writers append under a short lock and never wait for a disk; one flusher takes everything
/// at once. What does not fit, or cannot be written, is dropped and counted.
#[derive(Debug, Default)]
pub struct RecordLog {
    pending: Mutex<Vec<u8>>,
    lost: AtomicU64,
}

impl RecordLog {
    /// Appends a record, or counts it as lost when too many are waiting.
    pub fn write(&self, record: &DecisionRecord<'_>) {
        let mut pending = self.pending();
        let start = pending.len();
        if start > PENDING_BYTES_MAX || serde_json::to_writer(&mut *pending, record).is_err() {
            pending.truncate(start);
            drop(pending);
            self.lose(1);
        } else {
            pending.push(b'\n');
        }
    }

    /// Records that were dropped since the start.
    pub fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// Writes everything that waits. On an error those lines are lost, and counted.
    ///
    /// # Errors
    /// What `sink` says; the log stays usable.
    pub fn flush_to(&self, sink: &mut dyn Write) -> io::Result<()> {
        let lines = std::mem::take(&mut *self.pending());
        if lines.is_empty() {
            return Ok(());
        }
        sink.write_all(&lines).and_then(|()| sink.flush()).inspect_err(|_| {
            let count = lines.iter().filter(|&&byte| byte == b'\n').count();
            self.lose(u64::try_from(count).unwrap_or(u64::MAX));
        })
    }

    fn lose(&self, count: u64) {
        self.lost.fetch_add(count, Ordering::Relaxed);
    }

    /// A writer that panicked left whole lines or a truncated one behind; neither is a reason
    /// to stop recording.
    fn pending(&self) -> MutexGuard<'_, Vec<u8>> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bounded;

    fn record(agent: &str) -> DecisionRecord<'_> {
        DecisionRecord {
            time_ms: 1,
            decision_id: "d",
            method: "GET",
            path: "/",
            route: "-",
            status: 404,
            code: Some("no_route"),
            step: Some("route"),
            bytes: 0,
            duration_us: 5,
            edge_us: 5,
            client: "127.0.0.1",
            account: None,
            held: None,
            roles: "",
            mfa_s: None,
            conditions: None,
            scope: None,
            user_agent: Some(agent),
            bundle: "-",
            shadow_bundle: None,
            shadow: None,
        }
    }

    #[test]
    fn a_record_is_one_line_whatever_is_in_it() {
        let log = RecordLog::default();
        log.write(&record("a\r\nb\u{1b}[2J\"é"));
        let mut out = Vec::new();
        log.flush_to(&mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text.matches('\n').count(), 1);
        assert!(!text.contains('\u{1b}'));
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["user_agent"], "a\r\nb\u{1b}[2J\"é");
    }

    #[test]
    fn a_flood_loses_records_and_counts_them() {
        let log = RecordLog::default();
        let long = "x".repeat(1024 * 1024);
        for _ in 0..12 {
            log.write(&record(&long));
        }
        assert!(log.lost() > 0);
        let mut out = Vec::new();
        log.flush_to(&mut out).unwrap();
        let lines = out.iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(lines as u64 + log.lost(), 12);
    }

    #[test]
    fn a_full_disk_loses_records_and_counts_them() {
        struct Full;
        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let log = RecordLog::default();
        log.write(&record("x"));
        log.write(&record("y"));
        assert!(log.flush_to(&mut Full).is_err());
        assert_eq!(log.lost(), 2);
    }

    #[test]
    fn a_long_text_is_cut_between_characters() {
        let cut = bounded(&"é".repeat(200)).to_owned();
        assert_eq!(cut.len(), 256);
        assert_eq!(bounded("short"), "short");
    }
}
